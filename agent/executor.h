/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The executor: runs operations in windows, many at once, each step by step. It knows steps, never actions.
 *
 * A window is one group commit: the intents of all its operations are durable before the first of them begins (P6), and all have ended
 * before the next window begins. So what can be open after a crash is one window, and memory is bounded by it.
 *
 * Threads: belongs to the main thread; it starts its own workers.
 */
#ifndef EBB_AGENT_EXECUTOR_H
#define EBB_AGENT_EXECUTOR_H

#include <stdatomic.h>

#include "agent/dirs.h"
#include "agent/journal.h"
#include "agent/marks.h"
#include "agent/op.h"
#include "agent/storeset.h"

/* Most operations in a window. */
#define EBB_EXECUTOR_WINDOW 256

/* Most of them when they all go into one pack. */
#define EBB_EXECUTOR_PACK EBB_ACTION_PACK_MEMBERS

/* Operations at once when nothing is said. */
#define EBB_EXECUTOR_JOBS 4

struct ebb_executor {
	const struct ebb_storeset *stores;
	struct ebb_journal *journal;	/* NULL: nothing is recorded (tests) */
	const struct ebb_dirs *dirs;	/* asked why a directory is missing; may be NULL */
	const char *run;		/* run id, for the tags of temporaries */
	const char *index;		/* index directory, for the catalogue of packs; NULL: none is kept */
	int64_t now;			/* ns since the epoch */
	unsigned jobs;			/* operations at once; 0: chosen */
	const atomic_bool *cancel;	/* operations that have not begun are put back; may be NULL */
	atomic_bool open;		/* set when an operation was left without a result in the journal: it takes a recovery */
	atomic_bool stop;		/* set when a failure would meet every other operation as well: ENOSPC, a broken journal */
};

/* One operation of a window with what is known of it. */
struct ebb_executor_op {
	struct ebb_op op;
	bool settled;			/* result stands already: record it, do nothing */
	bool again;			/* an earlier attempt may have got anywhere */
	bool has_copied;		/* again: the journal knows of a verified copy */
	struct ebb_op_result copied;
	const struct ebb_marks *marks;	/* how far an earlier attempt of a copy came, or NULL; borrowed */
	struct ebb_op_result result;	/* out */
};

/* Put the intents of @n operations of the window into the journal and make them, and all before them, durable. */
int ebb_executor_intend(struct ebb_executor *x, const struct ebb_executor_op *ops, size_t n,
			struct ebb_err *err);

/*
 * Run @n operations whose intents are durable, and put their results into the journal (not synced). Every result is set. One that was
 * begun by an earlier attempt and could not be looked at now (BACK) stays open: nobody knows how far it got.
 *
 * @return  0, also when operations failed; -EBB_EJOURNAL, -EBB_ENOSPC when the journal broke (what is not recorded then is settled by the
 *          next run); -EBB_ENOMEM.
 */
int ebb_executor_run(struct ebb_executor *x, struct ebb_executor_op *ops, size_t n,
		     struct ebb_err *err);

/* Name of the temporary of an operation: the same in every attempt, so that a later one can sweep it. */
#define EBB_EXECUTOR_TAG_MAX 100
void ebb_executor_tag(const char *run, const struct ebb_op *op, char ret[EBB_EXECUTOR_TAG_MAX]);

#endif
