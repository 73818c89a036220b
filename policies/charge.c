/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/charge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/date.h"
#include "core/decimal.h"
#include "core/mem.h"
#include "core/text.h"
#include "core/units.h"

#define PICO_DIGITS 12

enum column {
	COST, CURRENCY, FROM, TO, SERVICE, PROVIDER, REGION, PLACE, CATEGORY, USAGE, OPERATION, METER, FAMILY, SKU, TEXT, CREDITS, COLUMNS
};
_Static_assert(COLUMNS <= EBB_CHARGE_COLUMNS, "room for all columns");

static const char *const kinds[] = {"storage", "requests", "transfer", "retrieval", "early deletes", "taxes and credits", "other"};

const char *ebb_charge_kind_name(enum ebb_charge_kind k)
{
	return kinds[k];
}

/* --- Headings --- */

/*
 * An export, told from others by its column @sign. Names of a column, the best first; COST has a row for each enum ebb_charge_cost. PLACE stands in where
 * REGION is empty; CREDITS are part of what is billed, not of prices.
 */
struct format {
	const char *name, *sign, *provider;	/* provider "": the row says */
	const char *cost[EBB_CHARGE_COSTS][3];
	const char *column[COLUMNS][4];
};

static const struct format formats[] = {
	{"FOCUS", "ChargePeriodStart", "", {{"BilledCost"}, {"EffectiveCost"}, {"ListCost"}, {"ContractedCost"}},
	 {[CURRENCY] = {"BillingCurrency"}, [FROM] = {"ChargePeriodStart"}, [TO] = {"ChargePeriodEnd"}, [SERVICE] = {"ServiceName"},
	  [PROVIDER] = {"ServiceProviderName", "ProviderName", "HostProviderName", "PublisherName"}, [REGION] = {"RegionId", "Region"},
	  [CATEGORY] = {"ChargeCategory"}, [USAGE] = {"x_UsageType"}, [OPERATION] = {"x_Operation"},
	  [METER] = {"SkuMeter", "x_SkuMeterName", "x_SkuDescription"}, [FAMILY] = {"x_SkuMeterSubcategory"}, [SKU] = {"SkuId"},
	  [TEXT] = {"ChargeDescription"}}},
	{"CUR", "lineItem/UsageStartDate", "aws",
	 {{"lineItem/UnblendedCost"}, {"lineItem/UnblendedCost"}, {"pricing/publicOnDemandCost"}, {"lineItem/UnblendedCost"}},
	 {[CURRENCY] = {"lineItem/CurrencyCode"}, [FROM] = {"lineItem/UsageStartDate"}, [TO] = {"lineItem/UsageEndDate"},
	  [SERVICE] = {"lineItem/ProductCode"}, [REGION] = {"product/regionCode", "product/region"}, [CATEGORY] = {"lineItem/LineItemType"},
	  [USAGE] = {"lineItem/UsageType"}, [OPERATION] = {"lineItem/Operation"}, [TEXT] = {"lineItem/LineItemDescription"}}},
	{"CUR 2.0", "line_item_usage_start_date", "aws",
	 {{"line_item_unblended_cost"}, {"line_item_unblended_cost"}, {"pricing_public_on_demand_cost"}, {"line_item_unblended_cost"}},
	 {[CURRENCY] = {"line_item_currency_code"}, [FROM] = {"line_item_usage_start_date"}, [TO] = {"line_item_usage_end_date"},
	  [SERVICE] = {"line_item_product_code"}, [REGION] = {"product_region_code", "product_region"}, [CATEGORY] = {"line_item_line_item_type"},
	  [USAGE] = {"line_item_usage_type"}, [OPERATION] = {"line_item_operation"}, [TEXT] = {"line_item_line_item_description"}}},
	{"Google Cloud", "usage_start_time", "gcp", {{"cost"}, {"cost"}, {"cost_at_list"}, {"cost"}},
	 {[CURRENCY] = {"currency"}, [FROM] = {"usage_start_time"}, [TO] = {"usage_end_time"},
	  [SERVICE] = {"service.description", "service_description"}, [REGION] = {"location.region", "location_region"},
	  [PLACE] = {"location.location", "location_location"}, [CATEGORY] = {"cost_type"},
	  [METER] = {"sku.description", "sku_description"}, [CREDITS] = {"credits.amount", "credits_amount", "credits"}}},
	{"Azure", "MeterCategory", "azure",
	 {{"CostInBillingCurrency", "PreTaxCost", "Cost"}, {"CostInBillingCurrency", "PreTaxCost", "Cost"},
	  {"PaygCostInBillingCurrency"}, {"CostInBillingCurrency", "PreTaxCost", "Cost"}},
	 {[CURRENCY] = {"BillingCurrency", "BillingCurrencyCode", "Currency"}, [FROM] = {"Date", "UsageDateTime", "UsageDate"},
	  [SERVICE] = {"MeterCategory"}, [REGION] = {"ResourceLocation"}, [PLACE] = {"MeterRegion"}, [CATEGORY] = {"ChargeType"},
	  [METER] = {"MeterName"}, [FAMILY] = {"MeterSubCategory"}, [TEXT] = {"ProductName", "Product"}}},
};

