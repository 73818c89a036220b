/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cursors: the blocks of one store in key order, as one snapshot sees them.
 *
 * Threads: a cursor belongs to the thread of its snapshot.
 */
#ifndef EBB_CORE_CURSOR_H
#define EBB_CORE_CURSOR_H

#include "core/block.h"
#include "core/snap.h"

/*
 * A cursor over the blocks of one store, in key order. Blocks are borrowed from the map until the snapshot closes.
 */
struct ebb_cursor;

/* Blocks that may hold keys beginning with @prefix (NULL or "": all). */
int ebb_cursor_open(struct ebb_snap *s, const struct ebb_index_store *st, const char *prefix,
		    struct ebb_cursor **ret, struct ebb_err *err);
void ebb_cursor_close(struct ebb_cursor *c);
EBB_CLEANUP_PTR(struct ebb_cursor, ebb_cursor_close);

/*
 * Next block; at the ends of the prefix blocks also hold other keys, which the caller skips.
 * Returns 1, 0 at the end, -EBB_ECORRUPT, -EBB_EINDEX.
 */
int ebb_cursor_next(struct ebb_cursor *c, struct ebb_block *ret, struct ebb_err *err);

#endif
