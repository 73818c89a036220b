/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strike: an object in a pack is deleted. The pack stays as it is; a tombstone beside it says that the object is gone, and from when on its bytes
 * may go. Back: the tombstone goes. After that time repacking lets both go, and there is no way back.
 */
#include <string.h>

#include "agent/lower.h"
#include "agent/packname.h"

static const char *target(struct ebb_arena *arena, const char *key, const char *codec)
{
	(void)arena;
	(void)key;
	(void)codec;
	return NULL; /* depends on the object and on when it is done */
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	struct ebb_packname n;
	int64_t expires;

	if (!row->with_store || !ebb_packname_parse(row->obj.key, strlen(row->obj.key), &n) || n.kind != EBB_PACKNAME_PACK)
		return ebb_err_set(err, EBB_ENOTSUP, "'%s' is no pack", row->obj.key);
	if (__builtin_add_overflow(env->now, row->trash_ns, &expires))
		expires = INT64_MAX;
	ret->to_store = row->store;
	ret->to_key = ebb_packname_tombstone(arena, row->obj.key, n.line, row->with.key, row->with.key_len, expires);
	ret->with_store = row->with_store;
	ret->with_key = row->with.key;
	ret->with = row->with;
	return ret->to_key ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		struct ebb_err *err)
{
	(void)err;
	*ret = (struct ebb_op){
		.n = did->n, .action = did->action, .way = EBB_OP_UNDO,
		.store = did->to_store, .key = did->to_key, .obj = res->to,
		.with_store = did->with_store, .with_key = did->with_key, .with = did->with,
	};
	ret->obj.key = did->to_key;
	ret->obj.key_len = (uint32_t)strlen(did->to_key);
	ebb_meta_init(&ret->meta);
	return 0;
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step there[] = {EBB_STEP_CHECK, EBB_STEP_STRIKE, EBB_STEP_END};
	static const enum ebb_step back[] = {EBB_STEP_CHECK, EBB_STEP_TOMBSTONE, EBB_STEP_REMOVE, EBB_STEP_END};

	return op->way == EBB_OP_APPLY ? there : back;
}

extern const struct ebb_lower ebb_act_strike;
const struct ebb_lower ebb_act_strike = {
	.action = EBB_ACTION_STRIKE,
	.target = target,
	.apply = apply,
	.undo = undo,
	.steps = steps,
};
