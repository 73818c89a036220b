/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/charge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/date.h"
#include "core/decimal.h"
#include "core/mem.h"
#include "core/units.h"

#define PICO_DIGITS 12

enum column {
	COST, CURRENCY, FROM, TO, SERVICE, PROVIDER, REGION, CATEGORY, USAGE, OPERATION, METER, SKU, TEXT, COLUMNS
};
_Static_assert(COLUMNS <= EBB_CHARGE_COLUMNS, "room for all columns");

static const char *const kinds[] = {"storage", "requests", "transfer", "retrieval", "early deletes", "taxes and credits", "other"};

const char *ebb_charge_kind_name(enum ebb_charge_kind k)
{
	return kinds[k];
}

/* --- Headings --- */

/* Names of a column, the best first; the first COST is that of EBB_CHARGE_BILLED, and so on. */
struct format {
	const char *name;
	const char *cost[EBB_CHARGE_COSTS];
	const char *column[COLUMNS][4];
};

static const struct format formats[] = {
	{"FOCUS", {"BilledCost", "EffectiveCost", "ListCost", "ContractedCost"},
	 {[CURRENCY] = {"BillingCurrency"}, [FROM] = {"ChargePeriodStart"}, [TO] = {"ChargePeriodEnd"}, [SERVICE] = {"ServiceName"},
	  [PROVIDER] = {"ServiceProviderName", "ProviderName", "HostProviderName", "PublisherName"}, [REGION] = {"RegionId", "Region"},
	  [CATEGORY] = {"ChargeCategory"}, [USAGE] = {"x_UsageType"}, [OPERATION] = {"x_Operation"},
	  [METER] = {"SkuMeter", "x_SkuMeterName", "x_SkuDescription"}, [SKU] = {"SkuId"}, [TEXT] = {"ChargeDescription"}}},
	{"CUR", {"lineItem/UnblendedCost", "lineItem/UnblendedCost", "pricing/publicOnDemandCost", "lineItem/UnblendedCost"},
	 {[CURRENCY] = {"lineItem/CurrencyCode"}, [FROM] = {"lineItem/UsageStartDate"}, [TO] = {"lineItem/UsageEndDate"},
	  [SERVICE] = {"lineItem/ProductCode"}, [REGION] = {"product/regionCode", "product/region"}, [CATEGORY] = {"lineItem/LineItemType"},
	  [USAGE] = {"lineItem/UsageType"}, [OPERATION] = {"lineItem/Operation"}, [TEXT] = {"lineItem/LineItemDescription"}}},
	{"CUR 2.0", {"line_item_unblended_cost", "line_item_unblended_cost", "pricing_public_on_demand_cost", "line_item_unblended_cost"},
	 {[CURRENCY] = {"line_item_currency_code"}, [FROM] = {"line_item_usage_start_date"}, [TO] = {"line_item_usage_end_date"},
	  [SERVICE] = {"line_item_product_code"}, [REGION] = {"product_region_code", "product_region"}, [CATEGORY] = {"line_item_line_item_type"},
	  [USAGE] = {"line_item_usage_type"}, [OPERATION] = {"line_item_operation"}, [TEXT] = {"line_item_line_item_description"}}},
};

