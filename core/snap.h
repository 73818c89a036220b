/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots: the index as it was at one moment, for as long as the snapshot is open.
 *
 * A snapshot sees one generation of each store, whole, whatever a scan in this or another process does meanwhile. It
 * keeps replaced blocks from being reused, so it should not be held longer than a question takes.
 * Threads: a snapshot belongs to one thread.
 */
#ifndef EBB_CORE_SNAP_H
#define EBB_CORE_SNAP_H

#include "core/index.h"

struct ebb_snap;

/* Take a snapshot. -EBB_EINDEX when the reader table is full (stale readers are cleared first). */
int ebb_snap_open(struct ebb_index *ix, struct ebb_snap **ret, struct ebb_err *err);
void ebb_snap_close(struct ebb_snap *s);
EBB_CLEANUP_PTR(struct ebb_snap, ebb_snap_close);

/* Store by name. Returns 0 or -EBB_ENOENT (message names the nearest). */
int ebb_snap_store(struct ebb_snap *s, const char *name, struct ebb_index_store *ret,
		   struct ebb_err *err);

/* All stores, by name, to @fn, but not their side tables (access.h); a negative return stops and is passed on. */
typedef int ebb_snap_store_fn(void *ctx, const struct ebb_index_store *st, struct ebb_err *err);
int ebb_snap_stores(struct ebb_snap *s, ebb_snap_store_fn *fn, void *ctx, struct ebb_err *err);

/*
 * Find one record. @ret->key is @key.
 *
 * @return  0; -EBB_ENOENT; -EBB_ECORRUPT.
 */
int ebb_snap_get(struct ebb_snap *s, const struct ebb_index_store *st, const char *key,
		 struct ebb_record *ret, struct ebb_err *err);

#endif
