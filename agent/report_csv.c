/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as CSV (RFC 4180): one row for each value of each dimension. */
#include <string.h>

#include "agent/report_rows.h"

static void csv_row(const struct ebb_report *r, const void *ctx, const char *dim, size_t i, size_t n,
		    const struct ebb_alloc_row *row)
{
	FILE *f = r->app->out;
	char cost[EBB_MONEY_TEXT];

	(void)ctx;
	(void)n;
	if (i == 0 && strcmp(dim, "store") == 0)
		fputs("dimension,value,objects,bytes,unpriced_bytes,cost_month,currency\n", f);
	fprintf(f, "%s,\"", dim);
	ebb_report_rows_value(f, row->value, "\"", true);
	fprintf(f, "\",%lld,%lld,%lld,%s,%s\n", (long long)row->objects, (long long)row->bytes, (long long)row->unpriced,
		*r->total.cost.currency ? ebb_report_rows_amount(r, row->cost, cost) : "", r->total.cost.currency);
}

int ebb_report_csv(const struct ebb_report *r, struct ebb_err *err)
{
	return ebb_report_rows_each(r, csv_row, NULL, err);
}
