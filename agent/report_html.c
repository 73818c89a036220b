/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as one self-contained page: pictures, and beside each the same as text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/advice.h"
#include "agent/chart.h"
#include "agent/html.h"
#include "agent/out.h"
#include "agent/page_money.h"
#include "agent/report_rows.h"
#include "core/date.h"
#include "core/units.h"

/* Bars of a dimension, boxes of the treemap, days of forecast, dimensions of labels that are shown. */
#define BARS 12
#define BOXES 48
#define DAYS_AHEAD 30
#define LABELS 4

struct page {
	const struct ebb_report *r;
	FILE *f;
	const char *currency;	/* "" when nothing is priced */
};

static const char *nano(const struct page *p, double amount, char buf[EBB_OUT_TEXT_MAX])
{
	struct ebb_money m = {.nano = (int64_t)amount};

	memcpy(m.currency, p->currency, strnlen(p->currency, 3));
	return *p->currency ? ebb_out_money(&m, buf) : "not priced";
}

/* --- Figures at the top --- */

static void unallocated(const struct page *p, char *text, size_t size)
{
	struct ebb_alloc_row *rows = NULL;
	size_t n = 0;
	int dim = ebb_alloc_dim_find(p->r->money.alloc, "team");
	char share[EBB_OUT_TEXT_MAX];

	snprintf(text, size, "no labels");
	if (dim >= 0 && ebb_alloc_rows(p->r->money.alloc, (size_t)dim, &rows, &n, NULL) == 0) {
		int64_t none = n && !*rows[0].value ? rows[0].bytes : 0;

		snprintf(text, size, "%s without a team",
			 none ? ebb_out_share((uint64_t)none, (uint64_t)p->r->total.bytes, share) : "nothing");
	}
	free(rows);
}

static void cards(const struct page *p)
{
	const struct ebb_alloc_total *t = &p->r->total;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], text[160];

	ebb_html_cards(p->f);
	snprintf(text, sizeof(text), "%s a year", nano(p, (double)t->cost.nano * 365 / 30, a));
	ebb_html_card(p->f, "a month costs", nano(p, (double)t->cost.nano, b), *p->currency ? text : NULL);
	unallocated(p, text, sizeof(text));
	ebb_html_card(p->f, "data", ebb_out_bytes((uint64_t)t->bytes, a), text);
	snprintf(text, sizeof(text), "%zu %s", p->r->nstores, p->r->nstores == 1 ? "store" : "stores");
	ebb_html_card(p->f, "objects", ebb_out_count((uint64_t)t->objects, a), text);
	if (p->r->plan) {
		const struct ebb_planhead *h = ebb_planfile_head(p->r->plan);

		snprintf(text, sizeof(text), "a month, by %s actions; once %s",
			 ebb_out_count((uint64_t)h->all.objects, a), nano(p, (double)h->all.one_off, b));
		ebb_html_card(p->f, "the plan saves", nano(p, (double)h->all.saving, a), text);
	}
	if (t->unpriced) {
		ebb_html_card(p->f, "without a price", ebb_out_bytes((uint64_t)t->unpriced, a), "not in any amount here");
	}
	ebb_html_cards_end(p->f);
}

/* --- Over time --- */

static void money_label(void *ctx, double value, char *buf)
{
	const char *unit = value >= 1e15 ? "M" : value >= 1e12 ? "k" : "";

	(void)ctx;
	snprintf(buf, 32, "%.4g%s", value / (*unit == 'M' ? 1e15 : *unit ? 1e12 : 1e9), unit);
}

static void bytes_label(void *ctx, double value, char *buf)
{
	char text[EBB_OUT_TEXT_MAX];

	(void)ctx;
	snprintf(buf, 32, "%s", ebb_out_bytes((uint64_t)value, text));
}

static struct ebb_chart_point *past_of(const struct ebb_report *r, bool bytes)
{
	struct ebb_chart_point *p = calloc((size_t)r->ndays + 1, sizeof(*p));

	for (int64_t i = 0; p && i < r->ndays; i++) {
		double v = (double)(bytes ? r->days[i].bytes : r->days[i].cost);

		p[i] = (struct ebb_chart_point){r->days[i].day, v > 0 ? v : 0, 0, 0};
	}
	return p;
}

