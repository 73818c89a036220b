/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/cursor.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/merge.h"
#include "tests/support/unit.h"

static char dir[256];
static struct ebb_err err;

static struct ebb_index *fresh(void)
{
	struct ebb_index_opts opts = {.map_size = 1 << 20};
	struct ebb_index *ix;
	const char *tmp = getenv("TMPDIR");
	snprintf(dir, sizeof(dir), "%s/t_index.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	err = (struct ebb_err){0};
	ck_assert_msg(ebb_index_open(dir, &opts, &ix, &err) == 0, "%s", err.msg);
	return ix;
}

static void done(struct ebb_index *ix)
{
	char cmd[300];
	ebb_index_close(ix);
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
}

/* Keys "<prefix>000000".."", sizes their number. */
static void fill(struct ebb_index *ix, const char *store, const char *prefix, int n, int64_t add)
{
	struct ebb_merge_opts opts = {.store = store, .now = 1, .batch = 100000};
	struct ebb_merge_stats stats;
	struct ebb_merge_facts facts = {.finished = 2, .root_dev = 7};
	struct ebb_merge *m;
	char key[128];
	ck_assert_msg(ebb_merge_begin(ix, &opts, &m, &err) == 0, "%s", err.msg);
	for (int i = 0; i < n; i++) {
		struct ebb_record r = {.key = key};
		r.key_len = (uint32_t)snprintf(key, sizeof(key), "%s%06d", prefix, i);
		ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
		ebb_record_set(&r, EBB_F_SIZE, i + add);
		ck_assert_msg(ebb_merge_put(m, &r, &err) == 0, "%s", err.msg);
	}
	ck_assert_msg(ebb_merge_finish(m, &stats, &err) == 0, "%s", err.msg);
	ck_assert_msg(ebb_merge_publish(m, &facts, &err) == 0, "%s", err.msg);
}

static size_t count(struct ebb_snap *s, const char *store, const char *prefix)
{
	struct ebb_index_store st;
	struct ebb_cursor *c;
	struct ebb_block b;
	struct ebb_block_keys it;
	size_t n = 0;
	ck_assert_int_eq(ebb_snap_store(s, store, &st, &err), 0);
	ck_assert_int_eq(ebb_cursor_open(s, &st, prefix, &c, &err), 0);
	while (ebb_cursor_next(c, &b, &err) == 1) {
		ebb_block_keys_init(&it, &b);
		while (ebb_block_keys_next(&it, &err) == 1)
			n += ebb_record_key_has_prefix(it.key, it.len, prefix, strlen(prefix));
	}
	ebb_cursor_close(c);
	return n;
}

START_TEST(prefixes_are_complete)
{
	struct ebb_index *ix = fresh();
	struct ebb_snap *s;
	fill(ix, "one", "d/f", 12345, 0);
	fill(ix, "two", "z", 3, 0);
	ck_assert_int_eq(ebb_snap_open(ix, &s, &err), 0);
	ck_assert_uint_eq(count(s, "one", ""), 12345);
	ck_assert_uint_eq(count(s, "one", "d/f0"), 12345);
	ck_assert_uint_eq(count(s, "one", "d/f000"), 1000);
	ck_assert_uint_eq(count(s, "one", "d/f001023"), 1);
	ck_assert_uint_eq(count(s, "one", "d/g"), 0);
	ck_assert_uint_eq(count(s, "one", "a"), 0);
	ck_assert_uint_eq(count(s, "two", ""), 3);
	ebb_snap_close(s);
	done(ix);
}
END_TEST

START_TEST(a_snapshot_keeps_its_generation)
{
	struct ebb_index *ix = fresh();
	struct ebb_index_opts ro = {.readonly = true};
	struct ebb_index_store st;
	struct ebb_record r;
	struct ebb_snap *s = NULL;
	int go[2], ready[2];
	char c;
	/* The reader is another process: one process must not hold a snapshot while its writer grows the map. */
	fill(ix, "s", "k", 5000, 0);
	ebb_index_close(ix);
	ck_assert(pipe(go) == 0 && pipe(ready) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct ebb_index *mine;
		int bad = ebb_index_open(dir, &ro, &mine, NULL) || ebb_snap_open(mine, &s, NULL);
		bad |= write(ready[1], "r", 1) != 1 || read(go[0], &c, 1) != 1;
		bad |= ebb_snap_store(s, "s", &st, NULL) || ebb_snap_get(s, &st, "k004999", &r, NULL);
		bad |= r.f[EBB_F_SIZE] != 4999 || count(s, "s", "") != 5000;
		ebb_snap_close(s);
		/* A new one sees the new generation, in a map that another process has grown. */
		bad |= ebb_snap_open(mine, &s, NULL) || ebb_snap_store(s, "s", &st, NULL) ||
		       ebb_snap_get(s, &st, "k004999", &r, NULL) || r.f[EBB_F_SIZE] != 5099 ||
		       count(s, "s", "") != 60000;
		_exit(bad);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(ebb_index_open(dir, &(struct ebb_index_opts){0}, &ix, &err), 0);
	fill(ix, "s", "k", 6000, 100);
	fill(ix, "s", "k", 60000, 100);
	ck_assert_int_eq(write(go[1], "g", 1), 1);
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	done(ix);
}
END_TEST

START_TEST(rescans_do_not_grow_the_file_for_ever)
{
	struct ebb_index *ix = fresh();
	char path[300];
	long size[3];
	snprintf(path, sizeof(path), "%s/index.mdb", dir);
	for (int i = 0; i < 9; i++) {
		fill(ix, "s", "k", 20000, i); /* every record differs each time */
		FILE *f = fopen(path, "r");
		fseek(f, 0, SEEK_END);
		size[i / 3] = ftell(f);
		fclose(f);
	}
	ck_assert_int_eq(size[1], size[2]);
	done(ix);
}
END_TEST

START_TEST(a_newer_format_is_refused)
{
	struct ebb_index *ix = fresh();
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	uint32_t format = EBB_INDEX_FORMAT + 1;
	char word[] = "format", path[300];
	MDB_val k = {6, word}, v = {4, &format};
	ebb_index_close(ix);
	snprintf(path, sizeof(path), "%s/index.mdb", dir);
	ck_assert(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 8) == 0 &&
		  mdb_env_open(env, path, MDB_NOSUBDIR, 0644) == 0);
	ck_assert(mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, "meta", 0, &dbi) == 0 &&
		  mdb_put(txn, dbi, &k, &v, 0) == 0 && mdb_txn_commit(txn) == 0);
	mdb_env_close(env);
	ck_assert_int_eq(ebb_index_open(dir, &(struct ebb_index_opts){0}, &ix, &err), -EBB_EVERSION);
	ck_assert_ptr_nonnull(strstr(err.msg, "upgrade ebb"));
	done(NULL);
}
END_TEST

