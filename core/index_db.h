/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the index: the LMDB databases, for index.c, merge*.c, order.c and learn.c only.
 *
 *   meta    "format" -> u32; "next-block" -> u64
 *   stores  name -> struct ebb_index_store
 *   scans   u16 store -> struct ebb_merge_state, then the last key: an unfinished scan
 *   lists   u16 store, u32 generation, u32 number (big-endian) -> struct ebb_index_entry, then the block's first key
 *   blocks  u64 (native) -> encoded block (block.h)
 *   orders  see order.c
 *   seen    see seen.c
 *   names   u32 (native) -> name of the storage class with that code (names.h)
 */
#ifndef EBB_CORE_INDEX_DB_H
#define EBB_CORE_INDEX_DB_H

#include <lmdb.h>

#include "core/snap.h"

struct ebb_index {
	MDB_env *env;
	MDB_dbi meta, stores, scans, lists, blocks, orders;
	MDB_dbi names, seen;	/* 0: the index was made without, and is opened to read */
	bool readonly;
	char *path;
};

struct ebb_snap {
	struct ebb_index *ix;
	MDB_txn *txn;
};

/* Head of a value in `lists`. */
struct ebb_index_entry {
	uint64_t block;	/* key in `blocks` */
	uint32_t n;	/* records in it */
	uint32_t zero;
};

/* Key in `lists`. */
struct ebb_index_list_key {
	uint8_t b[10];
};

struct ebb_index_list_key ebb_index_list_key(uint16_t store, uint32_t generation, uint32_t number);

/* Turn an LMDB result into an error; 0 stays 0. @what: "cannot commit to the index". */
int ebb_index_result(const struct ebb_index *ix, struct ebb_err *err, int rc, const char *what);

/*
 * Begin a write transaction with room for @bytes of new data: the map grows first when it must. The calling process
 * has no other transaction open.
 */
int ebb_index_begin(struct ebb_index *ix, size_t bytes, MDB_txn **ret, struct ebb_err *err);

/* Entry @number of a list in @txn; the first key is borrowed until the next write. -EBB_ENOENT past the end. */
int ebb_index_entry(struct ebb_index *ix, MDB_txn *txn, const struct ebb_index_list_key *key,
		    struct ebb_index_entry *ret, MDB_val *ret_first, struct ebb_err *err);

/* Bytes of a block in @txn, borrowed until the next write. */
int ebb_index_block(struct ebb_index *ix, MDB_txn *txn, uint64_t id, MDB_val *ret, struct ebb_err *err);

/* Number for a new block: one more than the greatest in use, since numbers are never used again while the block lives. */
int ebb_index_next_block(struct ebb_index *ix, MDB_txn *txn, uint64_t *ret, struct ebb_err *err);

/* Number of the last of @count entries whose first key is <= @key, or 0. */
int ebb_index_seek(struct ebb_index *ix, MDB_txn *txn, uint16_t store, uint32_t generation,
		   uint32_t count, const char *key, size_t len, uint32_t *ret, struct ebb_err *err);

#endif
