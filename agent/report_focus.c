/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The report as FOCUS 1.4 cost and usage rows: an estimate of this calendar month, as if it stayed as it is now, one row for each store,
 * class and thing that is charged.
 *
 * An estimator invoices nothing: BilledCost and EffectiveCost are 0, the estimate stands in ListCost, ContractedCost and x_EstimatedCost,
 * and ListCost is exactly ListUnitPrice times PricingQuantity. Source: FOCUS specification 1.4 (focus.finops.org), column definitions.
 */
#include <string.h>

#include "agent/out.h"
#include "agent/report.h"
#include "core/date.h"
#include "core/decimal.h"
#include "policies/cost_storage.h"

static const char header[] =
	"BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,"
	"ChargeClass,ChargeDescription,ChargeFrequency,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,"
	"ContractedCost,EffectiveCost,HostProviderName,InvoiceIssuerName,ListCost,ListUnitPrice,PricingQuantity,PricingUnit,"
	"RegionId,RegionName,ResourceId,ResourceName,ResourceType,ServiceCategory,ServiceName,ServiceProviderName,"
	"ServiceSubcategory,SkuId,SkuPriceId,Tags,x_Confidence,x_EstimatedCost,x_IsEstimate\n";

/* Names that FOCUS wants, by the provider of the price books; the last is a site of one's own. */
static const struct provider {
	const char *name, *company, *service, *subcategory;
} providers[] = {
	{"aws", "AWS", "Amazon S3", "Object Storage"},
	{"gcp", "Google Cloud", "Cloud Storage", "Object Storage"},
	{"azure", "Microsoft", "Azure Blob Storage", "Object Storage"},
	{"r2", "Cloudflare", "R2", "Object Storage"},
	{"b2", "Backblaze", "B2 Cloud Storage", "Object Storage"},
	{"wasabi", "Wasabi", "Wasabi Hot Cloud Storage", "Object Storage"},
	{"", "On-premises", "On-premises storage", "File Storage"},
};

static const struct provider *provider_of(const char *name)
{
	size_t i = 0;

	while (i + 1 < EBB_ARRAY_LEN(providers) && strcmp(providers[i].name, name) != 0)
		i++;
	return &providers[i];
}

struct focus {
	const struct ebb_report *r;
	FILE *f;
	char begin[32], end[32];
	const char *store, *currency;
};

/* A CSV field: quoted when it must be. */
static void field(FILE *f, const char *s)
{
	if (!strpbrk(s, ",\"\n\r")) {
		fputs(s, f);
		return;
	}
	putc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	putc('"', f);
}

/* The first and the next calendar month. */
static void set_period(struct focus *x, int64_t now)
{
	struct ebb_date d = ebb_date_of(now);

	snprintf(x->begin, sizeof(x->begin), "%04d-%02d-01T00:00:00Z", d.year, d.month);
	snprintf(x->end, sizeof(x->end), "%04d-%02d-01T00:00:00Z", d.year + (d.month == 12), d.month % 12 + 1);
}

/* Unit of a price in the provider's words: a GiB-month is billed as "GB-Months". */
static const char *unit_of(const struct ebb_price_figure *f)
{
	return strcmp(f->unit, "GiB-month") == 0 ? "GB-Months" : f->unit;
}

/*
 * Quantity in units of the price and its price as exact decimals, and their product.
 *
 * @return  0; -EBB_ERANGE when a decimal cannot hold them.
 */
static int decimals(const struct ebb_bill_line *l, struct ebb_decimal ret[3], struct ebb_err *err)
{
	struct ebb_decimal half = {5, 1};
	__int128 per = (__int128)l->figure->per * l->over;
	int r = 0;

	ret[0] = (struct ebb_decimal){l->quantity, 0};
	for (; r == 0 && per % 2 == 0; per /= 2)
		r = ebb_decimal_mul(ret[0], half, &ret[0], err);
	for (struct ebb_decimal fifth = {2, 1}; r == 0 && per % 5 == 0; per /= 5)
		r = ebb_decimal_mul(ret[0], fifth, &ret[0], err);
	if (r == 0 && per != 1)
		r = ebb_err_set(err, EBB_ERANGE, "a price per %s has no exact quantity", l->figure->unit);
	ret[1] = (struct ebb_decimal){l->figure->tiers[0].atto, 0};
	for (int i = 0; r == 0 && i < EBB_PRICE_DIGITS; i++) {
		struct ebb_decimal tenth = {1, 1};

		r = ebb_decimal_mul(ret[1], tenth, &ret[1], err);
	}
	return r < 0 ? r : ebb_decimal_mul(ret[0], ret[1], &ret[2], err);
}

