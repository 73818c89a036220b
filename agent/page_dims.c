/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/page_dims.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/chart.h"
#include "agent/html.h"
#include "agent/page_money.h"
#include "agent/report_rows.h"

/* Bars of a dimension, and dimensions of labels, that are shown. */
#define BARS 12
#define LABELS 4

/* A bar and its figures. */
struct bar {
	const char *name, *link;	/* link: a page of ebb serve, or NULL */
	uint64_t bytes, objects;
	double value;			/* length of the bar */
	const char *amount, *note;	/* NULL: none; the note stands small below the amount */
};

static bool has_money(const struct ebb_report *r)
{
	return *r->total.cost.currency && r->total.cost.nano > 0;
}

static void draw(FILE *f, const struct bar *b, double most)
{
	char a[EBB_OUT_TEXT_MAX];

	fputs("<tr><td>", f);
	if (b->link)
		fprintf(f, "<a href=\"%s\">", b->link);
	ebb_html_text(f, b->name);
	fputs(b->link ? "</a></td><td class=\"bar\">" : "</td><td class=\"bar\">", f);
	ebb_chart_bar(f, b->value, most);
	fprintf(f, "</td><td class=\"num\">%s</td>", ebb_out_bytes(b->bytes, a));
	fprintf(f, "<td class=\"num\">%s</td>", ebb_out_count(b->objects, a));
	if (b->amount)
		fprintf(f, "<td class=\"num\">%s%s%s%s</td>", b->amount, b->note ? "<br><small>" : "", b->note ? b->note : "",
			b->note ? "</small>" : "");
	fputs("</tr>\n", f);
}

static void head(FILE *f, const char *what, bool money)
{
	const char *const heads[] = {what, "", "data", "objects", "a month"};

	ebb_html_table(f, money ? "lbrrr" : "lbrr", heads);
}

/* --- Dimensions --- */

/* Where ebb serve shows what has that value of a label, into @buf; NULL elsewhere. */
static const char *link_of(const struct ebb_report *r, size_t dim, const char *value, char *buf, size_t size)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = r->live && dim >= EBB_ALLOC_DIMS ? open_memstream(&text, &len) : NULL;

	if (!f)
		return NULL;
	fputs("/by?label=", f);
	ebb_html_query(f, ebb_alloc_dim_name(r->money.alloc, dim));
	fputs("&amp;value=", f);
	ebb_html_query(f, value);
	bool ok = fclose(f) == 0 && len < size;
	if (ok)
		strcpy(buf, text);
	free(text);
	return ok ? buf : NULL;
}

static void draw_row(const struct ebb_report *r, const char *name, const char *link, const struct ebb_report_rows_row *row,
		     bool shared, double most)
{
	bool priced = *r->total.cost.currency;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], with[EBB_OUT_TEXT_MAX + 32];
	struct bar bar = {
		.name = name, .link = link, .bytes = (uint64_t)row->own.bytes, .objects = (uint64_t)row->own.objects,
		.value = (double)(has_money(r) ? row->own.cost : row->own.bytes),
		.amount = priced ? ebb_page_money_text(r, row->own.cost, a) : NULL,
	};

	/* what is too little to be seen is not told twice */
	if (shared && row->moved && bar.amount &&
	    strcmp(bar.amount, ebb_page_money_text(r, row->own.cost + row->moved, b)) != 0) {
		snprintf(with, sizeof(with), "%s with shared costs", ebb_page_money_text(r, row->own.cost + row->moved, b));
		bar.note = with;
	}
	draw(r->app->out, &bar, most);
}

static void draw_rows(const struct ebb_report *r, size_t dim, const struct ebb_report_rows_row *rows, size_t n, bool shared)
{
	struct ebb_report_rows_row rest = {.moved = 0};
	char link[1024], name[48];
	double most = 0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, (double)(has_money(r) ? rows[i].own.cost : rows[i].own.bytes));
	for (size_t i = 0; i < n && i < BARS; i++)
		draw_row(r, *rows[i].own.value ? rows[i].own.value : "(none)",
			 link_of(r, dim, rows[i].own.value, link, sizeof(link)), &rows[i], shared, most);
	for (size_t i = BARS; i < n; i++) {
		rest.own.bytes += rows[i].own.bytes;
		rest.own.objects += rows[i].own.objects;
		rest.own.cost += rows[i].own.cost;
		rest.moved += rows[i].moved;
	}
	if (n > BARS) {
		snprintf(name, sizeof(name), "%zu others", n - BARS);
		draw_row(r, name, NULL, &rest, shared, most);
	}
}

