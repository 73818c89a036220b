/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as Markdown, for tickets and merge requests. */
#include "agent/out.h"
#include "agent/report_rows.h"

/* Rows of a dimension that are shown. */
#define MD_ROWS 12

static void md_row(const struct ebb_report *r, const void *ctx, const char *dim, size_t i, size_t n,
		    const struct ebb_alloc_row *row)
{
	FILE *f = r->app->out;
	struct ebb_money m = r->total.cost;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	(void)ctx;
	if (i == 0)
		fprintf(f, "\n## By %s\n\n| %s | objects | data | a month |\n|---|---:|---:|---:|\n", dim, dim);
	if (i == MD_ROWS)
		fprintf(f, "| *%zu more* | | | |\n", n - MD_ROWS);
	if (i >= MD_ROWS)
		return;
	m.nano = row->cost;
	fputs("| ", f);
	ebb_report_rows_value(f, *row->value ? row->value : "(none)", "|\\`*_<>[]", false);
	fprintf(f, " | %s | %s | %s |\n", ebb_out_count((uint64_t)row->objects, a), ebb_out_bytes((uint64_t)row->bytes, b),
		row->unpriced == row->bytes && row->bytes ? "not priced" : ebb_out_money(&m, c));
}

int ebb_report_md(const struct ebb_report *r, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], text[512];
	FILE *f = r->app->out;

	fprintf(f, "# Data and cost\n\n%s in %s", ebb_out_bytes((uint64_t)r->total.bytes, a),
		ebb_out_things((uint64_t)r->total.objects, "object", b));
	if (*r->total.cost.currency)
		fprintf(f, ", %s a month", ebb_out_money(&r->total.cost, c));
	if (r->total.unpriced)
		fprintf(f, "; %s have no price and are in no amount", ebb_out_bytes((uint64_t)r->total.unpriced, a));
	fputs(".\n", f);
	for (size_t i = 0; i < r->alerts.n; i++)
		fprintf(f, "%s- **%s**: %s\n", i ? "" : "\n", ebb_alerts_name(&r->alerts.rows[i]),
			ebb_alerts_text(&r->alerts.rows[i], r->total.cost.currency, text, sizeof(text)));
	return ebb_report_rows_each(r, md_row, NULL, err);
}
