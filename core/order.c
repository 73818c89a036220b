/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `orders`: key u16 store, u8 field, u32 generation, u32 number (big-endian) -> chunk:
 *   u32 n, u32 width (bytes a value), i64 least value, n values of `width` bytes less the least, n places of 8 bytes.
 * A place is the number of the block in its list << 16 | number of the record in the block. Number 2^32-1 holds the
 * count of chunks and is written last: an order without it is unfinished.
 */
#include "core/order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cursor.h"
#include "core/index_db.h"

#define CHUNK 4096		/* postings */
#define HEAD 16
#define END UINT32_MAX
#define READ 2048		/* postings of a run read at a time */

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

/* --- sorting -------------------------------------------------------------------------------------------- */

static int by_value(const void *pa, const void *pb)
{
	const struct posting *a = pa, *b = pb;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* A sorted run in the temporary file, and the part of it that is in memory. */
struct run {
	off_t at, end;		/* what is still in the file */
	struct posting *buf;
	uint32_t n, next;	/* in buf */
};

struct sorter {
	int fd;			/* -1 until memory is full for the first time */
	const char *dir;
	struct posting *mem;
	uint32_t n, size;
	off_t written;
	struct run *runs;	/* a heap by their next posting while merging */
	size_t nruns;
};

static void sorter_release(struct sorter *s)
{
	ebb_mem_closep(&s->fd);
	for (size_t i = 0; i < s->nruns; i++)
		free(s->runs[i].buf);
	free(s->runs);
	free(s->mem);
}

static int write_all(int fd, const void *p, size_t len)
{
	for (const char *at = p; len;) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int spill(struct sorter *s, struct ebb_err *err)
{
	struct run *r;

	if (s->n == 0)
		return 0;
	if (s->fd < 0)
		s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return ebb_err_sys(err, errno, "cannot make a temporary file in '%s'", s->dir);
	r = realloc(s->runs, (s->nruns + 1) * sizeof(*r));
	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
	s->runs = r;
	qsort(s->mem, s->n, sizeof(*s->mem), by_value);
	if (write_all(s->fd, s->mem, s->n * sizeof(*s->mem)) < 0)
		return ebb_err_sys(err, errno, "cannot write a temporary file in '%s'", s->dir);
	r = &s->runs[s->nruns++];
	*r = (struct run){.at = s->written, .end = s->written + (off_t)(s->n * sizeof(*s->mem))};
	s->written = r->end;
	s->n = 0;
	return 0;
}

static int add(struct sorter *s, struct posting p, struct ebb_err *err)
{
	s->mem[s->n++] = p;
	return s->n == s->size ? spill(s, err) : 0;
}

/* Have the next posting of the run in memory. Returns 1, or 0 at its end. */
static int refill(struct sorter *s, struct run *r, struct ebb_err *err)
{
	size_t want = READ * sizeof(struct posting);
	ssize_t got;

	if (r->next < r->n)
		return 1;
	if ((off_t)want > r->end - r->at)
		want = (size_t)(r->end - r->at);
	if (want == 0)
		return 0;
	if (!r->buf && !(r->buf = malloc(READ * sizeof(struct posting))))
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
	got = pread(s->fd, r->buf, want, r->at);
	if (got != (ssize_t)want)
		return ebb_err_sys(err, got < 0 ? errno : EIO, "cannot read a temporary file in '%s'",
				   s->dir);
	r->at += got;
	r->n = (uint32_t)(want / sizeof(struct posting));
	r->next = 0;
	return 1;
}

static void sift(struct run *v, size_t n, size_t i)
{
	for (;;) {
		size_t least = i;
		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < n; c++)
			if (by_value(&v[c].buf[v[c].next], &v[least].buf[v[least].next]) < 0)
				least = c;
		if (least == i)
			return;
		struct run t = v[i];
		v[i] = v[least];
		v[least] = t;
		i = least;
	}
}

/* All postings are added: make them ready to be taken in order. */
static int sorted(struct sorter *s, struct ebb_err *err)
{
	int rc = 0;

	if (s->fd < 0) { /* everything fits: sort in memory, as the only run */
		qsort(s->mem, s->n, sizeof(*s->mem), by_value);
		s->runs = calloc(1, sizeof(*s->runs));
		if (!s->runs)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
		s->runs[0] = (struct run){.buf = s->mem, .n = s->n};
		s->mem = NULL;
		s->nruns = 1;
		return 0;
	}
	rc = spill(s, err);
	free(s->mem);
	s->mem = NULL;
	for (size_t i = 0; i < s->nruns && rc >= 0; i++)
		rc = refill(s, &s->runs[i], err);
	for (size_t i = s->nruns / 2; rc >= 0 && i-- > 0;)
		sift(s->runs, s->nruns, i);
	return rc < 0 ? rc : 0;
}

/* Returns 1 with the next posting, 0 at the end. */
static int take(struct sorter *s, struct posting *ret, struct ebb_err *err)
{
	struct run *r = s->runs;
	int rc;

	if (s->nruns == 0 || r->next == r->n)
		return 0;
	*ret = r->buf[r->next++];
	rc = s->fd < 0 ? 1 : refill(s, r, err);
	if (rc < 0)
		return rc;
	if (rc == 0) { /* this run is used up */
		free(r->buf);
		*r = s->runs[--s->nruns];
	}
	if (s->nruns > 1)
		sift(s->runs, s->nruns, 0);
	return 1;
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
		  struct sorter *s, struct ebb_err *err)
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
		for (n = 0; n < CHUNK && (rc = take(s, &chunk[n], err)) == 1;)
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
		   struct sorter *s, struct ebb_err *err)
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
				rc = add(s, (struct posting){v[i], block << 16 | i}, err);
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
	EBB_CLEANUP(sorter_release) struct sorter s = {.fd = -1, .dir = dir, .size = run ? run : EBB_ORDER_RUN};
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
	if (rc == 0 && !built) {
		s.mem = malloc(s.size * sizeof(*s.mem));
		rc = s.mem ? collect(snap, &st, field, &s, err)
			   : ebb_err_set(err, EBB_ENOMEM, "no memory to build an order");
	}
	ebb_snap_close(snap); /* before writing: the map may grow */
	if (rc < 0 || built)
		return rc;
	rc = sorted(&s, err);
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
	struct ebb_block_iter *it;
};

