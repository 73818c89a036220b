/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/merge_old.h"

#include <stdlib.h>
#include <string.h>

int ebb_merge_old_init(struct ebb_merge_old *o, struct ebb_index *ix, const struct ebb_index_store *st)
{
	o->ix = ix;
	o->st = st;
	ebb_buf_init(&o->bytes, 64u << 20);
	o->it = malloc(sizeof(*o->it));
	return o->it ? 0 : -EBB_ENOMEM;
}

void ebb_merge_old_release(struct ebb_merge_old *o)
{
	ebb_buf_release(&o->bytes);
	free(o->it);
}

int ebb_merge_old_peek(struct ebb_merge_old *o, MDB_txn *txn, struct ebb_err *err)
{
	struct ebb_index_list_key lk;
	MDB_val first;
	int rc;

	if (o->peeked)
		return 1;
	if (o->next >= o->st->blocks || o->st->generation == 0)
		return 0;
	lk = ebb_index_list_key(o->st->id, o->st->generation, o->next);
	rc = ebb_index_entry(o->ix, txn, &lk, &o->next_entry, &first, err);
	if (rc == -EBB_ENOENT || (rc == 0 && first.mv_size > EBB_KEY_MAX))
		return ebb_index_result(o->ix, err, MDB_CORRUPTED, "a block is missing");
	if (rc < 0)
		return rc;
	memcpy(o->next_first, first.mv_data, first.mv_size);
	o->next_first_len = first.mv_size;
	o->peeked = true;
	return 1;
}

int ebb_merge_old_advance(struct ebb_merge_old *o, struct ebb_err *err)
{
	int rc = ebb_block_iter_next(o->it, &o->cur, err);

	o->have_cur = rc == 1;
	return rc < 0 ? rc : 0;
}

int ebb_merge_old_load(struct ebb_merge_old *o, MDB_txn *txn, struct ebb_err *err)
{
	MDB_val data;
	int rc = ebb_index_block(o->ix, txn, o->next_entry.block, &data, err);

	if (rc < 0)
		return rc;
	ebb_buf_clear(&o->bytes);
	if (ebb_buf_add(&o->bytes, data.mv_data, data.mv_size) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a block");
	rc = ebb_block_open(&o->block, o->bytes.data, o->bytes.len, err);
	if (rc < 0)
		return rc;
	ebb_block_iter_init(o->it, &o->block);
	o->entry = o->next_entry;
	o->next++;
	o->peeked = false;
	return ebb_merge_old_advance(o, err);
}
