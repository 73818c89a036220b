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
		bool later; /* came with a later version: an old index, opened to read, lacks it */
	} dbs[] = {{"meta", 0, &ix->meta, false},
		   {"stores", 0, &ix->stores, false},
		   {"scans", 0, &ix->scans, false},
		   {"lists", 0, &ix->lists, false},
		   {"blocks", MDB_INTEGERKEY, &ix->blocks, false},
		   {"orders", 0, &ix->orders, false},
		   {"names", MDB_INTEGERKEY, &ix->names, true},
		   {"seen", 0, &ix->seen, true}};
	int rc = 0;

	for (size_t i = 0; i < EBB_ARRAY_LEN(dbs) && rc == 0; i++) {
		rc = mdb_dbi_open(txn, dbs[i].name, dbs[i].flags | create, dbs[i].dbi);
		if (rc == MDB_NOTFOUND && dbs[i].later)
			rc = 0;
	}
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
		rc = mdb_env_set_maxdbs(ix->env, 16);
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

int ebb_index_next_block(struct ebb_index *ix, MDB_txn *txn, uint64_t *ret, struct ebb_err *err)
{
	uint64_t greatest = 0;
	MDB_cursor *c;
	MDB_val key, val;
	int rc = mdb_cursor_open(txn, ix->blocks, &c);

	if (rc == 0) {
		rc = mdb_cursor_get(c, &key, &val, MDB_LAST);
		if (rc == 0)
			memcpy(&greatest, key.mv_data, sizeof(greatest));
		mdb_cursor_close(c);
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		return ebb_index_result(ix, err, rc, "cannot read the blocks");
	*ret = greatest + 1;
	return 0;
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