/* The forecast as points; returns how many. */
static size_t next_of(const struct ebb_report *r, struct ebb_forecast *f, struct ebb_chart_point *next)
{
	if (ebb_alerts_forecast(r->days, r->ndays, DAYS_AHEAD, f, NULL) < 0 || !f->known)
		return 0;
	for (size_t i = 0; i < f->n; i++)
		next[i] = (struct ebb_chart_point){r->days[r->ndays - 1].day + (int64_t)i + 1, f->day[i].value,
						   f->day[i].lo80, f->day[i].hi80};
	return f->n;
}

static void history_words(const struct page *p, const struct ebb_forecast *f, size_t nnext)
{
	const struct ebb_history_day *first = &p->r->days[0], *last = &p->r->days[p->r->ndays - 1];
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], text[400];

	snprintf(text, sizeof(text), "From %s to %s a month over %lld days.", nano(p, (double)first->cost, a),
		 nano(p, (double)last->cost, b), (long long)p->r->ndays);
	ebb_html_para(p->f, "note", text);
	if (!nnext)
		return;
	snprintf(text, sizeof(text),
		 "In %zu days %s a month are expected (80 %% between %s and %s; method %s, its error in the past %.1f %%, "
		 "of the naive forecast %.1f %%).",
		 nnext, nano(p, f->day[nnext - 1].value, a), nano(p, f->day[nnext - 1].lo80, b),
		 nano(p, f->day[nnext - 1].hi80, c), ebb_forecast_name(f->method), f->error[f->method] * 100,
		 f->error[EBB_FORECAST_NAIVE] * 100);
	ebb_html_para(p->f, "note", text);
}

static size_t marks_of(const struct ebb_report *r, struct ebb_chart_mark *marks, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < r->alerts.n && n < max; i++) {
		const struct ebb_alerts_row *a = &r->alerts.rows[i];

		if (a->kind != EBB_ALERTS_ANOMALY || a->dim)
			continue;
		for (int64_t d = 0; d < r->ndays; d++)
			if (r->days[d].day == a->anomaly.day)
				marks[n++] = (struct ebb_chart_mark){a->anomaly.day, (double)r->days[d].cost,
								     ebb_alerts_name(a)};
	}
	return n;
}

static void over_time(const struct page *p)
{
	struct ebb_chart_point *past = past_of(p->r, false), *bytes = past_of(p->r, true), next[DAYS_AHEAD];
	struct ebb_forecast *f = malloc(sizeof(*f));
	struct ebb_chart_mark marks[32];
	struct ebb_chart_line line = {.title = "Cost of a month, day by day, and what is expected", .past = past,
				      .npast = (size_t)p->r->ndays, .next = next, .marks = marks,
				      .label = money_label};

	if (past && bytes && f) {
		line.nnext = next_of(p->r, f, next);
		line.nmarks = marks_of(p->r, marks, EBB_ARRAY_LEN(marks));
		if (*p->currency) {
			char title[64];

			snprintf(title, sizeof(title), "Cost over time (%s a month)", p->currency);
			ebb_html_section(p->f, title, 0);
			ebb_chart_line(p->f, &line);
			history_words(p, f, line.nnext);
			ebb_html_section_end(p->f);
		}
		ebb_html_section(p->f, "Data over time", 0);
		line = (struct ebb_chart_line){.title = "Bytes stored, day by day", .past = bytes,
					       .npast = (size_t)p->r->ndays, .binary = true, .label = bytes_label};
		ebb_chart_line(p->f, &line);
		ebb_html_section_end(p->f);
	}
	free(past);
	free(bytes);
	free(f);
}

/* --- Who and where --- */

/* @note stands small below the amount, or NULL. */
static void bar_row(const struct page *p, const char *name, double cost, int64_t bytes, int64_t objects,
		    double value, double most, const char *note)
{
	char a[EBB_OUT_TEXT_MAX];

	fputs("<tr><td>", p->f);
	ebb_html_text(p->f, name);
	fputs("</td><td class=\"bar\">", p->f);
	ebb_chart_bar(p->f, value, most);
	fprintf(p->f, "</td><td class=\"num\">%s</td>", ebb_out_bytes((uint64_t)bytes, a));
	fprintf(p->f, "<td class=\"num\">%s</td>", ebb_out_count((uint64_t)objects, a));
	if (*p->currency)
		fprintf(p->f, "<td class=\"num\">%s", nano(p, cost, a));
	if (*p->currency && note)
		fprintf(p->f, "<br><small>%s</small>", note);
	fputs(*p->currency ? "</td></tr>\n" : "</tr>\n", p->f);
}

static void bar_head(const struct page *p, const char *what)
{
	const char *const heads[] = {what, "", "data", "objects", "a month"};

	ebb_html_table(p->f, *p->currency ? "lbrrr" : "lbrr", heads);
}

