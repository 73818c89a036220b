/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests for the index: reads what is needed to tell which objects are equal, and no more.
 *
 *   1  objects whose size nobody shares are left alone
 *   2  of the others the small ones are read whole, of larger ones a sample (scanners/content.h)
 *   3  those whose sample somebody shares are read whole
 *
 * What was learned stands in the index and is carried over by scans while the object stays the same; a second run reads nothing.
 * A sample is kept only when nobody of that size shared it: it is then only of interest to objects that come later. Everything
 * is across all stores that are within reach. Bounded memory: the steps are sorts (core/sort.h).
 *
 * Threads: main thread; reading starts its own. The caller holds the run lock, and no snapshot is open.
 */
#ifndef EBB_AGENT_HASH_H
#define EBB_AGENT_HASH_H

#include "agent/reach.h"

/* Objects that could not be read and are named; all are counted. */
#define EBB_HASH_NAMED 10

struct ebb_hash_opts {
	bool all;		/* every object that is meant gets a digest, whether or not its size is shared */
	bool links;		/* names of one inode count as sharing their size */
	int64_t min_size;	/* smaller objects are left alone; 0 means 1 */
	unsigned threads;	/* 0: chosen */
};

struct ebb_hash_result {
	uint64_t sampled, whole;	/* objects read */
	uint64_t bytes;			/* read */
	uint64_t changed;		/* were not any more what the index says, or changed while they were read */
	uint64_t unreadable;
	char *named[EBB_HASH_NAMED];	/* "store:key: reason" of the first of both, owned */
	size_t nnamed;
	int64_t elapsed;		/* ns, monotonic */
};

void ebb_hash_result_release(struct ebb_hash_result *r);

/* Count an object that could not be read (@rc, @why), and name it while there is room. 0 or -EBB_ENOMEM. */
int ebb_hash_refused(struct ebb_hash_result *r, const char *store, const char *key, int rc, const char *why,
		     struct ebb_err *err);

/*
 * Learn the digests that are missing among objects of @reach that are meant (a size counts as shared when two of them share it).
 *
 * @ret     initialised with zeroes; filled as far as it came, also on failure. What was learned until then is kept.
 * @return  0, also when objects could not be read; -EBB_ECANCELLED; -EBB_EINDEX; -EBB_ENOSPC; -EBB_ENOMEM.
 */
int ebb_hash_run(struct ebb_app *app, struct ebb_index *ix, const struct ebb_reach *reach,
		 const struct ebb_hash_opts *opts, struct ebb_hash_result *ret, struct ebb_err *err);

#endif
