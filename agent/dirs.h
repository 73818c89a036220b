/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories that a run touches: their times go into the journal before the first touch, so that undo can put them back; those that a
 * run needs and that are missing are created, so that undo can take them away.
 *
 * Actions come in key order, so a directory is left for good once keys have moved out of it: what is held in memory is the path from the
 * root to the current key, per store and lane, and what is left in the current window. A directory's interval in the
 * journal runs from its `dir` record to its `left` record; intervals of one directory never overlap.
 *
 * Threads: belongs to the main thread; ebb_dirs_why may be called from any thread while no other function runs.
 */
#ifndef EBB_AGENT_DIRS_H
#define EBB_AGENT_DIRS_H

#include "agent/journal.h"
#include "agent/op.h"
#include "agent/storeset.h"

/* The root of a store as a key for its metadata. */
#define EBB_DIRS_ROOT EBB_STORE_ROOT

struct ebb_dirs;

/* All borrowed. NULL when memory is short. */
struct ebb_dirs *ebb_dirs_new(const struct ebb_storeset *stores, struct ebb_journal *journal);
void ebb_dirs_free(struct ebb_dirs *d);
EBB_CLEANUP_PTR(struct ebb_dirs, ebb_dirs_free);

/*
 * An operation of the next window: note (in the journal, not yet synced) the times of the directories it will touch, and those
 * that it needs created.
 */
int ebb_dirs_plan(struct ebb_dirs *d, const struct ebb_op *op, struct ebb_err *err);

/*
 * After the journal was synced: create what is missing. A directory on another store gets owner, mode and attributes of the
 * directory it mirrors. What cannot be created is remembered, see ebb_dirs_why.
 */
int ebb_dirs_create(struct ebb_dirs *d, struct ebb_err *err);

/* Why the directory of @key cannot be there: 0 with nothing set when it can. */
int ebb_dirs_why(const struct ebb_dirs *d, const struct ebb_store *s, const char *key,
		 struct ebb_err *err);

/* The window is over: note the times of directories that keys have moved out of. With @all, of every directory. */
int ebb_dirs_leave(struct ebb_dirs *d, bool all, struct ebb_err *err);

/*
 * Create one directory that the journal says was about to be made; also when it stands already, its metadata is set again.
 * For recovery. @like: store whose directory of the same path it mirrors, or NULL.
 */
int ebb_dirs_make(struct ebb_store *s, const char *path, struct ebb_store *like,
		  struct ebb_err *err);

/* Directory of @key with its final '/', EBB_DIRS_ROOT at the top, into @ret (EBB_KEY_MAX + 1 bytes), which may be @key itself. */
void ebb_dirs_parent(const char *key, char *ret);

/* Times of a directory: metadata parts, in ret->mtime and ret->atime. */
int ebb_dirs_times(struct ebb_store *s, const char *dir, struct ebb_meta *ret, struct ebb_err *err);

/* Put them back. */
int ebb_dirs_set_times(struct ebb_store *s, const char *dir, int64_t mtime, int64_t atime,
		       struct ebb_err *err);

#endif