/* One bar, with what it costs once shared costs are split. */
static void dimension_row(const struct page *p, const char *name, const struct ebb_report_rows_row *row, bool shared,
			  double most)
{
	bool money = *p->currency && p->r->total.cost.nano > 0;
	char a[EBB_OUT_TEXT_MAX], with[EBB_OUT_TEXT_MAX + 32] = "";

	if (shared && row->moved)
		snprintf(with, sizeof(with), "%s with shared costs", nano(p, (double)(row->own.cost + row->moved), a));
	bar_row(p, name, (double)row->own.cost, row->own.bytes, row->own.objects,
		(double)(money ? row->own.cost : row->own.bytes), most, *with ? with : NULL);
}

/* The rows of a dimension as bars: by cost where there are prices, else by bytes; beyond BARS they are added up. */
static int dimension(const struct page *p, size_t dim, const char *title, struct ebb_err *err)
{
	struct ebb_report_rows_row *rows, rest = {.moved = 0};
	bool money = *p->currency && p->r->total.cost.nano > 0, shared;
	size_t n;
	int r = ebb_report_rows_get(p->r, dim, &rows, &n, &shared, err);
	double most = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		most = fmax(most, (double)(money ? rows[i].own.cost : rows[i].own.bytes));
	ebb_html_section(p->f, title, 0);
	bar_head(p, ebb_alloc_dim_name(p->r->money.alloc, dim));
	for (size_t i = 0; i < n && i < BARS; i++)
		dimension_row(p, *rows[i].own.value ? rows[i].own.value : "(none)", &rows[i], shared, most);
	for (size_t i = BARS; i < n; i++) {
		rest.own.bytes += rows[i].own.bytes;
		rest.own.objects += rows[i].own.objects;
		rest.own.cost += rows[i].own.cost;
		rest.moved += rows[i].moved;
	}
	if (n > BARS) {
		char name[48];

		snprintf(name, sizeof(name), "%zu others", n - BARS);
		dimension_row(p, name, &rest, shared, most);
	}
	ebb_html_table_end(p->f);
	ebb_html_section_end(p->f);
	free(rows);
	return 0;
}

/* Has a dimension anything but ""? */
static bool has_values(const struct page *p, size_t dim)
{
	struct ebb_alloc_row *rows;
	size_t n;

	if (ebb_alloc_rows(p->r->money.alloc, dim, &rows, &n, NULL) < 0)
		return false;
	bool any = n > 1 || (n == 1 && *rows[0].value);
	free(rows);
	return any;
}

static int who(const struct page *p, struct ebb_err *err)
{
	struct ebb_alloc *a = p->r->money.alloc;
	char title[120];
	int r = 0, shown = 0;

	for (size_t d = EBB_ALLOC_DIMS; d < ebb_alloc_dims(a) && r == 0 && shown < LABELS; d++) {
		if (!has_values(p, d))
			continue;
		snprintf(title, sizeof(title), "By %s", ebb_alloc_dim_name(a, d));
		r = dimension(p, d, title, err);
		shown++;
	}
	if (r == 0 && has_values(p, EBB_ALLOC_CLASS))
		r = dimension(p, EBB_ALLOC_CLASS, "By storage class", err);
	if (r == 0)
		r = dimension(p, EBB_ALLOC_STORE, "By store", err);
	if (r == 0 && has_values(p, EBB_ALLOC_JURISDICTION))
		r = dimension(p, EBB_ALLOC_JURISDICTION, "By jurisdiction", err);
	if (r == 0)
		r = dimension(p, EBB_ALLOC_TYPE, "Current data and hidden bytes", err);
	return r;
}

static void ages(const struct page *p)
{
	const struct ebb_tally *t = p->r->t;
	double most = 0;

	for (int i = 0; i < EBB_TALLY_AGES; i++)
		most = fmax(most, (double)t->idle[i].bytes);
	for (int i = 0; i < EBB_TALLY_UNKNOWNS; i++)
		most = fmax(most, (double)t->unknown[i].bytes);
	struct page plain = {p->r, p->f, ""};	/* ages are told in bytes */
	ebb_html_section(p->f, "By time since last access", 0);
	bar_head(&plain, "idle for");
	for (int i = 0; i < EBB_TALLY_AGES; i++)
		if (t->idle[i].objects)
			bar_row(&plain, ebb_tally_age_name(i), 0, (int64_t)t->idle[i].bytes,
				(int64_t)t->idle[i].objects, (double)t->idle[i].bytes, most, NULL);
	for (int i = 0; i < EBB_TALLY_UNKNOWNS; i++)
		if (t->unknown[i].objects)
			bar_row(&plain, ebb_tally_unknown_text(i), 0, (int64_t)t->unknown[i].bytes,
				(int64_t)t->unknown[i].objects, (double)t->unknown[i].bytes, most, NULL);
	ebb_html_table_end(p->f);
	ebb_html_para(p->f, "note", "Only what evidence proves; the rest stands under why it is not known.");
	ebb_html_section_end(p->f);
}

