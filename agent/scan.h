/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bringing the index up to date with one store: check that the store is what it was, walk it, merge, check what
 * would be lost, publish.
 *
 * Nothing the index says changes before all of that has succeeded: a scan that is refused, interrupted or killed leaves the
 * last completed one in place, and the next scan goes on from where an interrupted one came.
 *
 * Two doubts stop a scan, because believing them would make ebb forget, or delete elsewhere, what is only out of reach:
 *   another root   the root folder is not the one of the last scan, or it is empty while the index holds objects: a mount
 *                  is missing, or another disk stands there
 *   losses         more than half of at least EBB_SCAN_LOSS_MIN objects are gone, and ebb's own runs since then did not take them
 *
 * Left out, beside what globs say: ebb's own trash and temporaries, the index, and folders that are stores of their own.
 *
 * Access evidence. When the mount recorded reads less well in the scan before than now, nobody knows when that changed; what is
 * known about reads then begins with this scan (evidence_since), and idle times are never longer than that.
 *
 * Threads: main thread; the walk starts its own.
 */
#ifndef EBB_AGENT_SCAN_H
#define EBB_AGENT_SCAN_H

#include "agent/app.h"
#include "core/arena.h"
#include "core/merge.h"
#include "policies/noncurrent.h"
#include "scanners/store.h"

#define EBB_SCAN_LOSS_MIN 100

/* Unreadable folders that are named; all are counted. */
#define EBB_SCAN_NAMED 10

struct ebb_scan_opts {
	bool restart;			/* throw away an unfinished scan */
	bool accept_new_root;
	bool accept_losses;
	bool cross_filesystems;		/* or what the configuration says */
	unsigned threads;		/* folders, or requests, at the same time; 0: chosen */
	uint64_t max_requests;		/* to a bucket; 0: no limit */
	const char *manifest;		/* of an inventory to read instead of the store, or NULL */
	const char *const *exclude;	/* globs beside those of the configuration */
	size_t nexclude;
};

struct ebb_scan_result {
	struct ebb_merge_stats stats;
	enum ebb_evidence evidence;	/* of the root's mount */
	int64_t evidence_since;		/* INT64_MIN: always */
	uint64_t unreadable;
	char *named[EBB_SCAN_NAMED];	/* "key: reason" of the first, owned */
	size_t nnamed;
	struct ebb_noncurrent versions;	/* that a bucket keeps; its rules live in `arena` */
	struct ebb_arena arena;
	uint64_t requests;		/* pages of a bucket's listing that were asked for */
	int64_t elapsed;		/* ns, monotonic */
	bool resumed;
};

void ebb_scan_result_release(struct ebb_scan_result *r);

/*
 * Scan one store into the open index; the caller holds the run lock.
 *
 * @ret     initialised with zeroes; filled as far as the scan came, also on failure.
 * @return  0 (also with unreadable folders); -EBB_ESTORE with the remedy; -EBB_ECANCELLED; -EBB_EINDEX; -EBB_ENOSPC;
 *          -EBB_ECONFIG for a bad glob; -EBB_ENOMEM.
 */
int ebb_scan_store(struct ebb_app *app, struct ebb_index *ix, const struct ebb_config_store *store,
		   const struct ebb_scan_opts *opts, struct ebb_scan_result *ret,
		   struct ebb_err *err);

/* Whether a store's root is the one that its last scan saw. */
bool ebb_scan_same_root(const struct ebb_index_store *before, const struct ebb_store_identity *now);

/*
 * Refuse to believe that most of a store is gone, unless runs of ebb since the last scan can have taken it: 0, -EBB_ESTORE with the remedy, or
 * what reading the runs returned.
 *
 * @before  as of the last scan.
 */
int ebb_scan_check_losses(const struct ebb_app *app, const struct ebb_index_store *before, const struct ebb_merge_stats *st,
			  bool accept, struct ebb_err *err);

/* evidence_since of a new scan; @before is the store as of the last (generation 0: none). */
int64_t ebb_scan_evidence_since(const struct ebb_index_store *before, enum ebb_evidence now,
				int64_t started);

#endif