/* Case is none of the matter: exports of Azure differ by contract. */
static int find(char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++) {
		const char *s = names[i];

		if (i == 0 && strncmp(s, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
			s += 3;
		if (strcasecmp(s, name) == 0)
			return (int)i;
	}
	return -1;
}

static int find_any(char *const *names, size_t n, const char *const *of, size_t max)
{
	int at = -1;

	for (size_t i = 0; i < max && at < 0; i++)
		at = find(names, n, of[i]);
	return at;
}

static int unknown(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ECONFIG,
			   "is no bill that ebb knows: there is neither ChargePeriodStart (FOCUS), lineItem/UsageStartDate or "
			   "line_item_usage_start_date (AWS), usage_start_time (Google Cloud) nor MeterCategory (Azure) in its first line");
}

int ebb_charge_heading(char *const *names, size_t n, enum ebb_charge_cost which, struct ebb_charge_columns *ret,
		       struct ebb_err *err)
{
	static const enum column needed[] = {COST, CURRENCY, FROM, SERVICE};
	const struct format *f = NULL;

	for (size_t i = 0; i < EBB_ARRAY_LEN(formats) && !f; i++)
		if (find(names, n, formats[i].sign) >= 0)
			f = &formats[i];
	if (!f)
		return unknown(err);
	ret->format = f->name;
	ret->provider = f->provider;
	for (size_t c = 0; c < COLUMNS; c++)
		ret->at[c] = c == COST ? find_any(names, n, f->cost[which], EBB_ARRAY_LEN(f->cost[which]))
				       : find_any(names, n, f->column[c], EBB_ARRAY_LEN(f->column[c]));
	if (which == EBB_CHARGE_LIST || which == EBB_CHARGE_CONTRACTED)
		ret->at[CREDITS] = -1;
	for (size_t i = 0; i < EBB_ARRAY_LEN(needed); i++)
		if (ret->at[needed[i]] < 0)
			return ebb_err_set(err, EBB_ECONFIG, "is %s without the column %s", f->name,
					   needed[i] == COST ? f->cost[which][0] : f->column[needed[i]][0]);
	return 0;
}

/* --- Values --- */

static const char *value(const struct ebb_charge_columns *c, char *const *field, size_t n, enum column which)
{
	return c->at[which] >= 0 && (size_t)c->at[which] < n ? field[c->at[which]] : "";
}

/* "the cost '...' is no amount", whatever bytes stand in the bill. */
static int bad(struct ebb_err *err, const char *what, const char *text, const char *why)
{
	char quoted[EBB_TEXT_QUOTED];

	return ebb_err_set(err, EBB_ECONFIG, "%s '%s' %s", what, ebb_text_quotes(text, quoted, sizeof(quoted)), why);
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
	return r < 0 ? bad(err, "the cost", text, "is no amount") : 0;
}

