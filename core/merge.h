/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Merging a scan into the index: records arrive in key order, run against the generation before, and make the next.
 *
 * What is new, changed, gone and unchanged is found in that one pass. What was learned about an object (its digest) is
 * carried over while the object is the same. Blocks whose records did not change are shared, not written. The next
 * generation becomes visible only with ebb_merge_publish; a scan that is killed, refused or abandoned leaves the
 * current one as it was. Work is committed every few MiB, so a killed scan goes on from ebb_merge_resume_key.
 *
 * Memory: one builder, two decoded blocks, at most EBB_MERGE_BATCH bytes of blocks not yet committed, and 32 bytes
 * for each inode with names still to come.
 *
 * Threads: one merge at a time per index in all processes (the caller holds the run lock); it belongs to one thread.
 */
#ifndef EBB_CORE_MERGE_H
#define EBB_CORE_MERGE_H

#include "core/index.h"

/* Bytes of new blocks between commits, unless the options say less. */
#define EBB_MERGE_BATCH (16 * 1024 * 1024)

struct ebb_merge;

/*
 * Called by an update for every record of the new generation before it is written: @old is the record of the same key before (NULL: new),
 * @rec what was put, or a copy of @old when nothing was put for its key. May change all of @rec but its key.
 *
 * @return  0; 1: leave out a record that was not put; negative: stop.
 */
typedef int ebb_merge_fix_fn(void *ctx, const struct ebb_record *old, struct ebb_record *rec,
			     struct ebb_err *err);

struct ebb_merge_opts {
	const char *store;	/* name; the store is entered when new */
	bool restart;		/* throw away an unfinished scan instead of going on with it */
	int64_t now;		/* start of the scan, ns since the epoch */
	size_t batch;		/* bytes of new blocks between commits, 0: EBB_MERGE_BATCH */
	bool update;		/* what is not put stays as it was, instead of being gone. An update that is killed leaves the store as it
				 * was and is not gone on with; where a scan is unfinished it is refused with EBB_EEXIST */
	ebb_merge_fix_fn *fix;	/* of an update, or NULL */
	void *ctx;
};

/* What the pass found so far; after a resume, since the beginning of that scan. */
struct ebb_merge_stats {
	uint64_t objects, bytes;	/* in the new generation; bytes of files, each inode once */
	uint64_t added, changed, same;
	uint64_t gone, gone_bytes;	/* in the old generation, not in the new */
	uint64_t old_objects;		/* in the old generation */
	uint64_t kept;			/* carried over unseen */
	uint64_t blocks, blocks_shared;
};

/* Begin, or go on with an unfinished scan of the same store. */
int ebb_merge_begin(struct ebb_index *ix, const struct ebb_merge_opts *opts, struct ebb_merge **ret,
		    struct ebb_err *err);

/*
 * Last key that an interrupted scan committed, NUL-terminated and borrowed; "" when it begins at the beginning. Put only greater keys.
 * *ret_len (may be NULL) is its length: hidden keys hold a NUL.
 */
const char *ebb_merge_resume_key(const struct ebb_merge *m, size_t *ret_len);

/* Start of the scan that goes on: opts.now, or that of the interrupted one. */
int64_t ebb_merge_started(const struct ebb_merge *m);

/* The store as of its last completed scan (generation 0: none). Borrowed. */
const struct ebb_index_store *ebb_merge_store(const struct ebb_merge *m);

/*
 * Add the next record (copied). Names of one inode after the first (NLINK > 1, same DEV and INO) get
 * EBB_FLAG_LINKED_TWIN here.
 *
 * @return  0; -EBB_EINVAL when keys do not ascend; -EBB_ENOSPC; -EBB_EINDEX.
 */
int ebb_merge_put(struct ebb_merge *m, const struct ebb_record *rec, struct ebb_err *err);

/*
 * Keep what the old generation holds below @prefix (a directory that could not be read now, already put itself), flagged
 * EBB_FLAG_UNSEEN. Called in key order with the puts.
 */
int ebb_merge_keep(struct ebb_merge *m, const char *prefix, size_t len, struct ebb_err *err);

/*
 * Enter the name of a storage class that a record put from now on has. Cheap when it is known.
 *
 * @return  0 with the code for EBB_F_CLASS; -EBB_EINVAL and -EBB_ERANGE as ebb_names_add; -EBB_EINDEX.
 */
int ebb_merge_class(struct ebb_merge *m, const char *name, int64_t *ret_code, struct ebb_err *err);

/* All records are in: write the rest, count what is gone. */
int ebb_merge_finish(struct ebb_merge *m, struct ebb_merge_stats *ret, struct ebb_err *err);

/* Facts of the scan to be stored with the generation. */
struct ebb_merge_facts {
	int64_t finished;
	uint16_t evidence;
	int64_t evidence_since;
	uint64_t root_dev, root_ino;
	const char *root_fsid;
	uint64_t unreadable;
};

/*
 * After finish: make the new generation the current one, durably, and free what only the old one used. Frees @m. @facts: NULL for an
 * update, which leaves those of the last scan.
 */
int ebb_merge_publish(struct ebb_merge *m, const struct ebb_merge_facts *facts, struct ebb_err *err);

/* Stop, keeping what is committed for a later resume (@discard false), or throw the unfinished scan away. Frees @m; NULL is fine. */
void ebb_merge_abandon(struct ebb_merge *m, bool discard);

#endif
