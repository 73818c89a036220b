/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/page_money.h"

#include <string.h>

#include "agent/html.h"
#include "core/units.h"

/* Runs that are shown. */
#define RUNS 8

const char *ebb_page_money_text(const struct ebb_report *r, int64_t nano, char buf[EBB_OUT_TEXT_MAX])
{
	struct ebb_money m = r->total.cost;

	m.nano = nano;
	return *m.currency ? ebb_out_money(&m, buf) : "not priced";
}

/* --- Savings --- */

static void row(const struct ebb_report *r, const char *name, const struct ebb_savings_row *s)
{
	char a[5][EBB_OUT_TEXT_MAX];
	const char *const cells[] = {
		name, ebb_out_count((uint64_t)s->done, a[0]), ebb_page_money_text(r, s->done_once, a[1]),
		ebb_page_money_text(r, s->done_month, a[2]), s->seen ? ebb_page_money_text(r, s->real_month, a[3]) : "not yet",
		s->waiting ? ebb_page_money_text(r, s->waiting_month, a[4]) : "",
	};

	ebb_html_row(r->app->out, "lRRrrr", cells);
}

/* A run by its day: ids are long. */
static void run_row(const struct ebb_report *r, const struct ebb_savings *s)
{
	struct ebb_savings_row sum = ebb_savings_sum(s);
	char name[64], day[EBB_UNITS_TEXT];

	snprintf(name, sizeof(name), "run of %s (%.8s)", ebb_units_format_date(s->time, day), s->plan);
	row(r, name, &sum);
}

static void next_plan(const struct ebb_report *r)
{
	const struct ebb_savings *s = ebb_savings_next(&r->savings);
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], d[EBB_UNITS_TEXT], text[400];

	if (!s || r->plan || !*s->currency || strcmp(s->currency, r->total.cost.currency) != 0)
		return;
	struct ebb_savings_row sum = ebb_savings_sum(s);
	snprintf(text, sizeof(text), "The plan of %s (%.8s) would save %s a month by %s, and costs %s once. Nothing of it is done yet.",
		 ebb_units_format_date(s->time, d), s->plan, ebb_page_money_text(r, sum.planned_month, a),
		 ebb_out_things((uint64_t)sum.planned, "action", b), ebb_page_money_text(r, sum.planned_once, c));
	ebb_html_section(r->app->out, "The next plan", 1);
	ebb_html_para(r->app->out, NULL, text);
	ebb_html_section_end(r->app->out);
}

static void runs(const struct ebb_report *r)
{
	static const char *const heads[] = {"", "objects", "once", "planned a month", "measured", "in the trash"};
	struct ebb_savings_row rows[EBB_SAVINGS_ACTIONS];
	size_t n = ebb_savings_actions(&r->savings, r->total.cost.currency, rows), shown = 0;
	FILE *f = r->app->out;

	if (!n)
		return;
	ebb_html_section(f, "What runs saved", 1);
	ebb_html_table(f, "lRRrrr", heads);
	for (size_t i = 0; i < n; i++)
		row(r, rows[i].action, &rows[i]);
	for (size_t i = r->savings.n; i-- > 0 && shown < RUNS;)
		if (*r->savings.all[i].run && strcmp(r->savings.all[i].currency, r->total.cost.currency) == 0) {
			run_row(r, &r->savings.all[i]);
			shown++;
		}
	ebb_html_table_end(f);
	ebb_html_para(f, "note",
		      "Measured is what later scans show: what the objects cost a month less than before. What lies in the trash is still "
		      "paid for. What others wrote anew or removed since counts for nothing.");
	ebb_html_section_end(f);
}

void ebb_page_money_savings(const struct ebb_report *r)
{
	next_plan(r);
	runs(r);
}

/* --- Hidden --- */

static void hidden_row(const struct ebb_report *r, const char *where, const char *what, uint64_t objects, uint64_t bytes,
		       const char *month)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	const char *const cells[] = {where, what, ebb_out_count(objects, a), ebb_out_bytes(bytes, b), month};

	ebb_html_row(r->app->out, "llRrr", cells);
}

