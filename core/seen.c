/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `seen`: key = name of the table, NUL, then big-endian u32 day (sign bit flipped), u32 generation, u32 number; value = sorted u64 (native).
 */
#include "core/seen.h"

#include <stdlib.h>
#include <string.h>

#include "core/index_db.h"

/* Numbers in one value, so that a value stays below half a MiB. */
#define CHUNK 65536

/* Lists dropped in one transaction. */
#define DROP_BATCH 64

struct key {
	uint8_t b[EBB_INDEX_NAME_MAX + 1 + 12];
	size_t len;	/* of all */
	size_t name;	/* of what stands before the day */
};

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static struct key key_of(const char *table, int32_t day, uint32_t generation, uint32_t number)
{
	struct key k = {.name = strlen(table) + 1};

	memcpy(k.b, table, k.name);
	put32(k.b + k.name, (uint32_t)day ^ 0x80000000u);
	put32(k.b + k.name + 4, generation);
	put32(k.b + k.name + 8, number);
	k.len = k.name + 12;
	return k;
}

/* Is @found a list of the same table? */
static bool same_table(const struct key *k, const MDB_val *found)
{
	return found->mv_size == k->len && memcmp(found->mv_data, k->b, k->name) == 0;
}

static bool is_old(const uint8_t *tail, uint32_t day)
{
	return get32(tail) < day;
}

static bool is_uncounted(const uint8_t *tail, uint32_t published)
{
	return get32(tail + 4) > published;
}

/* Drop up to DROP_BATCH lists from @k on that meet @test. Returns 1 when there may be more; @k goes on from there. */
static int drop_some(struct ebb_index *ix, MDB_txn *txn, struct key *k, bool (*test)(const uint8_t *, uint32_t),
		     uint32_t arg, struct ebb_err *err)
{
	MDB_cursor *c;
	MDB_val key = {k->len, k->b}, val;
	int dropped = 0;
	int rc = mdb_cursor_open(txn, ix->seen, &c);

	if (rc != 0)
		return ebb_index_result(ix, err, rc, "cannot drop lines that were seen");
	rc = mdb_cursor_get(c, &key, &val, MDB_SET_RANGE);
	while (rc == 0 && same_table(k, &key) && dropped < DROP_BATCH) {
		const uint8_t *tail = (const uint8_t *)key.mv_data + k->name;

		memcpy(k->b, key.mv_data, k->len);
		if (test(tail, arg)) {
			rc = mdb_cursor_del(c, 0);
			dropped++;
		}
		if (rc == 0)
			rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	}
	mdb_cursor_close(c);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return ebb_index_result(ix, err, rc, "cannot drop lines that were seen");
	return dropped == DROP_BATCH;
}

static int drop(struct ebb_index *ix, const char *table, bool (*test)(const uint8_t *, uint32_t), uint32_t arg,
		struct ebb_err *err)
{
	struct key k = key_of(table, INT32_MIN, 0, 0);
	int more = 1, rc = 0;

	while (more == 1 && rc == 0) {
		MDB_txn *txn;

		rc = ebb_index_begin(ix, 1 << 20, &txn, err);
		if (rc < 0)
			return rc;
		more = drop_some(ix, txn, &k, test, arg, err);
		if (more < 0) {
			mdb_txn_abort(txn);
			return more;
		}
		rc = ebb_index_result(ix, err, mdb_txn_commit(txn), "cannot drop lines that were seen");
	}
	return rc;
}

int ebb_seen_drop_after(struct ebb_index *ix, const char *table, uint32_t published, struct ebb_err *err)
{
	return drop(ix, table, is_uncounted, published, err);
}

int ebb_seen_drop_before(struct ebb_index *ix, const char *table, int32_t day, struct ebb_err *err)
{
	return drop(ix, table, is_old, (uint32_t)day ^ 0x80000000u, err);
}

