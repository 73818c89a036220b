#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold a FOCUS 1.4 cost and usage export against the static rules of the columns that ebb writes.

usage: focus_check.py FILE      exits with 1 and names line and column of the first rule that is broken

Rules are those of the FOCUS 1.4 column definitions (focus.finops.org): header and order, types, nulls, allowed values, exact products,
one service category for each service, one SKU for each SKU price. What needs knowledge of invoices is not checked.
"""
import csv
import json
import re
import sys
from decimal import Decimal

COLUMNS = """BilledCost:n BillingAccountId:s BillingAccountName:s? BillingCurrency:c BillingPeriodEnd:t BillingPeriodStart:t
ChargeCategory:e ChargeClass:e? ChargeDescription:s ChargeFrequency:e ChargePeriodEnd:t ChargePeriodStart:t ConsumedQuantity:n
ConsumedUnit:s ContractedCost:n EffectiveCost:n HostProviderName:s InvoiceIssuerName:s ListCost:n ListUnitPrice:n PricingQuantity:n
PricingUnit:s RegionId:s? RegionName:s? ResourceId:s ResourceName:s? ResourceType:s ServiceCategory:e ServiceName:s
ServiceProviderName:s ServiceSubcategory:e SkuId:s SkuPriceId:s Tags:j x_Confidence:s x_EstimatedCost:n x_IsEstimate:s""".split()
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "ServiceCategory": {"Storage", "Networking", "Management and Governance", "Migration"},
    "ServiceSubcategory": {"Object Storage", "File Storage", "Block Storage", "Backup Storage", "Storage Platforms", "Other (Storage)"},
}
PATTERNS = {
    "n": r"-?(0|[1-9][0-9]*)(\.[0-9]+)?",
    "t": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
    "c": r"[A-Z]{3}",
}


def fail(line, column, why):
    sys.exit(f"line {line}: {column}: {why}")


def check_cell(line, name, kind, null_ok, value):
    if value == "":
        if not null_ok:
            fail(line, name, "must not be null")
        return
    if value in ("NULL", "N/A", "null"):
        fail(line, name, "a null is an empty field")
    if kind in PATTERNS and not re.fullmatch(PATTERNS[kind], value):
        fail(line, name, f"'{value}' has the wrong form")
    if kind == "e" and value not in ALLOWED[name]:
        fail(line, name, f"'{value}' is not allowed")
    if kind == "j":
        try:
            tags = json.loads(value)
        except ValueError:
            tags = None
        if not isinstance(tags, dict) or not all(isinstance(v, (str, int, float, bool, type(None))) for v in tags.values()):
            fail(line, name, "tags are a flat object")


def check_row(line, r, seen):
    if Decimal(r["ListUnitPrice"]) * Decimal(r["PricingQuantity"]) != Decimal(r["ListCost"]):
        fail(line, "ListCost", "is not ListUnitPrice times PricingQuantity")
    if Decimal(r["BilledCost"]) != 0 or Decimal(r["EffectiveCost"]) != 0:
        fail(line, "BilledCost", "an estimator invoices nothing")
    for what in ("Billing", "Charge"):
        if not r[what + "PeriodStart"] < r[what + "PeriodEnd"]:
            fail(line, what + "PeriodEnd", "is not behind its start")
    if not (r["BillingPeriodStart"] <= r["ChargePeriodStart"] and r["ChargePeriodEnd"] <= r["BillingPeriodEnd"]):
        fail(line, "ChargePeriodStart", "lies outside of the billing period")
    if bool(r["RegionId"]) != bool(r["RegionName"]):
        fail(line, "RegionName", "goes with RegionId")
    for key, value in (("ServiceName", "ServiceCategory"), ("SkuPriceId", "SkuId"), ("SkuPriceId", "ListUnitPrice")):
        if seen.setdefault((key, value, r[key]), r[value]) != r[value]:
            fail(line, key, f"'{r[key]}' has two of {value}")


def main(path):
    names = [c.split(":")[0] for c in COLUMNS]
    seen = {}
    with open(path, newline="") as f:
        rows = csv.reader(f)
        if next(rows) != names:
            fail(1, "header", "columns or their order are wrong")
        for line, cells in enumerate(rows, 2):
            if len(cells) != len(names):
                fail(line, "row", f"has {len(cells)} fields, not {len(names)}")
            for column, value in zip(COLUMNS, cells):
                name, kind = column.split(":")
                check_cell(line, name, kind[0], kind.endswith("?"), value)
            check_row(line, dict(zip(names, cells)), seen)


main(sys.argv[1])
