/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/report.h"
#include "core/cursor.h"
#include "policies/cost_storage.h"

#include <stdlib.h>
#include <string.h>

static int price(struct ebb_report *r, struct ebb_report_store *s, struct ebb_err *err)
{
	const struct ebb_config *c = r->app->config;
	const struct ebb_config_store *store = c ? ebb_config_store(c, s->name) : NULL;
	int got;

	s->price = store ? store->price : NULL;
	got = ebb_cost_storage_bytes(s->price, (int64_t)s->sum.alloc,
				     c ? ebb_price_currency(c->prices) : "", &s->month, err);
	if (got < 0)
		return got;
	if (!got) {
		r->unpriced += s->sum.alloc;
		return 0;
	}
	r->priced = s->priced = true;
	return ebb_money_add(r->month, s->month, &r->month, err);
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
	n = ebb_target_found(at, s->sum.objects, err);
	return n ? n : price(r, s, err);
}

int ebb_report_collect(struct ebb_report *r, struct ebb_app *app, struct ebb_snap *snap,
		       const struct ebb_cli_args *args, struct ebb_err *err)
{
	r->app = app;
	r->now = ebb_app_now(app);
	r->t = ebb_tally_new(EBB_TALLY_ALL, r->now);
	if (!r->t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int n = ebb_target_each(app, snap, args, walk, r, err);
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
	free(r->stores);
	r->t = NULL;
	r->stores = NULL;
}
