/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Charges: rows of a bill, by the columns of the exports that providers write, and what of storage they are for.
 *
 *   FOCUS 1.0 to 1.4     BilledCost, ChargePeriodStart, ServiceName, RegionId, ... (focus.finops.org); the class from x_UsageType and x_Operation (AWS),
 *                        SkuMeter, SkuId, ChargeDescription
 *   AWS CUR              lineItem/UnblendedCost, lineItem/UsageStartDate, lineItem/UsageType, product/regionCode, ... (docs.aws.amazon.com/cur)
 *   AWS CUR 2.0          the same in words with underscores: line_item_unblended_cost
 *   Google Cloud         cost, usage_start_time, service.description, sku.description, location.region, credits, ...: the tables of the billing export
 *                        to BigQuery as CSV, with a point or an underscore in the names (docs.cloud.google.com/billing)
 *   Azure                CostInBillingCurrency, Date, MeterCategory, MeterSubCategory, MeterName, ResourceLocation, ...: exports of Cost Management of every
 *                        contract, older ones with PreTaxCost (learn.microsoft.com/azure/cost-management-billing/dataset-schema)
 *
 * Usage types of S3: "Understanding your AWS billing and usage reports for Amazon S3". Only what keeping data costs has a class (kind STORAGE);
 * requests, transfers, retrievals and early deletes are told apart by kind, and charges of other services are OTHER.
 *
 * Pure. Threads: plain data.
 */
#ifndef EBB_POLICIES_CHARGE_H
#define EBB_POLICIES_CHARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Which of the costs of a row counts. */
enum ebb_charge_cost {
	EBB_CHARGE_BILLED,	/* BilledCost; unblended; cost and credits; in billing currency */
	EBB_CHARGE_EFFECTIVE,	/* EffectiveCost; as billed */
	EBB_CHARGE_LIST,	/* ListCost; public on-demand; cost at list; pay as you go */
	EBB_CHARGE_CONTRACTED,	/* ContractedCost; unblended; cost without credits; as billed */
	EBB_CHARGE_COSTS
};

enum ebb_charge_kind {
	EBB_CHARGE_STORAGE,
	EBB_CHARGE_REQUESTS,
	EBB_CHARGE_TRANSFER,
	EBB_CHARGE_RETRIEVAL,
	EBB_CHARGE_EARLY,	/* early delete */
	EBB_CHARGE_TAX,		/* taxes, credits, adjustments */
	EBB_CHARGE_OTHER,	/* of storage, none of these; or of another service */
	EBB_CHARGE_KINDS
};

/* "storage", "early deletes". Constant. */
const char *ebb_charge_kind_name(enum ebb_charge_kind k);

#define EBB_CHARGE_COLUMNS 16

/* Where columns stand; -1: not there. */
struct ebb_charge_columns {
	const char *format;	/* "FOCUS", "CUR", "CUR 2.0", "Google Cloud", "Azure"; constant */
	const char *provider;	/* of all rows; "": each says */
	int at[EBB_CHARGE_COLUMNS];
};

/*
 * Find the columns by the names of the heading; @which cost is wanted.
 *
 * @return  0; -EBB_ECONFIG naming what is missing when it is none of the formats.
 */
int ebb_charge_heading(char *const *names, size_t n, enum ebb_charge_cost which, struct ebb_charge_columns *ret,
		       struct ebb_err *err);

struct ebb_charge {
	enum ebb_charge_kind kind;
	int64_t from, to;		/* days since the epoch: the first, and the one behind the last */
	int64_t pico;			/* amount in 10^-12 of the currency */
	char currency[4];
	const char *provider;		/* as in price books: "aws", "gcp", "azure", "r2", "b2", "wasabi"; "" for any other */
	char service[64];		/* as the row calls it */
	char region[40];		/* "" when the row says nothing */
	char class[40];			/* STORAGE: as in price books; "" when it cannot be told */
};

/*
 * Read a row.
 *
 * @return  0; -EBB_ECONFIG (without place) for a cost, date or currency that is none.
 */
int ebb_charge_row(const struct ebb_charge_columns *c, char *const *field, size_t n, struct ebb_charge *ret,
		   struct ebb_err *err);

#endif
