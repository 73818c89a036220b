/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests of objects of buckets by reading them, which costs: only what neither its entity tag nor anything else tells apart from another
 * object of its size, within a budget of bytes and requests, largest first. An object is left alone when reading it once (request, retrieval, egress
 * to the internet) costs more than keeping it for a year, when that is not known, or when it would have to be thawed first.
 * Objects with one tag are read once. Comes after ebb_etags_run.
 *
 * Threads: main thread. The caller holds the run lock, and no snapshot is open. Bounded memory.
 */
#ifndef EBB_AGENT_FETCH_H
#define EBB_AGENT_FETCH_H

#include "agent/hash.h"

struct ebb_fetch_result {
	uint64_t objects, bytes;	/* read, with a request each */
	uint64_t over, dear;		/* objects left alone: beyond the budget, or not worth it */
};

/* What may be read. */
struct ebb_fetch_budget {
	int64_t bytes;		/* 0: nothing */
	int64_t requests;
};

/*
 * @ret     added to, as are failures to @refused, which are named there.
 * @return  as ebb_hash_run; what was learned is kept.
 */
int ebb_fetch_run(struct ebb_app *app, struct ebb_index *ix, const struct ebb_reach *reach, int64_t min_size,
		  struct ebb_fetch_budget budget, struct ebb_hash_result *refused, struct ebb_fetch_result *ret,
		  struct ebb_err *err);

#endif