/* Mark the lines that stand in the sorted list @seen: both are walked, the longer one by leaps. */
static void mark(const struct ebb_seen_lines *l, const uint64_t *seen, size_t n, bool *known)
{
	size_t at = 0;

	for (size_t i = 0; i < l->n && at < n; i++) {
		size_t step = 1;

		while (at + step < n && seen[at + step] < l->id[i]) {
			at += step;
			step *= 2;
		}
		size_t lo = at, hi = at + step < n ? at + step + 1 : n; /* the first not below is in [lo, hi] */
		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;

			if (seen[mid] < l->id[i])
				lo = mid + 1;
			else
				hi = mid;
		}
		at = lo;
		known[i] |= at < n && seen[at] == l->id[i];
	}
}

/* Compare with all lists of the day; *ret_number is that of the next list of @generation. */
static int look(struct ebb_index *ix, MDB_txn *txn, const char *table, uint32_t generation,
		const struct ebb_seen_lines *l, bool *known, uint32_t *ret_number, struct ebb_err *err)
{
	struct key k = key_of(table, l->day, 0, 0);
	MDB_val key = {k.len, k.b}, val;
	MDB_cursor *c;
	int rc = mdb_cursor_open(txn, ix->seen, &c);

	*ret_number = 0;
	if (rc != 0)
		return ebb_index_result(ix, err, rc, "cannot look for lines that were seen");
	rc = mdb_cursor_get(c, &key, &val, MDB_SET_RANGE);
	while (rc == 0 && same_table(&k, &key) && memcmp((uint8_t *)key.mv_data + k.name, k.b + k.name, 4) == 0) {
		const uint8_t *tail = (const uint8_t *)key.mv_data + k.name;
		uint64_t *copy = malloc(val.mv_size + 1); /* values are not aligned */

		if (!copy) {
			mdb_cursor_close(c);
			return ebb_err_set(err, EBB_ENOMEM, "no memory to look for lines that were seen");
		}
		memcpy(copy, val.mv_data, val.mv_size);
		mark(l, copy, val.mv_size / sizeof(uint64_t), known);
		free(copy);
		if (get32(tail + 4) == generation)
			*ret_number = get32(tail + 8) + 1;
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : ebb_index_result(ix, err, rc, "cannot look for lines that were seen");
}

/* Write the lines that are not known. */
static int enter(struct ebb_index *ix, MDB_txn *txn, const char *table, uint32_t generation, uint32_t number,
		 const struct ebb_seen_lines *l, const bool *known, struct ebb_err *err)
{
	size_t left = 0, i = 0;
	int rc = 0;

	for (size_t j = 0; j < l->n; j++)
		left += !known[j];
	while (left > 0 && rc == 0) {
		size_t n = left < CHUNK ? left : CHUNK;
		struct key k = key_of(table, l->day, generation, number++);
		MDB_val key = {k.len, k.b}, val = {n * sizeof(uint64_t), NULL};

		rc = mdb_put(txn, ix->seen, &key, &val, MDB_RESERVE);
		for (size_t done = 0; rc == 0 && done < n; i++)
			if (!known[i])
				memcpy((uint8_t *)val.mv_data + 8 * done++, &l->id[i], 8);
		left -= n;
	}
	return ebb_index_result(ix, err, rc, "cannot write lines that were seen");
}

int ebb_seen_add(struct ebb_index *ix, const char *table, uint32_t generation, const struct ebb_seen_lines *days,
		 size_t n, bool *ret_known, struct ebb_err *err)
{
	size_t all = 0;
	MDB_txn *txn;
	int rc;

	for (size_t i = 0; i < n; i++)
		all += days[i].n;
	memset(ret_known, 0, all);
	/* a list begins a page of its own */
	rc = ebb_index_begin(ix, all * 8 + n * 8192, &txn, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n && rc == 0; i++) {
		uint32_t number;

		rc = look(ix, txn, table, generation, &days[i], ret_known, &number, err);
		if (rc == 0)
			rc = enter(ix, txn, table, generation, number, &days[i], ret_known, err);
		ret_known += days[i].n;
	}
	if (rc < 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return ebb_index_result(ix, err, mdb_txn_commit(txn), "cannot commit to the index");
}