/* The sum of "amount" in [{"name": "...", "amount": -1.2}, ...], or just an amount; nothing is 0. */
static int credits(const char *text, int64_t *ret, struct ebb_err *err)
{
	char number[48];

	*ret = 0;
	if (*text != '[' && *text != '{')
		return amount(text, ret, err);
	for (const char *p = text; (p = strstr(p, "\"amount\"")) != NULL;) {
		int64_t one;

		p += 8;
		p += strspn(p, " :\"");
		snprintf(number, sizeof(number), "%.*s", (int)strspn(p, "+-.0123456789eE"), p);
		if (amount(number, &one, NULL) < 0 || __builtin_add_overflow(*ret, one, ret))
			return bad(err, "the credits", text, "are no amounts");
	}
	return 0;
}

/* "2026-11-01T00:00:00Z", "2026-11-01 00:00:00", "2026-11-01", with anything behind the seconds; "11/01/2026". */
static int day_of(const char *text, bool *ret_midnight, int64_t *ret, struct ebb_err *err)
{
	int y, m, d, h = 0, min = 0, s = 0;
	int n = sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d", &y, &m, &d, &h, &min, &s);

	if (n < 3)
		n = sscanf(text, "%2d/%2d/%4d", &m, &d, &y);
	if (n < 3 || y < 1970 || m < 1 || m > 12 || d < 1 || d > 31)
		return bad(err, "the date", text, "is none");
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
	return ret->to > ret->from ? 0 : bad(err, "the period ends on", to, "before it begins");
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
		{"amazon", "aws"}, {"aws", "aws"}, {"google", "gcp"}, {"microsoft", "azure"}, {"azure", "azure"},
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
		{"aws", "S3", "Simple Storage"}, {"aws", "Glacier", "Glacier"}, {"gcp", "Cloud Storage", "Cloud Storage"},
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

static const struct rule gcp_rules[] = {
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

/* Which of Azure's meters of data stored are of blobs: disks, files, tables and queues are as well. */
static bool is_blob(const char *family)
{
	return !*family || (has(family, "blob") && !has(family, "page blob")) || has(family, "data lake");
}

static void classify_aws(const char *usage, const char *operation, const char *meter, struct ebb_charge *ret)
{
	const char *from_code = "", *type = without_region(*usage ? usage : meter, &from_code);

	apply(aws_rules, EBB_ARRAY_LEN(aws_rules), type, ret);
	if (ret->kind == EBB_CHARGE_STORAGE)
		overhead(operation, ret);
	if (!*ret->region && *usage)
		snprintf(ret->region, sizeof(ret->region), "%s", from_code);
}

/* By the words of a meter; false when they say nothing. */
static bool classify_words(const char *words, const char *family, struct ebb_charge *ret)
{
	if (apply(meter_rules, EBB_ARRAY_LEN(meter_rules), words, ret))
		return true;
	if (strcmp(ret->provider, "gcp") == 0)
		return apply(gcp_rules, EBB_ARRAY_LEN(gcp_rules), words, ret);
	return strcmp(ret->provider, "azure") == 0 && has(words, "data stored") && is_blob(family) &&
	       apply(azure_rules, EBB_ARRAY_LEN(azure_rules), words, ret);
}

static void classify(const struct ebb_charge_columns *c, char *const *field, size_t n, struct ebb_charge *ret)
{
	const char *usage = value(c, field, n, USAGE), *meter = value(c, field, n, METER), *family = value(c, field, n, FAMILY);

	if (!is_storage(ret->provider, ret->service))
		return;
	if (strcmp(ret->provider, "aws") == 0 && (*usage || strstr(meter, "TimedStorage"))) {
		classify_aws(usage, value(c, field, n, OPERATION), meter, ret);
		return;
	}
	if (own_sku(value(c, field, n, SKU), ret))
		return;
	ret->kind = EBB_CHARGE_OTHER;
	ret->class[0] = 0;
	if (!classify_words(meter, family, ret))
		classify_words(value(c, field, n, TEXT), family, ret);
}

/* --- Regions --- */

/* Azure's own names for its regions begin with the country, those of its bills may: "US East 2" is eastus2. */
static const struct {
	const char *begins, *first, *last;
} azure_places[] = {
	{"us", "", "us"}, {"eu", "", "europe"}, {"ap", "", "asia"}, {"in", "", "india"}, {"ja", "japan", ""}, {"au", "australia", ""},
	{"br", "brazil", ""}, {"ca", "canada", ""}, {"de", "germany", ""}, {"fr", "france", ""}, {"kr", "korea", ""}, {"no", "norway", ""},
	{"ch", "switzerland", ""}, {"ae", "uae", ""}, {"se", "sweden", ""}, {"za", "southafrica", ""},
};

/* "East US", "EastUS" and "US East" are eastus. */
static void azure_region(const char *text, char *out, size_t size)
{
	const char *space = strchr(text, ' '), *behind = space ? space + 1 : "", *first = "", *last = "";
	size_t n = 0, len = strcspn(behind, "0123456789");
	bool turned = false;

	for (size_t i = 0; len && i < EBB_ARRAY_LEN(azure_places) && !turned; i++) {
		turned = space - text == 2 && strncasecmp(text, azure_places[i].begins, 2) == 0;
		first = azure_places[i].first;
		last = azure_places[i].last;
	}
	if (!turned || snprintf(out, size, "%s%.*s%s%s", first, (int)len, behind, last, behind + len) < 0)
		snprintf(out, size, "%s", text);
	for (const char *p = out; *p; p++)
		if (*p != ' ')
			out[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p);
	out[n] = 0;
}

static void read_region(const struct ebb_charge_columns *c, char *const *field, size_t n, struct ebb_charge *ret)
{
	const char *region = value(c, field, n, REGION);

	if (!*region)
		region = value(c, field, n, PLACE);
	if (strcmp(ret->provider, "azure") == 0)
		azure_region(region, ret->region, sizeof(ret->region));
	else
		snprintf(ret->region, sizeof(ret->region), "%s", region);
}

/* Taxes, credits and adjustments are no price of anything. */
static bool is_usage(const char *category)
{
	static const char *const words[] = {"", "Usage", "regular", "DiscountedUsage", "Purchase", "SavingsPlanCoveredUsage"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(words); i++)
		if (strcmp(category, words[i]) == 0)
			return true;
	return false;
}

int ebb_charge_row(const struct ebb_charge_columns *c, char *const *field, size_t n, struct ebb_charge *ret,
		   struct ebb_err *err)
{
	const char *currency = value(c, field, n, CURRENCY), *service = value(c, field, n, SERVICE);
	int64_t less = 0;
	int r = amount(value(c, field, n, COST), &ret->pico, err);

	if (r == 0)
		r = credits(value(c, field, n, CREDITS), &less, err);
	if (r == 0 && __builtin_add_overflow(ret->pico, less, &ret->pico))
		r = bad(err, "the cost", value(c, field, n, COST), "is no amount");
	if (r == 0)
		r = period(c, field, n, ret, err);
	if (r == 0 && (strlen(currency) != 3 || strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3))
		r = bad(err, "the currency", currency, "is none");
	if (r < 0)
		return r;
	ret->kind = EBB_CHARGE_OTHER;
	strcpy(ret->currency, currency);
	snprintf(ret->service, sizeof(ret->service), "%s", service);
	ret->class[0] = 0;
	ret->provider = *c->provider ? c->provider : provider_of(value(c, field, n, PROVIDER), service);
	read_region(c, field, n, ret);
	if (!is_usage(value(c, field, n, CATEGORY)))
		ret->kind = EBB_CHARGE_TAX;
	else
		classify(c, field, n, ret);
	return 0;
}
