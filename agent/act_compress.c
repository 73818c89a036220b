/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compress: through a codec to KEY.zst, KEY.lz4 or KEY.ebbt beside it, with the original's metadata; the original goes once the copy was
 * read back, decoded and found equal. Back it goes into the class that it was in.
 */
#include "agent/lower.h"
#include "compress/codec.h"

static const char *target(struct ebb_arena *arena, const char *key, const char *codec)
{
	const struct ebb_codec *c = codec ? ebb_codec_find(codec) : NULL;

	return c ? ebb_arena_printf(arena, "%s%s", key, c->suffix) : NULL;
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	(void)arena;
	(void)err;
	ret->to_store = row->to_store ? row->to_store : row->store;
	ret->to_key = row->to_key;
	ret->codec = row->codec;
	ret->level = row->level;
	ret->window = row->window;
	if (env->caps & EBB_CAP_CLASS) /* it stays in its class, as it was priced, and comes back there */
		ret->class = row->class;
	ret->verify = row->verify;
	ret->old_class = row->class;
	ret->has_meta = true;
	return 0;
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step pack[] = {EBB_STEP_CHECK,  EBB_STEP_SAMPLE, EBB_STEP_COPY,
					     EBB_STEP_VERIFY, EBB_STEP_RECORD, EBB_STEP_REMOVE,
					     EBB_STEP_SETTLE, EBB_STEP_END};
	static const enum ebb_step unpack[] = {EBB_STEP_CHECK,  EBB_STEP_COPY,   EBB_STEP_VERIFY,
					       EBB_STEP_RECORD, EBB_STEP_REMOVE, EBB_STEP_SETTLE,
					       EBB_STEP_END};

	return op->way == EBB_OP_APPLY ? pack : unpack;
}

extern const struct ebb_lower ebb_act_compress;
const struct ebb_lower ebb_act_compress = {
	.action = EBB_ACTION_COMPRESS,
	.target = target,
	.apply = apply,
	.undo = ebb_lower_swap_class,
	.steps = steps,
};
