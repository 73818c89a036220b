/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/index.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "core/index_db.h"

#define DEFAULT_MAP ((size_t)1 << 30)
#define FILE_NAME "index.mdb"

int ebb_index_result(const struct ebb_index *ix, struct ebb_err *err, int rc, const char *what)
{
	const char *path = ix && ix->path ? ix->path : FILE_NAME;

	switch (rc) {
	case 0:
		return 0;
	case MDB_VERSION_MISMATCH:
		return ebb_err_set(err, EBB_EVERSION, "%s in '%s': written by another LMDB version", what,
				   path);
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PANIC:
		return ebb_err_set(err, EBB_EINDEX,
				   "%s in '%s': %s; remove the file and scan again, nothing but the "
				   "index is lost",
				   what, path, mdb_strerror(rc));
	default:
		if (rc > 0)
			return ebb_err_sys(err, rc, "%s in '%s'", what, path);
		return ebb_err_set(err, EBB_EINDEX, "%s in '%s': %s", what, path, mdb_strerror(rc));
	}
}

/* LMDB locks through shared memory: on a network filesystem two hosts would destroy the index. */
static int refuse_network(const char *dir, struct ebb_err *err)
{
	static const long network[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC,
				       SMB2_SUPER_MAGIC, CEPH_SUPER_MAGIC, V9FS_MAGIC,
				       AFS_SUPER_MAGIC, CODA_SUPER_MAGIC, 0x0BD00BD0 /* Lustre */};
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return ebb_err_sys(err, errno, "cannot use index directory '%s'", dir);
	for (size_t i = 0; i < EBB_ARRAY_LEN(network); i++)
		if ((long)fs.f_type == network[i])
			return ebb_err_set(err, EBB_EINDEX,
					   "index directory '%s' is on a network filesystem; "
					   "choose a local one with --index",
					   dir);
	return 0;
}

static int check_format(struct ebb_index *ix, MDB_txn *txn, bool fresh, struct ebb_err *err)
{
	MDB_val key = {6, (void *)(uintptr_t)"format"}, val;
	uint32_t format = EBB_INDEX_FORMAT;
	int rc = mdb_get(txn, ix->meta, &key, &val);

	if (rc == MDB_NOTFOUND && fresh) {
		val = (MDB_val){sizeof(format), &format};
		rc = mdb_put(txn, ix->meta, &key, &val, 0);
		return ebb_index_result(ix, err, rc, "cannot write the format");
	}
	if (rc != 0 || val.mv_size != sizeof(format))
		return ebb_err_set(err, EBB_EINDEX, "'%s' is not an index of ebb", ix->path);
	memcpy(&format, val.mv_data, sizeof(format));
	if (format > EBB_INDEX_FORMAT)
		return ebb_err_set(err, EBB_EVERSION,
				   "index '%s' has format %u, this ebb reads up to %d: upgrade ebb, or name "
				   "another directory with --index",
				   ix->path, format, EBB_INDEX_FORMAT);
	return 0;
}

static int open_databases(struct ebb_index *ix, MDB_txn *txn, unsigned create)
{
	const struct {
		const char *name;
		unsigned flags;
		MDB_dbi *dbi;
	} dbs[] = {{"meta", 0, &ix->meta},	 {"stores", 0, &ix->stores},
		   {"scans", 0, &ix->scans},	 {"lists", 0, &ix->lists},
		   {"blocks", MDB_INTEGERKEY, &ix->blocks}, {"orders", 0, &ix->orders}};
	int rc = 0;

	for (size_t i = 0; i < EBB_ARRAY_LEN(dbs) && rc == 0; i++)
		rc = mdb_dbi_open(txn, dbs[i].name, dbs[i].flags | create, dbs[i].dbi);
	return rc;
}

