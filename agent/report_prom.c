/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as Prometheus text, for the node exporter's textfile collector. */
#include <string.h>

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
	{"ebb_allocated_cost_month", "The same with shared costs split, for dimensions that share some.", 4},
};

static void sample(const struct ebb_report *r, const void *ctx, const char *dim, size_t i, size_t n,
		   const struct ebb_report_rows_row *row)
{
	const struct family *fam = ctx;
	FILE *f = r->app->out;
	const int64_t values[] = {row->own.objects, row->own.bytes, row->own.unpriced};
	char text[EBB_MONEY_TEXT];

	(void)i;
	(void)n;
	if (fam->what == 4 && !ebb_report_rows_shared(r, dim))
		return;
	fprintf(f, "%s{dimension=\"%s\",value=\"", fam->name, dim);
	ebb_report_rows_value(f, row->own.value, "\"\\", false);
	if (fam->what >= 3)
		fprintf(f, "\",currency=\"%s\"} %s\n", r->total.cost.currency,
			ebb_report_rows_amount(r, row->own.cost + (fam->what == 4 ? row->moved : 0), text));
	else
		fprintf(f, "\"} %lld\n", (long long)values[fam->what]);
}

/* What runs promised and brought, by action. */
static void savings(const struct ebb_report *r)
{
	struct ebb_savings_row rows[EBB_SAVINGS_ACTIONS];
	size_t n = ebb_savings_actions(&r->savings, r->total.cost.currency, rows);
	FILE *f = r->app->out;
	char text[EBB_MONEY_TEXT];

	if (n)
		fputs("# HELP ebb_savings_month What the actions of runs save in 30 days, by state: done as planned, measured by a later scan, "
		      "waiting in the trash.\n# TYPE ebb_savings_month gauge\n", f);
	for (size_t i = 0; i < n; i++) {
		const int64_t amounts[] = {rows[i].done_month, rows[i].real_month, rows[i].waiting_month};
		static const char *const states[] = {"planned", "measured", "waiting"};

		for (size_t k = 0; k < EBB_ARRAY_LEN(states); k++)
			fprintf(f, "ebb_savings_month{action=\"%s\",state=\"%s\",currency=\"%s\"} %s\n", rows[i].action,
				states[k], r->total.cost.currency, ebb_report_rows_amount(r, amounts[k], text));
	}
	const struct ebb_savings *next = ebb_savings_next(&r->savings);
	if (next && strcmp(next->currency, r->total.cost.currency) == 0 && *next->currency)
		fprintf(f, "# HELP ebb_plan_savings_month What the last plan would save in 30 days, while no run has begun.\n"
			   "# TYPE ebb_plan_savings_month gauge\nebb_plan_savings_month{currency=\"%s\"} %s\n",
			next->currency, ebb_report_rows_amount(r, ebb_savings_sum(next).planned_month, text));
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

static bool any_shared(const struct ebb_report *r)
{
	bool any = false;

	for (size_t d = 0; d < ebb_alloc_dims(r->money.alloc); d++)
		any |= ebb_report_rows_shared(r, ebb_alloc_dim_name(r->money.alloc, d));
	return any;
}

int ebb_report_prom(const struct ebb_report *r, struct ebb_err *err)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(families); i++) {
		if (families[i].what >= 3 && !*r->total.cost.currency)
			continue;
		if (families[i].what == 4 && !any_shared(r))
			continue;
		fprintf(r->app->out, "# HELP %s %s\n# TYPE %s gauge\n", families[i].name, families[i].help,
			families[i].name);
		int rc = ebb_report_rows_each(r, sample, &families[i], err);
		if (rc < 0)
			return rc;
	}
	savings(r);
	scalars(r);
	return ebb_out_flush(r->app->out, err);
}
