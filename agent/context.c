/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/context.h"

#include <stdlib.h>
#include <string.h>

#include "agent/factbook.h"
#include "core/cursor.h"

#define ARENA_CAP ((size_t)16 << 30)

struct ebb_context {
	struct ebb_arena arena;
	struct ebb_facts *facts;	/* one for each source */
	struct ebb_ckpts *ckpts;
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
	ebb_arena_release(&c->arena);
	free(c);
}

static int collect(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *st, const struct ebb_facts *facts,
		   struct ebb_ckpts *ckpts, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_block b;
	int r = ebb_cursor_open(snap, st, NULL, &c, err);

	while (r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1)
		if ((r = ebb_app_cancelled(app, err)) < 0 || (r = ebb_ckpt_block(ckpts, st->name, facts, &b, err)) < 0)
			break;
	return r;
}

static int load(struct ebb_app *app, const struct ebb_index_store *st, struct ebb_arena *arena, struct ebb_facts *ret, struct ebb_err *err)
{
	int r = ebb_factbook_load(app->index_dir, st->name, st->started, arena, ret, err);

	if (r == 0)
		ebb_app_note(app, "store '%s': nothing was read of files that say what others are for; what may depend on them stays. "
			     "ebb scan %s reads them", st->name, st->name);
	return r;
}

static int find_ckpts(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *sources, size_t n, bool everything,
		      struct ebb_context *c, struct ebb_err *err)
{
	const struct ebb_rules *rules = app->config->rules;
	int r = 0;

	if (!everything && !ebb_ckpt_wanted(rules))
		return 0;
	if (!(c->ckpts = ebb_ckpt_new(rules, ebb_app_now(app), everything, NULL, NULL)))
		return no_memory(err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = collect(app, snap, &sources[i], &c->facts[i], c->ckpts, err);
	return r < 0 ? r : ebb_ckpt_finish(c->ckpts, err);
}

int ebb_context_make(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *sources, size_t n, bool everything,
		     struct ebb_context **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_context_freep) struct ebb_context *c = calloc(1, sizeof(*c));
	int r = 0;

	if (!c)
		return no_memory(err);
	ebb_arena_init(&c->arena, ARENA_CAP);
	if (!(c->facts = ebb_arena_calloc(&c->arena, n + 1, sizeof(*c->facts))))
		return no_memory(err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = load(app, &sources[i], &c->arena, &c->facts[i], err);
	if (r >= 0)
		r = find_ckpts(app, snap, sources, n, everything, c, err);
	if (r < 0)
		return r;
	*ret = c;
	c = NULL;
	return 0;
}

void ebb_context_use(const struct ebb_context *c, struct ebb_decide *d)
{
	ebb_decide_use_ckpts(d, c->ckpts);
}

const struct ebb_ckpts *ebb_context_ckpts(const struct ebb_context *c)
{
	return c->ckpts;
}
