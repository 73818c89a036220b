/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as one self-contained page: pictures, and beside each the same as text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/advice.h"
#include "agent/chart.h"
#include "agent/html.h"
#include "agent/out.h"
#include "agent/page_dims.h"
#include "agent/page_money.h"
#include "agent/report_rows.h"
#include "core/date.h"
#include "core/units.h"

/* Boxes of the treemap. */
#define BOXES 48

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

/* The forecast as points, and the same with the rules carried out; returns how many. */
static size_t next_of(const struct ebb_report *r, struct ebb_chart_point *next, struct ebb_chart_point *with)
{
	const struct ebb_forecast *f = r->forecast;

	if (!f || !f->known)
		return 0;
	for (size_t i = 0; i < f->n && i < EBB_REPORT_AHEAD; i++) {
		int64_t day = r->days[r->ndays - 1].day + (int64_t)i + 1;
		double less = r->has_ahead ? ebb_ahead_at(r->ahead, (int64_t)i + 1) : 0;

		next[i] = (struct ebb_chart_point){day, f->day[i].value, f->day[i].lo80, f->day[i].hi80};
		with[i] = (struct ebb_chart_point){day, fmax(f->day[i].value - less, 0), 0, 0};
	}
	return f->n;
}

static void history_words(const struct page *p, size_t nnext)
{
	const struct ebb_forecast *f = p->r->forecast;
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
	if (!p->r->has_ahead)
		return;
	const struct ebb_ahead *end = &p->r->ahead[EBB_AHEAD_STEPS - 1];
	snprintf(text, sizeof(text),
		 "The green line is the same with the rules carried out every night: %s a month less by %d days from now, for %s once.",
		 nano(p, (double)end->saving, a), end->days, nano(p, (double)end->once, b));
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
	struct ebb_chart_point *past = past_of(p->r, false), *bytes = past_of(p->r, true), next[EBB_REPORT_AHEAD],
			       with[EBB_REPORT_AHEAD];
	struct ebb_chart_mark marks[32];
	struct ebb_chart_line line = {.title = "Cost of a month, day by day, and what is expected", .past = past,
				      .npast = (size_t)p->r->ndays, .next = next, .with = with,
				      .marks = marks, .label = money_label};

	if (past && bytes) {
		line.nnext = next_of(p->r, next, with);
		line.nwith = p->r->has_ahead ? line.nnext : 0;
		line.nmarks = marks_of(p->r, marks, EBB_ARRAY_LEN(marks));
		if (*p->currency) {
			char title[64];

			snprintf(title, sizeof(title), "Cost over time (%s a month)", p->currency);
			ebb_html_section(p->f, title, 0);
			ebb_chart_line(p->f, &line);
			history_words(p, line.nnext);
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
}

/* --- Where the money lies --- */

/* What gives a folder its colour. */
enum family {
	BY_STORE, BY_FIRST, BY_ITSELF
};

/* Length of what folders of one colour have in common: "STORE", "STORE:FIRST", everything. */
static size_t family_len(enum family by, const char *folder)
{
	return by == BY_STORE ? strcspn(folder, ":") : by == BY_FIRST ? strcspn(folder, "/") : strlen(folder);
}

/* Colour the parts; returns the share of the family that has most. */
static double colour(enum family by, struct ebb_chart_part *parts, size_t n)
{
	double sum[BOXES] = {0}, all = 0, most = 0;
	unsigned groups = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = family_len(by, parts[i].name), k = 0;

		while (k < i && (family_len(by, parts[k].name) != len || strncmp(parts[k].name, parts[i].name, len) != 0))
			k++;
		parts[i].group = k < i ? parts[k].group : groups++;
		sum[parts[i].group] += parts[i].value;
		all += parts[i].value;
		most = fmax(most, sum[parts[i].group]);
	}
	return all > 0 ? most / all : 0;
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
			parts[k] = (struct ebb_chart_part){rows[i].value, text[k], v, 0};
			if (money)
				nano(p, v, text[k]);
			else
				ebb_out_bytes((uint64_t)v, text[k]);
			k++;
		} else {
			rest += v;
		}
	}
	/* the coarsest that tells anything apart */
	for (enum family by = BY_STORE; colour(by, parts, k) > 0.8 && by < BY_ITSELF; by++)
		;
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
	ebb_html_table(p->f, "lLrRrr", heads);
	for (size_t i = 0; i < h->nrules; i++) {
		const struct ebb_planhead_rule *r = &h->rules[i];
		const char *const cells[] = {
			r->rule, r->action, ebb_out_count((uint64_t)r->sum.objects, a[0]),
			ebb_out_bytes((uint64_t)r->sum.freed, a[1]), nano(p, (double)r->sum.one_off, a[2]),
			nano(p, (double)r->sum.saving, a[3]),
		};
		ebb_html_row(p->f, "lLrRrr", cells);
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
	ebb_html_table(p->f, "lRrrrR", heads);
	for (size_t i = 0; i < p->r->alerts.nbudgets; i++) {
		const struct ebb_alerts_budget *b = &p->r->alerts.budgets[i];

		snprintf(a[3], EBB_OUT_TEXT_MAX, "%d %%", b->state.spent_ppm / 10000);
		snprintf(a[4], EBB_OUT_TEXT_MAX, "%d %%", b->state.expected_ppm / 10000);
		const char *const cells[] = {
			b->budget->name, nano(p, (double)b->budget->month.nano, a[0]),
			b->known ? nano(p, (double)b->state.spent, a[1]) : "not known", b->known ? a[3] : NULL,
			b->known ? nano(p, (double)b->state.expected, a[2]) : NULL, b->known ? a[4] : NULL,
		};
		ebb_html_row(p->f, "lRrrrR", cells);
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
		fprintf(p.f, "<p class=\"sub\"><a href=\"/browse\">folders</a> · %s<a href=\"/report.json\">JSON</a> · "
			     "<a href=\"/report.csv\">CSV</a> · <a href=\"/metrics\">metrics</a></p>\n",
			r->plan ? "<a href=\"/plan\">plan</a> · " : "");
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
	ebb_page_dims_ages(r);
	if ((rc = ebb_page_dims_all(r, err)) < 0)
		return rc;
	ebb_page_money_dupes(r);
	ebb_page_money_hidden(r);
	fputs("</div>\n", p.f);
	ebb_html_end(p.f, "Estimates from list prices and what the last scans saw; no invoice. "
			  "Unknown is shown as unknown and counted nowhere.");
	return ebb_out_flush(p.f, err);
}
