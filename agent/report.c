/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/date.h"

/* A sum of the holding as money of the report's store. */
static int price_kinds(const struct ebb_report *r, const struct ebb_config_store *store,
		       unsigned kinds, struct ebb_holding_sum *sum, struct ebb_money *ret,
		       struct ebb_err *err)
{
	const struct ebb_price_books *books = r->app->config->prices;

	*sum = ebb_holding_price(r->holding, books, store->provider, store->region, kinds);
	return ebb_bill_money(sum->month, ebb_price_currency(books), ret, err);
}

static int price(struct ebb_report *r, struct ebb_report_store *s, struct ebb_err *err)
{
	const struct ebb_config *c = r->app->config;
	const struct ebb_config_store *store = c ? ebb_config_store(c, s->name) : NULL;
	struct ebb_holding_sum seen, hidden;
	struct ebb_money month;
	int n;

	s->price = store ? store->price : NULL;
	if (!store || !*ebb_price_currency(c->prices)) {
		r->unpriced += s->sum.alloc;
		return 0;
	}
	n = price_kinds(r, store, EBB_HOLDING_SEEN, &seen, &month, err);
	if (!n)
		n = price_kinds(r, store, EBB_HOLDING_HIDDEN, &hidden, &s->hidden_month, err);
	if (n)
		return n;
	s->hidden = hidden.all;
	r->unpriced += (uint64_t)(seen.unpriced.bytes + hidden.unpriced.bytes);
	s->priced = seen.unpriced.objects + hidden.unpriced.objects <
		    seen.all.objects + hidden.all.objects || s->price;
	if (!s->priced)
		return 0;
	r->priced = true;
	n = ebb_money_add(month, s->hidden_month, &s->month, err);
	return n ? n : ebb_money_add(r->month, s->month, &r->month, err);
}

/* What the records meant hold, by the class that each is in. */
static int hold(struct ebb_report *r, const struct ebb_target_at *at, const struct ebb_block *b,
		struct ebb_err *err)
{
	const char *prefix = at->target->key ? at->target->key : "";
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = malloc(sizeof(*it));
	struct ebb_record rec;
	int n;

	if (!it)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_block_iter_init(it, b);
	while ((n = ebb_block_iter_next(it, &rec, err)) > 0) {
		const char *own = ebb_record_has(&rec, EBB_F_CLASS)
					  ? ebb_names_get(r->app->names, rec.f[EBB_F_CLASS])
					  : at->class;

		if (ebb_record_key_has_prefix(rec.key, rec.key_len, prefix, strlen(prefix)))
			ebb_holding_add(r->holding, own, &rec);
	}
	return n;
}

static int walk(void *ctx, const struct ebb_target_at *at, struct ebb_err *err)
{
	struct ebb_report *r = ctx;
	struct ebb_tally_sum before = r->t->total;
	struct ebb_block b;
	int n;

	ebb_holding_clear(r->holding);
	while ((n = ebb_cursor_next(at->cursor, &b, err)) > 0) {
		n = ebb_tally_block(r->t, &b, at->target->key, err);
		if (!n)
			n = hold(r, at, &b, err);
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
	n = ebb_target_found(at, s->sum.objects, err);
	return n ? n : price(r, s, err);
}

static int collect_money(struct ebb_report *r, struct ebb_snap *snap, const struct ebb_cli_args *args,
			 struct ebb_err *err)
{
	int rc = ebb_showback_collect(r->app, snap, args, &r->money, err);

	if (rc == 0)
		rc = ebb_alloc_total(r->money.alloc, &r->total, err);
	if (rc == 0 && r->total.unpriced == r->total.bytes)
		*r->total.cost.currency = 0;
	return rc;
}

static int collect_history(struct ebb_report *r, struct ebb_err *err)
{
	int64_t today = r->now / EBB_DATE_DAY_NS;
	int rc = ebb_history_load(r->app->index_dir, today - EBB_REPORT_DAYS, r->now, &r->history, err);

	if (rc == 0)
		r->ndays = ebb_history_series(r->history, NULL, NULL, NULL, today, &r->days, err);
	if (rc < 0 || r->ndays < 0)
		return rc < 0 ? rc : (int)r->ndays;
	return r->app->config ? ebb_alerts_find(&r->app->config->alerts, r->history, today,
						today - EBB_REPORT_ANOMALIES, &r->alerts, err)
			      : 0;
}

int ebb_report_collect(struct ebb_report *r, struct ebb_app *app, struct ebb_snap *snap,
		       const struct ebb_cli_args *args, const char *plan, struct ebb_err *err)
{
	r->app = app;
	r->now = ebb_app_now(app);
	r->t = ebb_tally_new(EBB_TALLY_ALL, r->now);
	r->holding = malloc(sizeof(*r->holding));
	if (!r->t || !r->holding)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int n = ebb_target_each(app, snap, args, walk, r, err);
	if (!n)
		n = collect_money(r, snap, args, err);
	if (!n && ebb_cli_argc(args) == 0)
		n = collect_history(r, err);
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
	ebb_planfile_close(r->plan);
	free(r->days);
	free(r->holding);
	free(r->stores);
	*r = (struct ebb_report){0};
}
