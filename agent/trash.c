/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/trash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/out.h"
#include "agent/undo.h"
#include "policies/cost_storage.h"

struct reading {
	const struct ebb_config *config;
	const struct ebb_run *run;
	ebb_trash_fn *fn;
	void *ctx;
};

struct adding {
	struct ebb_trash *t;
	int64_t now;
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* A month of it; -1 without a price. What is struck off in a pack is no object of its own. */
static __int128 month_of(const struct ebb_config *config, const char *store, const struct ebb_record *rec, bool packed)
{
	const struct ebb_config_store *cs = config ? ebb_config_store(config, store) : NULL;
	const char *class = cs ? ebb_rules_class(config->rules, store, rec) : NULL;
	const struct ebb_price_class *c = class ? ebb_price_find(config->prices, cs->provider, cs->region, class) : NULL;
	int64_t bytes = ebb_record_has(rec, EBB_F_ALLOC) ? rec->f[EBB_F_ALLOC] : rec->f[EBB_F_SIZE];
	struct ebb_bill bill;

	if (!c)
		return -1;
	ebb_bill_clear(&bill);
	ebb_cost_storage(&bill, EBB_BILL_BEFORE, c, (struct ebb_cost_load){!packed, bytes}, EBB_COST_MONTH);
	return bill.missing ? -1 : ebb_bill_sum(&bill, EBB_BILL_BEFORE);
}

static int entry(void *ctx, const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_err *err)
{
	const struct reading *r = ctx;
	const struct ebb_record *rec = ebb_op_subject(did);
	bool packed = did->action == EBB_ACTION_STRIKE;
	/* what a relay keeps lies in another class than what it was made of */
	const struct ebb_record *lies = did->action == EBB_ACTION_COPY ? &res->to : rec;
	const struct ebb_trash_entry e = {
		.run = r->run->id, .store = did->to_store, .key = ebb_op_subject_key(did), .size = rec->f[EBB_F_SIZE],
		.expires = did->expires, .month = month_of(r->config, did->to_store, lies, packed),
	};

	return r->fn(r->ctx, &e, err);
}

static int each_run(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct reading *r = ctx;

	r->run = run;
	return ebb_undo_trash(run, entry, r, err);
}

int ebb_trash_each(const char *index, const struct ebb_config *config, ebb_trash_fn *fn, void *ctx, struct ebb_err *err)
{
	struct reading r = {.config = config, .fn = fn, .ctx = ctx};

	return ebb_run_each(index, each_run, &r, err);
}

static struct ebb_trash_sum *sum_of(struct ebb_trash *t, const struct ebb_trash_entry *e)
{
	for (size_t i = t->n; i-- > 0 && strcmp(t->sums[i].run, e->run) == 0;)
		if (strcmp(t->sums[i].store, e->store) == 0)
			return &t->sums[i];

	struct ebb_trash_sum *more = reallocarray(t->sums, t->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	t->sums = more;
	more[t->n] = (struct ebb_trash_sum){.store = strdup(e->store), .first = INT64_MAX, .last = INT64_MIN};
	if (!more[t->n].store)
		return NULL;
	snprintf(more[t->n].run, sizeof(more[t->n].run), "%s", e->run);
	return &more[t->n++];
}

static int add(void *ctx, const struct ebb_trash_entry *e, struct ebb_err *err)
{
	const struct adding *a = ctx;
	struct ebb_trash_sum *s = sum_of(a->t, e);

	if (!s)
		return no_memory(err);
	s->objects++;
	s->bytes += e->size;
	s->unpriced += e->month < 0;
	s->month += e->month < 0 ? 0 : e->month;
	if (e->expires <= a->now) {
		s->expired++;
		s->expired_bytes += e->size;
	}
	if (e->expires < s->first)
		s->first = e->expires;
	if (e->expires > s->last)
		s->last = e->expires;
	return 0;
}

int ebb_trash_read(const char *index, const struct ebb_config *config, int64_t now, struct ebb_trash *ret, struct ebb_err *err)
{
	struct adding a = {.t = ret, .now = now};

	*ret = (struct ebb_trash){0};
	return ebb_trash_each(index, config, add, &a, err);
}

int ebb_trash_money(const struct ebb_config *config, __int128 month, struct ebb_money *ret, struct ebb_err *err)
{
	return ebb_bill_money(month, ebb_price_currency(config->prices), ret, err);
}

const struct ebb_config *ebb_trash_prices(struct ebb_app *app)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;

	if (ebb_app_config_optional(app, NULL) < 0 || !app->config)
		return NULL;
	if (ebb_app_index(app, true, &ix, NULL) == 0) /* without it objects have their store's class */
		(void)ebb_app_snap(app, ix, &snap, NULL);
	return app->config;
}

int ebb_trash_month_text(const struct ebb_config *config, const struct ebb_trash_sum *s, char ret[EBB_TRASH_TEXT], struct ebb_err *err)
{
	bool priced = s->unpriced < s->objects;
	struct ebb_money m;
	char a[EBB_OUT_TEXT_MAX];
	int r = priced ? ebb_trash_money(config, s->month, &m, err) : 0;

	if (r == 0)
		snprintf(ret, EBB_TRASH_TEXT, "%s%s", priced ? ebb_out_money(&m, a) : "unpriced", priced && s->unpriced ? " and more" : "");
	return r;
}

int ebb_trash_month_json(json_t *o, const struct ebb_config *config, __int128 month, bool priced, struct ebb_err *err)
{
	struct ebb_money m;

	if (!priced)
		return 0;
	int r = ebb_trash_money(config, month, &m, err);
	return r < 0 ? r : ebb_out_json_money(o, "month", &m) || json_object_set_new(o, "currency", json_string(m.currency))
		       ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : 0;
}

static void add_up(struct ebb_trash_sum *to, const struct ebb_trash_sum *s)
{
	to->objects += s->objects;
	to->bytes += s->bytes;
	to->month += s->month;
	to->unpriced += s->unpriced;
	to->expired += s->expired;
	to->expired_bytes += s->expired_bytes;
	if (s->first < to->first)
		to->first = s->first;
	if (s->last > to->last)
		to->last = s->last;
}

void ebb_trash_by_store(struct ebb_trash *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct ebb_trash_sum *s = &t->sums[i];
		size_t k = 0;

		while (k < kept && strcmp(t->sums[k].store, s->store) != 0)
			k++;
		if (k < kept) {
			add_up(&t->sums[k], s);
			free(s->store);
			continue;
		}
		*s->run = 0;
		t->sums[kept++] = *s;
	}
	t->n = kept;
}

void ebb_trash_release(struct ebb_trash *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->sums[i].store);
	free(t->sums);
	*t = (struct ebb_trash){0};
}