int ebb_page_dims_one(const struct ebb_report *r, size_t dim, const char *title, struct ebb_err *err)
{
	struct ebb_report_rows_row *rows;
	bool shared;
	size_t n;
	int rc = ebb_report_rows_get(r, dim, &rows, &n, &shared, err);

	if (rc < 0)
		return rc;
	if (n > 1 || (n == 1 && *rows[0].own.value)) {
		ebb_html_section(r->app->out, title, 0);
		head(r->app->out, ebb_alloc_dim_name(r->money.alloc, dim), *r->total.cost.currency);
		draw_rows(r, dim, rows, n, shared);
		ebb_html_table_end(r->app->out);
		ebb_html_section_end(r->app->out);
	}
	free(rows);
	return 0;
}

/* Does anything have a value there? */
static bool has_values(const struct ebb_report *r, size_t dim)
{
	struct ebb_alloc_row *rows;
	size_t n;

	if (ebb_alloc_rows(r->money.alloc, dim, &rows, &n, NULL) < 0)
		return false;
	bool any = n > 1 || (n == 1 && *rows[0].value);
	free(rows);
	return any;
}

int ebb_page_dims_all(const struct ebb_report *r, struct ebb_err *err)
{
	static const struct {
		size_t dim;
		const char *title;
	} fixed[] = {
		{EBB_ALLOC_CLASS, "By storage class"}, {EBB_ALLOC_STORE, "By store"}, {EBB_ALLOC_JURISDICTION, "By jurisdiction"},
		{EBB_ALLOC_TYPE, "Current data and hidden bytes"},
	};
	struct ebb_alloc *a = r->money.alloc;
	int rc = 0, shown = 0;

	for (size_t d = EBB_ALLOC_DIMS; d < ebb_alloc_dims(a) && rc == 0 && shown < LABELS; d++) {
		char title[120];

		snprintf(title, sizeof(title), "By %s", ebb_alloc_dim_name(a, d));
		shown += has_values(r, d);
		rc = ebb_page_dims_one(r, d, title, err);
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(fixed) && rc == 0; i++)
		rc = ebb_page_dims_one(r, fixed[i].dim, fixed[i].title, err);
	return rc;
}

/* --- Ages --- */

static void age_rows(FILE *f, const struct ebb_tally_sum *sums, double most)
{
	for (int i = 0; i < EBB_TALLY_AGES; i++) {
		const struct bar b = {ebb_tally_age_name(i), NULL, sums[i].bytes, sums[i].objects, (double)sums[i].bytes, NULL, NULL};

		if (sums[i].objects)
			draw(f, &b, most);
	}
}

static double most_of(const struct ebb_tally_sum *sums, int n, double most)
{
	for (int i = 0; i < n; i++)
		most = fmax(most, (double)sums[i].bytes);
	return most;
}

void ebb_page_dims_ages(const struct ebb_report *r)
{
	const struct ebb_tally *t = r->t;
	double most = most_of(t->unknown, EBB_TALLY_UNKNOWNS, most_of(t->idle, EBB_TALLY_AGES, 0));
	FILE *f = r->app->out;

	ebb_html_section(f, "By time since last access", 0);
	head(f, "idle for", false);
	age_rows(f, t->idle, most);
	for (int i = 0; i < EBB_TALLY_UNKNOWNS; i++) {
		const struct bar b = {ebb_tally_unknown_text(i), NULL, t->unknown[i].bytes, t->unknown[i].objects,
				      (double)t->unknown[i].bytes, NULL, NULL};

		if (t->unknown[i].objects)
			draw(f, &b, most);
	}
	ebb_html_table_end(f);
	ebb_html_para(f, "note", "Only what evidence proves; the rest stands under why it is not known.");
	ebb_html_section_end(f);
	ebb_html_section(f, "By time since last change", 0);
	head(f, "written", false);
	age_rows(f, t->written, most_of(t->written, EBB_TALLY_AGES, 0));
	ebb_html_table_end(f);
	ebb_html_section_end(f);
}
