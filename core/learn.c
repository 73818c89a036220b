/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/learn.h"

#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/index_db.h"
#include "core/merge_free.h"

/* Blocks rewritten in one transaction. */
#define BATCH 256

struct learning {
	struct ebb_index *ix;
	const struct ebb_index_store *st;
	MDB_txn *txn;
	struct ebb_block_builder *builder;
	struct ebb_block_iter *it;
	struct ebb_buf bytes;
	uint64_t next_block;
};

static int by_place(const void *pa, const void *pb)
{
	const struct ebb_learn_item *a = pa, *b = pb;

	return a->place < b->place ? -1 : a->place > b->place;
}

static void release(struct learning *l)
{
	if (l->txn)
		mdb_txn_abort(l->txn);
	ebb_block_builder_free(l->builder);
	ebb_buf_release(&l->bytes);
	free(l->it);
}

/* The block again, with the digests of @items that lie in it. */
static int rebuild(struct learning *l, const struct ebb_block *b, const struct ebb_learn_item *items,
		   size_t n, struct ebb_err *err)
{
	struct ebb_record rec;
	size_t next = 0;
	int rc;

	ebb_block_builder_clear(l->builder);
	ebb_block_iter_init(l->it, b);
	for (uint32_t i = 0; (rc = ebb_block_iter_next(l->it, &rec, err)) == 1; i++) {
		if (next < n && (items[next].place & 0xffff) == i) {
			rec.known = (rec.known & ~EBB_KNOWN_DIGESTS) | items[next].known;
			memcpy(rec.digest, items[next++].digest, EBB_DIGEST_LEN);
		}
		rc = ebb_block_builder_add(l->builder, &rec, err);
		if (rc < 0)
			return rc;
	}
	if (rc == 0 && next < n)
		return ebb_err_set(err, EBB_EINVAL, "a digest is of no record");
	return rc < 0 ? rc : ebb_block_builder_encode(l->builder, &l->bytes, err);
}

/* Name the new block in the list instead of the old one, which goes. */
static int replace(struct learning *l, struct ebb_index_list_key lk, const struct ebb_index_entry *old,
		   const MDB_val *first)
{
	uint64_t gone = old->block, id = l->next_block++;
	MDB_val key = {sizeof(id), &id}, val = {l->bytes.len, l->bytes.data};
	MDB_val dead = {sizeof(gone), &gone}, list = {sizeof(lk.b), lk.b};
	struct ebb_index_entry e = {.block = id, .n = old->n};
	char entry[sizeof(e) + EBB_KEY_MAX];
	int rc;

	if (first->mv_size > EBB_KEY_MAX)
		return MDB_CORRUPTED;
	memcpy(entry, &e, sizeof(e));
	memcpy(entry + sizeof(e), first->mv_data, first->mv_size);
	MDB_val value = {sizeof(e) + first->mv_size, entry};
	rc = mdb_put(l->txn, l->ix->blocks, &key, &val, MDB_APPEND);
	if (rc == 0)
		rc = mdb_del(l->txn, l->ix->blocks, &dead, NULL);
	return rc == 0 ? mdb_put(l->txn, l->ix->lists, &list, &value, 0) : rc;
}

/* All @items lie in one block. */
static int one_block(struct learning *l, const struct ebb_learn_item *items, size_t n,
		     struct ebb_err *err)
{
	struct ebb_index_list_key lk =
		ebb_index_list_key(l->st->id, l->st->generation, (uint32_t)(items[0].place >> 16));
	struct ebb_index_entry e;
	struct ebb_block b;
	MDB_val first, data;
	int rc = ebb_index_entry(l->ix, l->txn, &lk, &e, &first, err);

	if (rc == -EBB_ENOENT)
		return ebb_err_set(err, EBB_EINVAL, "a digest is of no block");
	if (rc == 0)
		rc = ebb_index_block(l->ix, l->txn, e.block, &data, err);
	if (rc == 0)
		rc = ebb_block_open(&b, data.mv_data, data.mv_size, err);
	if (rc == 0)
		rc = rebuild(l, &b, items, n, err);
	if (rc < 0)
		return rc;
	return ebb_index_result(l->ix, err, replace(l, lk, &e, &first), "cannot write digests");
}

/* Items of the block that the first of @n lies in. */
static size_t of_block(const struct ebb_learn_item *items, size_t n)
{
	size_t i = 1;

	while (i < n && items[i].place >> 16 == items[0].place >> 16)
		i++;
	return i;
}

/* One transaction. Returns how many of the @n items it took, or an error. */
static int64_t one_batch(struct learning *l, const struct ebb_learn_item *items, size_t n,
			 struct ebb_err *err)
{
	size_t at = 0;
	int rc = ebb_index_begin(l->ix, (size_t)BATCH * 128 * 1024, &l->txn, err);

	if (rc == 0)
		rc = ebb_index_next_block(l->ix, l->txn, &l->next_block, err);
	for (size_t blocks = 0; rc == 0 && at < n && blocks < BATCH; blocks++) {
		size_t k = of_block(items + at, n - at);

		rc = one_block(l, items + at, k, err);
		at += k;
	}
	if (rc < 0)
		return rc;
	rc = mdb_txn_commit(l->txn);
	l->txn = NULL;
	rc = ebb_index_result(l->ix, err, rc, "cannot commit to the index");
	return rc < 0 ? rc : (int64_t)at;
}

/* The places must still mean what they meant. */
static int check_store(struct ebb_index *ix, const char *store, uint32_t generation,
		       struct ebb_index_store *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	int rc = ebb_snap_open(ix, &snap, err);

	if (rc == 0)
		rc = ebb_snap_store(snap, store, ret, err);
	if (rc == 0 && (ret->generation != generation || ret->building))
		return ebb_err_set(err, EBB_ESTALE, "store '%s' was scanned meanwhile", store);
	return rc;
}

int ebb_learn_digests(struct ebb_index *ix, const char *store, uint32_t generation,
		      struct ebb_learn_item *items, size_t n, struct ebb_err *err)
{
	struct ebb_index_store st;
	EBB_CLEANUP(release) struct learning l = {.ix = ix, .st = &st};
	int rc = check_store(ix, store, generation, &st, err);

	if (rc < 0 || n == 0)
		return rc;
	l.builder = ebb_block_builder_new();
	l.it = malloc(sizeof(*l.it));
	ebb_buf_init(&l.bytes, 64u << 20);
	if (!l.builder || !l.it)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to keep digests");
	qsort(items, n, sizeof(*items), by_place);
	for (size_t at = 0; at < n;) {
		int64_t took = one_batch(&l, items + at, n - at, err);

		if (took < 0)
			return (int)took;
		at += (size_t)took;
	}
	return 0;
}
