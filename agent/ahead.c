/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/ahead.h"

#include "core/cursor.h"
#include "core/date.h"
#include "policies/decide.h"

const int ebb_ahead_days[EBB_AHEAD_STEPS] = {0, 14, 28};

struct looking {
	struct ebb_app *app;
	struct ebb_ahead *at;
	int64_t horizon;	/* ns from now */
};

bool ebb_ahead_wanted(const struct ebb_config *c)
{
	for (size_t i = 0; c && i < ebb_rules_count(c->rules); i++)
		if (ebb_rules_get(c->rules, i)->action->changes)
			return true;
	return false;
}

static int on_action(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct looking *l = ctx;

	(void)err;
	l->at->actions++;
	l->at->unpriced += !a->priced;
	l->at->once += a->one_off.nano;
	/* it would have gone to the trash on some day until then; what it saves comes when the trash lets it go */
	if (a->trash_ns > l->horizon)
		l->at->waiting += a->saving.nano;
	else
		l->at->saving += a->saving.nano;
	return 0;
}

static int decide_store(struct looking *l, struct ebb_decide *d, struct ebb_snap *snap, const char *name, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_index_store st;
	struct ebb_block b;
	int r;

	if (ebb_snap_store(snap, name, &st, NULL) < 0 || st.generation == 0)
		return 0; /* never scanned */
	r = ebb_cursor_open(snap, &st, NULL, &c, err);
	while (r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1)
		if ((r = ebb_app_cancelled(l->app, err)) < 0 || (r = ebb_decide_block(d, name, &b, on_action, l, err)) < 0)
			break;
	return r < 0 ? r : 0;
}

int ebb_ahead_find(struct ebb_app *app, struct ebb_snap *snap, struct ebb_ahead ret[EBB_AHEAD_STEPS], struct ebb_err *err)
{
	const struct ebb_config *c = app->config;
	int r = 0;

	for (int i = 0; i < EBB_AHEAD_STEPS && r == 0; i++) {
		EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
		struct looking l = {app, &ret[i], ebb_ahead_days[i] * EBB_DATE_DAY_NS};
		struct ebb_decide *d = NULL;

		ebb_arena_init(&arena, 0);
		ret[i] = (struct ebb_ahead){.days = ebb_ahead_days[i]};
		r = ebb_decide_new(&arena, c->rules, c->prices, ebb_app_now(app) + l.horizon, &d, err);
		for (size_t k = 0; k < c->nstores && r == 0; k++)
			r = decide_store(&l, d, snap, c->stores[k].open.name, err);
		ebb_decide_free(d);
	}
	return r;
}

double ebb_ahead_at(const struct ebb_ahead steps[EBB_AHEAD_STEPS], int64_t days)
{
	for (int i = 1; i < EBB_AHEAD_STEPS; i++)
		if (days <= steps[i].days) {
			double part = (double)(days - steps[i - 1].days) / (steps[i].days - steps[i - 1].days);

			return (double)steps[i - 1].saving + part * (double)(steps[i].saving - steps[i - 1].saving);
		}
	return (double)steps[EBB_AHEAD_STEPS - 1].saving;
}
