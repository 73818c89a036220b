/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory bucket: an object store in memory with versions, for tests of what uses one. Keys are any bytes, there are no
 * directories and no renames; objects have classes, entity tags (MD5), and metadata that moves CTIME when it is set. Its
 * clock is a counter of whole seconds, as object stores tell time.
 *
 * Unlike a real bucket it lists the newest write at once and has no minimum sizes of parts.
 *
 * Threads: as store.h says; the functions below may be called from any thread.
 */
#ifndef EBB_SCANNERS_STORE_MEMORY_BUCKET_H
#define EBB_SCANNERS_STORE_MEMORY_BUCKET_H

#include "core/clock.h"
#include "scanners/store.h"

extern const struct ebb_store_ops ebb_store_memory_bucket_ops;

/* The last time given to a change; before the first one this is 1,000,000,000 s after the epoch. */
int64_t ebb_store_memory_bucket_clock(struct ebb_store *s);

/* Set the clock, ns since the epoch; the next change happens 1 s later. */
void ebb_store_memory_bucket_set_clock(struct ebb_store *s, int64_t ns);

/*
 * From now on GLACIER and DEEP_ARCHIVE are archives (EBB_CAP_THAW): what lies there sleeps, and is thawed in the longest time that AWS
 * states, by @clock, which must outlive the store.
 */
void ebb_store_memory_bucket_archive(struct ebb_store *s, const struct ebb_clock *clock);

/*
 * Put an object of class INTELLIGENT_TIERING away into one of its archive tiers, as that does by itself. -EBB_ENOENT; -EBB_EINVAL for one of
 * another class, or when nothing sleeps there.
 */
int ebb_store_memory_bucket_tier(struct ebb_store *s, const char *key, enum ebb_store_tier tier, struct ebb_err *err);

/*
 * From now on what is written is encrypted so: what writers commit and others put; copies within the bucket keep what they had. @must: the
 * configuration requires it (EBB_CAP_SEALED), and commits refuse what would not be.
 */
void ebb_store_memory_bucket_seal(struct ebb_store *s, enum ebb_meta_seal seal, const char *key, bool must);

/*
 * Put an object as another program would; what stood under the key becomes a noncurrent version.
 *
 * @class   NULL: "STANDARD".
 * @return  0, -EBB_EINVAL (no key), -EBB_ENOMEM.
 */
int ebb_store_memory_bucket_put(struct ebb_store *s, const char *key, const void *data, size_t len,
				const char *class, struct ebb_err *err);

/* Versions and delete markers under a key. */
size_t ebb_store_memory_bucket_versions(struct ebb_store *s, const char *key);

#endif
