/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as Markdown, for tickets and merge requests. */
#include "agent/out.h"
#include "agent/report_rows.h"

/* Rows of a dimension that are shown. */
#define MD_ROWS 12

static void md_row(const struct ebb_report *r, const void *ctx, const char *dim, size_t i, size_t n,
		   const struct ebb_report_rows_row *row)
{
	FILE *f = r->app->out;
	bool shared = ebb_report_rows_shared(r, dim);
	struct ebb_money m = r->total.cost, all = m;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	(void)ctx;
	if (i == 0)
		fprintf(f, "\n## By %s\n\n| %s | objects | data | a month |%s\n|---|---:|---:|---:|%s\n", dim, dim,
			shared ? " with shared costs |" : "", shared ? "---:|" : "");
	if (i == MD_ROWS)
		fprintf(f, "| *%zu more* | | | |%s\n", n - MD_ROWS, shared ? " |" : "");
	if (i >= MD_ROWS)
		return;
	m.nano = row->own.cost;
	all.nano = row->own.cost + row->moved;
	fputs("| ", f);
	ebb_report_rows_value(f, *row->own.value ? row->own.value : "(none)", "|\\`*_<>[]", false);
	fprintf(f, " | %s | %s | %s |", ebb_out_count((uint64_t)row->own.objects, a), ebb_out_bytes((uint64_t)row->own.bytes, b),
		row->own.unpriced == row->own.bytes && row->own.bytes ? "not priced" : ebb_out_money(&m, c));
	if (shared)
		fprintf(f, " %s |", ebb_out_money(&all, c));
	fputc('\n', f);
}

static const char *nano(const struct ebb_report *r, int64_t amount, char buf[EBB_OUT_TEXT_MAX])
{
	struct ebb_money m = r->total.cost;

	m.nano = amount;
	return ebb_out_money(&m, buf);
}

static void md_savings(const struct ebb_report *r)
{
	struct ebb_savings_row rows[EBB_SAVINGS_ACTIONS];
	size_t n = ebb_savings_actions(&r->savings, r->total.cost.currency, rows);
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], d[EBB_OUT_TEXT_MAX];
	FILE *f = r->app->out;

	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s| %s | %s | %s | %s | %s |\n",
			i ? "" : "\n## Savings of runs, a month\n\n| action | done | planned | measured | still in the trash |\n"
				 "|---|---:|---:|---:|---:|\n",
			rows[i].action, ebb_out_count((uint64_t)rows[i].done, a), nano(r, rows[i].done_month, b),
			rows[i].seen ? nano(r, rows[i].real_month, c) : "not yet", nano(r, rows[i].waiting_month, d));
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
	md_savings(r);
	return ebb_report_rows_each(r, md_row, NULL, err);
}
