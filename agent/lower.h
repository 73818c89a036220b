/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lowering: from the actions of a plan to operations made of steps, and from what was done to how it is taken back.
 *
 * An action is one file (act_NAME.c) with one const struct ebb_lower and one line in the table of lower.c. The executor does not know actions.
 *
 * Threads: pure; everything may be called from any thread.
 */
#ifndef EBB_AGENT_LOWER_H
#define EBB_AGENT_LOWER_H

#include "agent/op.h"
#include "agent/planrow.h"
#include "agent/steps.h"
#include "core/arena.h"

/* What lowering needs to know of the run. Borrowed. */
struct ebb_lower_env {
	const char *run;	/* run id */
	int64_t now;		/* ns since the epoch */
	uint32_t caps;		/* of the object's store, enum ebb_store_caps */
	bool sleeps;		/* the object is in a class where it cannot be read until it was thawed */
	int64_t pack;		/* number of the first action that goes into the same pack; of this one when it is that */
};

struct ebb_lower {
	enum ebb_action_id action;

	/* Key of the destination, in @arena: NULL when the action has none, or it depends on others (not an error), or memory is short. */
	const char *(*target)(struct ebb_arena *arena, const char *key, const char *codec);

	/* Fill the zeroed @ret from a row: destination, codec, expiry. Needs metadata filled in by the caller when has_meta is set. */
	int (*apply)(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		     struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err);

	/* Fill the zeroed @ret so that it takes back @did with the result @res. */
	int (*undo)(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		    struct ebb_err *err);

	/* The same so that it lets go for good what @did put into the trash; NULL: it put nothing there. */
	int (*expire)(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		      struct ebb_err *err);

	/* Steps of an operation, ends with EBB_STEP_END. Constant. */
	const enum ebb_step *(*steps)(const struct ebb_op *op);
};

/* Row of the table; NULL for an action that does nothing. */
const struct ebb_lower *ebb_lower_of(enum ebb_action_id action);

/*
 * Lower a row, its destination included. Strings are borrowed from the row or live in @arena. has_meta says that the caller
 * fills in op->meta (with the source's metadata) before the operation begins.
 *
 * @return  0; -EBB_ENOTSUP for an action or a key that cannot be done (a trash key beyond EBB_KEY_MAX); -EBB_ENOMEM.
 */
int ebb_lower_apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		    struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err);

/*
 * The way back, and the way out of the trash. Strings are borrowed from @did; metadata is copied: ebb_op_release.
 *
 * @return  0; -EBB_ENOTSUP: there is no such way (purged; not in the trash); -EBB_ENOMEM.
 */
int ebb_lower_undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		   struct ebb_err *err);
int ebb_lower_expire(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		     struct ebb_err *err);

/*
 * For the rows: fill in the way into the trash of its own store, by a rename, a copy, or a delete marker, as the store can, and when the
 * trash lets it go. -EBB_ENOTSUP when the store can do none of them, or the name would be too long.
 */
int ebb_lower_trash(const struct ebb_lower_env *env, const struct ebb_planrow *row, struct ebb_arena *arena,
		    struct ebb_op *ret, struct ebb_err *err);

/* For the rows: an operation that swaps source and destination of @did. */
int ebb_lower_swap(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		   struct ebb_err *err);

/* The same, and it goes back into the class that it was in. */
int ebb_lower_swap_class(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
			 struct ebb_err *err);

/* For the rows: in the trash a chown of the whole store moves the time of change; the inode, size and mtime remain to tell strangers. */
void ebb_lower_forget_ctime(struct ebb_record *rec);

/* For the rows: their `expire`, of what @did put into the trash of its store. */
int ebb_lower_expire_trash(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
			   struct ebb_err *err);

#endif