static int find(char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++) {
		const char *s = names[i];

		if (i == 0 && strncmp(s, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
			s += 3;
		if (strcmp(s, name) == 0)
			return (int)i;
	}
	return -1;
}

int ebb_charge_heading(char *const *names, size_t n, enum ebb_charge_cost which, struct ebb_charge_columns *ret,
		       struct ebb_err *err)
{
	static const enum column needed[] = {COST, CURRENCY, FROM, SERVICE};
	const struct format *f = NULL;

	for (size_t i = 0; i < EBB_ARRAY_LEN(formats) && !f; i++)
		if (find(names, n, formats[i].column[FROM][0]) >= 0)
			f = &formats[i];
	if (!f)
		return ebb_err_set(err, EBB_ECONFIG, "is neither FOCUS (no column ChargePeriodStart) nor an AWS cost and usage report "
						     "(no lineItem/UsageStartDate, no line_item_usage_start_date)");
	ret->format = f->name;
	for (size_t c = 0; c < EBB_CHARGE_COLUMNS; c++) {
		ret->at[c] = c == COST ? find(names, n, f->cost[which]) : -1;
		for (size_t k = 0; c < COLUMNS && k < EBB_ARRAY_LEN(f->column[c]) && ret->at[c] < 0; k++)
			ret->at[c] = find(names, n, f->column[c][k]);
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(needed); i++)
		if (ret->at[needed[i]] < 0)
			return ebb_err_set(err, EBB_ECONFIG, "is %s without the column %s", f->name,
					   needed[i] == COST ? f->cost[which] : f->column[needed[i]][0]);
	return 0;
}

/* --- Values --- */

static const char *value(const struct ebb_charge_columns *c, char *const *field, size_t n, enum column which)
{
	return c->at[which] >= 0 && (size_t)c->at[which] < n ? field[c->at[which]] : "";
}

/* Costs have more digits than an exact decimal holds: those behind the 15th cannot be seen in a sum. */
static int amount(const char *text, int64_t *ret, struct ebb_err *err)
{
	struct ebb_decimal d;
	char cut[40];
	const char *point = strchr(text, '.');
	int r = *text ? ebb_decimal_parse(text, &d, NULL) : (d = ebb_decimal_of(0), 0);

	if (r == -EBB_ERANGE && point && !strpbrk(text, "eE")) {
		snprintf(cut, sizeof(cut), "%.*s", (int)(point - text) + 16, text);
		r = ebb_decimal_parse(cut, &d, NULL);
	}
	if (r == 0)
		r = ebb_decimal_scaled(d, PICO_DIGITS, ret, NULL, NULL);
	return r < 0 ? ebb_err_set(err, EBB_ECONFIG, "the cost '%.40s' is no amount", text) : 0;
}

/* "2026-11-01T00:00:00Z", "2026-11-01 00:00:00", "2026-11-01", with anything behind the seconds. */
static int day_of(const char *text, bool *ret_midnight, int64_t *ret, struct ebb_err *err)
{
	int y, m, d, h = 0, min = 0, s = 0;
	int n = sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d", &y, &m, &d, &h, &min, &s);

	if (n < 3 || y < 1970 || m < 1 || m > 12 || d < 1 || d > 31)
		return ebb_err_set(err, EBB_ECONFIG, "the date '%.40s' is none", text);
	*ret = ebb_date_days((struct ebb_date){y, m, d});
	*ret_midnight = h == 0 && min == 0 && s == 0;
	return 0;
}

static int period(const struct ebb_charge_columns *c, char *const *field, size_t n, struct ebb_charge *ret, struct ebb_err *err)
{
	const char *to = value(c, field, n, TO);
	bool midnight;
	int r = day_of(value(c, field, n, FROM), &midnight, &ret->from, err);

	ret->to = ret->from + 1;
	if (r < 0 || !*to)
		return r;
	if ((r = day_of(to, &midnight, &ret->to, err)) < 0)
		return r;
	ret->to += !midnight;
	return ret->to > ret->from ? 0 : ebb_err_set(err, EBB_ECONFIG, "the period ends on '%.40s', before it begins", to);
}

/* --- Providers and services --- */

static bool has(const char *s, const char *part)
{
	return strcasestr(s, part) != NULL;
}

static const char *provider_of(const char *provider, const char *service)
{
	static const struct {
		const char *part, *name;
	} names[] = {
		{"amazon", "aws"}, {"aws", "aws"}, {"google", "gcs"}, {"microsoft", "azure"}, {"azure", "azure"},
		{"cloudflare", "r2"}, {"backblaze", "b2"}, {"wasabi", "wasabi"},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(names); i++)
		if (has(provider, names[i].part) || (!*provider && has(service, names[i].part)))
			return names[i].name;
	return "";
}

/* Is it the object storage of that provider? A site of one's own has whatever service it says. */
static bool is_storage(const char *provider, const char *service)
{
	static const char *const parts[][3] = {
		{"aws", "S3", "Simple Storage"}, {"aws", "Glacier", "Glacier"}, {"gcs", "Cloud Storage", "Cloud Storage"},
		{"azure", "Storage", "Blob"}, {"r2", "R2", "R2"}, {"b2", "B2", "Cloud Storage"}, {"wasabi", "Wasabi", "Storage"},
		{"", "storage", "storage"},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(parts); i++)
		if (strcmp(provider, parts[i][0]) == 0 && (has(service, parts[i][1]) || has(service, parts[i][2])))
			return true;
	return false;
}

/* Regions by the codes that usage types begin with: only asked when the row names no region. */
static const struct {
	const char *code, *region;
} regions[] = {
	{"AFS1", "af-south-1"}, {"CPT", "af-south-1"}, {"APE1", "ap-east-1"}, {"APN1", "ap-northeast-1"}, {"APN2", "ap-northeast-2"},
	{"APN3", "ap-northeast-3"}, {"APS1", "ap-southeast-1"}, {"APS2", "ap-southeast-2"}, {"APS3", "ap-south-1"},
	{"APS4", "ap-southeast-3"}, {"APS5", "ap-south-2"}, {"APS6", "ap-southeast-4"}, {"CAN1", "ca-central-1"},
	{"EU", "eu-west-1"}, {"EUC1", "eu-central-1"}, {"EUC2", "eu-central-2"}, {"EUN1", "eu-north-1"}, {"EUS1", "eu-south-1"},
	{"EUS2", "eu-south-2"}, {"EUW1", "eu-west-1"}, {"EUW2", "eu-west-2"}, {"EUW3", "eu-west-3"}, {"ILC1", "il-central-1"},
	{"MEC1", "me-central-1"}, {"MES1", "me-south-1"}, {"SAE1", "sa-east-1"}, {"UGE1", "us-gov-east-1"}, {"UGW1", "us-gov-west-1"},
	{"USE1", "us-east-1"}, {"USE2", "us-east-2"}, {"USW1", "us-west-1"}, {"USW2", "us-west-2"},
};

/* What stands behind "EUW1-" in a usage type, and the region that it names; no code is us-east-1. */
static const char *without_region(const char *usage, const char **ret_region)
{
	*ret_region = "us-east-1";
	for (size_t i = 0; i < EBB_ARRAY_LEN(regions); i++) {
		size_t n = strlen(regions[i].code);

		if (strncmp(usage, regions[i].code, n) == 0 && usage[n] == '-') {
			*ret_region = regions[i].region;
			return usage + n + 1;
		}
	}
	return usage;
}

/* --- What a row is for --- */

struct rule {
	const char *part;	/* of the text, in any case */
	enum ebb_charge_kind kind;
	const char *class;
};

/* The first that fits counts. Usage types without the region's code. */
static const struct rule aws_rules[] = {
	{"EarlyDelete", EBB_CHARGE_EARLY, ""},
	{"TimedStorage-INT", EBB_CHARGE_STORAGE, "INTELLIGENT_TIERING"},
	{"Monitoring-Automation-INT", EBB_CHARGE_STORAGE, "INTELLIGENT_TIERING"},
	{"TimedStorage-SIA", EBB_CHARGE_STORAGE, "STANDARD_IA"},
	{"TimedStorage-ZIA", EBB_CHARGE_STORAGE, "ONEZONE_IA"},
	{"TimedStorage-GIR", EBB_CHARGE_STORAGE, "GLACIER_IR"},
	{"TimedStorage-GDA", EBB_CHARGE_STORAGE, "DEEP_ARCHIVE"},
	{"TimedStorage-Glacier", EBB_CHARGE_STORAGE, "GLACIER"},
	{"TimedStorage-RRS", EBB_CHARGE_STORAGE, "REDUCED_REDUNDANCY"},
	{"TimedStorage-XZ", EBB_CHARGE_STORAGE, "EXPRESS_ONEZONE"},
	{"TimedStorage-ByteHrs", EBB_CHARGE_STORAGE, "STANDARD"},
	{"Retrieval", EBB_CHARGE_RETRIEVAL, ""},
	{"Requests", EBB_CHARGE_REQUESTS, ""},
	{"-Bytes", EBB_CHARGE_TRANSFER, ""},
};

/* Descriptions of Google's and Microsoft's meters. */
static const struct rule meter_rules[] = {
	{"early delet", EBB_CHARGE_EARLY, ""},
	{"retrieval", EBB_CHARGE_RETRIEVAL, ""},
	{"operations", EBB_CHARGE_REQUESTS, ""},
	{"transfer", EBB_CHARGE_TRANSFER, ""},
	{"egress", EBB_CHARGE_TRANSFER, ""},
};

static const struct rule gcs_rules[] = {
	{"nearline", EBB_CHARGE_STORAGE, "NEARLINE"},
	{"coldline", EBB_CHARGE_STORAGE, "COLDLINE"},
	{"archive", EBB_CHARGE_STORAGE, "ARCHIVE"},
	{"standard storage", EBB_CHARGE_STORAGE, "STANDARD"},
};

static const struct rule azure_rules[] = {
	{"hot", EBB_CHARGE_STORAGE, "HOT"},
	{"cool", EBB_CHARGE_STORAGE, "COOL"},
	{"cold", EBB_CHARGE_STORAGE, "COLD"},
	{"archive", EBB_CHARGE_STORAGE, "ARCHIVE"},
};

static bool apply(const struct rule *rules, size_t n, const char *text, struct ebb_charge *ret)
{
	for (size_t i = 0; i < n; i++)
		if (has(text, rules[i].part)) {
			ret->kind = rules[i].kind;
			snprintf(ret->class, sizeof(ret->class), "%s", rules[i].class);
			return true;
		}
	return false;
}

/* Archive classes keep a part of each object in the plain class; the operation says of which. */
static void overhead(const char *operation, struct ebb_charge *ret)
{
	if (!has(operation, "ObjectOverhead"))
		return;
	if (has(operation, "DeepArchive"))
		strcpy(ret->class, "DEEP_ARCHIVE");
	else if (has(operation, "Glacier"))
		strcpy(ret->class, "GLACIER");
}

/* "aws.DEEP_ARCHIVE.storage": the SKUs of ebb's own export. */
static bool own_sku(const char *sku, struct ebb_charge *ret)
{
	const char *class = strchr(sku, '.'), *what = class ? strchr(class + 1, '.') : NULL;

	if (!what || what - class - 1 >= (int)sizeof(ret->class))
		return false;
	snprintf(ret->class, sizeof(ret->class), "%.*s", (int)(what - class - 1), class + 1);
	ret->kind = EBB_CHARGE_STORAGE;
	for (const char *p = ret->class; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *p))
			return false;
	return true;
}

