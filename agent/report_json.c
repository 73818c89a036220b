/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report as one JSON object. */
#include <stdlib.h>
#include <string.h>

#include "agent/out.h"
#include "agent/owner.h"
#include "agent/report_rows.h"
#include "core/date.h"

/* Folders that are listed, the most expensive first. */
#define FOLDERS 100

static json_t *sum(const struct ebb_tally_sum *s)
{
	return json_pack("{sI sI sI}", "objects", (json_int_t)s->objects, "bytes",
			 (json_int_t)s->bytes, "alloc", (json_int_t)s->alloc);
}

/* A sum with a name before it. */
static json_t *named(const char *key, const char *name, const struct ebb_tally_sum *s)
{
	json_t *o = json_object(), *v = sum(s);

	if (o && v && (ebb_out_json_bytes(o, key, name, strlen(name)) || json_object_update(o, v))) {
		json_decref(o);
		o = NULL;
	}
	json_decref(v);
	return o;
}

static json_t *stores(const struct ebb_report *r)
{
	json_t *a = json_array();

	for (size_t i = 0; i < r->nstores; i++) {
		const struct ebb_report_store *s = &r->stores[i];
		json_t *o = named("store", s->name, &s->sum);

		if (s->class)
			json_object_set_new(o, "class", json_string(s->class));
		json_object_set_new(o, "priced", json_boolean(s->priced));
		if (s->hidden_objects) {
			json_object_set_new(o, "hidden_objects", json_integer(s->hidden_objects));
			json_object_set_new(o, "hidden_bytes", json_integer(s->hidden_bytes));
		}
		if (s->priced && s->hidden_objects)
			ebb_out_json_money(o, "hidden_month", &s->hidden_month);
		if (s->priced) {
			ebb_out_json_money(o, "cost_month", &s->month);
			json_object_set_new(o, "currency", json_string(s->month.currency));
		}
		if (s->requests)
			json_object_set_new(o, "scan_requests", json_integer((json_int_t)s->requests));
		if (s->scan_priced)
			ebb_out_json_money(o, "scan_once", &s->scan);
		ebb_out_json_time(o, "scanned", s->finished);
		json_object_set_new(o, "unreadable", json_integer((json_int_t)s->unreadable));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *ages(const struct ebb_tally_sum *s)
{
	json_t *a = json_array();

	for (int i = 0; i < EBB_TALLY_AGES; i++)
		json_array_append_new(a, named("age", ebb_tally_age_name(i), &s[i]));
	return a;
}

static json_t *unknown(const struct ebb_tally *t)
{
	json_t *a = json_array();

	for (int i = 0; i < EBB_TALLY_UNKNOWNS; i++) {
		json_t *o = named("why", ebb_tally_unknown_name(i), &t->unknown[i]);

		json_object_set_new(o, "text", json_string(ebb_tally_unknown_text(i)));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *sizes(const struct ebb_tally *t)
{
	json_t *a = json_array();

	for (int i = 0; i < EBB_TALLY_SIZES; i++)
		json_array_append_new(a, named("size", ebb_tally_size_name(i), &t->size[i]));
	return a;
}

static json_t *kinds(const struct ebb_tally *t)
{
	json_t *a = json_array();

	for (int i = 0; i < EBB_KIND_COUNT; i++)
		json_array_append_new(a, named("kind", ebb_record_kind_name(i), &t->kind[i]));
	return a;
}

static json_t *groups(const char *key, const struct ebb_tally_group *g, size_t n,
		      const struct ebb_tally_sum *others)
{
	json_t *a = json_array();
	char name[EBB_OWNER_MAX];

	for (size_t i = 0; i < n; i++) {
		bool owner = strcmp(key, "owner") == 0;
		json_t *o = named(key, owner ? ebb_owner_name(g[i].uid, name) : g[i].name, &g[i].sum);

		if (owner && g[i].uid >= 0)
			json_object_set_new(o, "uid", json_integer(g[i].uid));
		json_array_append_new(a, o);
	}
	if (others->objects) {
		json_t *o = sum(others);

		json_object_set_new(o, "others", json_true());
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *by_row(const struct ebb_report_rows_row *row, bool shared)
{
	const struct ebb_alloc_row *own = &row->own;
	json_t *o = json_pack("{sI sI sI sI}", "objects", (json_int_t)own->objects, "bytes", (json_int_t)own->bytes,
			      "unpriced_bytes", (json_int_t)own->unpriced, "cost_month_nano", (json_int_t)own->cost);

	if (shared) {
		json_object_set_new(o, "shared_month_nano", json_integer(row->moved));
		json_object_set_new(o, "allocated_month_nano", json_integer(own->cost + row->moved));
	}
	ebb_out_json_bytes(o, "value", own->value, strlen(own->value));
	return o;
}

/* Every dimension; of folders, which are many, the first rows. */
static json_t *by(const struct ebb_report *r)
{
	json_t *o = json_object();

	for (size_t d = 0; d < ebb_alloc_dims(r->money.alloc); d++) {
		struct ebb_report_rows_row *rows;
		json_t *a = json_array();
		bool shared;
		size_t n;

		if (ebb_report_rows_get(r, d, &rows, &n, &shared, NULL) < 0) {
			json_decref(a);
			json_decref(o);
			return NULL;
		}
		for (size_t i = 0; i < n && (d != EBB_ALLOC_FOLDER || i < FOLDERS); i++)
			json_array_append_new(a, by_row(&rows[i], shared));
		free(rows);
		json_object_set_new(o, ebb_alloc_dim_name(r->money.alloc, d), a);
	}
	return o;
}

/* Days of the history: day, bytes, objects, cost of a month, whether nobody looked. */
static json_t *history(const struct ebb_report *r)
{
	json_t *a = json_array();

	for (int64_t i = 0; i < r->ndays; i++) {
		const struct ebb_history_day *d = &r->days[i];
		json_t *o = json_pack("{sI sI sI sb}", "bytes", (json_int_t)d->bytes, "objects", (json_int_t)d->objects,
				      "cost_month_nano", (json_int_t)d->cost, "carried", d->carried);

		ebb_out_json_time(o, "day", d->day * EBB_DATE_DAY_NS);
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *alerts(const struct ebb_report *r)
{
	json_t *a = json_array();
	char text[512];

	for (size_t i = 0; i < r->alerts.n; i++)
		json_array_append_new(a, json_pack("{ss ss}", "alert", ebb_alerts_name(&r->alerts.rows[i]), "text",
						   ebb_alerts_text(&r->alerts.rows[i], r->total.cost.currency, text,
								   sizeof(text))));
	return a;
}

static json_t *savings_row(const struct ebb_savings_row *r)
{
	json_t *o = json_object();
	const struct {
		const char *name;
		int64_t value;
	} members[] = {
		{"planned_objects", r->planned}, {"planned_once_nano", r->planned_once}, {"planned_month_nano", r->planned_month},
		{"done_objects", r->done}, {"done_once_nano", r->done_once}, {"done_month_nano", r->done_month},
		{"measured_objects", r->seen}, {"measured_month_nano", r->real_month}, {"waiting_objects", r->waiting},
		{"waiting_month_nano", r->waiting_month}, {"replaced_objects", r->replaced}, {"unknown_objects", r->unknown},
	};

	if (r->rule)
		json_object_set_new(o, "rule", json_string(r->rule));
	if (r->action)
		json_object_set_new(o, "action", json_string(r->action));
	for (size_t i = 0; i < EBB_ARRAY_LEN(members); i++)
		json_object_set_new(o, members[i].name, json_integer(members[i].value));
	return o;
}

static json_t *savings(const struct ebb_report *r)
{
	json_t *a = json_array();

	for (size_t i = 0; i < r->savings.n; i++) {
		const struct ebb_savings *s = &r->savings.all[i];
		json_t *o = json_pack("{ss* ss ss}", "run", *s->run ? s->run : NULL, "plan", s->plan, "currency", s->currency);
		json_t *rows = json_array();
		struct ebb_savings_row all = ebb_savings_sum(s);

		ebb_out_json_time(o, "time", s->time);
		if (s->measured)
			ebb_out_json_time(o, "measured", s->measured);
		for (size_t k = 0; k < s->n; k++)
			json_array_append_new(rows, savings_row(&s->rows[k]));
		json_object_set_new(o, "total", savings_row(&all));
		json_object_set_new(o, "rules", rows);
		json_array_append_new(a, o);
	}
	return a;
}

/* Every day ahead, how each method did in the past, and what the rules would have saved by then. */
static json_t *forecast(const struct ebb_report *r)
{
	const struct ebb_forecast *f = r->forecast;
	json_t *o = json_object(), *days = json_array(), *errors = json_object();

	for (size_t i = 0; f && i < f->n; i++) {
		json_t *d = json_pack("{sI}", "cost_month_nano", (json_int_t)f->day[i].value);

		if (f->known) {
			json_object_set_new(d, "low80_nano", json_integer((json_int_t)f->day[i].lo80));
			json_object_set_new(d, "high80_nano", json_integer((json_int_t)f->day[i].hi80));
		}
		if (r->has_ahead)
			json_object_set_new(d, "rules_saving_nano", json_integer((json_int_t)ebb_ahead_at(r->ahead, (int64_t)i + 1)));
		ebb_out_json_time(d, "day", (r->days[r->ndays - 1].day + (int64_t)i + 1) * EBB_DATE_DAY_NS);
		json_array_append_new(days, d);
	}
	for (int m = 0; f && m < EBB_FORECAST_METHODS; m++)
		if (f->trials && f->error[m] >= 0)
			json_object_set_new(errors, ebb_forecast_name((enum ebb_forecast_method)m), json_real(f->error[m]));
	if (f) {
		json_object_set_new(o, "method", json_string(ebb_forecast_name(f->method)));
		json_object_set_new(o, "trials", json_integer((json_int_t)f->trials));
	}
	json_object_set_new(o, "errors", errors);
	json_object_set_new(o, "days", days);
	return o;
}

static json_t *ahead(const struct ebb_report *r)
{
	json_t *a = json_array();

	for (int i = 0; r->has_ahead && i < EBB_AHEAD_STEPS; i++) {
		const struct ebb_ahead *s = &r->ahead[i];

		json_array_append_new(a, json_pack("{si sI sI sI sI sI}", "in_days", s->days, "objects", (json_int_t)s->actions,
						   "once_nano", (json_int_t)s->once, "saving_month_nano", (json_int_t)s->saving,
						   "waiting_month_nano", (json_int_t)s->waiting, "unpriced", (json_int_t)s->unpriced));
	}
	return a;
}

int ebb_report_json(const struct ebb_report *r, struct ebb_err *err)
{
	const struct ebb_tally *t = r->t;
	json_t *o = json_object();

	ebb_out_json_time(o, "now", r->now);
	json_object_set_new(o, "total", sum(&t->total));
	json_object_set_new(o, "stores", stores(r));
	if (*r->total.cost.currency) {
		ebb_out_json_money(o, "cost_month", &r->total.cost);
		json_object_set_new(o, "currency", json_string(r->total.cost.currency));
	}
	json_object_set_new(o, "unpriced_bytes", json_integer(r->total.unpriced));
	json_object_set_new(o, "by", by(r));
	json_object_set_new(o, "history", history(r));
	json_object_set_new(o, "forecast", forecast(r));
	json_object_set_new(o, "ahead", ahead(r));
	if (r->dupes_known)
		json_object_set_new(o, "duplicates", json_pack("{sI sI sI sI}", "groups", (json_int_t)r->dupes.groups, "redundant_copies",
							       (json_int_t)r->dupes.copies, "redundant_bytes",
							       (json_int_t)r->dupes.redundant, "redundant_month_nano",
							       (json_int_t)r->dupes.saving));
	json_object_set_new(o, "savings", savings(r));
	json_object_set_new(o, "alerts", alerts(r));
	json_object_set_new(o, "kinds", kinds(t));
	json_object_set_new(o, "idle", ages(t->idle));
	json_object_set_new(o, "idle_unknown", unknown(t));
	json_object_set_new(o, "written", ages(t->written));
	json_object_set_new(o, "sizes", sizes(t));
	json_object_set_new(o, "extensions", groups("ext", r->ext, r->next, &r->other_ext));
	json_object_set_new(o, "owners", groups("owner", r->owner, r->nowner, &r->other_owner));
	json_object_set_new(o, "sparse", sum(&t->sparse));
	json_object_set_new(o, "hard_links", sum(&t->twins));
	json_object_set_new(o, "unseen", sum(&t->unseen));
	return ebb_out_json(r->app->out, o, err);
}
