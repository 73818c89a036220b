/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/report_money.h"

#include <stdlib.h>
#include <string.h>

#include "agent/out.h"
#include "agent/report_rows.h"
#include "core/date.h"
#include "core/units.h"

/* Values of a label, and runs, that are shown. */
#define VALUES 10
#define RUNS 5
#define ALERTS 5

static void title(const struct ebb_report *r, const char *text)
{
	FILE *f = r->app->out;

	fprintf(f, "\n%s%s%s\n", ebb_out_bold(f), text, ebb_out_plain(f));
}

static const char *nano(const struct ebb_report *r, int64_t amount, char buf[EBB_OUT_TEXT_MAX])
{
	struct ebb_money m = r->total.cost;

	m.nano = amount;
	return *m.currency ? ebb_out_money(&m, buf) : "not priced";
}

/* --- Who pays --- */

static void value_row(const struct ebb_report *r, struct ebb_out_table *t, const char *name,
		      const struct ebb_report_rows_row *row, bool shared)
{
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell_name(t, name, strlen(name));
	ebb_out_cell(t, "%s", ebb_out_bytes((uint64_t)row->own.bytes, a));
	ebb_out_cell(t, "%s", ebb_out_count((uint64_t)row->own.objects, a));
	ebb_out_cell(t, "%s", nano(r, row->own.cost, a));
	if (shared)
		ebb_out_cell(t, "%s", nano(r, row->own.cost + row->moved, a));
}

static int label(const struct ebb_report *r, size_t dim, struct ebb_err *err)
{
	const struct ebb_out_col cols[] = {
		{ebb_alloc_dim_name(r->money.alloc, dim), false}, {"size", true}, {"objects", true}, {"a month", true},
		{"with shared costs", true},
	};
	struct ebb_report_rows_row *rows, rest = {.moved = 0};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = NULL;
	bool shared;
	size_t n;
	int rc = ebb_report_rows_get(r, dim, &rows, &n, &shared, err);

	if (rc < 0)
		return rc;
	if (n == 0 || (n == 1 && !*rows[0].own.value)) { /* nobody has it */
		free(rows);
		return 0;
	}
	t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols) - !shared);
	for (size_t i = 0; t && i < n; i++) {
		if (i < VALUES) {
			value_row(r, t, *rows[i].own.value ? rows[i].own.value : "(none)", &rows[i], shared);
			continue;
		}
		rest.own.bytes += rows[i].own.bytes;
		rest.own.objects += rows[i].own.objects;
		rest.own.cost += rows[i].own.cost;
		rest.moved += rows[i].moved;
	}
	free(rows);
	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (n > VALUES) {
		char name[48];

		snprintf(name, sizeof(name), "%zu others", n - VALUES);
		value_row(r, t, name, &rest, shared);
	}
	char text[120];
	snprintf(text, sizeof(text), "By %.80s", cols[0].title);
	title(r, text);
	return ebb_out_table_print(t, r->app->out, 2, err);
}

/* --- What runs saved --- */

static void run_row(const struct ebb_report *r, struct ebb_out_table *t, const char *name,
		    const struct ebb_savings_row *s)
{
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell(t, "%s", name);
	ebb_out_cell(t, "%s", ebb_out_count((uint64_t)s->done, a));
	ebb_out_cell(t, "%s", nano(r, s->done_once, a));
	ebb_out_cell(t, "%s", nano(r, s->done_month, a));
	ebb_out_cell(t, "%s", s->seen ? nano(r, s->real_month, a) : "not yet");
	ebb_out_cell(t, "%s", s->waiting ? nano(r, s->waiting_month, a) : "");
}

static void savings_notes(const struct ebb_report *r, const struct ebb_savings_row *all)
{
	FILE *f = r->app->out;
	char a[EBB_OUT_TEXT_MAX];

	if (all->waiting)
		fprintf(f, "  what lies in the trash is still paid for; ebb trash --empty lets go what has expired\n");
	if (all->replaced)
		fprintf(f, "  %s written anew or removed by others since: they save nothing\n",
			ebb_out_things((uint64_t)all->replaced, "object", a));
	if (all->unknown)
		fprintf(f, "  %s cannot be told yet: not scanned since, without a price, or with shared blocks\n",
			ebb_out_things((uint64_t)all->unknown, "object", a));
}

static int savings(const struct ebb_report *r, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"", false}, {"objects", true}, {"once", true}, {"planned a month", true}, {"measured", true}, {"in the trash", true},
	};
	struct ebb_savings_row rows[EBB_SAVINGS_ACTIONS], all = {.rule = NULL};
	size_t n = ebb_savings_actions(&r->savings, r->total.cost.currency, rows), shown = 0;
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (!n)
		return 0;
	for (size_t i = r->savings.n; i-- > 0 && shown < RUNS;) {
		const struct ebb_savings *s = &r->savings.all[i];
		struct ebb_savings_row sum = ebb_savings_sum(s);

		if (!*s->run || strcmp(s->currency, r->total.cost.currency) != 0)
			continue;
		run_row(r, t, s->run, &sum);
		shown++;
	}
	ebb_out_rule(t);
	for (size_t i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "all runs: %.40s", rows[i].action);
		run_row(r, t, name, &rows[i]);
		all.waiting += rows[i].waiting;
		all.replaced += rows[i].replaced;
		all.unknown += rows[i].unknown;
	}
	title(r, "What runs saved");
	int rc = ebb_out_table_print(t, r->app->out, 2, err);
	savings_notes(r, &all);
	return rc;
}

