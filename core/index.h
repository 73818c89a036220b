/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The index: an LMDB environment that holds, for each store, its objects in key order as packed blocks.
 *
 * A cache of the stores: rebuilt by scanning, safe to lose. One writer at a time (merge.h), any number of readers, in
 * one or many processes; never on a network filesystem.
 *
 * Each completed scan of a store is a generation: an ordered list of blocks. Generations share unchanged blocks; a
 * reader sees exactly one generation of each store, whole, for as long as it holds its snapshot. The file format is
 * described in core/DESIGN.md.
 *
 * Reading goes through snapshots (snap.h) and cursors (cursor.h).
 * Threads: struct ebb_index may be shared by threads. Nothing here blocks except on disk.
 */
#ifndef EBB_CORE_INDEX_H
#define EBB_CORE_INDEX_H

#include "core/err.h"
#include "core/mem.h"
#include "core/record.h"

/* Version of the format; an index of a newer one is refused with EBB_EVERSION, an older one is rebuilt by a scan. */
#define EBB_INDEX_FORMAT 1

/* Longest name of a store, in bytes. */
#define EBB_INDEX_NAME_MAX 63

struct ebb_index;

struct ebb_index_opts {
	bool readonly;		/* fail with EBB_ENOENT when there is no index; never write a byte */
	size_t map_size;	/* first size of the map in bytes, 0: default; it grows as needed */
};

/*
 * Open the index in the existing directory @dir (file `index.mdb`), created when missing unless read-only.
 *
 * @return  0; -EBB_ENOENT; -EBB_EVERSION (newer format: upgrade ebb or point --index elsewhere); -EBB_EINDEX
 *          (damaged, or on a network filesystem); -EBB_EACCES; -EBB_ENOSPC.
 */
int ebb_index_open(const char *dir, const struct ebb_index_opts *opts, struct ebb_index **ret,
		   struct ebb_err *err);
void ebb_index_close(struct ebb_index *ix);
EBB_CLEANUP_PTR(struct ebb_index, ebb_index_close);

/* What the index knows of a store as of its last completed scan. Fixed size, stored as is. */
struct ebb_index_store {
	char name[EBB_INDEX_NAME_MAX + 1];
	uint16_t id;
	uint16_t evidence;	/* enum ebb_evidence of the mount in that scan */
	uint32_t generation;	/* 0: never completed */
	uint32_t blocks;	/* of that generation */
	uint32_t building;	/* generation of an unfinished scan, 0: none */
	uint64_t objects;	/* records, of any kind */
	uint64_t bytes;		/* content of files, each inode once */
	int64_t started;	/* scan times, ns since the epoch */
	int64_t finished;
	int64_t evidence_since;	/* evidence of this kind in every scan since; INT64_MIN: in all of them */
	uint64_t root_dev, root_ino;	/* identity of the root, to notice a missing mount */
	char root_fsid[40];
	uint64_t unreadable;	/* directories that could not be read */
};

#endif