static int write_row(const struct focus *x, const struct ebb_bill_line *l, struct ebb_err *err)
{
	const struct provider *p = provider_of(l->class->provider);
	const char *region = strcmp(l->class->region, "*") == 0 ? "" : l->class->region;
	struct ebb_decimal d[3];
	char q[EBB_DECIMAL_TEXT], price[EBB_DECIMAL_TEXT], cost[EBB_DECIMAL_TEXT], text[512];
	int r = decimals(l, d, err);

	if (r < 0)
		return r;
	ebb_decimal_format(d[0], q);
	ebb_decimal_format(d[1], price);
	ebb_decimal_format(d[2], cost);
	fprintf(x->f, "0,ebb-estimate,,%s,%s,%s,Usage,,", x->currency, x->end, x->begin);
	snprintf(text, sizeof(text), "%s of %s in %s, as of the last scan", l->what, l->class->name, x->store);
	field(x->f, text);
	fprintf(x->f, ",Usage-Based,%s,%s,%s,%s,%s,0,", x->end, x->begin, q, unit_of(l->figure), cost);
	fprintf(x->f, "%s,%s,%s,%s,%s,%s,", p->company, p->company, cost, price, q, unit_of(l->figure));
	fprintf(x->f, "%s,%s,", region, region);
	field(x->f, x->store);
	putc(',', x->f);
	field(x->f, x->store);
	fprintf(x->f, ",%s,Storage,%s,%s,%s,", *p->name ? "Bucket" : "Directory tree", p->service, p->company,
		p->subcategory);
	snprintf(text, sizeof(text), "%s.%s.%s", *p->name ? p->name : "site", l->class->name, l->what);
	field(x->f, text);
	snprintf(text, sizeof(text), ",%s.%s.%s.%s.t0", *p->name ? p->name : "site", *region ? region : "any",
		 l->class->name, l->what);
	putc(',', x->f);
	field(x->f, text + 1);
	snprintf(text, sizeof(text), "{\"store\":\"%s\"}", x->store);
	putc(',', x->f);
	field(x->f, text);
	fprintf(x->f, ",%s,%s,true\n", ebb_price_confidence_name(l->figure->confidence), cost);
	return 0;
}

/* The rows of one class: lines of its bins that are about the same figure are one row. */
static int write_part(const struct focus *x, const struct ebb_alloc_part *part, struct ebb_err *err)
{
	struct ebb_bill all, bill;
	int r = 0;

	ebb_bill_clear(&all);
	for (int i = 0; i < EBB_ALLOC_BINS; i++) {
		ebb_bill_clear(&bill);
		ebb_cost_storage(&bill, EBB_BILL_BEFORE, part->class, part->bin[i], EBB_COST_MONTH);
		for (size_t k = 0; k < bill.n; k++) {
			size_t at = 0;

			while (at < all.n && (all.line[at].figure != bill.line[k].figure ||
					      strcmp(all.line[at].what, bill.line[k].what) != 0))
				at++;
			if (at < all.n)
				all.line[at].quantity += bill.line[k].quantity;
			else
				all.line[all.n++] = bill.line[k];
		}
	}
	for (size_t k = 0; k < all.n && r == 0; k++)
		r = write_row(x, &all.line[k], err);
	return r;
}

/* Most classes of one store. */
#define PARTS 64

int ebb_report_focus(const struct ebb_report *r, struct ebb_err *err)
{
	struct focus x = {.r = r, .f = r->app->out, .currency = r->total.cost.currency};
	int rc = 0;

	set_period(&x, r->now);
	fputs(header, x.f);
	for (size_t i = 0; i < r->nstores && rc == 0; i++) {
		struct ebb_alloc_part parts[PARTS];
		size_t n = ebb_alloc_parts(r->money.alloc, EBB_ALLOC_STORE, r->stores[i].name, parts, PARTS);

		x.store = r->stores[i].name;
		for (size_t k = 0; k < n && k < PARTS && rc == 0; k++)
			rc = write_part(&x, &parts[k], err);
	}
	return rc < 0 ? rc : ebb_out_flush(x.f, err);
}
