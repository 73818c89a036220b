/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps: the few idempotent things that the executor knows. An operation is a list of them (lower.h).
 *
 *   check    what is worked on still is what the plan saw
 *   sample   it is worth compressing
 *   compare  the copy that stays holds the same bytes, and has the same metadata where it takes over the name
 *   share    let it lie in the blocks of the copy that stays, if the filesystem finds the same bytes
 *   link     the copy that stays gets its name, too
 *   unlink   that name goes again: the proof is that the inode stands under another
 *   rename   move it within its store (delete into the trash, and back)
 *   hide     put a delete marker over it (delete where a store keeps versions); show takes it away
 *   class    change its storage class in place
 *   fit      nothing encodes it yet, and nothing locks it
 *   replace  its other form, verified, takes its place; gives the proof that tidy needs: what takes its place away from where it lay
 *   copy     have its store copy it to another key, or another store take it, or stream it there, plain, encoded or decoded, with its metadata
 *   unpack   copy it out of a pack, with its metadata
 *   strike   write the tombstone of an object in a pack; tombstone: the proof that it may go again
 *   repack   write what is left of a pack into a new one; repacked: read that back: gives the proof that remove needs
 *   sweep    tombstones of what is gone go
 *   verify   read the copy back and compare: gives the proof that remove needs
 *   confirm  the copy is what was sent: by the checksums that its store has checked while it was written, elsewhere by verify
 *   original what a copy was made of stands unchanged: gives the proof that remove needs to take the copy away
 *   record   the verified copy goes into the journal, durably
 *   purge    the rule's words are the proof that remove needs
 *   expired  its time in the trash is over: the proof that remove needs
 *   remove   the original goes, with the proof
 *   settle   what had to be readable for verify goes into the archive class that it is for
 *
 * Steps may be run again after a crash (struct ebb_steps_ctx.again): each then looks first at what stands, and does only what is
 * missing. What stands, and what that means, is tabulated in DESIGN.md.
 *
 * Threads: a context belongs to one thread; stores and journal may be shared.
 */
#ifndef EBB_AGENT_STEPS_H
#define EBB_AGENT_STEPS_H

#include <stdatomic.h>

#include "agent/journal.h"
#include "agent/marks.h"
#include "agent/op.h"
#include "scanners/store.h"

enum ebb_step {
	EBB_STEP_END,	/* ends a list */
	EBB_STEP_CHECK,
	EBB_STEP_SAMPLE,
	EBB_STEP_COMPARE,
	EBB_STEP_SHARE,
	EBB_STEP_LINK,
	EBB_STEP_UNLINK,
	EBB_STEP_RENAME,
	EBB_STEP_HIDE,
	EBB_STEP_SHOW,
	EBB_STEP_CLASS,
	EBB_STEP_FIT,
	EBB_STEP_REPLACE,
	EBB_STEP_TIDY,
	EBB_STEP_COPY,
	EBB_STEP_UNPACK,
	EBB_STEP_STRIKE,
	EBB_STEP_TOMBSTONE,
	EBB_STEP_REPACK,
	EBB_STEP_REPACKED,
	EBB_STEP_SWEEP,
	EBB_STEP_VERIFY,
	EBB_STEP_CONFIRM,
	EBB_STEP_ORIGINAL,
	EBB_STEP_RECORD,
	EBB_STEP_PURGE,
	EBB_STEP_EXPIRED,
	EBB_STEP_REMOVE,
	EBB_STEP_SETTLE,
	EBB_STEP_COUNT
};

/* What the steps of one operation share. The caller fills the first part and zeroes the rest. */
struct ebb_steps_ctx {
	const struct ebb_op *op;
	struct ebb_store *from, *to;	/* to: NULL when op has no destination */
	struct ebb_store *with;		/* of the copy that stays; NULL when op has none */
	struct ebb_journal *journal;	/* for record; NULL: record does nothing (tests) */
	const char *tag;		/* of temporaries; unique per operation, the same in every attempt */
	int64_t now;			/* ns since the epoch */
	const atomic_bool *cancel;	/* stops a copy; may be NULL */
	bool again;			/* an earlier attempt may have got anywhere */
	const struct ebb_marks *marks;	/* how far an earlier copy came, or NULL: copy goes on there */
	const struct ebb_op_result *copied;	/* again: what the journal says of a verified copy, or NULL */

	struct ebb_op_result *result;	/* to, digest: filled as steps learn them */
	struct ebb_proof *proof;	/* released by ebb_steps_finish */
	bool gone;			/* again: it is done already, by us: nothing is left to do */
	bool replaced;			/* again: we put its other form in its place, and what comes behind that may be left to do */
	bool made;			/* this attempt made the copy at `to` */
	bool half;			/* what was begun could be neither finished nor put back: only recovery may say what became of it */
};

/*
 * Do one step.
 *
 * @return  0; -EBB_ECHANGED, -EBB_ENOENT, -EBB_EEXIST, -EBB_ENOTSUP (would not shrink, too): nothing was touched by this step;
 *          what the store returns; -EBB_ECANCELLED.
 */
int ebb_steps_run(enum ebb_step step, struct ebb_steps_ctx *c, struct ebb_err *err);

/*
 * Parts of op->meta that belong to the copy. Owner and mode of an object that never had any say nothing to a filesystem, whose own
 * defaults stand then; and back.
 */
uint32_t ebb_steps_meta_parts(const struct ebb_steps_ctx *c);

/*
 * Class to write the copy into, or NULL: as its store declares. A copy that is read back is not written into a class in which it would sleep;
 * settle takes it there, or, for what is unpacked, nobody: its pack goes only when it was read. What copies send to stay goes there at once.
 */
const char *ebb_steps_class(const struct ebb_steps_ctx *c);

/* Whether @now is the same content as @was by its entity tag, in that class: changing the class of an object makes it a new one. */
bool ebb_steps_in_class(const char *class, const struct ebb_record *was, const struct ebb_record *now);

/* 1 with *ret when something stands at `to`, 0 when not, negative. */
int ebb_steps_arrived(struct ebb_steps_ctx *c, struct ebb_record *ret, struct ebb_err *err);

/* What stands at `to` must carry the metadata that the journal holds. 0, -EBB_EMISMATCH, what reading returns. */
int ebb_steps_compare_meta(struct ebb_steps_ctx *c, struct ebb_err *err);

/*
 * End an operation: with a failure (@r negative) a copy that this attempt made is taken away again, if the original still has
 * its content; where that cannot be shown the copy stays and the message says so. Frees the proof.
 *
 * @return  1 when a copy stays that should not, otherwise 0.
 */
int ebb_steps_finish(struct ebb_steps_ctx *c, int r, struct ebb_err *err);

/* "copy", "verify". Constant. */
const char *ebb_steps_name(enum ebb_step step);

#endif