void ebb_page_money_hidden(const struct ebb_report *r)
{
	static const char *const heads[] = {"where", "what", "objects", "data", "a month"};
	const struct ebb_tally *t = r->t;
	char a[EBB_OUT_TEXT_MAX];
	uint64_t any = t->sparse.objects + t->twins.objects + t->unseen.objects;

	for (size_t i = 0; i < r->nstores; i++)
		any += (uint64_t)r->stores[i].hidden_objects + r->stores[i].requests;
	if (!any)
		return;
	ebb_html_section(r->app->out, "What sizes and listings hide", 1);
	ebb_html_table(r->app->out, "llRrr", heads);
	for (size_t i = 0; i < r->nstores; i++) {
		const struct ebb_report_store *s = &r->stores[i];

		if (s->hidden_objects)
			hidden_row(r, s->name, "old versions, delete markers, unfinished uploads", (uint64_t)s->hidden_objects,
				   (uint64_t)s->hidden_bytes,
				   s->priced ? ebb_page_money_text(r, s->hidden_month.nano, a) : "not priced");
	}
	if (t->sparse.objects)
		hidden_row(r, "", "sparse files: less on disk than their content", t->sparse.objects, t->sparse.bytes, "");
	if (t->twins.objects)
		hidden_row(r, "", "further hard links, counted once", t->twins.objects, t->twins.bytes, "");
	if (t->unseen.objects)
		hidden_row(r, "", "carried over: their folder could not be read", t->unseen.objects, t->unseen.bytes, "");
	ebb_html_table_end(r->app->out);
	for (size_t i = 0; i < r->nstores; i++) {
		const struct ebb_report_store *s = &r->stores[i];
		char b[EBB_OUT_TEXT_MAX], text[300];

		if (!s->requests)
			continue;
		snprintf(text, sizeof(text), "A scan of %s takes some %s%s%s.", s->name, ebb_out_things(s->requests, "request", a),
			 s->scan_priced ? " and costs " : "", s->scan_priced ? ebb_out_money(&s->scan, b) : "");
		ebb_html_para(r->app->out, "note", text);
	}
	ebb_html_section_end(r->app->out);
}

/* --- Duplicates --- */

static void dupe_row(const struct ebb_report *r, size_t i)
{
	const struct ebb_group *g = &r->dupe[i];
	FILE *f = r->app->out;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	fputs("<tr><td class=\"key\">", f);
	ebb_html_text(f, r->dupe_name[i] ? r->dupe_name[i] : "?");
	fprintf(f, "</td><td class=\"num\">%s</td><td class=\"num\">%s</td><td class=\"num\">%s</td></tr>\n",
		ebb_out_count(g->inodes, a), ebb_out_bytes((uint64_t)g->redundant, b),
		g->priced ? ebb_page_money_text(r, g->saving, c) : "not priced");
}

void ebb_page_money_dupes(const struct ebb_report *r)
{
	static const char *const heads[] = {"one of them", "copies", "redundant", "a month"};
	const struct ebb_groups_totals *t = &r->dupes;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], text[300];
	FILE *f = r->app->out;

	if (!r->dupes_known || !t->groups)
		return;
	ebb_html_section(f, "What is stored more than once", 1);
	snprintf(text, sizeof(text), "%s in %s, %s a month, as far as contents are known; hard links and shared blocks are no copies.",
		 ebb_out_bytes((uint64_t)t->redundant, a), ebb_out_things(t->copies, "redundant object", b),
		 ebb_page_money_text(r, t->saving, c));
	ebb_html_para(f, NULL, text);
	ebb_html_table(f, "lrrr", heads);
	for (size_t i = 0; i < r->ndupes; i++)
		dupe_row(r, i);
	ebb_html_table_end(f);
	ebb_html_section_end(f);
}
