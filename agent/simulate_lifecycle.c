/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/simulate_lifecycle.h"

#include <inttypes.h>
#include <string.h>

#include "agent/lifecycle_json.h"
#include "agent/out.h"
#include "core/cursor.h"
#include "policies/lifecycle_cost.h"

struct simulation {
	struct ebb_app *app;
	struct ebb_arena arena;
	struct ebb_lifecycle lc;
	struct ebb_lifecycle_cost cost;
	const char *store;
	int64_t limit, named;		/* objects that lose money */
	struct ebb_block_iter it;
};

static void release(struct simulation *s)
{
	ebb_arena_release(&s->arena);
}

/* --- the index --- */

static const struct ebb_rules_store *find_store(struct simulation *s, const char *name,
						struct ebb_err *err)
{
	const struct ebb_config *c = s->app->config;

	if (!name && c->nstores == 1)
		return &c->rule_stores[0];
	if (!name) {
		ebb_err_set(err, EBB_EUSAGE, "there are %zu stores: say which one the configuration is for",
			    c->nstores);
		return NULL;
	}
	for (size_t i = 0; i < c->nstores; i++)
		if (strcmp(c->rule_stores[i].name, name) == 0)
			return &c->rule_stores[i];
	ebb_err_set(err, EBB_EUSAGE, "store '%s' is not in '%s'", name, c->path);
	return NULL;
}

/* An object that loses money, told as it is found: on stderr for people, as a line for programs. */
static int tell_loser(struct simulation *s, const struct ebb_record *r,
		      const struct ebb_lifecycle_due *due, struct ebb_err *err)
{
	if (s->app->json) {
		json_t *o = json_pack("{s:s, s:s, s:s?}", "loses", s->lc.rules[due->rule].id, "store", s->store,
				      "to_class", due->class);

		if (ebb_out_json_key(o, r->key, r->key_len) < 0)
			o = NULL;
		return ebb_out_json(s->app->out, o, err);
	}
	if (s->named++ >= s->limit)
		return 0;
	fputs("loses money: ", s->app->out);
	ebb_out_name(s->app->out, r->key, r->key_len);
	fprintf(s->app->out, " -> %s\n", due->class ? due->class : "expired");
	return 0;
}

static int add_block(struct simulation *s, const struct ebb_block *b, struct ebb_err *err)
{
	struct ebb_record rec;
	int r;

	ebb_block_iter_init(&s->it, b);
	while ((r = ebb_block_iter_next(&s->it, &rec, err)) == 1) {
		struct ebb_lifecycle_due due;
		bool loses;

		ebb_lifecycle_cost_add(&s->cost, &rec,
				       ebb_rules_class(s->app->config->rules, s->store, &rec), &due, &loses);
		if (loses && (r = tell_loser(s, &rec, &due, err)) < 0)
			return r;
	}
	return r;
}

static int add_store(struct simulation *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_index_store st;
	struct ebb_block b;
	int r = ebb_app_index(s->app, true, &ix, err);

	if (r == 0)
		r = ebb_app_snap(s->app, ix, &snap, err);
	if (r < 0)
		return r;
	r = ebb_snap_store(snap, s->store, &st, NULL);
	if (r == -EBB_ENOENT || (r == 0 && st.generation == 0))
		return ebb_err_set(err, EBB_ESTALE, "store '%s' was never scanned: run ebb scan %s", s->store,
				   s->store);
	r = ebb_cursor_open(snap, &st, NULL, &c, err);
	while (r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1) {
		r = ebb_app_cancelled(s->app, err);
		if (r == 0)
			r = add_block(s, &b, err);
	}
	return r < 0 ? r : 0;
}

/* --- output --- */

static void join(struct ebb_lifecycle_group *to, const struct ebb_lifecycle_group *g)
{
	to->objects += g->objects;
	to->bytes += g->bytes;
	to->once += g->once;
	to->before += g->before;
	to->after += g->after;
}

static struct ebb_money money(const struct simulation *s, __int128 amount)
{
	struct ebb_money m = {0};

	if (ebb_bill_money(amount, ebb_price_currency(s->cost.prices), &m, NULL) < 0)
		m = (struct ebb_money){.nano = INT64_MAX};
	return m;
}