static int setup(struct ebb_index *ix, struct ebb_err *err)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(ix->env, NULL, ix->readonly ? MDB_RDONLY : 0, &txn);

	if (rc == 0) {
		rc = open_databases(ix, txn, ix->readonly ? 0 : MDB_CREATE);
		if (rc != 0) {
			mdb_txn_abort(txn);
			if (rc == MDB_NOTFOUND)
				return ebb_err_set(err, EBB_EINDEX, "'%s' is not an index of ebb",
						   ix->path);
		}
	}
	if (rc != 0)
		return ebb_index_result(ix, err, rc, "cannot open the index");
	rc = check_format(ix, txn, !ix->readonly, err);
	if (rc < 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return ebb_index_result(ix, err, mdb_txn_commit(txn), "cannot open the index");
}

static int open_env(struct ebb_index *ix, const struct ebb_index_opts *opts, struct ebb_err *err)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NOMETASYNC | (ix->readonly ? MDB_RDONLY : 0);
	struct stat st;
	int rc = mdb_env_create(&ix->env);

	if (ix->readonly && stat(ix->path, &st) < 0 && errno == ENOENT)
		return ebb_err_set(err, EBB_ENOENT, "there is no index at '%s'; run: ebb scan", ix->path);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(ix->env, 8);
	if (rc == 0)
		rc = mdb_env_set_mapsize(ix->env, opts->map_size ? opts->map_size : DEFAULT_MAP);
	if (rc == 0)
		rc = mdb_env_open(ix->env, ix->path, flags, 0644);
	return ebb_index_result(ix, err, rc, "cannot open the index");
}

int ebb_index_open(const char *dir, const struct ebb_index_opts *opts, struct ebb_index **ret,
		   struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	int rc = refuse_network(dir, err);

	if (rc < 0)
		return rc;
	ix = calloc(1, sizeof(*ix));
	if (!ix || asprintf(&ix->path, "%s/%s", dir, FILE_NAME) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to open the index");
	ix->readonly = opts->readonly;
	rc = open_env(ix, opts, err);
	if (rc == 0)
		rc = setup(ix, err);
	if (rc < 0)
		return rc;
	*ret = ix;
	ix = NULL;
	return 0;
}

void ebb_index_close(struct ebb_index *ix)
{
	if (!ix)
		return;
	if (ix->env)
		mdb_env_close(ix->env);
	free(ix->path);
	free(ix);
}

int ebb_index_begin(struct ebb_index *ix, size_t bytes, MDB_txn **ret, struct ebb_err *err)
{
	MDB_envinfo info;
	MDB_stat st;
	size_t need;
	int rc;

	mdb_env_info(ix->env, &info);
	mdb_env_stat(ix->env, &st);
	/* Copy-on-write of inner pages and the free list come on top of the data. */
	need = (info.me_last_pgno + 1) * st.ms_psize + 2 * bytes + (8u << 20);
	if (need > info.me_mapsize) {
		size_t size = info.me_mapsize;
		while (size < need)
			size = ebb_mem_mul(size, 2);
		rc = mdb_env_set_mapsize(ix->env, size);
		if (rc != 0)
			return ebb_index_result(ix, err, rc, "cannot grow the map");
	}
	rc = mdb_txn_begin(ix->env, NULL, 0, ret);
	return ebb_index_result(ix, err, rc, "cannot begin a transaction");
}

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
		int done = fn(ctx, &st, err);
		if (done < 0) {
			mdb_cursor_close(c);
			return done;
		}
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : ebb_index_result(s->ix, err, rc, "cannot list stores");
}

struct ebb_index_list_key ebb_index_list_key(uint16_t store, uint32_t generation, uint32_t number)
{
	struct ebb_index_list_key k;

	for (int i = 0; i < 2; i++)
		k.b[i] = (uint8_t)(store >> (8 - 8 * i));
	for (int i = 0; i < 4; i++) {
		k.b[2 + i] = (uint8_t)(generation >> (24 - 8 * i));
		k.b[6 + i] = (uint8_t)(number >> (24 - 8 * i));
	}
	return k;
}

int ebb_index_entry(struct ebb_index *ix, MDB_txn *txn, const struct ebb_index_list_key *lk,
		    struct ebb_index_entry *ret, MDB_val *ret_first, struct ebb_err *err)
{
	struct ebb_index_list_key copy = *lk;
	MDB_val key = {sizeof(copy.b), copy.b}, val;
	int rc = mdb_get(txn, ix->lists, &key, &val);

