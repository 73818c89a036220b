/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories on the way back: the counterpart of dirs.h. Going back over a journal, a directory is met at its `left` record
 * and put back at its `dir` record; in between undo restores what was in it.
 *
 * Times come back only when nobody else changed the directory since the run left it, and everything that the run did in it was
 * taken back. While an undo is under way a directory shows the time at which the run left it, so that an undo that
 * was killed finds it untouched.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_UNDO_DIRS_H
#define EBB_AGENT_UNDO_DIRS_H

#include "agent/journal.h"
#include "agent/replay.h"
#include "agent/storeset.h"

struct ebb_undo_dirs;

struct ebb_undo_dirs *ebb_undo_dirs_new(const struct ebb_storeset *stores,
					struct ebb_journal *journal);
void ebb_undo_dirs_free(struct ebb_undo_dirs *d);
EBB_CLEANUP_PTR(struct ebb_undo_dirs, ebb_undo_dirs_free);

/* A segment is met from behind: look at the directories that the run left in it. */
int ebb_undo_dirs_enter(struct ebb_undo_dirs *d, const struct ebb_replay_segment *s,
			struct ebb_err *err);

/* An operation of the run that stays as it is: the times of its directories stay as well. */
void ebb_undo_dirs_incomplete(struct ebb_undo_dirs *d, const struct ebb_op *did);

/* Before the window's intents are synced: note what its directories must show if it is cut short. */
int ebb_undo_dirs_plan(struct ebb_undo_dirs *d, const struct ebb_replay_segment *s,
		       const struct ebb_executor_op *ops, size_t n, struct ebb_err *err);

/* After the sync: create directories that somebody took away since, for what comes back. */
void ebb_undo_dirs_create(struct ebb_undo_dirs *d, const struct ebb_executor_op *ops, size_t n);

/*
 * The window has ended: directories that the run made go when empty, others get their times. @trash_only: only those of the trash
 * go. @now: time of directories that were changed for good.
 */
void ebb_undo_dirs_leave(struct ebb_undo_dirs *d, const struct ebb_replay_segment *s,
			 bool trash_only, int64_t now);

#endif
