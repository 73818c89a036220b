/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every record of a store in the index, with its place (core/learn.h), for whoever wants to say something about it later.
 *
 * Threads: that of the snapshot.
 */
#ifndef EBB_AGENT_PLACED_H
#define EBB_AGENT_PLACED_H

#include <stdatomic.h>

#include "core/block.h"
#include "core/snap.h"

/* One record of store number @store, borrowed during the call. A negative return stops and is passed on. */
typedef int ebb_placed_fn(void *ctx, size_t store, uint64_t place, const struct ebb_record *rec, struct ebb_err *err);

struct ebb_placed {
	struct ebb_snap *snap;
	struct ebb_block_iter *it;	/* scratch */
	const atomic_bool *cancel;	/* looked at once a block; may be NULL */
	bool (*pointless)(void *ctx, size_t store, const struct ebb_block *b);	/* nothing of the block is wanted; may be NULL */
	ebb_placed_fn *fn;
	void *ctx;
};

/*
 * All records of @st, the caller's store number @store, in key order.
 *
 * @return  0; what the function returned; -EBB_ECANCELLED; -EBB_ECORRUPT, -EBB_EINDEX.
 */
int ebb_placed_each(const struct ebb_placed *p, size_t store, const struct ebb_index_store *st, struct ebb_err *err);

#endif
