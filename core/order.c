/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `orders`: key u16 store, u8 field, u32 generation, u32 number (big-endian) -> chunk:
 *   u32 n, u32 width (bytes a value), i64 least value, n values of `width` bytes less the least, n places of 8 bytes.
 * A place is the number of the block in its list << 16 | number of the record in the block. Number 2^32-1 holds the
 * count of chunks and is written last: an order without it is unfinished.
 */
#include "core/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/index_db.h"
#include "core/place.h"
#include "core/sort.h"

#define CHUNK 4096		/* postings */
#define HEAD 16
#define END UINT32_MAX

struct posting {
	int64_t value;
	uint64_t place;
};

struct key {
	uint8_t b[11];
};

static struct key key_of(uint16_t store, int field, uint32_t generation, uint32_t number)
{
	struct key k = {{(uint8_t)(store >> 8), (uint8_t)store, (uint8_t)field}};

	for (int i = 0; i < 4; i++) {
		k.b[3 + i] = (uint8_t)(generation >> (24 - 8 * i));
		k.b[7 + i] = (uint8_t)(number >> (24 - 8 * i));
	}
	return k;
}

static int get(struct ebb_index *ix, MDB_txn *txn, struct key k, MDB_val *ret)
{
	MDB_val key = {sizeof(k.b), k.b};

	return mdb_get(txn, ix->orders, &key, ret);
}

