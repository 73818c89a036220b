/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as CSV (RFC 4180): one row for each value of each dimension. */
#include <string.h>

#include "agent/out.h"
#include "agent/report_rows.h"

static void csv_row(const struct ebb_report *r, const void *ctx, const char *dim, size_t i, size_t n,
		    const struct ebb_report_rows_row *row)
{
	FILE *f = r->app->out;
	char cost[EBB_MONEY_TEXT] = "", with[EBB_MONEY_TEXT] = "";

	(void)ctx;
	(void)n;
	if (i == 0 && strcmp(dim, "store") == 0)
		fputs("dimension,value,objects,bytes,unpriced_bytes,cost_month,currency,allocated_month\n", f);
	if (*r->total.cost.currency) {
		ebb_report_rows_amount(r, row->own.cost, cost);
		ebb_report_rows_amount(r, row->own.cost + row->moved, with);
	}
	fprintf(f, "%s,\"", dim);
	ebb_report_rows_value(f, row->own.value, "\"", true);
	fprintf(f, "\",%lld,%lld,%lld,%s,%s,%s\n", (long long)row->own.objects, (long long)row->own.bytes,
		(long long)row->own.unpriced, cost, r->total.cost.currency, with);
}

/* What runs saved: objects that a later scan was asked about, and what they cost less. */
static void csv_savings(const struct ebb_report *r)
{
	struct ebb_savings_row rows[EBB_SAVINGS_ACTIONS];
	size_t n = ebb_savings_actions(&r->savings, r->total.cost.currency, rows);
	char amount[EBB_MONEY_TEXT];

	for (size_t i = 0; i < n; i++)
		fprintf(r->app->out, "saved,\"%s\",%lld,,,%s,%s,\n", rows[i].action, (long long)rows[i].seen,
			ebb_report_rows_amount(r, rows[i].real_month, amount), r->total.cost.currency);
}

int ebb_report_csv(const struct ebb_report *r, struct ebb_err *err)
{
	int rc = ebb_report_rows_each(r, csv_row, NULL, err);

	csv_savings(r);
	return rc < 0 ? rc : ebb_out_flush(r->app->out, err);
}