/* --- Where the money lies --- */

/* Length of what gives a folder its colour: its store, or "STORE:FIRST/" when there is only one. */
static size_t family_len(const struct ebb_report *r, const char *folder)
{
	return strcspn(folder, r->nstores > 1 ? ":" : "/");
}

/* Number of a folder's family among those of the parts before it. */
static unsigned family_of(const struct ebb_report *r, const struct ebb_chart_part *parts, size_t n,
			  const char *folder)
{
	size_t len = family_len(r, folder);
	unsigned next = 0;

	for (size_t i = 0; i < n; i++) {
		if (family_len(r, parts[i].name) == len && strncmp(parts[i].name, folder, len) == 0)
			return parts[i].group;
		next = parts[i].group >= next ? parts[i].group + 1 : next;
	}
	return next;
}

static int treemap(const struct page *p, struct ebb_err *err)
{
	struct ebb_chart_part parts[BOXES + 1];
	char text[BOXES + 1][EBB_OUT_TEXT_MAX];
	struct ebb_alloc_row *rows;
	size_t n, k = 0;
	bool money = *p->currency && p->r->total.cost.nano > 0;
	double rest = 0;
	int r = ebb_alloc_rows(p->r->money.alloc, EBB_ALLOC_FOLDER, &rows, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		double v = (double)(money ? rows[i].cost : rows[i].bytes);

		if (k < BOXES && v > 0) {
			parts[k] = (struct ebb_chart_part){rows[i].value, text[k], v,
							 family_of(p->r, parts, k, rows[i].value)};
			if (money)
				nano(p, v, text[k]);
			else
				ebb_out_bytes((uint64_t)v, text[k]);
			k++;
		} else {
			rest += v;
		}
	}
	if (rest > 0) {
		parts[k] = (struct ebb_chart_part){"all others", text[k], rest, 7};
		if (money)
			nano(p, rest, text[k]);
		else
			ebb_out_bytes((uint64_t)rest, text[k]);
		k++;
	}
	ebb_html_section(p->f, money ? "Where the money lies" : "Where the bytes lie", 0);
	ebb_chart_treemap(p->f, "Folders by what they cost, the largest first; what lies together has one colour", parts, k);
	fputs("<details><summary>as a table</summary>\n", p->f);
	static const char *const heads[] = {"folder", "amount"};
	ebb_html_table(p->f, "lr", heads);
	for (size_t i = 0; i < k; i++) {
		const char *const cells[] = {parts[i].name, parts[i].text};

		ebb_html_row(p->f, "lr", cells);
	}
	ebb_html_table_end(p->f);
	fputs("</details>\n", p->f);
	ebb_html_section_end(p->f);
	free(rows);
	return 0;
}

/* --- The plan, budgets, and what to do --- */

static void plan(const struct page *p)
{
	static const char *const heads[] = {"rule", "does", "objects", "frees", "once", "saves a month"};
	const struct ebb_planhead *h = ebb_planfile_head(p->r->plan);
	char a[4][EBB_OUT_TEXT_MAX];

	ebb_html_section(p->f, "What the plan would do", 1);
	ebb_html_table(p->f, "llrrrr", heads);
	for (size_t i = 0; i < h->nrules; i++) {
		const struct ebb_planhead_rule *r = &h->rules[i];
		const char *const cells[] = {
			r->rule, r->action, ebb_out_count((uint64_t)r->sum.objects, a[0]),
			ebb_out_bytes((uint64_t)r->sum.freed, a[1]), nano(p, (double)r->sum.one_off, a[2]),
			nano(p, (double)r->sum.saving, a[3]),
		};
		ebb_html_row(p->f, "llrrrr", cells);
	}
	ebb_html_table_end(p->f);
	ebb_html_para(p->f, "note", "Nothing of this is done before the plan is applied.");
	ebb_html_section_end(p->f);
}