/* Days after which what is paid once has come back; -1: never. */
static int64_t payback(const struct ebb_lifecycle_group *g)
{
	__int128 saved = g->before - g->after;

	if (g->once <= 0)
		return 0;
	return saved <= 0 ? -1 : (int64_t)((g->once * 30 + saved - 1) / saved);
}

static int set_group(const struct simulation *s, json_t *o, const char *name,
		     const struct ebb_lifecycle_group *g)
{
	struct ebb_money once = money(s, g->once), before = money(s, g->before), after = money(s, g->after);
	json_t *j = json_pack("{s:I, s:I}", "objects", (json_int_t)g->objects, "bytes", (json_int_t)g->bytes);
	int64_t days = payback(g);
	int bad = ebb_out_json_money(j, "one_off", &once) | ebb_out_json_money(j, "month_before", &before) |
		  ebb_out_json_money(j, "month_after", &after);

	bad |= json_object_set_new(j, "payback_days", days < 0 ? json_null() : json_integer(days));
	return bad | json_object_set_new(o, name, j);
}

static json_t *rule_json(const struct simulation *s, size_t i)
{
	const struct ebb_lifecycle_sum *sum = &s->cost.rules[i];
	json_t *o = json_pack("{s:s, s:b, s:I, s:I, s:I}", "id", s->lc.rules[i].id, "modelled",
			      !ebb_lifecycle_is_blind(&s->lc.rules[i]), "later", (json_int_t)sum->later,
			      "skipped_small", (json_int_t)sum->skipped, "unpriced", (json_int_t)sum->unpriced);
	int bad = set_group(s, o, "moves", &sum->moved) | set_group(s, o, "expires", &sum->expired) |
		  set_group(s, o, "aborts", &sum->aborted) | set_group(s, o, "losing", &sum->losing);

	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

/* What is in the configuration and not in the figures. */
static void each_gap(const struct simulation *s, void (*fn)(void *ctx, const char *id, const char *what),
		     void *ctx)
{
	for (size_t i = 0; i < s->lc.n; i++) {
		const struct ebb_lifecycle_rule *r = &s->lc.rules[i];

		if (r->enabled && ebb_lifecycle_is_blind(r))
			fn(ctx, r->id, "tags are not in the index: the rule is left out");
		if (r->enabled && (r->nold_moves || r->old_expires))
			fn(ctx, r->id, "noncurrent versions: when they became so is not in the index");
		if (r->enabled && r->expire_marker)
			fn(ctx, r->id, "delete markers cost nothing to keep or to remove");
	}
}

static void gap_json(void *ctx, const char *id, const char *what)
{
	json_array_append_new(ctx, json_pack("{s:s, s:s}", "rule", id, "what", what));
}

static void gap_text(void *ctx, const char *id, const char *what)
{
	fprintf(ctx, "  not modelled: %s%s%s\n", id, *id ? ": " : "", what);
}

static struct ebb_lifecycle_group total(const struct simulation *s)
{
	struct ebb_lifecycle_group all = {0};

	for (size_t i = 0; i < s->lc.n; i++) {
		join(&all, &s->cost.rules[i].moved);
		join(&all, &s->cost.rules[i].expired);
		join(&all, &s->cost.rules[i].aborted);
	}
	return all;
}

static int print_json(struct simulation *s, struct ebb_err *err)
{
	json_t *o = json_pack("{s:s, s:s}", "store", s->store, "currency", ebb_price_currency(s->cost.prices));
	struct ebb_lifecycle_group all = total(s);
	json_t *rules = json_array(), *gaps = json_array();
	int bad = set_group(s, o, "total", &all);

	for (size_t i = 0; i < s->lc.n; i++)
		bad |= json_array_append_new(rules, rule_json(s, i));
	each_gap(s, gap_json, gaps);
	bad |= json_object_set_new(o, "rules", rules) | json_object_set_new(o, "not_modelled", gaps);
	if (bad) {
		json_decref(o);
		o = NULL;
	}
	return ebb_out_json(s->app->out, o, err);
}

static void row(const struct simulation *s, struct ebb_out_table *t, const char *id, const char *what,
		const struct ebb_lifecycle_group *g)
{
	struct ebb_money once = money(s, g->once), before = money(s, g->before), after = money(s, g->after);
	char a[EBB_OUT_TEXT_MAX];
	int64_t days = payback(g);

	if (g->objects == 0)
		return;
	ebb_out_cell_name(t, id, strlen(id));
	ebb_out_cell(t, "%s", what);
	ebb_out_cell(t, "%s", ebb_out_count((uint64_t)g->objects, a));
	ebb_out_cell(t, "%s", ebb_out_bytes((uint64_t)g->bytes, a));
	ebb_out_cell(t, "%s", ebb_out_money(&once, a));
	ebb_out_cell(t, "%s", ebb_out_money(&before, a));
	ebb_out_cell(t, "%s", ebb_out_money(&after, a));
	if (days < 0)
		ebb_out_cell(t, "never");
	else
		ebb_out_cell(t, "%" PRId64 " d", days);
}

static void print_counts(const struct simulation *s)
{
	FILE *f = s->app->out;

	for (size_t i = 0; i < s->lc.n; i++) {
		const struct ebb_lifecycle_sum *sum = &s->cost.rules[i];
		const char *id = s->lc.rules[i].id;
		char a[EBB_OUT_TEXT_MAX];

		if (sum->skipped)
			fprintf(f, "  %s: %s below 128 KiB, not moved unless the rule names a size\n", id,
				ebb_out_things((uint64_t)sum->skipped, "object", a));
		if (sum->later)
			fprintf(f, "  %s: %s not old enough yet\n", id,
				ebb_out_things((uint64_t)sum->later, "object", a));
		if (sum->unpriced)
			fprintf(f, "  %s: %s without a price, in no amount\n", id,
				ebb_out_things((uint64_t)sum->unpriced, "object", a));
	}
}

static int print_text(struct simulation *s, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"rule", false}, {"does", false}, {"objects", true}, {"size", true}, {"costs once", true},
		{"a month before", true}, {"and after", true}, {"pays back", true}};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	struct ebb_lifecycle_group all = total(s);
	int r;

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < s->lc.n; i++) {
		const struct ebb_lifecycle_sum *sum = &s->cost.rules[i];
		const char *id = s->lc.rules[i].id;

		row(s, t, id, "moves", &sum->moved);
		row(s, t, id, "  of which lose money", &sum->losing);
		row(s, t, id, "expires", &sum->expired);
		row(s, t, id, "ends uploads", &sum->aborted);
	}
	ebb_out_rule(t);
	row(s, t, "total", "", &all);
	if (s->named > s->limit)
		fprintf(s->app->out, "... and %" PRId64 " more lose money\n", s->named - s->limit);
	if (all.objects == 0)
		fputs("  nothing is due\n", s->app->out);
	r = all.objects ? ebb_out_table_print(t, s->app->out, 2, err) : 0;
	print_counts(s);
	each_gap(s, gap_text, s->app->out);
	return r;
}

int ebb_simulate_lifecycle(struct ebb_app *app, const char *path, const char *store, int64_t limit,
			   struct ebb_err *err)
{
	EBB_CLEANUP(release) struct simulation s = {.app = app, .limit = limit};
	const struct ebb_rules_store *at;
	int r;

	ebb_arena_init(&s.arena, 0);
	r = ebb_lifecycle_json_load(path, &s.arena, &s.lc, err);
	if (r == 0)
		r = ebb_app_config(app, err);
	if (r < 0)
		return r;
	at = find_store(&s, store, err);
	if (!at)
		return -EBB_EUSAGE;
	s.store = at->name;
	s.cost = (struct ebb_lifecycle_cost){
		.lc = &s.lc, .prices = app->config->prices, .provider = at->provider, .region = at->region,
		.now = ebb_app_now(app),
		.rules = ebb_arena_calloc(&s.arena, s.lc.n + 1, sizeof(*s.cost.rules)),
	};
	if (!s.cost.rules)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	r = add_store(&s, err);
	if (r < 0)
		return r;
	return app->json ? print_json(&s, err) : print_text(&s, err);
}
