/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * copy: to another store as well, or to another key of the same store; what it was copied from stays. Where the same content is read from
 * another place than the object that is meant, or is coded on its way, metadata come from the latter. Undo removes the copy, by the proof that this object
 * stands unchanged. A copy at a relay goes the same way when the run is done,
 * as if its time in the trash were over.
 */
#include <string.h>

#include "agent/lower.h"

static const char *target(struct ebb_arena *arena, const char *key, const char *codec)
{
	(void)codec;
	return ebb_arena_strdup(arena, key);
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	(void)arena;
	(void)err;
	ret->to_store = row->to_store;
	ret->to_key = row->to_key;
	ret->has_meta = true;
	if (row->form == EBB_PLANROW_ENCODE || row->form == EBB_PLANROW_DECODE) {
		ret->codec = row->codec;
		ret->decode = row->form == EBB_PLANROW_DECODE;
		ret->level = row->level;
	} else if (strcmp(row->store, row->to_store) == 0 && (env->caps & EBB_CAP_COPY))
		ret->how = EBB_OP_COPY;	/* unless its metadata come from elsewhere: agent/apply.c */
	ret->with_store = row->with_store;
	ret->with_key = row->with.key;
	ret->with = row->with;
	ret->expires = row->relay ? env->now : 0;
	return 0;
}

/* By the object that is meant, which may be the one that was read. */
static int take_away(const struct ebb_op *did, const struct ebb_op_result *res, enum ebb_op_way way,
		     struct ebb_op *ret)
{
	*ret = (struct ebb_op){
		.n = did->n, .action = did->action, .way = way, .store = did->to_store, .key = did->to_key, .obj = res->to,
		.with_store = did->with_store ? did->with_store : did->store,
		.with_key = did->with_store ? did->with_key : did->key,
		.with = did->with_store ? did->with : did->obj,
		.expires = way == EBB_OP_EXPIRE ? did->expires : 0,
	};
	ret->obj.key = ret->key;
	ret->obj.key_len = (uint32_t)strlen(ret->key);
	ebb_meta_init(&ret->meta);
	return 0;
}

static int undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		struct ebb_err *err)
{
	(void)err;
	return take_away(did, res, EBB_OP_UNDO, ret);
}

static int expire(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		  struct ebb_err *err)
{
	if (!did->expires)
		return ebb_err_set(err, EBB_ENOTSUP, "is where it was to go");
	return take_away(did, res, EBB_OP_EXPIRE, ret);
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step copy[] = {EBB_STEP_CHECK, EBB_STEP_COPY, EBB_STEP_CONFIRM, EBB_STEP_END};
	static const enum ebb_step away[] = {EBB_STEP_CHECK, EBB_STEP_ORIGINAL, EBB_STEP_REMOVE, EBB_STEP_END};

	return op->way == EBB_OP_APPLY ? copy : away;
}

extern const struct ebb_lower ebb_act_copy;
const struct ebb_lower ebb_act_copy = {
	.action = EBB_ACTION_COPY,
	.target = target,
	.apply = apply,
	.undo = undo,
	.expire = expire,
	.steps = steps,
};