static void budgets(const struct page *p)
{
	static const char *const heads[] = {"budget", "a month", "spent", "", "expected", ""};
	char a[5][EBB_OUT_TEXT_MAX];

	ebb_html_section(p->f, "Budgets", 1);
	ebb_html_table(p->f, "lrrrrr", heads);
	for (size_t i = 0; i < p->r->alerts.nbudgets; i++) {
		const struct ebb_alerts_budget *b = &p->r->alerts.budgets[i];

		snprintf(a[3], EBB_OUT_TEXT_MAX, "%d %%", b->state.spent_ppm / 10000);
		snprintf(a[4], EBB_OUT_TEXT_MAX, "%d %%", b->state.expected_ppm / 10000);
		const char *const cells[] = {
			b->budget->name, nano(p, (double)b->budget->month.nano, a[0]),
			b->known ? nano(p, (double)b->state.spent, a[1]) : "not known", b->known ? a[3] : NULL,
			b->known ? nano(p, (double)b->state.expected, a[2]) : NULL, b->known ? a[4] : NULL,
		};
		ebb_html_row(p->f, "lrrrrr", cells);
	}
	ebb_html_table_end(p->f);
	ebb_html_section_end(p->f);
}

/* The first few in full; a spike that everything shows has many names. */
#define WARNINGS 4

static void warnings(const struct page *p)
{
	size_t n = p->r->alerts.n, shown = n > WARNINGS + 1 ? WARNINGS : n;
	char text[512];

	for (size_t i = 0; i < shown; i++)
		ebb_html_para(p->f, "warn", ebb_alerts_text(&p->r->alerts.rows[i], p->currency, text, sizeof(text)));
	if (shown < n) {
		snprintf(text, sizeof(text), "%zu more alerts of the last %d days: ebb alerts --since %dd", n - shown,
			 EBB_REPORT_ANOMALIES, EBB_REPORT_ANOMALIES);
		ebb_html_para(p->f, "warn", text);
	}
}

static int to_do(const struct page *p, struct ebb_err *err)
{
	struct ebb_advice list[EBB_ADVICE_MAX];
	int n = ebb_advice_find(p->r, list, err);

	if (n <= 0)
		return n;
	ebb_html_section(p->f, "What to do first", 1);
	fputs("<ol>\n", p->f);
	for (int i = 0; i < n; i++) {
		fputs("<li>", p->f);
		ebb_html_text(p->f, list[i].text);
		fputs("</li>\n", p->f);
	}
	fputs("</ol>\n", p->f);
	ebb_html_section_end(p->f);
	return 0;
}

int ebb_report_html(const struct ebb_report *r, struct ebb_err *err)
{
	struct page p = {r, r->app->out, r->total.cost.currency};
	char now[EBB_UNITS_TEXT], sub[200], seen[EBB_OUT_TEXT_MAX];
	int64_t oldest = r->now;
	int rc;

	for (size_t i = 0; i < r->nstores; i++)
		oldest = r->stores[i].finished < oldest ? r->stores[i].finished : oldest;
	ebb_units_exact_time(r->now, now);
	snprintf(sub, sizeof(sub), "As of %.10s %.5s UTC; the oldest scan was %s.", now, now + 11,
		 ebb_out_ago(oldest, r->now, seen));
	ebb_html_begin(p.f, r->plan ? "ebb: data, cost and plan" : "ebb: data and cost", sub);
	if (r->live)
		fputs("<p class=\"sub\"><a href=\"/browse\">folders</a> · <a href=\"/report.json\">JSON</a> · "
		      "<a href=\"/report.csv\">CSV</a> · <a href=\"/metrics\">metrics</a></p>\n", p.f);
	warnings(&p);
	cards(&p);
	fputs("<div class=\"grid\">\n", p.f);
	if ((rc = to_do(&p, err)) < 0)
		return rc;
	if (r->plan)
		plan(&p);
	ebb_page_money_savings(r);
	if (r->alerts.nbudgets)
		budgets(&p);
	if (r->ndays > 1)
		over_time(&p);
	if ((rc = treemap(&p, err)) < 0)
		return rc;
	ages(&p);
	if ((rc = who(&p, err)) < 0)
		return rc;
	ebb_page_money_hidden(r);
	fputs("</div>\n", p.f);
	ebb_html_end(p.f, "Estimates from list prices and what the last scans saw; no invoice. "
			  "Unknown is shown as unknown and counted nowhere.");
	return ebb_out_flush(p.f, err);
}
