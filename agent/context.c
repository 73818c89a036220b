/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/context.h"

#include <stdlib.h>
#include <string.h>

#include "agent/encoded.h"
#include "agent/factbook.h"
#include "agent/guards.h"
#include "core/cursor.h"
#include "core/text.h"

#define ARENA_CAP ((size_t)16 << 30)

/* Families held because something is wrong that are told one by one. */
#define TOLD 10

struct ebb_context {
	struct ebb_encoded encoded;
	struct ebb_app *app;
	struct ebb_arena arena;
	struct ebb_guards_store *stores;	/* declared and scanned */
	size_t n;
	struct ebb_guard *guard;
	struct ebb_ckpts *ckpts;
	struct ebb_allof *allof;
	uint64_t held;
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

void ebb_context_free(struct ebb_context *c)
{
	if (!c)
		return;
	ebb_ckpt_free(c->ckpts);
	ebb_allof_free(c->allof);
	ebb_guard_free(c->guard);
	ebb_encoded_release(&c->encoded);
	ebb_arena_release(&c->arena);
	free(c);
}

/* --- Who uses what --------------------------------------------------------------------------------------- */

static const struct ebb_guards_store *find(const struct ebb_context *c, const char *store)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->stores[i].st.name, store) == 0)
			return &c->stores[i];
	return NULL;
}

static int load(struct ebb_context *c, struct ebb_snap *snap, struct ebb_err *err)
{
	const struct ebb_config *config = c->app->config;

	if (!(c->stores = ebb_arena_calloc(&c->arena, config->nstores + 1, sizeof(*c->stores))))
		return no_memory(err);
	for (size_t i = 0; i < config->nstores; i++) {
		struct ebb_guards_store *s = &c->stores[c->n];
		struct ebb_err why = {0};
		int r = ebb_snap_store(snap, config->stores[i].open.name, &s->st, &why);

		if (r == -EBB_ENOENT || (r == 0 && s->st.generation == 0))
			continue;
		if (r < 0)
			return ebb_err_set(err, -r, "%s", why.msg);
		s->config = &config->stores[i];
		r = ebb_factbook_load(c->app->index_dir, s->st.name, s->st.started, &c->arena, &s->facts, err);
		if (r < 0)
			return r;
		s->known = r == 1;
		if (!s->known)
			ebb_app_note(c->app, "store '%s': nothing was read of files that say what others are for, so nothing of it is changed; "
				     "ebb scan %s reads them", s->st.name, s->st.name);
		c->n++;
	}
	return 0;
}

/* What is wrong, and what stays for it: the first of them by name, all as a number. */
static void told(void *ctx, const char *store, const char *prefix, const char *why)
{
	struct ebb_context *c = ctx;
	char quoted[256];

	if (c->held++ < TOLD)
		ebb_app_note(c->app, "%s:%s stays as it is: %s", store, ebb_text_quotes(prefix, quoted, sizeof(quoted)), why);
}

static bool is_recent(const struct ebb_context *c, const struct ebb_guards_store *s, const struct ebb_record *rec)
{
	return s && c->app->config->guards.recent_ns && ebb_record_has(rec, EBB_F_MTIME) &&
	       rec->f[EBB_F_MTIME] > s->st.started - c->app->config->guards.recent_ns;
}

static const char recent[] = "it was written shortly before the scan (guards: recent)";

/* Of checkpoints nobody looks for copies one file at a time: the whole stays. */
static const char floored[] = "its dataset keeps copies (copies: N), and checkpoints go whole";

static const char *live(void *ctx, const char *store, const struct ebb_record *rec)
{
	struct ebb_context *c = ctx;

	if (ebb_rules_floor(c->app->config->rules, rec->key, rec->key_len))
		return floored;
	const struct ebb_guard_entry *e = ebb_guard_ask(c->guard, store, rec->key, rec->key_len);

	return e ? e->why : is_recent(c, find(c, store), rec) ? recent : NULL;
}

/* Must what goes into that class be thawed before it is read? Yes where that is not known. */
static bool asleep(const struct ebb_context *c, const struct ebb_action *a)
{
	const struct ebb_rules_store *s = ebb_rules_store(c->app->config->rules, a->store);
	const struct ebb_price_class *class =
		s && a->to_class ? ebb_price_find(c->app->config->prices, s->provider, s->region, a->to_class) : NULL;

	return !class || class->offline;
}

static const char *breaks(void *ctx, const struct ebb_action *a)
{
	struct ebb_context *c = ctx;
	const char *why = ebb_guard_breaks(c->guard, a, asleep(c, a));

	return why || a->id == EBB_ACTION_COPY ? why : is_recent(c, find(c, a->store), a->obj) ? recent : NULL;
}