static void classify(const struct ebb_charge_columns *c, char *const *field, size_t n, struct ebb_charge *ret)
{
	const char *usage = value(c, field, n, USAGE), *meter = value(c, field, n, METER), *text = value(c, field, n, TEXT);
	const char *from_code = "";

	if (!is_storage(ret->provider, ret->service))
		return;
	if (strcmp(ret->provider, "aws") == 0 && (*usage || strstr(meter, "TimedStorage"))) {
		const char *type = without_region(*usage ? usage : meter, &from_code);

		apply(aws_rules, EBB_ARRAY_LEN(aws_rules), type, ret);
		if (ret->kind == EBB_CHARGE_STORAGE)
			overhead(value(c, field, n, OPERATION), ret);
		if (!*ret->region && *usage)
			snprintf(ret->region, sizeof(ret->region), "%s", from_code);
		return;
	}
	if (own_sku(value(c, field, n, SKU), ret))
		return;
	ret->kind = EBB_CHARGE_OTHER;
	ret->class[0] = 0;
	const char *best = *meter ? meter : text;
	if (apply(meter_rules, EBB_ARRAY_LEN(meter_rules), best, ret))
		return;
	if (strcmp(ret->provider, "gcs") == 0)
		apply(gcs_rules, EBB_ARRAY_LEN(gcs_rules), best, ret);
	else if (strcmp(ret->provider, "azure") == 0 && has(best, "data stored"))
		apply(azure_rules, EBB_ARRAY_LEN(azure_rules), best, ret);
}