START_TEST(what_is_no_index_is_refused)
{
	struct ebb_index *ix = fresh();
	char path[300];
	ebb_index_close(ix);
	snprintf(path, sizeof(path), "%s/index.mdb", dir);
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 20000; i++)
		fputs("not a database", f);
	fclose(f);
	ck_assert_int_eq(ebb_index_open(dir, &(struct ebb_index_opts){0}, &ix, &err), -EBB_EINDEX);
	ck_assert_ptr_nonnull(strstr(err.msg, path));
	err = (struct ebb_err){0};
	ck_assert_int_eq(remove(path), 0);
	struct ebb_index_opts ro = {.readonly = true};
	ck_assert_int_eq(ebb_index_open(dir, &ro, &ix, &err), -EBB_ENOENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "ebb scan"));
	done(NULL);
}
END_TEST

START_TEST(reading_leaves_the_file_as_it_is)
{
	struct ebb_index *ix = fresh();
	struct ebb_index_opts ro = {.readonly = true};
	struct ebb_snap *s;
	char cmd[700];
	fill(ix, "s", "k", 5000, 0);
	ebb_index_close(ix);
	snprintf(cmd, sizeof(cmd), "cp '%s/index.mdb' '%s/before'", dir, dir);
	ck_assert_int_eq(system(cmd), 0);
	ck_assert_int_eq(ebb_index_open(dir, &ro, &ix, &err), 0);
	ck_assert_int_eq(ebb_snap_open(ix, &s, &err), 0);
	ck_assert_uint_eq(count(s, "s", ""), 5000);
	ebb_snap_close(s);
	ebb_index_close(ix);
	snprintf(cmd, sizeof(cmd), "cmp '%s/index.mdb' '%s/before'", dir, dir);
	ck_assert_int_eq(system(cmd), 0);
	done(NULL);
}
END_TEST

