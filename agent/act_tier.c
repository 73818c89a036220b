/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tier: to the same key of another store, with all metadata; the original goes once the copy was read back and found equal. Back it
 * goes into the class that it was in. Or to another storage class where it is.
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
	ret->class = row->to_class;
	ret->old_class = row->class;
	if (row->to_class && !row->to_store) {
		if (!(env->caps & EBB_CAP_CLASS))
			return ebb_err_set(err, EBB_ENOTSUP, "store '%s' has no storage classes", row->store);
		return 0;
	}
	ret->verify = row->verify;
	ret->to_store = row->to_store;
	ret->to_key = row->to_key;
	ret->has_meta = true;
	return 0;
}

static int undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		struct ebb_err *err)
{
	if (did->to_store)
		return ebb_lower_swap_class(did, res, ret, err);
	if (!did->old_class)
		return ebb_err_set(err, EBB_ENOTSUP, "nobody knows what class it was in");
	*ret = (struct ebb_op){
		.n = did->n, .action = did->action, .way = EBB_OP_UNDO, .store = did->store,
		.key = did->key, .obj = res->to, .class = did->old_class, .old_class = did->class,
	};
	ret->obj.key = did->key;
	ret->obj.key_len = (uint32_t)strlen(did->key);
	return 0;
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step class[] = {EBB_STEP_CHECK, EBB_STEP_CLASS, EBB_STEP_END};
	static const enum ebb_step move[] = {EBB_STEP_CHECK,  EBB_STEP_COPY,   EBB_STEP_VERIFY,
					     EBB_STEP_RECORD, EBB_STEP_REMOVE, EBB_STEP_SETTLE, EBB_STEP_END};

	return op->to_store ? move : class;
}

extern const struct ebb_lower ebb_act_tier;
const struct ebb_lower ebb_act_tier = {
	.action = EBB_ACTION_TIER,
	.target = target,
	.apply = apply,
	.undo = undo,
	.steps = steps,
};