/* Taxes, credits and adjustments are no price of anything. */
static bool is_usage(const char *category)
{
	static const char *const words[] = {"", "Usage", "DiscountedUsage", "Purchase", "SavingsPlanCoveredUsage"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(words); i++)
		if (strcmp(category, words[i]) == 0)
			return true;
	return false;
}

int ebb_charge_row(const struct ebb_charge_columns *c, char *const *field, size_t n, struct ebb_charge *ret,
		   struct ebb_err *err)
{
	const char *currency = value(c, field, n, CURRENCY), *service = value(c, field, n, SERVICE);
	int r = amount(value(c, field, n, COST), &ret->pico, err);

	if (r == 0)
		r = period(c, field, n, ret, err);
	if (r == 0 && strlen(currency) != 3)
		r = ebb_err_set(err, EBB_ECONFIG, "the currency '%.20s' is none", currency);
	if (r < 0)
		return r;
	ret->kind = EBB_CHARGE_OTHER;
	strcpy(ret->currency, currency);
	snprintf(ret->service, sizeof(ret->service), "%s", service);
	snprintf(ret->region, sizeof(ret->region), "%s", value(c, field, n, REGION));
	ret->class[0] = 0;
	ret->provider = strncmp(c->format, "CUR", 3) == 0 ? "aws" : provider_of(value(c, field, n, PROVIDER), service);
	if (!is_usage(value(c, field, n, CATEGORY)))
		ret->kind = EBB_CHARGE_TAX;
	else
		classify(c, field, n, ret);
	return 0;
}