	if (rc == MDB_NOTFOUND)
		return -EBB_ENOENT;
	if (rc == 0 && val.mv_size <= sizeof(*ret))
		rc = MDB_CORRUPTED;
	if (rc != 0)
		return ebb_index_result(ix, err, rc, "cannot read the list of blocks");
	memcpy(ret, val.mv_data, sizeof(*ret));
	*ret_first = (MDB_val){val.mv_size - sizeof(*ret), (char *)val.mv_data + sizeof(*ret)};
	return 0;
}

int ebb_index_block(struct ebb_index *ix, MDB_txn *txn, uint64_t id, MDB_val *ret, struct ebb_err *err)
{
	MDB_val key = {sizeof(id), &id};
	int rc = mdb_get(txn, ix->blocks, &key, ret);

	if (rc == MDB_NOTFOUND)
		rc = MDB_CORRUPTED;
	return ebb_index_result(ix, err, rc, "cannot read a block");
}

int ebb_index_seek(struct ebb_index *ix, MDB_txn *txn, uint16_t store, uint32_t generation,
		   uint32_t count, const char *key, size_t len, uint32_t *ret, struct ebb_err *err)
{
	uint32_t lo = 0, hi = count; /* the answer is in [lo, hi), or 0 */

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct ebb_index_list_key lk = ebb_index_list_key(store, generation, mid);
		struct ebb_index_entry e;
		MDB_val first;
		int rc = ebb_index_entry(ix, txn, &lk, &e, &first, err);

		if (rc == -EBB_ENOENT)
			return ebb_index_result(ix, err, MDB_CORRUPTED, "cannot find a block");
		if (rc < 0)
			return rc;
		if (ebb_record_key_cmp(first.mv_data, first.mv_size, key, len) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	*ret = lo;
	return 0;
}

struct ebb_cursor {
	struct ebb_snap *snap;
	uint16_t store;
	uint32_t generation, next, count;
	char *prefix;
	size_t prefix_len;
};

int ebb_cursor_open(struct ebb_snap *s, const struct ebb_index_store *st, const char *prefix,
		    struct ebb_cursor **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (!c || !(c->prefix = strdup(prefix ? prefix : "")))
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a cursor");
	c->snap = s;
	c->store = st->id;
	c->generation = st->generation;
	c->count = st->generation ? st->blocks : 0;
	c->prefix_len = strlen(c->prefix);
	if (c->prefix_len)
		rc = ebb_index_seek(s->ix, s->txn, c->store, c->generation, c->count, c->prefix,
				    c->prefix_len, &c->next, err);
	if (rc < 0)
		return rc;
	*ret = c;
	c = NULL;
	return 0;
}

void ebb_cursor_close(struct ebb_cursor *c)
{
	if (!c)
		return;
	free(c->prefix);
	free(c);
}

int ebb_cursor_next(struct ebb_cursor *c, struct ebb_block *ret, struct ebb_err *err)
{
	struct ebb_index_list_key lk;
	struct ebb_index_entry e;
	MDB_val first, data;
	int rc;

	if (c->next >= c->count)
		return 0;
	lk = ebb_index_list_key(c->store, c->generation, c->next);
	rc = ebb_index_entry(c->snap->ix, c->snap->txn, &lk, &e, &first, err);
	if (rc == -EBB_ENOENT)
		rc = ebb_index_result(c->snap->ix, err, MDB_CORRUPTED, "a block is missing");
	if (rc < 0)
		return rc;
	if (c->prefix_len &&
	    ebb_record_key_cmp(first.mv_data, first.mv_size, c->prefix, c->prefix_len) > 0 &&
	    !ebb_record_key_has_prefix(first.mv_data, first.mv_size, c->prefix, c->prefix_len))
		return 0;
	rc = ebb_index_block(c->snap->ix, c->snap->txn, e.block, &data, err);
	if (rc == 0)
		rc = ebb_block_open(ret, data.mv_data, data.mv_size, err);
	if (rc < 0)
		return rc;
	c->next++;
	return 1;
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
