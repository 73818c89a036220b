/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * delete: into the trash of the object's own store; for good only when the rule says so in words. The trash is .ebb-trash/RUN/KEY, by one
 * rename or by a copy that the store makes; where a store keeps versions it is a marker that hides the object where it is.
 */
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

/* Whatever is done to another name of the inode, by this run too, moves the time of its change. */
static bool has_names(const struct ebb_record *rec)
{
	return ebb_record_has(rec, EBB_F_INO) && ebb_record_has(rec, EBB_F_NLINK) &&
	       rec->f[EBB_F_NLINK] > 1;
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	int r;

	ret->purge = row->purge;
	if (row->purge)
		return 0;
	if ((r = ebb_lower_trash(env, row, arena, ret, err)) < 0)
		return r;
	if (has_names(&ret->obj))
		ebb_lower_forget_ctime(&ret->obj);
	return 0;
}

static int undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		struct ebb_err *err)
{
	if (!did->to_key)
		return ebb_err_set(err, EBB_ENOTSUP, "was deleted for good, as its rule said");
	int r = ebb_lower_swap(did, res, ret, err);

	if (r < 0)
		return r;
	ebb_lower_forget_ctime(&ret->obj);
	/* the name goes back to whatever its inode holds by now: nothing is copied, nothing can be lost */
	if (has_names(&did->obj))
		ret->obj.known &= ~(EBB_KNOWN(EBB_F_MTIME) | EBB_KNOWN(EBB_F_SIZE));
	return 0;
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step move[] = {EBB_STEP_CHECK, EBB_STEP_RENAME, EBB_STEP_END};
	static const enum ebb_step purge[] = {EBB_STEP_CHECK, EBB_STEP_PURGE, EBB_STEP_REMOVE,
					      EBB_STEP_END};
	static const enum ebb_step let_go[] = {EBB_STEP_CHECK, EBB_STEP_EXPIRED, EBB_STEP_REMOVE,
					       EBB_STEP_END};

	static const enum ebb_step copy[] = {EBB_STEP_CHECK,  EBB_STEP_COPY,   EBB_STEP_VERIFY,
					     EBB_STEP_RECORD, EBB_STEP_REMOVE, EBB_STEP_END};
	static const enum ebb_step hide[] = {EBB_STEP_CHECK, EBB_STEP_HIDE, EBB_STEP_END};
	static const enum ebb_step show[] = {EBB_STEP_CHECK, EBB_STEP_SHOW, EBB_STEP_END};

	if (op->way == EBB_OP_EXPIRE)
		return let_go;
	if (op->way == EBB_OP_APPLY && op->purge)
		return purge;
	if (op->how == EBB_OP_HIDE)
		return op->way == EBB_OP_APPLY ? hide : show;
	return op->how == EBB_OP_COPY ? copy : move;
}

extern const struct ebb_lower ebb_act_delete;
const struct ebb_lower ebb_act_delete = {
	.action = EBB_ACTION_DELETE,
	.target = target,
	.apply = apply,
	.undo = undo,
	.expire = ebb_lower_expire_trash,
	.steps = steps,
};
