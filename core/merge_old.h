/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The generation before, read record by record beside the arriving ones. For merge.c.
 *
 * Blocks are copied out of the map before they are decoded: what a write transaction hands out is valid only until its next write.
 */
#ifndef EBB_CORE_MERGE_OLD_H
#define EBB_CORE_MERGE_OLD_H

#include "core/block.h"
#include "core/index_db.h"

struct ebb_merge_old {
	struct ebb_index *ix;
	const struct ebb_index_store *st;
	uint32_t next;			/* number of the next entry of its list */
	bool peeked;			/* next_entry and next_first are those of `next` */
	struct ebb_index_entry next_entry;
	char next_first[EBB_KEY_MAX + 1];
	size_t next_first_len;
	struct ebb_buf bytes;		/* the block at hand */
	struct ebb_block block;
	struct ebb_index_entry entry;
	struct ebb_block_iter *it;	/* over block */
	struct ebb_record cur;		/* the record stood on */
	bool have_cur;
};

/* @ix, @st: borrowed. Returns 0 or -EBB_ENOMEM. */
int ebb_merge_old_init(struct ebb_merge_old *o, struct ebb_index *ix, const struct ebb_index_store *st);
void ebb_merge_old_release(struct ebb_merge_old *o);

/* Look at the next entry without loading its block. Returns 1, 0 at the end, negative. */
int ebb_merge_old_peek(struct ebb_merge_old *o, MDB_txn *txn, struct ebb_err *err);

/* Load the peeked block and stand on its first record. */
int ebb_merge_old_load(struct ebb_merge_old *o, MDB_txn *txn, struct ebb_err *err);

/* Stand on the next record of the block, or on none (have_cur) at its end. */
int ebb_merge_old_advance(struct ebb_merge_old *o, struct ebb_err *err);

#endif
