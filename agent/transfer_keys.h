/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Several stores side by side, in the order of keys: each key once, with the records that stand under it. So whether something stands at
 * another store under a key costs no look-up.
 *
 * Threads: that of the snapshot.
 */
#ifndef EBB_AGENT_TRANSFER_KEYS_H
#define EBB_AGENT_TRANSFER_KEYS_H

#include "core/block.h"
#include "core/snap.h"
#include "policies/xfer_book.h"

/* Borrowed for the call. */
struct ebb_transfer_keys_at {
	const char *key;
	size_t len;
	uint64_t here;		/* stores that have it, by bit */
	const struct ebb_record *rec[EBB_XFER_BOOK_PLACES];	/* of those */
	uint64_t place[EBB_XFER_BOOK_PLACES];			/* core/place.h */
};

typedef int ebb_transfer_keys_fn(void *ctx, const struct ebb_transfer_keys_at *at, struct ebb_err *err);

/*
 * Call @fn for each key. A negative return stops and is returned.
 *
 * @st  EBB_XFER_BOOK_PLACES stores; those of generation 0 are passed over.
 * @return  0; -EBB_ENOMEM; -EBB_ECORRUPT; -EBB_EINDEX.
 */
int ebb_transfer_keys_walk(struct ebb_snap *snap, const struct ebb_index_store *st, ebb_transfer_keys_fn *fn, void *ctx,
			   struct ebb_err *err);

#endif
