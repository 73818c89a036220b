/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as Prometheus text, for the node exporter's textfile collector. */
#include "agent/out.h"
#include "agent/report_rows.h"

/*
 * Samples are printed family by family, so the rows of all dimensions are walked once for each. Names end in what they count
 * (prometheus.io/docs/practices/naming).
 */
static const struct family {
	const char *name, *help;
	int what;
} families[] = {
	{"ebb_objects", "Objects by one dimension and value.", 0},
	{"ebb_bytes", "Bytes stored by one dimension and value.", 1},
	{"ebb_unpriced_bytes", "Bytes without a price by one dimension and value.", 2},
	{"ebb_cost_month", "Estimated cost of 30 days by one dimension and value, in units of the currency.", 3},
};

static void sample(const struct ebb_report *r, const void *ctx, const char *dim, size_t i, size_t n,
		   const struct ebb_alloc_row *row)
{
	const struct family *fam = ctx;
	FILE *f = r->app->out;
	const int64_t values[] = {row->objects, row->bytes, row->unpriced};
	char text[EBB_MONEY_TEXT];

	(void)i;
	(void)n;
	fprintf(f, "%s{dimension=\"%s\",value=\"", fam->name, dim);
	ebb_report_rows_value(f, row->value, "\"\\", false);
	if (fam->what == 3)
		fprintf(f, "\",currency=\"%s\"} %s\n", r->total.cost.currency, ebb_report_rows_amount(r, row->cost, text));
	else
		fprintf(f, "\"} %lld\n", (long long)values[fam->what]);
}

static void scalars(const struct ebb_report *r)
{
	FILE *f = r->app->out;

	fputs("# HELP ebb_last_scan_timestamp_seconds End of the last completed scan.\n"
	      "# TYPE ebb_last_scan_timestamp_seconds gauge\n", f);
	for (size_t i = 0; i < r->nstores; i++) {
		fputs("ebb_last_scan_timestamp_seconds{store=\"", f);
		ebb_report_rows_value(f, r->stores[i].name, "\"\\", false);
		fprintf(f, "\"} %lld\n", (long long)(r->stores[i].finished / 1000000000));
	}
	fputs("# HELP ebb_budget_spent_ratio Share of a month's budget that was spent so far.\n"
	      "# TYPE ebb_budget_spent_ratio gauge\n", f);
	for (size_t i = 0; i < r->alerts.nbudgets; i++)
		if (r->alerts.budgets[i].known) {
			fputs("ebb_budget_spent_ratio{budget=\"", f);
			ebb_report_rows_value(f, r->alerts.budgets[i].budget->name, "\"\\", false);
			fprintf(f, "\"} %.6f\n", r->alerts.budgets[i].state.spent_ppm / 1e6);
		}
	fprintf(f, "# HELP ebb_alerts Alerts that are up.\n# TYPE ebb_alerts gauge\nebb_alerts %zu\n", r->alerts.n);
}

int ebb_report_prom(const struct ebb_report *r, struct ebb_err *err)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(families); i++) {
		if (i == 3 && !*r->total.cost.currency)
			continue;
		fprintf(r->app->out, "# HELP %s %s\n# TYPE %s gauge\n", families[i].name, families[i].help,
			families[i].name);
		int rc = ebb_report_rows_each(r, sample, &families[i], err);
		if (rc < 0)
			return rc;
	}
	scalars(r);
	return ebb_out_flush(r->app->out, err);
}
