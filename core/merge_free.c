/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/merge_free.h"

#include <string.h>

struct work {
	struct ebb_index *ix;
	const struct ebb_index_store *st;
	uint32_t building;
	MDB_txn *txn;
};

/* True when the current generation names the block of entry @e, whose first key is @first. */
static int in_use(struct work *m, const struct ebb_index_entry *e, const MDB_val *first,
		  struct ebb_err *err)
{
	struct ebb_index_list_key lk;
	struct ebb_index_entry live;
	MDB_val live_first;
	uint32_t at = 0;
	int rc;

	if (m->st->generation == 0 || m->st->blocks == 0)
		return 0;
	/* A shared block begins with the same key in both lists. */
	rc = ebb_index_seek(m->ix, m->txn, m->st->id, m->st->generation, m->st->blocks, first->mv_data,
			    first->mv_size, &at, err);
	if (rc < 0)
		return rc;
	lk = ebb_index_list_key(m->st->id, m->st->generation, at);
	rc = ebb_index_entry(m->ix, m->txn, &lk, &live, &live_first, err);
	return rc < 0 ? rc : live.block == e->block;
}

/* Delete an entry of a dead list, and its block when nobody else has it. */
static int free_entry(struct work *m, MDB_cursor *c, const MDB_val *val, struct ebb_err *err)
{
	MDB_val first = {val->mv_size - sizeof(struct ebb_index_entry),
			 (char *)val->mv_data + sizeof(struct ebb_index_entry)};
	struct ebb_index_entry e;
	MDB_val key = {sizeof(e.block), &e.block};
	int used, rc;

	memcpy(&e, val->mv_data, sizeof(e));
	used = in_use(m, &e, &first, err);
	if (used < 0)
		return used;
	rc = mdb_cursor_del(c, 0);
	if (rc == 0 && !used)
		rc = mdb_del(m->txn, m->ix->blocks, &key, NULL);
	return ebb_index_result(m->ix, err, rc, "cannot free old blocks");
}

/* Free up to 1,024 entries of lists that are neither current nor being built. Returns 1 when there may be more. */
static int free_some(struct work *m, struct ebb_err *err)
{
	struct ebb_index_list_key lk = ebb_index_list_key(m->st->id, 0, 0);
	MDB_val key = {sizeof(lk.b), lk.b}, val;
	MDB_cursor *c;
	int left = 1024, rc = 0; /* rc: ours; db: LMDB's, negative too */
	int db = mdb_cursor_open(m->txn, m->ix->lists, &c);

	if (db != 0)
		return ebb_index_result(m->ix, err, db, "cannot free old blocks");
	while (left > 0 && rc == 0 && (db = mdb_cursor_get(c, &key, &val, MDB_SET_RANGE)) == 0 &&
	       memcmp(key.mv_data, lk.b, 2) == 0) {
		const uint8_t *g = (const uint8_t *)key.mv_data + 2;
		uint32_t generation = (uint32_t)g[0] << 24 | (uint32_t)g[1] << 16 |
				      (uint32_t)g[2] << 8 | g[3];
		memcpy(lk.b, key.mv_data, sizeof(lk.b));
		if (generation == m->st->generation || generation == m->building) {
			lk = ebb_index_list_key(m->st->id, generation + 1, 0);
		} else {
			rc = free_entry(m, c, &val, err);
			left--;
		}
		key = (MDB_val){sizeof(lk.b), lk.b};
	}
	mdb_cursor_close(c);
	if (rc < 0)
		return rc;
	if (db != 0 && db != MDB_NOTFOUND)
		return ebb_index_result(m->ix, err, db, "cannot free old blocks");
	return left == 0;
}

int ebb_merge_free_dead(struct ebb_index *ix, const struct ebb_index_store *st, uint32_t building,
			struct ebb_err *err)
{
	struct work w = {.ix = ix, .st = st, .building = building};
	int more = 1, rc = 0;

	while (more > 0 && rc == 0) {
		rc = ebb_index_begin(ix, 8u << 20, &w.txn, err);
		if (rc < 0)
			return rc;
		more = free_some(&w, err);
		if (more < 0) {
			mdb_txn_abort(w.txn);
			return more;
		}
		rc = ebb_index_result(ix, err, mdb_txn_commit(w.txn), "cannot commit to the index");
	}
	return rc;
}
