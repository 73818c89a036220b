/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/packed.h"

#include <string.h>

#include "agent/replay.h"
#include "agent/run.h"

struct finding {
	const char *store, *key;
	struct ebb_arena *arena;
	struct ebb_packed *ret;
	bool found, struck;
};

static int take(struct finding *f, const struct ebb_executor_op *o, struct ebb_err *err)
{
	const struct ebb_op_result *res = &o->result;

	*f->ret = (struct ebb_packed){
		.store = ebb_arena_strdup(f->arena, o->op.to_store),
		.key = ebb_arena_strdup(f->arena, o->op.to_key),
		.rec = res->to,
		.row = {.key = ebb_arena_strdup(f->arena, o->op.key), .offset = res->member.at,
			.coded = res->member.coded, .raw = res->member.raw, .size = res->member.size},
	};
	memcpy(f->ret->row.digest, res->digest, EBB_DIGEST_LEN);
	f->ret->rec.key = f->ret->key;
	f->found = true;
	f->struck = false;
	return f->ret->store && f->ret->key && f->ret->row.key ? 0
							      : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int look_at(void *ctx, const struct ebb_executor_op *o, bool standing, struct ebb_err *err)
{
	struct finding *f = ctx;

	if (!standing || o->result.outcome != EBB_OP_DONE)
		return 0;
	if (o->result.member.coded && strcmp(o->op.key, f->key) == 0 && strcmp(o->op.store, f->store) == 0)
		return take(f, o, err);
	if (o->op.action == EBB_ACTION_STRIKE && strcmp(o->op.with_key, f->key) == 0 && strcmp(o->op.with_store, f->store) == 0)
		f->struck = true;
	return 0;
}

/* Runs come oldest first, so the last one found is the newest. */
static int in_run(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	return ebb_replay_each(run->journal, look_at, ctx, err);
}

int ebb_packed_find(const char *index, const char *store, const char *key, struct ebb_arena *arena,
		    struct ebb_packed *ret, bool *ret_struck, struct ebb_err *err)
{
	struct finding f = {.store = store, .key = key, .arena = arena, .ret = ret};
	int r = ebb_run_each(index, in_run, &f, err);

	*ret_struck = f.struck;
	return r < 0 ? r : f.found && !f.struck;
}
