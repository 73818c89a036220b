/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Secondary orders: the files of a store by one field (by size, by time), without a second copy of the records.
 *
 * An order is a list of postings (value, place), sorted by value, ties by place, which is the order of keys. It is built when first
 * asked for: one pass over the column, sorted runs of bounded memory, a merge, and an append to the index; inserting
 * as records arrive would cost several times the scan. It belongs to one generation; the next scan makes it stale,
 * and building again replaces it. About 8 bytes a file.
 *
 * Threads: building is writing (the caller holds the run lock, and no snapshot); reading as a cursor.
 */
#ifndef EBB_CORE_ORDER_H
#define EBB_CORE_ORDER_H

#include "core/block.h"
#include "core/snap.h"

/* Postings sorted in memory at a time: 32 MiB. */
#define EBB_ORDER_RUN (UINT32_C(2) << 20)

/*
 * Have the order of @store by @field in the index; returns at once when it is there. Links counted at another
 * key are left out.
 *
 * @dir      directory for temporary runs (the index's own is the right one); they have no name and cannot be left behind.
 * @run      postings sorted in memory at a time, 0: EBB_ORDER_RUN.
 * @return   0; -EBB_ENOENT: no such store; -EBB_ENOSPC; -EBB_EINDEX.
 */
int ebb_order_build(struct ebb_index *ix, const char *store, enum ebb_field field, const char *dir,
		    uint32_t run, struct ebb_err *err);

struct ebb_order;

/* Read an order. -EBB_ENOENT when it was not built for this generation. */
int ebb_order_open(struct ebb_snap *s, const struct ebb_index_store *st, enum ebb_field field,
		   bool descending, struct ebb_order **ret, struct ebb_err *err);
void ebb_order_close(struct ebb_order *o);
EBB_CLEANUP_PTR(struct ebb_order, ebb_order_close);

/*
 * Next record. @ret->key is borrowed until the next call. Consecutive postings lie in different blocks: reading all
 * records by an order costs decoding a block a record (some 10 us).
 *
 * @return  1, 0 at the end, -EBB_ECORRUPT.
 */
int ebb_order_next(struct ebb_order *o, struct ebb_record *ret, struct ebb_err *err);

#endif