static void duplicates(const struct ebb_report *r)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	if (!r->dupes_known || !r->dupes.groups)
		return;
	title(r, "What is stored more than once");
	fprintf(r->app->out, "  %s in %s, %s a month, as far as contents are known: ebb dupes\n",
		ebb_out_bytes((uint64_t)r->dupes.redundant, a), ebb_out_things(r->dupes.copies, "redundant object", b),
		nano(r, r->dupes.saving, c));
}

static void next_plan(const struct ebb_report *r)
{
	const struct ebb_savings *s = ebb_savings_next(&r->savings);
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], d[EBB_UNITS_TEXT];

	if (!s || !*s->currency || strcmp(s->currency, r->total.cost.currency) != 0)
		return;
	struct ebb_savings_row sum = ebb_savings_sum(s);
	title(r, "The next plan");
	fprintf(r->app->out, "  %.12s of %s would save %s a month by %s, once for %s; nothing of it is done yet\n", s->plan,
		ebb_units_format_date(s->time, d), nano(r, sum.planned_month, a), ebb_out_things((uint64_t)sum.planned, "action", b),
		nano(r, sum.planned_once, c));
}

/* --- What is expected --- */

static const char *percent(double error, char buf[EBB_OUT_TEXT_MAX])
{
	snprintf(buf, EBB_OUT_TEXT_MAX, "%.1f %%", error * 100);
	return error < 0 ? "not tried" : buf;
}

static void forecast(const struct ebb_report *r)
{
	const struct ebb_forecast *f = r->forecast;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	fprintf(r->app->out, "  in %zu days, as the past goes on: %s a month", f->n, nano(r, (int64_t)f->day[f->n - 1].value, a));
	if (f->known)
		fprintf(r->app->out, " (80 %% between %s and %s)", nano(r, (int64_t)f->day[f->n - 1].lo80, b),
			nano(r, (int64_t)f->day[f->n - 1].hi80, c));
	fputc('\n', r->app->out);
	if (f->trials)
		fprintf(r->app->out, "  method %s: error in the past %s, of the naive forecast %s (over %zu trials)\n",
			ebb_forecast_name(f->method), percent(f->error[f->method], a), percent(f->error[EBB_FORECAST_NAIVE], b),
			f->trials);
	else
		fputs("  too little history to try methods on: tomorrow is taken to be like today\n", r->app->out);
}

static int ahead(const struct ebb_report *r, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"rules carried out", false}, {"objects", true}, {"once", true}, {"less a month", true}, {"in the trash", true},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	char a[EBB_OUT_TEXT_MAX];

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (int i = 0; i < EBB_AHEAD_STEPS; i++) {
		const struct ebb_ahead *s = &r->ahead[i];

		if (s->days)
			ebb_out_cell(t, "by %d days from now", s->days);
		else
			ebb_out_cell(t, "today");
		ebb_out_cell(t, "%s", ebb_out_count((uint64_t)s->actions, a));
		ebb_out_cell(t, "%s", nano(r, s->once, a));
		ebb_out_cell(t, "%s", nano(r, s->saving, a));
		ebb_out_cell(t, "%s", s->waiting ? nano(r, s->waiting, a) : "");
	}
	return ebb_out_table_print(t, r->app->out, 2, err);
}

static int expected(const struct ebb_report *r, struct ebb_err *err)
{
	if (r->forecast || r->has_ahead)
		title(r, "What is expected");
	if (r->forecast)
		forecast(r);
	return r->has_ahead ? ahead(r, err) : 0;
}

/* --- What is wrong --- */

static void alerts(const struct ebb_report *r)
{
	char text[512];

	if (r->alerts.n)
		title(r, "Alerts");
	for (size_t i = 0; i < r->alerts.n && i < ALERTS; i++)
		fprintf(r->app->out, "  %s: %s\n", ebb_alerts_name(&r->alerts.rows[i]),
			ebb_alerts_text(&r->alerts.rows[i], r->total.cost.currency, text, sizeof(text)));
	if (r->alerts.n > ALERTS)
		fprintf(r->app->out, "  %zu more: ebb alerts --since %dd\n", r->alerts.n - ALERTS, EBB_REPORT_ANOMALIES);
}

int ebb_report_money_print(const struct ebb_report *r, struct ebb_err *err)
{
	struct ebb_alloc *a = r->money.alloc;
	int rc = 0;

	for (size_t d = EBB_ALLOC_DIMS; d < ebb_alloc_dims(a) && rc == 0; d++)
		rc = label(r, d, err);
	if (rc == 0)
		rc = savings(r, err);
	if (rc == 0) {
		duplicates(r);
		next_plan(r);
		rc = expected(r, err);
	}
	if (rc == 0)
		alerts(r);
	return rc;
}
