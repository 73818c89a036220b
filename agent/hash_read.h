/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading many objects for their digests: jobs go in, in batches to worker threads, and results come back on the caller's thread.
 *
 * Memory: about 1 MiB a thread and 100 KiB a batch, whatever the number of jobs.
 *
 * Threads: belongs to one thread, which the callback comes on; it starts its own workers.
 */
#ifndef EBB_AGENT_HASH_READ_H
#define EBB_AGENT_HASH_READ_H

#include <stdatomic.h>

#include "scanners/store.h"

/* What is to be read, and what came of it. */
struct ebb_hash_job {
	uint64_t place;		/* in the index; for the caller */
	uint16_t store;		/* number in the caller's list */
	uint16_t how;		/* for the caller */
	bool sample;		/* the sample is wanted, not the whole */
	int64_t size;
	int rc;			/* 0: digest is set; otherwise why not */
	uint8_t digest[EBB_DIGEST_LEN];
};

/* @key and @why (rc negative) are borrowed during the call. A negative return stops everything and is passed on. */
typedef int ebb_hash_read_fn(void *ctx, const struct ebb_hash_job *job, const char *key,
			     const char *why, struct ebb_err *err);

struct ebb_hash_read;

/*
 * @threads  0: chosen.
 * @cancel   ends reading between pieces; jobs then come back with -EBB_ECANCELLED. May be NULL.
 * @return   0; -EBB_ENOMEM and other failures to start.
 */
int ebb_hash_read_new(unsigned threads, const atomic_bool *cancel, ebb_hash_read_fn *fn, void *ctx,
		      struct ebb_hash_read **ret, struct ebb_err *err);
void ebb_hash_read_free(struct ebb_hash_read *h);
EBB_CLEANUP_PTR(struct ebb_hash_read, ebb_hash_read_free);

/*
 * Have an object read, which the index describes by @rec (copied). Blocks while enough is under way, and calls back then.
 *
 * @return  0, or what the callback returned.
 */
int ebb_hash_read_put(struct ebb_hash_read *h, struct ebb_store *store, const struct ebb_record *rec,
		      const struct ebb_hash_job *job, struct ebb_err *err);

/* Wait for all that was put, and call back for it. */
int ebb_hash_read_drain(struct ebb_hash_read *h, struct ebb_err *err);

#endif