START_TEST(unreadable_directories_are_kept)
{
	struct ebb_index *ix = fresh();
	struct ebb_merge_opts opts = {.store = "s", .now = 1};
	struct ebb_merge_stats stats;
	struct ebb_merge_facts facts = {.finished = 2};
	struct ebb_index_store st;
	struct ebb_merge *m;
	struct ebb_snap *s;
	struct ebb_record r = {.key = "a/", .key_len = 2}, got;
	fill(ix, "s", "a/f", 3000, 0);
	ck_assert_int_eq(ebb_merge_begin(ix, &opts, &m, &err), 0);
	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_DIR);
	ck_assert_int_eq(ebb_merge_put(m, &r, &err), 0);
	ck_assert_int_eq(ebb_merge_keep(m, "a/", 2, &err), 0);
	ck_assert_int_eq(ebb_merge_finish(m, &stats, &err), 0);
	ck_assert_uint_eq(stats.kept, 3000);
	ck_assert_uint_eq(stats.gone, 0);
	ck_assert_uint_eq(stats.objects, 3001);
	ck_assert_int_eq(ebb_merge_publish(m, &facts, &err), 0);
	ck_assert_int_eq(ebb_snap_open(ix, &s, &err), 0);
	ck_assert_int_eq(ebb_snap_store(s, "s", &st, &err), 0);
	ck_assert_int_eq(ebb_snap_get(s, &st, "a/f002999", &got, &err), 0);
	ck_assert(got.f[EBB_F_FLAGS] & EBB_FLAG_UNSEEN);
	ck_assert_int_eq(got.f[EBB_F_SIZE], 2999);
	ebb_snap_close(s);
	done(ix);
}
END_TEST

/* One scan of a bucket that holds one object. */
static void scan_bucket(struct ebb_index *ix, const char *etag, int64_t time)
{
	struct ebb_merge_opts opts = {.store = "b", .now = 1};
	struct ebb_merge_facts facts = {.finished = 2};
	struct ebb_record r = {.key = "k", .key_len = 1};
	struct ebb_merge_stats stats;
	struct ebb_merge *m;

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, 3);
	ebb_record_set(&r, EBB_F_MTIME, time);
	ebb_record_set(&r, EBB_F_CTIME, time);
	ebb_record_etag(&r, etag, strlen(etag));
	ck_assert_int_eq(ebb_merge_begin(ix, &opts, &m, &err), 0);
	ck_assert_int_eq(ebb_merge_put(m, &r, &err), 0);
	ck_assert_int_eq(ebb_merge_finish(m, &stats, &err), 0);
	ck_assert_int_eq(ebb_merge_publish(m, &facts, &err), 0);
}

static void check_times(struct ebb_index *ix, int64_t mtime, int64_t ctime)
{
	struct ebb_index_store st;
	struct ebb_record got;
	struct ebb_snap *s;

	ck_assert_int_eq(ebb_snap_open(ix, &s, &err), 0);
	ck_assert_int_eq(ebb_snap_store(s, "b", &st, &err), 0);
	ck_assert_int_eq(ebb_snap_get(s, &st, "k", &got, &err), 0);
	ck_assert_int_eq(got.f[EBB_F_MTIME], mtime);
	ck_assert_int_eq(got.f[EBB_F_CTIME], ctime);
	ebb_snap_close(s);
}

START_TEST(copied_onto_itself_an_object_is_as_old_as_before)
{
	static const char a[] = "d41d8cd98f00b204e9800998ecf8427e", b[] = "900150983cd24fb0d6963f7d28e17f72";
	struct ebb_index *ix = fresh();

	scan_bucket(ix, a, 100);
	check_times(ix, 100, 100);
	scan_bucket(ix, a, 200);
	check_times(ix, 100, 200);
	scan_bucket(ix, a, 200);
	check_times(ix, 100, 200);
	scan_bucket(ix, b, 300);
	check_times(ix, 300, 300);
	done(ix);
}
END_TEST

EBB_UNIT_MAIN("index", prefixes_are_complete, a_snapshot_keeps_its_generation,
	      rescans_do_not_grow_the_file_for_ever, a_newer_format_is_refused,
	      what_is_no_index_is_refused, reading_leaves_the_file_as_it_is,
	      unreadable_directories_are_kept, copied_onto_itself_an_object_is_as_old_as_before)
