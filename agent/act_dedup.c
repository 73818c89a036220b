/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dedup: one of several equal files ceases to take room, by the way the rule says:
 *
 *   reflink   it shares the blocks of the copy that stays; the filesystem compares. Nothing that anybody can read changes, so there is
 *             nothing to take back
 *   hardlink  both are read and compared, metadata too; it goes into the trash, and the copy that stays gets its name
 *   delete    both are read and compared; it goes into the trash, as delete has it go (act_delete.c)
 */
#include <stdio.h>
#include <string.h>

#include "agent/lower.h"
#include "scanners/proof.h"

static const char *target(struct ebb_arena *arena, const char *key, const char *codec)
{
	(void)arena;
	(void)key;
	(void)codec;
	return NULL; /* the trash depends on the run */
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	ret->dedup = row->how;
	ret->with_store = row->with_store;
	ret->with_key = row->with.key;
	ret->with = row->with;
	if (row->how == EBB_ACTION_HARDLINK && !(env->caps & EBB_CAP_RENAME))
		return ebb_err_set(err, EBB_ENOTSUP, "store '%s' has no hard links", row->store);
	if (row->how != EBB_ACTION_DROP && strcmp(row->store, row->with_store) != 0)
		return ebb_err_set(err, EBB_ENOTSUP, "the copy that stays lies in another store");
	return row->how == EBB_ACTION_REFLINK ? 0 : ebb_lower_trash(env, row, arena, ret, err);
}

static void take_with(const struct ebb_op *did, struct ebb_op *ret)
{
	ret->dedup = did->dedup;
	ret->with_store = did->with_store;
	ret->with_key = did->with_key;
	ret->with = did->with;
}

static int undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		struct ebb_err *err)
{
	int r;

	if (did->dedup == EBB_ACTION_REFLINK) {
		*ret = (struct ebb_op){.n = did->n, .action = did->action, .way = EBB_OP_UNDO,
				       .store = did->store, .key = did->key, .obj = did->obj};
		take_with(did, ret);
		ebb_meta_init(&ret->meta);
		return 0;
	}
	r = ebb_lower_swap(did, res, ret, err);
	if (r < 0)
		return r;
	take_with(did, ret);
	ebb_lower_forget_ctime(&ret->obj);
	return 0;
}

/* In a store that does not rename. */
static const enum ebb_step *bucket_steps(const struct ebb_op *op)
{
	static const enum ebb_step copy[] = {EBB_STEP_CHECK,  EBB_STEP_COMPARE, EBB_STEP_COPY, EBB_STEP_VERIFY,
					     EBB_STEP_RECORD, EBB_STEP_REMOVE,  EBB_STEP_END};
	static const enum ebb_step back[] = {EBB_STEP_CHECK,  EBB_STEP_COPY,   EBB_STEP_VERIFY,
					     EBB_STEP_RECORD, EBB_STEP_REMOVE, EBB_STEP_END};
	static const enum ebb_step hide[] = {EBB_STEP_CHECK, EBB_STEP_COMPARE, EBB_STEP_HIDE, EBB_STEP_END};
	static const enum ebb_step show[] = {EBB_STEP_CHECK, EBB_STEP_SHOW, EBB_STEP_END};

	if (op->how == EBB_OP_HIDE)
		return op->way == EBB_OP_APPLY ? hide : show;
	return op->way == EBB_OP_APPLY ? copy : back;
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step share[] = {EBB_STEP_CHECK, EBB_STEP_SHARE, EBB_STEP_END};
	static const enum ebb_step look[] = {EBB_STEP_CHECK, EBB_STEP_END};
	static const enum ebb_step drop[] = {EBB_STEP_CHECK, EBB_STEP_COMPARE, EBB_STEP_RENAME,
					     EBB_STEP_END};
	static const enum ebb_step link[] = {EBB_STEP_CHECK, EBB_STEP_COMPARE, EBB_STEP_RENAME,
					     EBB_STEP_LINK, EBB_STEP_END};
	static const enum ebb_step unlink[] = {EBB_STEP_CHECK, EBB_STEP_UNLINK, EBB_STEP_RENAME,
					       EBB_STEP_END};
	static const enum ebb_step back[] = {EBB_STEP_CHECK, EBB_STEP_RENAME, EBB_STEP_END};
	static const enum ebb_step let_go[] = {EBB_STEP_CHECK, EBB_STEP_EXPIRED, EBB_STEP_REMOVE,
					       EBB_STEP_END};

	if (op->way == EBB_OP_EXPIRE)
		return let_go;
	if (op->dedup == EBB_ACTION_DROP && op->how != EBB_OP_RENAME)
		return bucket_steps(op);
	switch (op->dedup) {
	case EBB_ACTION_REFLINK:
		return op->way == EBB_OP_APPLY ? share : look;
	case EBB_ACTION_HARDLINK:
		return op->way == EBB_OP_APPLY ? link : unlink;
	default:
		return op->way == EBB_OP_APPLY ? drop : back;
	}
}

extern const struct ebb_lower ebb_act_dedup;
const struct ebb_lower ebb_act_dedup = {
	.action = EBB_ACTION_DEDUP,
	.target = target,
	.apply = apply,
	.undo = undo,
	.expire = ebb_lower_expire_trash,
	.steps = steps,
};