int ebb_order_open(struct ebb_snap *s, const struct ebb_index_store *st, enum ebb_field field,
		   bool descending, struct ebb_order **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_order_closep) struct ebb_order *o = calloc(1, sizeof(*o));

	if (!o || !(o->it = malloc(sizeof(*o->it))))
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read an order");
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
	free(o->it);
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

/* The record at a place: its block's keys up to it, and all its columns. */
static int fetch(struct ebb_order *o, uint64_t place, struct ebb_record *ret, struct ebb_err *err)
{
	struct ebb_index_list_key lk =
		ebb_index_list_key(o->st.id, o->st.generation, (uint32_t)(place >> 16));
	uint32_t at = place & 0xffff;
	struct ebb_index_entry e;
	struct ebb_block b;
	MDB_val first, data;
	int rc = ebb_index_entry(o->snap->ix, o->snap->txn, &lk, &e, &first, err);

	if (rc == 0)
		rc = ebb_index_block(o->snap->ix, o->snap->txn, e.block, &data, err);
	if (rc == 0)
		rc = ebb_block_open(&b, data.mv_data, data.mv_size, err);
	if (rc == 0 && at >= b.n)
		rc = ebb_index_result(o->snap->ix, err, MDB_CORRUPTED, "cannot read an order");
	if (rc < 0)
		return rc;
	ebb_block_iter_init(o->it, &b);
	for (uint32_t i = 0; i <= at && rc >= 0; i++)
		rc = ebb_block_iter_next(o->it, ret, err);
	return rc;
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
	return fetch(o, place, ret, err);
}
