/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inode: what statx(2) says about a file, as a record. walk_dir.c keeps the same values in a shorter
 * form; t_store_fs.c checks that both agree, so that what a scan saw and what a precondition sees
 * later differ only when the file does.
 *
 * Threads: any.
 */
#ifndef EBB_SCANNERS_INODE_H
#define EBB_SCANNERS_INODE_H

#include <stdint.h>
#include <sys/stat.h>

#include "core/record.h"

/* What to ask statx for. */
#define EBB_INODE_MASK STATX_BASIC_STATS

/*
 * Fill @ret from @st: KIND, SIZE, ALLOC, MTIME, ATIME, CTIME, MODE, UID, GID, NLINK, INO and DEV,
 * each only where the filesystem reported it (st->stx_mask). Everything else in @ret is unknown;
 * the key is left to the caller.
 */
void ebb_inode_record(const struct statx *st, struct ebb_record *ret);

/*
 * Nanoseconds since the epoch; times beyond the years 1677 and 2262 become the nearest that fits.
 */
int64_t ebb_inode_ns(const struct statx_timestamp *t);

#endif
