/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/snap.h"

#include <stdlib.h>
#include <string.h>

#include "core/access.h"
#include "core/cursor.h"
#include "core/index_db.h"

int ebb_snap_open(struct ebb_index *ix, struct ebb_snap **ret, struct ebb_err *err)
{
	struct ebb_snap *s = calloc(1, sizeof(*s));
	int rc, dead;

	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a snapshot");
	s->ix = ix;
	rc = mdb_txn_begin(ix->env, NULL, MDB_RDONLY, &s->txn);
	if (rc == MDB_MAP_RESIZED) { /* another process grew the map */
		rc = mdb_env_set_mapsize(ix->env, 0);
		if (rc == 0)
			rc = mdb_txn_begin(ix->env, NULL, MDB_RDONLY, &s->txn);
	}
	if (rc == MDB_READERS_FULL && mdb_reader_check(ix->env, &dead) == 0)
		rc = mdb_txn_begin(ix->env, NULL, MDB_RDONLY, &s->txn);
	if (rc != 0) {
		free(s);
		return ebb_index_result(ix, err, rc, "cannot take a snapshot");
	}
	*ret = s;
	return 0;
}

void ebb_snap_close(struct ebb_snap *s)
{
	if (!s)
		return;
	mdb_txn_abort(s->txn);
	free(s);
}

int ebb_snap_store(struct ebb_snap *s, const char *name, struct ebb_index_store *ret,
		   struct ebb_err *err)
{
	MDB_val key = {strlen(name), (void *)(uintptr_t)name}, val;
	int rc = key.mv_size ? mdb_get(s->txn, s->ix->stores, &key, &val) : MDB_NOTFOUND;

	if (rc == MDB_NOTFOUND || rc == MDB_BAD_VALSIZE)
		return ebb_err_set(err, EBB_ENOENT, "store '%s' is not in the index; run: ebb scan %s",
				   name, name);
	if (rc == 0 && val.mv_size != sizeof(*ret))
		rc = MDB_CORRUPTED;
	if (rc == 0)
		memcpy(ret, val.mv_data, sizeof(*ret));
	return ebb_index_result(s->ix, err, rc, "cannot read a store");
}

int ebb_snap_stores(struct ebb_snap *s, ebb_snap_store_fn *fn, void *ctx, struct ebb_err *err)
{
	struct ebb_index_store st;
	MDB_cursor *c;
	MDB_val key, val;
	int rc = mdb_cursor_open(s->txn, s->ix->stores, &c);

	if (rc != 0)
		return ebb_index_result(s->ix, err, rc, "cannot list stores");
	while ((rc = mdb_cursor_get(c, &key, &val, MDB_NEXT)) == 0) {
		if (val.mv_size != sizeof(st)) {
			rc = MDB_CORRUPTED;
			break;
		}
		memcpy(&st, val.mv_data, sizeof(st));
		if (ebb_access_is_table(st.name))
			continue;
		int done = fn(ctx, &st, err);
		if (done < 0) {
			mdb_cursor_close(c);
			return done;
		}
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : ebb_index_result(s->ix, err, rc, "cannot list stores");
}

int ebb_snap_get(struct ebb_snap *s, const struct ebb_index_store *st, const char *key,
		 struct ebb_record *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = malloc(sizeof(*it));
	struct ebb_record rec;
	struct ebb_block b;
	size_t len = strlen(key);
	int rc = it ? ebb_cursor_open(s, st, key, &c, err)
		    : ebb_err_set(err, EBB_ENOMEM, "no memory to look up a key");

	if (rc == 0)
		rc = ebb_cursor_next(c, &b, err);
	if (rc == 1) {
		ebb_block_iter_init(it, &b);
		while ((rc = ebb_block_iter_next(it, &rec, err)) == 1) {
			if (ebb_record_key_cmp(rec.key, rec.key_len, key, len) != 0)
				continue;
			*ret = rec;
			ret->key = key;
			return 0;
		}
	}
	return rc < 0 ? rc : ebb_err_set(err, EBB_ENOENT, "'%s' is not in the index", key);
}
