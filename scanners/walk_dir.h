/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading one directory: names by getdents64, attributes by statx relative to it, sorted as keys sort. For walk.c only.
 *
 * Threads: one reader per thread; a finished directory may be handed to another thread.
 */
#ifndef EBB_SCANNERS_WALK_DIR_H
#define EBB_SCANNERS_WALK_DIR_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/record.h"
#include "scanners/mounts.h"

/* One entry. Fields that statx could not give are unknown, as in a record. */
struct ebb_walk_dir_entry {
	uint64_t order;		/* first eight bytes of the name, big-endian: most comparisons end here */
	const char *name;	/* in the directory's own memory; NUL-terminated; directories end in '/' */
	uint32_t len;
	uint32_t known;
	uint8_t kind, flags;	/* enum ebb_record_kind, ebb_record_flags */
	uint32_t mode, uid, gid, nlink;
	int64_t size, alloc, mtime, atime, ctime;
	uint64_t ino, dev;
	uint64_t mount;		/* mount it lies on (STATX_MNT_ID), 0: unknown */
};

struct ebb_walk_dir {
	struct ebb_walk_dir_entry *entries;	/* sorted; one allocation with the names */
	size_t n;
	size_t bytes;				/* of that allocation */
};

struct ebb_walk_dir_reader;

/* @root: descriptor of the root directory, borrowed. */
struct ebb_walk_dir_reader *ebb_walk_dir_reader_new(int root);
void ebb_walk_dir_reader_free(struct ebb_walk_dir_reader *r);

/*
 * Read the directory @key ("" for the root, else it ends in '/'), opened beneath the root without following symlinks
 * or changing its access time where that is allowed. Entries that vanish meanwhile are left out, as are ebb's own
 * trash and temporaries. *ret is freed with ebb_walk_dir_release.
 *
 * @return  0; -EBB_EACCES, -EBB_ENOENT, -EBB_EIO ...: it cannot be read; -EBB_ENOMEM.
 */
int ebb_walk_dir_read(struct ebb_walk_dir_reader *r, const char *key, struct ebb_walk_dir *ret,
		      struct ebb_err *err);
void ebb_walk_dir_release(struct ebb_walk_dir *d);

#endif
