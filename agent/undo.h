/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Undo: takes back what a run did, last window first, and puts back directory times; and lets go what has expired in the trash.
 *
 * Both are sessions of the run they work on, written to its own journal, so that one file says what a run took and gave back. Both are
 * idempotent and go on where a killed or interrupted one stopped.
 *
 * Memory: one window and the path of open directories. Threads: main thread.
 */
#ifndef EBB_AGENT_UNDO_H
#define EBB_AGENT_UNDO_H

#include <stdatomic.h>

#include "agent/run.h"
#include "agent/storeset.h"
#include "core/clock.h"

struct ebb_undo {
	struct ebb_storeset *stores;	/* open and checked */
	const struct ebb_clock *clock;
	unsigned jobs;			/* 0: chosen */
	const atomic_bool *cancel;	/* may be NULL */
	bool dry;			/* look, touch nothing: neither stores nor journal */
	/* Which objects; NULL: all. @key is where the object was before the run. */
	bool (*wanted)(void *ctx, const char *store, const char *key);
	/* Told of each operation that ended (dry: that would be tried); SKIPPED with why when it cannot be. May be NULL. */
	void (*ended)(void *ctx, const struct ebb_op *did, const struct ebb_op_result *r);
	void *ctx;
};

/*
 * Take back what @run did, as far as wanted. The run must be recovered; nobody else holds it.
 *
 * @ret   counts of this session; bytes of the objects given back.
 * @return  0, also when objects were skipped or failed; -EBB_ECANCELLED; -EBB_ENOSPC, -EBB_EJOURNAL, -EBB_ENOMEM.
 */
int ebb_undo_run(const struct ebb_undo *u, const struct ebb_run *run,
		 struct ebb_journal_counts *ret, struct ebb_err *err);

/*
 * Tell @fn every operation by which @run would be taken back, as far as wanted; nothing is touched, and no store is asked. A negative return
 * stops and is passed on. @did is what is taken back, @back how.
 */
typedef int ebb_undo_each_fn(void *ctx, const struct ebb_op *did, const struct ebb_op *back, struct ebb_err *err);
int ebb_undo_each(const struct ebb_undo *u, const struct ebb_run *run, ebb_undo_each_fn *fn, void *ctx,
		  struct ebb_err *err);

/* Remove for good what lies in @run's trash and whose time is over. The same rules. */
int ebb_undo_expire(const struct ebb_undo *u, const struct ebb_run *run,
		    struct ebb_journal_counts *ret, struct ebb_err *err);

/* What of a run could still be taken back, by its journal; no store is asked. */
struct ebb_undo_left {
	int64_t objects;	/* in all */
	int64_t trash, packed;	/* of these, in the trash, and in packs: which only the journal knows well */
};
int ebb_undo_left(const struct ebb_run *run, struct ebb_undo_left *ret, struct ebb_err *err);

/* Each object of @run that lies in the trash (neither undone nor let go), in no special order. A negative return stops. */
typedef int ebb_undo_trash_fn(void *ctx, const struct ebb_op *did, const struct ebb_op_result *r,
			      struct ebb_err *err);
int ebb_undo_trash(const struct ebb_run *run, ebb_undo_trash_fn *fn, void *ctx,
		   struct ebb_err *err);

#endif
