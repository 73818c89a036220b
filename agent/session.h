/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What apply, undo, restore and trash do before their work: configuration, run lock, recovery of runs that were killed; and
 * how they tell what came of it.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_SESSION_H
#define EBB_AGENT_SESSION_H

#include "agent/app.h"
#include "agent/lock.h"
#include "agent/op.h"
#include "agent/progress.h"
#include "agent/run.h"
#include "agent/storeset.h"

/*
 * Load the configuration, take the run lock, recover every run that was killed. A run whose stores are out of reach is noted and
 * left, since it need not be the one that is wanted; working on it says why it cannot be.
 *
 * @command  for those that the lock keeps out.
 */
int ebb_session_begin(struct ebb_app *app, const char *command, struct ebb_lock **ret,
		      struct ebb_err *err);

/* The stores of a run, open and checked to be those of its plan. */
int ebb_session_stores(struct ebb_app *app, const struct ebb_run *run, struct ebb_storeset **ret,
		       struct ebb_err *err);

/*
 * Write an event of @command to the audit log (agent/audit.h): "begin" before stores are changed, "end" after; what is not known is NULL.
 *
 * @run      its id and plan go in; an end also covers its journal, which must be closed.
 * @failure  what ended it early, 0: nothing. The message of @why goes in.
 * @return   as ebb_audit_append().
 */
int ebb_session_audit(struct ebb_app *app, const char *command, const char *event, const struct ebb_run *run,
		      const struct ebb_journal_counts *counts, int failure, const struct ebb_err *why, struct ebb_err *err);

/* How a session is told: progress while it goes, a line for each object that was left, a summary. */
struct ebb_session_tell {
	struct ebb_app *app;
	struct ebb_progress progress;
	uint64_t total;		/* actions expected, 0: unknown */
	uint64_t ended, bytes;
	bool dry;
};

/* For callbacks `ended`: @ctx is the struct above. JSON: one object a line for each object that was skipped or failed. */
void ebb_session_ended(void *ctx, const struct ebb_op *op, const struct ebb_op_result *r);

/*
 * One line (JSON: one object): what was done. @past: "applied", "given back", "removed".
 *
 * @return  0; -EBB_EPARTIAL without a message when something was skipped or failed; -EBB_EIO.
 */
int ebb_session_summary(struct ebb_session_tell *t, const struct ebb_run *run, const char *past,
			const struct ebb_journal_counts *c, struct ebb_err *err);

#endif