static int by_value(const void *pa, const void *pb)
{
	const struct posting *a = pa, *b = pb;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* --- writing -------------------------------------------------------------------------------------------- */

static int put(struct ebb_index *ix, MDB_txn *txn, struct key k, const void *p, size_t len)
{
	MDB_val key = {sizeof(k.b), k.b}, val = {len, (void *)(uintptr_t)p};

	return mdb_put(txn, ix->orders, &key, &val, 0);
}

static size_t encode(const struct posting *p, uint32_t n, char *out)
{
	int64_t least = p[0].value;
	uint64_t spread = (uint64_t)p[n - 1].value - (uint64_t)least;
	uint32_t width = 0;
	char *at = out + HEAD;

	while (width < 8 && spread >> (8 * width))
		width++;
	memcpy(out, &n, 4);
	memcpy(out + 4, &width, 4);
	memcpy(out + 8, &least, 8);
	for (uint32_t i = 0; i < n; i++, at += width) {
		uint64_t d = (uint64_t)p[i].value - (uint64_t)least;
		memcpy(at, &d, width);
	}
	for (uint32_t i = 0; i < n; i++, at += 8)
		memcpy(at, &p[i].place, 8);
	return (size_t)(at - out);
}

/* Delete up to 256 chunks of other generations, or an unfinished own one. Returns 1 when there may be more. */
static int drop_old(struct ebb_index *ix, MDB_txn *txn, uint16_t store, int field)
{
	struct key from = key_of(store, field, 0, 0);
	MDB_val key = {sizeof(from.b), from.b}, val;
	MDB_cursor *c;
	int left = 256, rc = mdb_cursor_open(txn, ix->orders, &c);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(c, &key, &val, MDB_SET_RANGE);
	while (rc == 0 && left > 0 && memcmp(key.mv_data, from.b, 3) == 0) {
		rc = mdb_cursor_del(c, 0);
		left--;
		if (rc == 0)
			rc = mdb_cursor_get(c, &key, &val, MDB_GET_CURRENT);
		if (rc == EINVAL) /* the last one is gone */
			rc = MDB_NOTFOUND;
	}
	mdb_cursor_close(c);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	return left == 0;
}

static int clear_old(struct ebb_index *ix, const struct ebb_index_store *st, int field,
		     struct ebb_err *err)
{
	int more = 1;

	while (more == 1) {
		MDB_txn *txn;
		int rc = ebb_index_begin(ix, 1 << 20, &txn, err);
		if (rc < 0)
			return rc;
		more = drop_old(ix, txn, st->id, field);
		if (more != 0 && more != 1) {
			mdb_txn_abort(txn);
			return ebb_index_result(ix, err, more, "cannot drop an old order");
		}
		rc = ebb_index_result(ix, err, mdb_txn_commit(txn), "cannot drop an old order");
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Append the sorted postings in transactions of 64 chunks. */
static int append(struct ebb_index *ix, const struct ebb_index_store *st, int field,
		  struct ebb_sort *s, struct ebb_err *err)
{
	static const size_t most = HEAD + CHUNK * 16;
	EBB_CLEANUP(ebb_mem_freep) struct posting *chunk = malloc(CHUNK * sizeof(*chunk));
	EBB_CLEANUP(ebb_mem_freep) char *bytes = malloc(most);
	uint32_t number = 0, n = 0;
	MDB_txn *txn = NULL;
	int rc = 1;

	if (!chunk || !bytes)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to build an order");
	while (rc == 1) {
		int db = 0;
		for (n = 0; n < CHUNK && (rc = ebb_sort_take(s, &chunk[n], err)) == 1;)
			n++;
		if (rc >= 0 && !txn) {
			int began = ebb_index_begin(ix, 64 * most, &txn, err);
			rc = began < 0 ? began : rc;
		}
		if (rc < 0)
			break;
		if (n)
			db = put(ix, txn, key_of(st->id, field, st->generation, number++), bytes,
				 encode(chunk, n, bytes));
		if (db == 0 && rc == 0)
			db = put(ix, txn, key_of(st->id, field, st->generation, END), &number, 4);
		if (db == 0 && (rc == 0 || number % 64 == 0)) {
			db = mdb_txn_commit(txn);
			txn = NULL;
		}
		if (db != 0)
			rc = ebb_index_result(ix, err, db, "cannot write an order");
	}
	if (txn)
		mdb_txn_abort(txn);
	return rc;
}

static int collect(struct ebb_snap *snap, const struct ebb_index_store *st, enum ebb_field field,
		   struct ebb_sort *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	EBB_CLEANUP(ebb_mem_freep) int64_t *v = malloc(3 * EBB_BLOCK_MAX * sizeof(*v));
	int64_t *kind = v + EBB_BLOCK_MAX, *flags = v + 2 * EBB_BLOCK_MAX;
	struct ebb_block b;
	uint64_t block = 0;
	int rc = v ? ebb_cursor_open(snap, st, NULL, &c, err)
		   : ebb_err_set(err, EBB_ENOMEM, "no memory to build an order");

	for (; rc >= 0 && (rc = ebb_cursor_next(c, &b, err)) == 1; block++) {
		ebb_block_values(&b, field, v);
		ebb_block_values(&b, EBB_F_KIND, kind);
		ebb_block_values(&b, EBB_F_FLAGS, flags);
		for (uint32_t i = 0; i < b.n && rc >= 0; i++)
			if (kind[i] == EBB_KIND_FILE && !(flags[i] & EBB_FLAG_LINKED_TWIN))
				rc = ebb_sort_add(s, &(struct posting){v[i], block << 16 | i}, err);
	}
	return rc;
}

/* True when the order of this generation is complete. */
static bool is_built(struct ebb_snap *s, const struct ebb_index_store *st, int field, uint32_t *ret)
{
	MDB_val val;

	if (get(s->ix, s->txn, key_of(st->id, field, st->generation, END), &val) != 0 ||
	    val.mv_size != 4)
		return false;
	memcpy(ret, val.mv_data, 4);
	return true;
}

int ebb_order_build(struct ebb_index *ix, const char *store, enum ebb_field field, const char *dir,
		    uint32_t run, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_sort_release) struct ebb_sort s = {0};
	struct ebb_index_store st;
	struct ebb_snap *snap;
	uint32_t chunks;
	bool built = false;
	int rc = ebb_snap_open(ix, &snap, err);

	if (rc < 0)
		return rc;
	rc = ebb_snap_store(snap, store, &st, err);
	if (rc == 0)
		built = is_built(snap, &st, field, &chunks);
	if (rc == 0 && !built)
		rc = ebb_sort_init(&s, dir, sizeof(struct posting), run ? run : EBB_ORDER_RUN, by_value,
				   err);
	if (rc == 0 && !built)
		rc = collect(snap, &st, field, &s, err);
	ebb_snap_close(snap); /* before writing: the map may grow */
	if (rc < 0 || built)
		return rc;
	rc = ebb_sort_finish(&s, err);
	if (rc == 0)
		rc = clear_old(ix, &st, field, err);
	return rc == 0 ? append(ix, &st, field, &s, err) : rc;
}

/* --- reading -------------------------------------------------------------------------------------------- */

struct ebb_order {
	struct ebb_snap *snap;
	struct ebb_index_store st;
	int field;
	bool descending;
	uint32_t chunks, chunk;		/* chunk: number of the one that is read next */
	const char *places;		/* of the chunk at hand, in the map */
	uint32_t left, n;		/* postings of it not given yet, and all */
	struct ebb_place *records;
};

int ebb_order_open(struct ebb_snap *s, const struct ebb_index_store *st, enum ebb_field field,
		   bool descending, struct ebb_order **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_order_closep) struct ebb_order *o = calloc(1, sizeof(*o));

	if (!o)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read an order");
	int rc = ebb_place_open(s, &o->records, err);
	if (rc < 0)
		return rc;
	o->snap = s;
	o->st = *st;
	o->field = (int)field;
	o->descending = descending;
	if (!is_built(s, st, (int)field, &o->chunks))
		return ebb_err_set(err, EBB_ENOENT, "store '%s' has no order by %s", st->name,
				   ebb_record_field_name(field));
	*ret = o;
	o = NULL;
	return 0;
}

void ebb_order_close(struct ebb_order *o)
{
	if (!o)
		return;
	ebb_place_close(o->records);
	free(o);
}

/* Turn to the next chunk. Returns 1, or 0 at the end. */
static int next_chunk(struct ebb_order *o, struct ebb_err *err)
{
	uint32_t number = o->descending ? o->chunks - 1 - o->chunk : o->chunk, width = 0;
	MDB_val val;
	int rc;

	if (o->chunk == o->chunks)
		return 0;
	o->chunk++;
	rc = get(o->snap->ix, o->snap->txn, key_of(o->st.id, o->field, o->st.generation, number), &val);
	if (rc == 0 && val.mv_size >= HEAD) {
		memcpy(&o->n, val.mv_data, 4);
		memcpy(&width, (char *)val.mv_data + 4, 4);
	}
	if (rc != 0 || val.mv_size < HEAD || width > 8 || o->n > CHUNK ||
	    val.mv_size != HEAD + (size_t)o->n * (width + 8))
		return ebb_index_result(o->snap->ix, err, MDB_CORRUPTED, "cannot read an order");
	o->places = (char *)val.mv_data + HEAD + (size_t)o->n * width;
	o->left = o->n;
	return 1;
}

int ebb_order_next(struct ebb_order *o, struct ebb_record *ret, struct ebb_err *err)
{
	uint64_t place;

	if (o->left == 0) {
		int rc = next_chunk(o, err);
		if (rc <= 0)
			return rc;
	}
	memcpy(&place, o->places + 8 * (size_t)(o->descending ? o->left - 1 : o->n - o->left), 8);
	o->left--;
	int rc = ebb_place_record(o->records, &o->st, place, ret, err);
	return rc < 0 ? rc : 1;
}
