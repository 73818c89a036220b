/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory store: a tree of objects in memory with all the semantics of store.h, for tests. It
 * keeps owner, mode, times and attributes, and has no holes. Its clock is a counter: every change
 * takes the next nanosecond, so that runs repeat and no two changes share a time.
 *
 * Symlinks are not modelled; temporaries of open writers are objects like any other, as on a
 * filesystem.
 *
 * Threads: as store.h says; the functions below may be called from any thread.
 */
#ifndef EBB_SCANNERS_STORE_MEMORY_H
#define EBB_SCANNERS_STORE_MEMORY_H

#include "scanners/store.h"

extern const struct ebb_store_ops ebb_store_memory_ops;

/* The last time given to a change; before the first one this is 1,000,000,000 s after the epoch. */
int64_t ebb_store_memory_clock(struct ebb_store *s);

/* Set the clock, ns since the epoch; the next change happens 1 ns later. */
void ebb_store_memory_set_clock(struct ebb_store *s, int64_t ns);

/*
 * Create or replace an object as another program would: parents are made, content changes in place
 * (same inode).
 *
 * @return  0, -EBB_EINVAL (not the key of an object), -EBB_ENOMEM.
 */
int ebb_store_memory_put(struct ebb_store *s, const char *key, const void *data, size_t len,
			 struct ebb_err *err);

/* Remove an object as another program would. -EBB_ENOENT. */
int ebb_store_memory_drop(struct ebb_store *s, const char *key, struct ebb_err *err);

#endif
