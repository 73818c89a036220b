/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/report.h"

#include <stdlib.h>
#include <string.h>

#include "agent/listing.h"
#include "agent/reach.h"
#include "core/cursor.h"
#include "core/date.h"

/* What a store costs is its row of the allocation, so that stores add up to what every dimension does. */
static int price(struct ebb_report *r, struct ebb_report_store *s, const struct ebb_alloc_row *row, struct ebb_err *err)
{
	const struct ebb_config *c = r->app->config;
	const struct ebb_config_store *store = c ? ebb_config_store(c, s->name) : NULL;
	struct ebb_alloc_row hidden;
	int n = ebb_alloc_hidden(r->money.alloc, s->name, &hidden, err);

	if (n)
		return n;
	if (store && store->open.bucket) {
		s->requests = ebb_listing_requests(s->sum.objects + (uint64_t)hidden.objects);
		if ((n = ebb_listing_cost(c, store, s->requests, &s->scan, err)) < 0)
			return n;
		s->scan_priced = n == 1;
	}
	s->price = store ? store->price : NULL;
	s->hidden_objects = hidden.objects;
	s->hidden_bytes = hidden.bytes;
	r->unpriced += (uint64_t)row->unpriced;
	if (!store || !*r->total.cost.currency)
		return 0;
	s->priced = row->unpriced < row->bytes || s->price;
	s->month = s->hidden_month = r->total.cost;
	s->month.nano = row->cost;
	s->hidden_month.nano = hidden.cost;
	if (!s->priced)
		return 0;
	r->priced = true;
	return ebb_money_add(r->month, s->month, &r->month, err);
}

static int price_stores(struct ebb_report *r, struct ebb_err *err)
{
	struct ebb_alloc_row *rows;
	size_t n;
	int rc = ebb_alloc_rows(r->money.alloc, EBB_ALLOC_STORE, &rows, &n, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < r->nstores && rc == 0; i++) {
		struct ebb_alloc_row row = {.value = r->stores[i].name};

		for (size_t k = 0; k < n; k++)
			if (strcmp(rows[k].value, row.value) == 0)
				row = rows[k];
		rc = price(r, &r->stores[i], &row, err);
	}
	free(rows);
	return rc;
}

static int walk(void *ctx, const struct ebb_target_at *at, struct ebb_err *err)
{
	struct ebb_report *r = ctx;
	struct ebb_tally_sum before = r->t->total;
	struct ebb_block b;
	int n;

	while ((n = ebb_cursor_next(at->cursor, &b, err)) > 0) {
		n = ebb_tally_block(r->t, &b, at->target->key, err);
		if (!n)
			n = ebb_app_cancelled(r->app, err);
		if (n)
			return n;
	}
	if (n)
		return n;
	struct ebb_report_store *s = realloc(r->stores, (r->nstores + 1) * sizeof(*s));
	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	r->stores = s;
	s += r->nstores++;
	*s = (struct ebb_report_store){.class = at->class,
				       .finished = at->store->finished,
				       .unreadable = at->store->unreadable};
	memcpy(s->name, at->store->name, sizeof(s->name));
	s->sum = (struct ebb_tally_sum){r->t->total.objects - before.objects,
					r->t->total.bytes - before.bytes,
					r->t->total.alloc - before.alloc};
	return ebb_target_found(at, s->sum.objects, err);
}

static int collect_money(struct ebb_report *r, struct ebb_snap *snap, const struct ebb_cli_args *args,
			 struct ebb_err *err)
{
	int rc = ebb_showback_collect(r->app, snap, args, &r->money, err);

	if (rc == 0)
		rc = ebb_alloc_total(r->money.alloc, &r->total, err);
	if (rc == 0 && r->total.unpriced == r->total.bytes)
		*r->total.cost.currency = 0;
	return rc ? rc : price_stores(r, err);
}

/* What is to be expected: the past goes on, without what runs took out of it. */
static int collect_forecast(struct ebb_report *r, struct ebb_err *err)
{
	struct ebb_alerts_move *moves = NULL;
	struct ebb_forecast *f;
	int n, rc;

	if (r->ndays < 1 || !*r->total.cost.currency)
		return 0;
	n = ebb_alerts_moves(&r->savings, r->total.cost.currency, NULL, NULL, r->days, r->ndays, &moves, err);
	f = n < 0 ? NULL : malloc(sizeof(*f));
	rc = n < 0 ? n : !f ? ebb_err_set(err, EBB_ENOMEM, "out of memory")
		   : ebb_alerts_forecast(r->days, r->ndays, EBB_REPORT_AHEAD, moves, (size_t)n, f, NULL);
	free(moves);
	if (rc == 0)
		r->forecast = f;
	else
		free(f);
	return rc == -EBB_ENOMEM ? rc : 0;
}