/* --- Checkpoints ----------------------------------------------------------------------------------------- */

static int collect(struct ebb_context *c, struct ebb_snap *snap, const struct ebb_index_store *st, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *cur = NULL;
	const struct ebb_guards_store *s = find(c, st->name);
	struct ebb_block b;
	int r = ebb_cursor_open(snap, st, NULL, &cur, err);

	while (r >= 0 && (r = ebb_cursor_next(cur, &b, err)) == 1)
		if ((r = ebb_app_cancelled(c->app, err)) < 0 || (r = ebb_ckpt_block(c->ckpts, st->name, s ? &s->facts : NULL, &b, err)) < 0)
			break;
	return r;
}

static int find_ckpts(struct ebb_context *c, struct ebb_snap *snap, const struct ebb_index_store *sources, size_t n, bool everything,
		      struct ebb_err *err)
{
	const struct ebb_rules *rules = c->app->config->rules;
	int r = 0;

	if (!everything && !ebb_ckpt_wanted(rules))
		return 0;
	if (!(c->ckpts = ebb_ckpt_new(rules, ebb_app_now(c->app), everything, live, c)))
		return no_memory(err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = collect(c, snap, &sources[i], err);
	return r < 0 ? r : ebb_ckpt_finish(c->ckpts, err);
}

/* Rules that want all of a dataset. */
static int find_allof(struct ebb_context *c, struct ebb_snap *snap, const struct ebb_index_store *sources, size_t n, struct ebb_err *err)
{
	int r = 0;

	if (!ebb_allof_wanted(c->app->config->rules))
		return 0;
	if (!(c->allof = ebb_allof_new(c->app->config->rules, ebb_app_now(c->app))))
		return no_memory(err);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *cur = NULL;
		struct ebb_block b;

		r = ebb_cursor_open(snap, &sources[i], NULL, &cur, err);
		while (r >= 0 && (r = ebb_cursor_next(cur, &b, err)) == 1)
			if ((r = ebb_app_cancelled(c->app, err)) < 0 || (r = ebb_allof_block(c->allof, sources[i].name, &b, err)) < 0)
				break;
	}
	ebb_allof_seal(c->allof);
	return r < 0 ? r : 0;
}

/* --- All of it ------------------------------------------------------------------------------------------- */

/* Rules that keep the key. */
static bool keeps_keys(const struct ebb_rules *rules)
{
	for (size_t i = 0; i < ebb_rules_count(rules); i++)
		if (ebb_rules_get(rules, i)->keep_key)
			return true;
	return false;
}

int ebb_context_make(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *sources, size_t n, bool everything,
		     struct ebb_context **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_context_freep) struct ebb_context *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return no_memory(err);
	c->app = app;
	ebb_arena_init(&c->arena, ARENA_CAP);
	if ((r = load(c, snap, err)) < 0 || (r = ebb_guards_make(snap, c->stores, c->n, &app->config->guards, told, c, &c->guard, err)) < 0)
		return r;
	if (c->held > TOLD)
		ebb_app_note(app, "and %llu more families stay for such reasons", (unsigned long long)(c->held - TOLD));
	if ((r = find_ckpts(c, snap, sources, n, everything, err)) < 0 || (r = find_allof(c, snap, sources, n, err)) < 0)
		return r;
	if (keeps_keys(app->config->rules) && (r = ebb_encoded_load(app->index_dir, &c->encoded, err)) < 0)
		return r;
	*ret = c;
	c = NULL;
	return 0;
}

const struct ebb_noncurrent *ebb_context_versions(const struct ebb_context *c, const char *store)
{
	const struct ebb_guards_store *s = find(c, store);

	return s ? &s->facts.versions : NULL;
}

static const struct ebb_noncurrent *versions(void *ctx, const char *store)
{
	return ebb_context_versions(ctx, store);
}

static bool encoded(void *ctx, const char *store, const struct ebb_record *rec)
{
	const struct ebb_context *c = ctx;

	return ebb_encoded_has(&c->encoded, store, rec);
}

void ebb_context_use(struct ebb_context *c, struct ebb_decide *d)
{
	ebb_decide_use_ckpts(d, c->ckpts);
	ebb_decide_use_allof(d, c->allof);
	ebb_decide_use_guard(d, breaks, c);
	ebb_decide_use_versions(d, versions, c);
	ebb_decide_use_encoded(d, encoded, c);
}

const struct ebb_ckpts *ebb_context_ckpts(const struct ebb_context *c)
{
	return c->ckpts;
}
