/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sums by folder, in one pass over records in key order: because a folder's contents are one run of keys, a folder is
 * complete as soon as a key lies outside it, and no more than one row per level is held.
 *
 * What counts is what tally.h counts: names as objects, bytes of each inode once, at the folder of its first name.
 *
 * Threads: belongs to one thread.
 */
#ifndef EBB_AGENT_TALLY_DIR_H
#define EBB_AGENT_TALLY_DIR_H

#include "agent/tally.h"

struct ebb_tally_dir;

/*
 * Receives each folder down to the depth asked for when it is complete, so after the folders in it. Borrowed until it
 * returns; a negative return stops and is passed on.
 *
 * @key    ends in '/', or is the prefix itself for what lies above.
 * @depth  0 for the prefix.
 */
typedef int ebb_tally_dir_fn(void *ctx, const char *key, size_t len, int depth,
			     const struct ebb_tally_sum *sum, struct ebb_err *err);

/*
 * @prefix  only keys that begin with it; "" for all. Copied.
 * @depth   levels below the prefix to tell apart; 0: only the sum.
 */
struct ebb_tally_dir *ebb_tally_dir_new(const char *prefix, int depth, ebb_tally_dir_fn *fn,
					void *ctx);
void ebb_tally_dir_free(struct ebb_tally_dir *d);
EBB_CLEANUP_PTR(struct ebb_tally_dir, ebb_tally_dir_free);

/* Count a block; blocks come in key order. Returns 0, -EBB_ECORRUPT, -EBB_ENOMEM or what fn returned. */
int ebb_tally_dir_block(struct ebb_tally_dir *d, const struct ebb_block *b, struct ebb_err *err);

/* Hand out what is still open, the prefix last. */
int ebb_tally_dir_finish(struct ebb_tally_dir *d, struct ebb_err *err);

#endif