static int collect_ahead(struct ebb_report *r, struct ebb_snap *snap, struct ebb_err *err)
{
	if (!*r->total.cost.currency || !ebb_ahead_wanted(r->app->config))
		return 0;
	int rc = ebb_ahead_find(r->app, snap, r->ahead, err);
	r->has_ahead = rc == 0;
	return rc;
}

static int collect_history(struct ebb_report *r, struct ebb_snap *snap, struct ebb_err *err)
{
	int64_t today = r->now / EBB_DATE_DAY_NS;
	int rc = ebb_history_load(r->app->index_dir, today - EBB_REPORT_DAYS, r->now, &r->history, err);

	if (rc == 0)
		rc = ebb_savings_load(r->app->index_dir, r->now - EBB_REPORT_DAYS * EBB_DATE_DAY_NS, r->now, &r->savings, err);
	if (rc < 0)
		return rc;
	r->ndays = ebb_history_series(r->history, NULL, NULL, NULL, today, &r->days, err);
	if (r->ndays < 0)
		return (int)r->ndays;
	if ((rc = collect_forecast(r, err)) < 0 || (rc = collect_ahead(r, snap, err)) < 0)
		return rc;
	return r->app->config ? ebb_alerts_find(&r->app->config->alerts, r->history, &r->savings, today,
						today - EBB_REPORT_ANOMALIES, &r->alerts, err)
			      : 0;
}

/* One member of a group by name. */
static char *name_of(struct ebb_groups *g, struct ebb_place *places, const struct ebb_reach *reach)
{
	struct ebb_group_member m;
	const char *key;
	char *name = NULL;
	size_t len;

	if (!ebb_groups_member(g, &m) || ebb_place_key(places, &reach->v[m.store].st, m.place, &key, &len, NULL) < 0 ||
	    asprintf(&name, "%s:%.*s", reach->v[m.store].st.name, (int)len, key) < 0)
		return NULL;
	return name;
}

/*
 * What is stored more than once, by what is known already: nothing is read. It needs temporary files beside the index; where there can be
 * none it is not known.
 */
static int collect_dupes(struct ebb_report *r, struct ebb_index *ix, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_reach_release) struct ebb_reach reach = {0};
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_place_closep) struct ebb_place *places = NULL;
	EBB_CLEANUP(ebb_groups_freep) struct ebb_groups *g = NULL;
	struct ebb_app quiet = *r->app;
	struct ebb_err why = {0};

	quiet.quiet = true;
	int rc = ebb_reach_open(&quiet, ix, args, false, &reach, &why);
	if (rc == 0)
		rc = ebb_snap_open(ix, &snap, &why);
	if (rc == 0)
		rc = ebb_place_open(snap, &places, &why);
	if (rc == 0)
		rc = ebb_groups_find(&quiet, snap, &reach, 1, false, &g, &why);
	if (rc < 0)
		return rc == -EBB_ECANCELLED || rc == -EBB_ENOMEM ? ebb_err_set(err, -rc, "%s", why.msg) : 0;
	r->dupes_known = true;
	r->dupes = *ebb_groups_totals(g);
	while (r->ndupes < EBB_REPORT_DUPES && ebb_groups_next(g, &r->dupe[r->ndupes], NULL) == 1) {
		r->dupe_name[r->ndupes] = name_of(g, places, &reach);
		r->ndupes++;
	}
	return 0;
}

int ebb_report_collect(struct ebb_report *r, struct ebb_app *app, struct ebb_index *ix, struct ebb_snap *snap,
		       const struct ebb_cli_args *args, const char *plan, struct ebb_err *err)
{
	r->app = app;
	r->now = ebb_app_now(app);
	r->t = ebb_tally_new(EBB_TALLY_ALL, r->now);
	if (!r->t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int n = ebb_target_each(app, snap, args, walk, r, err);
	if (!n)
		n = collect_money(r, snap, args, err);
	if (!n && ebb_cli_argc(args) == 0)
		n = collect_history(r, snap, err);
	if (!n)
		n = collect_dupes(r, ix, args, err);
	if (!n && plan)
		n = ebb_planfile_open(plan, &r->plan, err);
	if (n)
		return n;
	r->next = ebb_tally_top(r->t, EBB_TALLY_EXT, EBB_REPORT_TOP, r->ext, &r->other_ext,
				&r->more_ext);
	r->nowner = ebb_tally_top(r->t, EBB_TALLY_OWNER, EBB_REPORT_TOP, r->owner, &r->other_owner,
				  &r->more_owner);
	return 0;
}

void ebb_report_release(struct ebb_report *r)
{
	ebb_tally_free(r->t);
	ebb_showback_release(&r->money);
	ebb_alerts_release(&r->alerts);
	ebb_history_free(r->history);
	ebb_savings_release(&r->savings);
	ebb_planfile_close(r->plan);
	free(r->days);
	free(r->forecast);
	for (size_t i = 0; i < r->ndupes; i++)
		free(r->dupe_name[i]);
	free(r->stores);
	*r = (struct ebb_report){0};
}
