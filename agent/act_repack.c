/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * repack: a pack is written anew without what was deleted from it and is past its time in the trash; it goes once everything that is left was
 * read back from the new one and found equal. Where nothing is left it goes at once. Tombstones of what is gone go last.
 *
 * There is no way back, and none is needed: what was dropped was past its time, and the rest stands.
 */
#include <string.h>

#include "agent/lower.h"
#include "agent/packname.h"

static const char *target(struct ebb_arena *arena, const char *key, const char *codec)
{
	struct ebb_packname n;

	(void)codec;
	if (!ebb_packname_parse(key, strlen(key), &n) || n.kind != EBB_PACKNAME_PACK)
		return NULL;
	return ebb_packname_pack(arena, key, n.line, n.generation + 1);
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	struct ebb_packname n;

	(void)env;
	(void)arena;
	if (!ebb_packname_parse(row->obj.key, strlen(row->obj.key), &n) || n.kind != EBB_PACKNAME_PACK)
		return ebb_err_set(err, EBB_ENOTSUP, "'%s' is no pack", row->obj.key);
	ret->to_store = row->to_key ? row->store : NULL;
	ret->to_key = row->to_key;
	ret->class = row->class;
	return 0;
}

static int undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		struct ebb_err *err)
{
	(void)did;
	(void)res;
	(void)ret;
	return ebb_err_set(err, EBB_ENOTSUP, "was packed anew: what was deleted from it was past its time in the trash, the rest stands");
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step anew[] = {EBB_STEP_CHECK,  EBB_STEP_REPACK, EBB_STEP_REPACKED, EBB_STEP_RECORD,
					     EBB_STEP_REMOVE, EBB_STEP_SWEEP,  EBB_STEP_SETTLE,	  EBB_STEP_END};
	static const enum ebb_step empty[] = {EBB_STEP_CHECK, EBB_STEP_REPACKED, EBB_STEP_REMOVE, EBB_STEP_SWEEP,
					      EBB_STEP_END};

	return op->to_key ? anew : empty;
}

extern const struct ebb_lower ebb_act_repack;
const struct ebb_lower ebb_act_repack = {
	.action = EBB_ACTION_REPACK,
	.target = target,
	.apply = apply,
	.undo = undo,
	.steps = steps,
};
