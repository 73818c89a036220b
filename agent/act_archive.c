/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * archive: with others into a pack, a `.tar.zst` that costs as one object; the originals go once each was read back from the pack in
 * its store and found equal. Back: each is copied out and verified, and the pack goes when all have come back.
 *
 * The operations of one pack are done together (packer.h), those of the way back one by one.
 */
#include <stdio.h>
#include <string.h>

#include "agent/lower.h"
#include "compress/pack.h"

static const char *target(struct ebb_arena *arena, const char *key, const char *codec)
{
	(void)arena;
	(void)key;
	(void)codec;
	return NULL; /* depends on what else goes into the pack */
}

/*
 * A pack is named after the number of its first action. Where a run stopped amid the actions of one, the rest goes into another: nothing is
 * ever overwritten.
 */
static const char *name(const struct ebb_lower_env *env, const char *planned, struct ebb_arena *arena)
{
	const char *slash = strrchr(planned, '/');
	size_t dir = slash ? (size_t)(slash - planned) + 1 : 0;

	return ebb_arena_printf(arena, "%.*s%06lld%s", (int)dir, planned, (long long)env->pack, EBB_PACK_SUFFIX);
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	if (!ebb_pack_key_ok(row->obj.key))
		return ebb_err_set(err, EBB_ENOTSUP,
				   "its key cannot be a path in a pack: parts of it are empty, '.' or '..'");
	ret->to_store = row->to_store;
	ret->to_key = name(env, row->to_key, arena);
	if (!ret->to_key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ret->pack = env->pack;
	ret->class = row->to_class;
	ret->old_class = row->class;
	ret->has_meta = true;
	return 0;
}

static int undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		struct ebb_err *err)
{
	int r = ebb_lower_swap(did, res, ret, err);

	ret->pack = did->pack;
	ret->member = res->member;
	ret->class = did->old_class;
	return r;
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step together[] = {EBB_STEP_END};
	static const enum ebb_step back[] = {EBB_STEP_CHECK, EBB_STEP_UNPACK, EBB_STEP_VERIFY,
					     EBB_STEP_RECORD, EBB_STEP_END};

	return op->way == EBB_OP_APPLY ? together : back;
}

extern const struct ebb_lower ebb_act_archive;
const struct ebb_lower ebb_act_archive = {
	.action = EBB_ACTION_ARCHIVE,
	.target = target,
	.apply = apply,
	.undo = undo,
	.steps = steps,
};
