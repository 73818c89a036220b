/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The filesystem scanner: a parallel walk that delivers records in key order.
 *
 * Workers read whole directories (getdents64, then statx of each entry relative to the open directory) and sort them;
 * the caller's thread consumes directories in key order. What is read ahead is bounded by a budget in bytes, so
 * memory does not grow with the tree; it does grow with the largest single directory. Symlinks are recorded, never followed; directories are
 * opened beneath the root only (openat2 RESOLVE_BENEATH), without touching access times where allowed.
 *
 * Threads: ebb_walk_run starts its own workers and calls back on the calling thread only.
 */
#ifndef EBB_SCANNERS_WALK_H
#define EBB_SCANNERS_WALK_H

#include <stdatomic.h>

#include "core/err.h"
#include "core/record.h"

struct ebb_walk_opts {
	const char *root;		/* directory, absolute */
	unsigned threads;		/* workers; 0: chosen */
	bool cross_filesystems;		/* false: a mount point is recorded and not entered */
	const char *after;		/* skip keys up to and including this one (resume); NULL or "": none */
	int64_t started;		/* ns since the epoch: files modified since are flagged CHANGING */
	/* True for keys to leave out (a directory is left out with all below it). May be called by many threads. NULL: none. */
	bool (*exclude)(void *ctx, const char *key, size_t len);
	void *exclude_ctx;
	const atomic_bool *cancel;	/* stops with EBB_ECANCELLED when it becomes true; may be NULL */
};

struct ebb_walk_fns {
	/* Next object, keys ascending. Borrowed until it returns. Negative: stop, passed on. */
	int (*record)(void *ctx, const struct ebb_record *rec, struct ebb_err *err);
	/* Directory @key could not be read (its own record came before): @why is a message. Not fatal. */
	int (*unreadable)(void *ctx, const char *key, size_t len, const char *why, struct ebb_err *err);
	void *ctx;
};

/* Counters that grow during the walk, for progress; read from any thread. */
struct ebb_walk_stats {
	atomic_uint_least64_t objects, dirs, unreadable;
};

/*
 * Walk @opts->root. Records carry kind, size, alloc, the three times, mode, uid, gid, nlink, ino, dev, flags and evidence (by
 * the mount's options, see mounts.h); the root itself has no record.
 *
 * @stats  may be NULL.
 * @return  0; -EBB_ESTORE when the root cannot be opened; -EBB_ECANCELLED; -EBB_ENOMEM; what a callback returned.
 */
int ebb_walk_run(const struct ebb_walk_opts *opts, const struct ebb_walk_fns *fns,
		 struct ebb_walk_stats *stats, struct ebb_err *err);

#endif
