/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tier: to the same key of another store, with all metadata; the original goes once the copy was read back and found equal.
 */
#include "agent/lower.h"

static const char *target(struct ebb_arena *arena, const char *key, const char *codec)
{
	(void)codec;
	return ebb_arena_strdup(arena, key);
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	(void)env;
	(void)arena;
	(void)err;
	ret->to_store = row->to_store;
	ret->to_key = row->to_key;
	ret->has_meta = true;
	return 0;
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step move[] = {EBB_STEP_CHECK,  EBB_STEP_COPY,   EBB_STEP_VERIFY,
					     EBB_STEP_RECORD, EBB_STEP_REMOVE, EBB_STEP_END};

	(void)op;
	return move;
}

extern const struct ebb_lower ebb_act_tier;
const struct ebb_lower ebb_act_tier = {
	.action = EBB_ACTION_TIER,
	.target = target,
	.apply = apply,
	.undo = ebb_lower_swap,
	.steps = steps,
};
