/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P11 P13
 *
 * What only a filesystem can do to a store; the rest is in the suite that t_store.c runs.
 */
#include "scanners/store_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "scanners/walk.h"
#include "tests/support/scratch.h"
#include "tests/support/store_suite.h"
#include "tests/support/unit.h"

#define expect ebb_store_suite_expect
#define write_object ebb_store_suite_write
#define keys_are ebb_store_suite_keys
#define STORE EBB_CLEANUP(ebb_store_closep) struct ebb_store
#define META EBB_CLEANUP(ebb_meta_release) struct ebb_meta

#define NOBODY 65534

/* --- Helpers --- */

static struct ebb_store *open_at(const char *path)
{
	const struct ebb_store_config cfg = {.name = "s", .type = "fs", .path = path};
	struct ebb_store *s = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_open(&cfg, &s, &err), 0, &err);
	return s;
}

/* "FOLDER/NAME"; the last few are kept. */
static const char *in(const char *folder, const char *name)
{
	static char paths[4][PATH_MAX];
	static int last;
	char *path = paths[last++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

/* What another program does. */
static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void head(struct ebb_store *s, const char *key, struct ebb_record *ret)
{
	struct ebb_err err = {0};

	expect(ebb_store_head(s, key, ret, &err), 0, &err);
}

static struct ebb_store_writer *writer(struct ebb_store *s, const char *key)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	struct ebb_store_writer *w = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_write_open(s, key, &opts, &w, &err), 0, &err);
	return w;
}

static bool skip(const char *why)
{
	fprintf(stderr, "SKIPPED: %s\n", why);
	return true;
}

static bool is_root(void)
{
	return geteuid() == 0 || !skip("what only root can do");
}

/* Mount something for this process alone; false when that is not allowed here. */
static bool mount_at(const char *dir, const char *type, const char *options)
{
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", dir, type, 0, options) == 0)
		return true;
	return !skip("mounts, which are not allowed here");
}

/* --- The root --- */

START_TEST(the_root_must_be_a_directory)
{
	const char *dir = ebb_scratch_new();
	struct ebb_store_config cfg = {.name = "lake", .type = "fs", .path = "relative"};
	struct ebb_store *s = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_open(&cfg, &s, &err), EBB_ECONFIG, &err);
	cfg.path = NULL;
	expect(ebb_store_open(&cfg, &s, &err), EBB_ECONFIG, &err);
	cfg.path = in(dir, "missing");
	ck_assert_int_eq(ebb_store_open(&cfg, &s, &err), -EBB_ESTORE);
	ck_assert_ptr_nonnull(strstr(err.msg, "missing': No such file or directory"));
	ebb_err_clear(&err);
	put(in(dir, "file"), "");
	cfg.path = in(dir, "file");
	expect(ebb_store_open(&cfg, &s, &err), EBB_ESTORE, &err);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(the_root_is_held_by_its_descriptor)
{
	const char *dir = ebb_scratch_new();

	ck_assert_int_eq(mkdir(in(dir, "root"), 0755), 0);
	ck_assert_int_eq(symlink("root", in(dir, "link")), 0);
	STORE *s = open_at(in(dir, "link"));
	ck_assert_int_eq(rename(in(dir, "root"), in(dir, "moved")), 0);
	write_object(s, "o", "abc", 3, NULL);
	ck_assert_int_eq(access(in(dir, "moved/o"), F_OK), 0);
}
END_TEST

START_TEST(identity_is_that_of_the_root)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_store_identity id;
	struct ebb_err err = {0};
	struct stat st;

	ck_assert_int_eq(stat(dir, &st), 0);
	expect(ebb_store_identify(s, &id, &err), 0, &err);
	ck_assert_uint_eq(id.dev, st.st_dev);
	ck_assert_uint_eq(id.ino, st.st_ino);
	ck_assert(id.fsid[0] == '\0' || strspn(id.fsid, "0123456789abcdef") == 16);
}
END_TEST

/* --- Symlinks and special files --- */

START_TEST(symlinks_are_objects)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_store_reader *r = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	META meta = {0};
	char target[20] = "";

	put(in(dir, "target"), "precious");
	ck_assert_int_eq(symlink("target", in(dir, "link")), 0);
	head(s, "link", &rec);
	ck_assert_int_eq(rec.f[EBB_F_KIND], EBB_KIND_SYMLINK);
	ck_assert_int_eq(rec.f[EBB_F_SIZE], 6);
	expect(ebb_store_read_open(s, "link", NULL, &r, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_get_meta(s, "link", &meta, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_set_meta(s, "link", &meta, EBB_META_MODE, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_write_commit(writer(s, "link"), NULL, 0, NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_rename(s, "link", "moved", &rec, &err), 0, &err);
	ck_assert_int_eq(readlink(in(dir, "moved"), target, sizeof(target)), 6);
	ebb_store_suite_purge(s, "moved");
	ebb_store_suite_content(s, "target", "precious", 8);
	keys_are(s, NULL, NULL, "target ");
}
END_TEST

/* Everything that takes a key, through a symlink to a directory that has an object "o". */
static void refuse_through(struct ebb_store *s, const char *link)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	struct ebb_store_reader *r = NULL;
	struct ebb_store_writer *w = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	META meta = {0};
	char o[20], d[20], self[20];

	snprintf(self, sizeof(self), "%s/", link);
	snprintf(o, sizeof(o), "%s/o", link);
	snprintf(d, sizeof(d), "%s/d/", link);
	ck_assert_int_eq(ebb_store_head(s, o, &rec, &err), -EBB_ENOENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "a symlink stands in the way"));
	ebb_err_clear(&err);
	expect(ebb_store_head(s, self, &rec, &err), EBB_ENOENT, &err);
	expect(ebb_store_get_meta(s, o, &meta, &err), EBB_ENOENT, &err);
	expect(ebb_store_get_meta(s, self, &meta, &err), EBB_ENOENT, &err);
	expect(ebb_store_set_meta(s, o, &meta, EBB_META_MODE, &err), EBB_ENOENT, &err);
	expect(ebb_store_set_meta(s, self, &meta, EBB_META_MODE, &err), EBB_ENOENT, &err);
	expect(ebb_store_read_open(s, o, NULL, &r, &err), EBB_ENOENT, &err);
	expect(ebb_store_write_open(s, o, &opts, &w, &err), EBB_ENOENT, &err);
	expect(ebb_store_write_sweep(s, o, "t", &err), 0, &err);
	expect(ebb_store_rename(s, o, "stolen", NULL, &err), EBB_ENOENT, &err);
	expect(ebb_store_rename(s, "own", d, NULL, &err), EBB_EINVAL, &err);
	d[strlen(d) - 1] = '\0';
	expect(ebb_store_rename(s, "own", d, NULL, &err), EBB_ENOENT, &err);
	strcat(d, "/");
	expect(ebb_store_mkdirs(s, d, 0755, NULL, NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_mkdirs(s, self, 0755, NULL, NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_rmdir(s, d, &err), EBB_ENOENT, &err);
	expect(ebb_store_rmdir(s, self, &err), EBB_ENOENT, &err);
	ebb_record_set(&rec, EBB_F_SIZE, 8);
	ebb_record_set(&rec, EBB_F_MTIME, 0);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	expect(ebb_proof_purge(s, o, &rec, EBB_PROOF_PURGE_WORDS, &proof, &err), 0, &err);
	expect(ebb_store_remove(s, o, proof, &err), EBB_ENOENT, &err);
	ck_assert(!r && !w);
}

START_TEST(no_symlink_leads_anywhere)
{
	const char *dir = ebb_scratch_new(), *outside = ebb_scratch_new();
	STORE *s = open_at(dir);
	STORE *there = open_at(outside);

	write_object(s, "own", "1", 1, NULL);
	ck_assert_int_eq(mkdir(in(dir, "inside"), 0755), 0);
	write_object(s, "inside/o", "precious", 8, NULL);
	write_object(there, "o", "precious", 8, NULL);
	put(in(outside, ".ebb-tmp.t"), "not ours");
	ck_assert_int_eq(symlink(outside, in(dir, "out")), 0);
	ck_assert_int_eq(symlink("inside", in(dir, "in")), 0);
	ck_assert_int_eq(symlink("/", in(dir, "root")), 0);
	ck_assert_int_eq(symlink("../../../..", in(dir, "up")), 0);
	ck_assert_int_eq(symlink("/proc/self/cwd", in(dir, "magic")), 0);
	refuse_through(s, "out");
	refuse_through(s, "in");
	refuse_through(s, "root");
	refuse_through(s, "up");
	refuse_through(s, "magic");
	keys_are(s, NULL, NULL, "in inside/ inside/o magic out own root up ");
	keys_are(there, NULL, NULL, ".ebb-tmp.t o ");
	ebb_store_suite_content(there, "o", "precious", 8);
}
END_TEST

START_TEST(a_directory_swapped_for_a_symlink_does_not_redirect)
{
	const char *dir = ebb_scratch_new(), *outside = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_err err = {0};

	ck_assert_int_eq(mkdir(in(dir, "d"), 0755), 0);
	struct ebb_store_writer *first = writer(s, "d/o");
	struct ebb_store_writer *second = NULL;
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "u"};
	expect(ebb_store_write_open(s, "d/p", &opts, &second, &err), 0, &err);
	ck_assert_int_eq(rename(in(dir, "d"), in(dir, "e")), 0);
	ck_assert_int_eq(symlink(outside, in(dir, "d")), 0);
	put(in(outside, ".ebb-tmp.u"), "not ours");
	expect(ebb_store_write(first, "abc", 3, &err), 0, &err);
	expect(ebb_store_write_commit(first, NULL, 0, NULL, &err), 0, &err);
	ebb_store_write_abort(second);
	keys_are(s, NULL, NULL, "d e/ e/o ");
	ck_assert_int_eq(access(in(outside, ".ebb-tmp.u"), F_OK), 0);
	ck_assert_int_eq(access(in(outside, "o"), F_OK), -1);
}
END_TEST

START_TEST(special_files_are_never_opened)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_store_reader *r = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};

	ck_assert_int_eq(mkfifo(in(dir, "pipe"), 0644), 0);
	head(s, "pipe", &rec);
	ck_assert_int_eq(rec.f[EBB_F_KIND], EBB_KIND_SPECIAL);
	expect(ebb_store_read_open(s, "pipe", NULL, &r, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_rename(s, "pipe", "q", &rec, &err), 0, &err);
	ebb_store_suite_purge(s, "q");
	keys_are(s, NULL, NULL, "");
}
END_TEST

/* --- Content --- */

START_TEST(hard_links_are_names_of_one_inode)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_record a, b;

	write_object(s, "a", "abc", 3, NULL);
	ck_assert_int_eq(link(in(dir, "a"), in(dir, "b")), 0);
	head(s, "a", &a);
	head(s, "b", &b);
	ck_assert_int_eq(a.f[EBB_F_NLINK], 2);
	ck_assert_int_eq(a.f[EBB_F_INO], b.f[EBB_F_INO]);
	ck_assert_int_eq(a.f[EBB_F_DEV], b.f[EBB_F_DEV]);
	ebb_store_suite_purge(s, "a");
	ebb_store_suite_content(s, "b", "abc", 3);
	head(s, "b", &b);
	ck_assert_int_eq(b.f[EBB_F_NLINK], 1);
}
END_TEST

START_TEST(a_rewrite_that_restores_mtime_is_seen)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	struct ebb_record before, now;
	struct ebb_err err = {0};
	char buf[10];

	write_object(s, "o", "abc", 3, &before);
	expect(ebb_store_read_open(s, "o", &before, &r, &err), 0, &err);
	ck_assert_int_eq(ebb_store_read(r, buf, 10, &err), 3);
	expect(ebb_store_read_verify(r, &err), 0, &err);
	const struct timespec times[2] = {
		{before.f[EBB_F_ATIME] / 1000000000, before.f[EBB_F_ATIME] % 1000000000},
		{before.f[EBB_F_MTIME] / 1000000000, before.f[EBB_F_MTIME] % 1000000000},
	};
	do {	/* until the filesystem's clock has ticked */
		put(in(dir, "o"), "xyz");
		ck_assert_int_eq(utimensat(AT_FDCWD, in(dir, "o"), times, 0), 0);
		head(s, "o", &now);
	} while (now.f[EBB_F_CTIME] == before.f[EBB_F_CTIME]);
	ck_assert_int_eq(now.f[EBB_F_MTIME], before.f[EBB_F_MTIME]);
	expect(ebb_store_read_verify(r, &err), EBB_ECHANGED, &err);
	expect(ebb_store_check(s, "o", &before, &err), EBB_ECHANGED, &err);
}
END_TEST

/* All that the walker knows, but for what only it can know. */
static int agrees(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	const uint32_t own = EBB_KNOWN(EBB_F_FLAGS) | EBB_KNOWN(EBB_F_EVIDENCE) |
			     EBB_KNOWN(EBB_F_WINDOW);
	struct ebb_record now;
	char key[EBB_KEY_MAX + 1];

	(void)err;
	memcpy(key, rec->key, rec->key_len);
	key[rec->key_len] = '\0';
	head(ctx, key, &now);
	ck_assert_uint_eq(now.known, rec->known & ~own);
	for (int f = 0; f < EBB_F_COUNT; f++)
		if (ebb_record_has(&now, f))
			ck_assert_int_eq(now.f[f], rec->f[f]);
	return 0;
}

START_TEST(walker_and_store_agree)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_err err = {0};
	const struct ebb_walk_opts opts = {.root = dir, .threads = 1, .started = INT64_MAX};
	const struct ebb_walk_fns fns = {.record = agrees, .ctx = s};
	const struct timespec before_epoch[2] = {{-5, 999999999}, {-1, 1}};
	struct ebb_walk_stats stats = {0};

	write_object(s, "o", "abc", 3, NULL);
	write_object(s, "p", "", 0, NULL);
	ck_assert_int_eq(mkdir(in(dir, "d"), 0711), 0);
	ck_assert_int_eq(symlink("x", in(dir, "d/link")), 0);
	ck_assert_int_eq(mkfifo(in(dir, "pipe"), 0644), 0);
	ck_assert_int_eq(link(in(dir, "o"), in(dir, "d/twin")), 0);
	ck_assert_int_eq(truncate(in(dir, "p"), 1 << 20), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, in(dir, "p"), before_epoch, 0), 0);
	expect(ebb_walk_run(&opts, &fns, &stats, &err), 0, &err);
	ck_assert_uint_eq(atomic_load(&stats.objects), 6);
}
END_TEST

START_TEST(read_only_files_come_and_go)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_record rec;
	struct ebb_err err = {0};
	const struct ebb_meta meta = {.mode = 0400};

	struct ebb_store_writer *w = writer(s, "o");
	expect(ebb_store_write(w, "abc", 3, &err), 0, &err);
	expect(ebb_store_write_commit(w, &meta, EBB_META_MODE, &rec, &err), 0, &err);
	ck_assert_int_eq(rec.f[EBB_F_MODE] & 07777, 0400);
	ebb_store_suite_content(s, "o", "abc", 3);
	ebb_store_suite_purge(s, "o");
}
END_TEST

START_TEST(temporaries_are_private)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_record rec;

	umask(0);
	struct ebb_store_writer *w = writer(s, "o");
	head(s, ".ebb-tmp.t", &rec);
	ck_assert_int_eq(rec.f[EBB_F_MODE] & 07777, 0600);
	ebb_store_write_abort(w);
}
END_TEST

START_TEST(full_is_full)
{
	const char *dir = ebb_scratch_new();
	char block[4096] = {0};
	struct ebb_err err = {0};
	int64_t space;
	int rc = 0;

	if (!is_root() || !mount_at(dir, "tmpfs", "size=256k"))
		return;
	struct ebb_store *s = open_at(dir);
	expect(ebb_store_space(s, &space, &err), 0, &err);
	ck_assert_int_le(space, 256 << 10);
	const struct ebb_store_write_opts opts = {.size_hint = 1 << 20, .tag = "t"};
	struct ebb_store_writer *w = NULL;
	expect(ebb_store_write_open(s, "o", &opts, &w, &err), EBB_ENOSPC, &err);
	keys_are(s, NULL, NULL, "");
	w = writer(s, "o");
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = ebb_store_write(w, block, sizeof(block), &err);
	expect(rc, EBB_ENOSPC, &err);
	ebb_store_write_abort(w);
	keys_are(s, NULL, NULL, "");
	ebb_store_close(s);
	ck_assert_int_eq(umount2(dir, MNT_DETACH), 0);
}
END_TEST

/* --- Names --- */

static struct ebb_store_fs_path place(int dir, const char *name)
{
	struct ebb_store_fs_path p = {.dir = dir};

	snprintf(p.name, sizeof(p.name), "%s", name);
	return p;
}

START_TEST(moving_by_link_never_replaces)
{
	const char *dir = ebb_scratch_new();
	EBB_CLEANUP(ebb_mem_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY);
	const struct ebb_store_fs_path a = place(fd, "a"), b = place(fd, "b"), c = place(fd, "c"),
				       d = place(fd, "d"), e = place(fd, "e");
	STORE *s = open_at(dir);

	put(in(dir, "a"), "a");
	put(in(dir, "b"), "b");
	ck_assert_int_eq(mkdir(in(dir, "d"), 0755), 0);
	ck_assert_int_eq(ebb_store_fs_move_by_link(&a, &b), EEXIST);
	ck_assert_int_eq(ebb_store_fs_move_by_link(&a, &d), EEXIST);
	ck_assert_int_eq(ebb_store_fs_move_by_link(&d, &e), EISDIR);
	ck_assert_int_eq(ebb_store_fs_move_by_link(&e, &a), ENOENT);
	ck_assert_int_eq(ebb_store_fs_move_by_link(&a, &c), 0);
	keys_are(s, NULL, NULL, "b c d/ ");
	ck_assert_int_eq(symlink("b", in(dir, "a")), 0);
	ck_assert_int_eq(ebb_store_fs_move_by_link(&a, &e), 0);
	ck_assert_int_eq(access(in(dir, "b"), F_OK), 0);
	struct ebb_record rec;
	head(s, "e", &rec);
	ck_assert_int_eq(rec.f[EBB_F_KIND], EBB_KIND_SYMLINK);
}
END_TEST

/* The race of the next test, stopped after the move: "b" is what came from "a". */
START_TEST(strangers_are_moved_back)
{
	const char *dir = ebb_scratch_new();
	EBB_CLEANUP(ebb_mem_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY);
	const struct ebb_store_fs_path a = place(fd, "a"), b = place(fd, "b");
	STORE *s = open_at(dir);
	struct statx checked, stranger;
	struct ebb_err err = {0};

	put(in(dir, "checked"), "");
	put(in(dir, "b"), "stranger");
	ck_assert_int_eq(statx(fd, "checked", 0, STATX_BASIC_STATS, &checked), 0);
	ck_assert_int_eq(statx(fd, "b", 0, STATX_BASIC_STATS, &stranger), 0);
	expect(ebb_store_fs_move_arrived(&a, &b, "a", "b", &stranger, &err), 0, &err);
	keys_are(s, NULL, NULL, "b checked ");
	expect(ebb_store_fs_move_arrived(&a, &b, "a", "b", &checked, &err), EBB_ECHANGED, &err);
	keys_are(s, NULL, NULL, "a checked ");
	ebb_store_suite_content(s, "a", "stranger", 8);
	put(in(dir, "b"), "another");
	ck_assert_int_eq(ebb_store_fs_move_arrived(&a, &b, "a", "b", &checked, &err), -EBB_ECHANGED);
	ck_assert_ptr_nonnull(strstr(err.msg, "what replaced it is at 'b'"));
	ebb_store_suite_content(s, "a", "stranger", 8);
	ebb_store_suite_content(s, "b", "another", 7);
}
END_TEST

struct swapper {
	const char *dir;
	atomic_bool stop;
};

/* Somebody who replaces "a" by a new file, over and over. */
static void *swap(void *arg)
{
	struct swapper *me = arg;
	char new[PATH_MAX], a[PATH_MAX];

	snprintf(new, sizeof(new), "%s/new", me->dir);
	snprintf(a, sizeof(a), "%s/a", me->dir);
	while (!atomic_load(&me->stop)) {
		int fd = open(new, O_CREAT | O_WRONLY, 0644);

		if (fd < 0 || close(fd) < 0 || rename(new, a) < 0)
			return me;
	}
	return NULL;
}

/*
 *   us        check a (inode 1) ................. a -> b, look: inode 2, b -> a
 *   somebody             new (inode 2) -> a
 */
START_TEST(what_arrives_is_what_was_checked)
{
	struct swapper other = {.dir = ebb_scratch_new()};
	STORE *s = open_at(other.dir);
	struct ebb_record rec, moved;
	struct ebb_err err = {0};
	pthread_t thread;
	void *failed;
	int done = 0;

	put(in(other.dir, "a"), "");
	ck_assert_int_eq(pthread_create(&thread, NULL, swap, &other), 0);
	for (int i = 0; i < 300; i++) {
		if (ebb_store_head(s, "a", &rec, NULL) < 0)
			continue;
		int rc = ebb_store_rename(s, "a", "b", &rec, &err);
		if (rc == 0) {
			head(s, "b", &moved);
			ck_assert_int_eq(moved.f[EBB_F_INO], rec.f[EBB_F_INO]);
			ck_assert_int_eq(unlink(in(other.dir, "b")), 0);
			done++;
			continue;
		}
		ck_assert_msg(rc == -EBB_ECHANGED || rc == -EBB_ENOENT, "%s", err.msg);
		/* not taken back: only when yet another one came, and then the message says where it is */
		if (unlink(in(other.dir, "b")) == 0)
			ck_assert_ptr_nonnull(strstr(err.msg, "what replaced it is at 'b'"));
		ebb_err_clear(&err);
	}
	atomic_store(&other.stop, true);
	pthread_join(thread, &failed);
	ck_assert_ptr_null(failed);
	ck_assert_int_gt(done, 0);
}
END_TEST

START_TEST(no_move_crosses_a_mount)
{
	const char *dir = ebb_scratch_new();
	struct ebb_err err = {0};

	if (!is_root())
		return;
	ck_assert_int_eq(mkdir(in(dir, "m"), 0755), 0);
	if (!mount_at(in(dir, "m"), "tmpfs", ""))
		return;
	struct ebb_store *s = open_at(dir);
	write_object(s, "o", "abc", 3, NULL);
	write_object(s, "m/p", "abc", 3, NULL);
	expect(ebb_store_rename(s, "o", "m/o", NULL, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_rename(s, "m/p", "p", NULL, &err), EBB_ENOTSUP, &err);
	keys_are(s, NULL, NULL, "m/ m/p o ");
	ebb_store_close(s);
	ck_assert_int_eq(umount2(in(dir, "m"), MNT_DETACH), 0);
}
END_TEST

/* --- Metadata --- */

/*
 * user::rw- user:1000:r-- group::r-- mask::r-- other::---, as acl(5) and the kernel's
 * posix_acl_xattr.h lay it out.
 */
static const unsigned char acl[] = {
	2, 0, 0, 0,
	1, 0, 6, 0, 255, 255, 255, 255,
	2, 0, 4, 0, 0xe8, 3, 0, 0,
	4, 0, 4, 0, 255, 255, 255, 255,
	16, 0, 4, 0, 255, 255, 255, 255,
	32, 0, 0, 0, 255, 255, 255, 255,
};

static bool keeps_acls(const char *path)
{
	if (setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0) == 0)
		return true;
	return !skip("ACLs, which this filesystem does not keep");
}

/* Copy @from to @to with all metadata, and see that it is equal. */
static void copy_all(struct ebb_store *s, const char *from, const char *to)
{
	struct ebb_err err = {0};
	META meta = {0};
	META copied = {0};

	expect(ebb_store_get_meta(s, from, &meta, &err), 0, &err);
	expect(ebb_store_write_commit(writer(s, to), &meta, EBB_META_ALL, NULL, &err), 0, &err);
	expect(ebb_store_get_meta(s, to, &copied, &err), 0, &err);
	expect(ebb_meta_compare(&meta, &copied, EBB_META_ALL, &err), 0, &err);
}

START_TEST(acls_survive)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	char value[100];

	put(in(dir, "o"), "abc");
	if (!keeps_acls(in(dir, "o")))
		return;
	ck_assert_int_eq(chmod(in(dir, "o"), 0660), 0);	/* group bits are the mask */
	copy_all(s, "o", "p");
	ck_assert_int_eq(getxattr(in(dir, "p"), "system.posix_acl_access", value, 100), sizeof(acl));
}
END_TEST

START_TEST(inherited_acls_do_not_stay)
{
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);

	put(in(dir, "o"), "abc");
	put(in(dir, "probe"), "");
	ck_assert_int_eq(mkdir(in(dir, "d"), 0755), 0);
	if (!keeps_acls(in(dir, "probe")))
		return;
	ck_assert_int_eq(setxattr(in(dir, "d"), "system.posix_acl_default", acl, sizeof(acl), 0), 0);
	copy_all(s, "o", "d/p");
	ck_assert_int_eq(getxattr(in(dir, "d/p"), "system.posix_acl_access", NULL, 0), -1);
	copy_all(s, "probe", "d/q");
	ck_assert_int_eq(getxattr(in(dir, "d/q"), "system.posix_acl_access", NULL, 0), sizeof(acl));
}
END_TEST

START_TEST(p13_owner_suid_and_privileged_attributes_survive)
{
	/* VFS_CAP_REVISION_2, effective, cap_net_bind_service: capability.h */
	static const unsigned char cap[20] = {1, 0, 0, 2, 0, 4};
	const char *dir = ebb_scratch_new();
	STORE *s = open_at(dir);
	struct ebb_record rec;

	if (!is_root())
		return;
	put(in(dir, "o"), "abc");
	ck_assert_int_eq(chown(in(dir, "o"), 1234, 5678), 0);
	ck_assert_int_eq(chmod(in(dir, "o"), 06755), 0);
	if (setxattr(in(dir, "o"), "trusted.ebb", "t", 1, 0) < 0 ||
	    setxattr(in(dir, "o"), "security.capability", cap, sizeof(cap), 0) < 0)
		skip("privileged attributes, which are not kept here");
	copy_all(s, "o", "p");
	head(s, "p", &rec);
	ck_assert_int_eq(rec.f[EBB_F_UID], 1234);
	ck_assert_int_eq(rec.f[EBB_F_GID], 5678);
	ck_assert_int_eq(rec.f[EBB_F_MODE] & 07777, 06755);
}
END_TEST

START_TEST(attributes_that_cannot_be_kept_refuse_the_copy)
{
	const char *dir = ebb_scratch_new();
	struct ebb_err err = {0};
	META meta = {0};

	if (!is_root() || !mount_at(dir, "ramfs", ""))
		return;
	struct ebb_store *s = open_at(dir);
	expect(ebb_store_write_commit(writer(s, "plain"), &meta, EBB_META_XATTRS, NULL, &err), 0,
	       &err);
	ck_assert_int_eq(ebb_meta_add(&meta, "user.ebb", "1", 1, NULL), 0);
	struct ebb_store_writer *w = writer(s, "o");
	ck_assert_int_eq(ebb_store_write_commit(w, &meta, EBB_META_ALL, NULL, &err), -EBB_ENOTSUP);
	ck_assert_str_eq(err.msg, "cannot keep attribute 'user.ebb' on 'o': the filesystem does not "
				  "support it");
	keys_are(s, NULL, NULL, "plain ");
	ebb_store_close(s);
	ck_assert_int_eq(umount2(dir, MNT_DETACH), 0);
}
END_TEST

/* From now on this process is nobody. */
static void become_nobody(void)
{
	const gid_t none[1] = {NOBODY};

	ck_assert_int_eq(setgroups(1, none), 0);
	ck_assert_int_eq(setegid(NOBODY), 0);
	ck_assert_int_eq(seteuid(NOBODY), 0);
}

START_TEST(owners_that_cannot_be_kept_refuse_the_copy)
{
	const char *dir = ebb_scratch_new();
	struct ebb_err err = {0};

	if (!is_root())
		return;
	ck_assert_int_eq(chmod(dir, 0777), 0);
	STORE *s = open_at(dir);
	become_nobody();
	const struct ebb_meta other = {.uid = 1234, .gid = NOBODY}, own = {.uid = NOBODY, .gid = NOBODY};
	expect(ebb_store_write_commit(writer(s, "o"), &other, EBB_META_OWNER, NULL, &err),
	       EBB_EACCES, &err);
	keys_are(s, NULL, NULL, "");
	expect(ebb_store_write_commit(writer(s, "o"), &own, EBB_META_OWNER, NULL, &err), 0, &err);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(bits_that_are_dropped_silently_refuse_the_copy)
{
	const char *dir = ebb_scratch_new();
	const struct ebb_meta meta = {.mode = 02755};
	struct ebb_err err = {0};

	if (!is_root())
		return;
	/* files here get a group that nobody is not in, so chmod(2) clears the bit without a word */
	ck_assert_int_eq(chown(dir, 0, 1234), 0);
	ck_assert_int_eq(chmod(dir, 02777), 0);
	STORE *s = open_at(dir);
	become_nobody();
	expect(ebb_store_write_commit(writer(s, "o"), &meta, EBB_META_MODE, NULL, &err),
	       EBB_EMISMATCH, &err);
	keys_are(s, NULL, NULL, "");
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static int ignore(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	(void)ctx, (void)rec, (void)err;
	return 0;
}

START_TEST(files_of_others_are_read_all_the_same)
{
	const char *dir = ebb_scratch_new();
	struct ebb_store_reader *r = NULL;
	struct ebb_err err = {0};
	char deep[PATH_MAX];

	if (!is_root())
		return;
	/* O_NOATIME is for owners */
	ck_assert_int_eq(chmod(dir, 0755), 0);
	put(in(dir, "o"), "abc");
	put(in(dir, "secret"), "abc");
	ck_assert_int_eq(chmod(in(dir, "secret"), 0600), 0);
	ck_assert_int_eq(mkdir(in(dir, "closed"), 0700), 0);
	snprintf(deep, sizeof(deep), "%s", in(dir, "closed/o"));
	put(deep, "abc");
	STORE *s = open_at(dir);
	become_nobody();
	ebb_store_suite_content(s, "o", "abc", 3);
	expect(ebb_store_read_open(s, "secret", NULL, &r, &err), EBB_EACCES, &err);
	expect(ebb_store_read_open(s, "closed/o", NULL, &r, &err), EBB_EACCES, &err);
	expect(ebb_store_write_sweep(s, "closed/o", "t", &err), EBB_EACCES, &err);
	keys_are(s, "o", NULL, "o ");
	expect(ebb_store_list(s, NULL, NULL, ignore, NULL, &err), EBB_EACCES, &err);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* Some filesystems go on to the year 2446 and farther, nanoseconds in 64 bits end in 2262: what was cut off there must not be set. */
START_TEST(times_that_cannot_be_told_refuse_the_copy)
{
	const char *dir = ebb_scratch_new();
	const struct ebb_meta late[] = {{.mtime = INT64_MAX, .atime = 1}, {.mtime = 1, .atime = INT64_MAX},
					{.mtime = INT64_MIN, .atime = 1}};
	struct ebb_err err = {0};
	META m = {0};

	put(in(dir, "o"), "abc");
	STORE *s = open_at(dir);
	for (size_t i = 0; i < 3; i++)
		expect(ebb_store_set_meta(s, "o", &late[i], EBB_META_TIMES, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_get_meta(s, "o", &m, &err), 0, &err);
	ck_assert_int_gt(m.mtime, 1);
	ck_assert_int_lt(m.mtime, INT64_MAX);
}
END_TEST

EBB_UNIT_MAIN("store_fs", the_root_must_be_a_directory, the_root_is_held_by_its_descriptor,
	      identity_is_that_of_the_root, symlinks_are_objects, no_symlink_leads_anywhere,
	      a_directory_swapped_for_a_symlink_does_not_redirect, special_files_are_never_opened,
	      hard_links_are_names_of_one_inode, a_rewrite_that_restores_mtime_is_seen,
	      walker_and_store_agree, read_only_files_come_and_go, temporaries_are_private, full_is_full,
	      moving_by_link_never_replaces, strangers_are_moved_back,
	      what_arrives_is_what_was_checked,
	      no_move_crosses_a_mount, acls_survive, inherited_acls_do_not_stay,
	      p13_owner_suid_and_privileged_attributes_survive,
	      attributes_that_cannot_be_kept_refuse_the_copy,
	      owners_that_cannot_be_kept_refuse_the_copy,
	      bits_that_are_dropped_silently_refuse_the_copy, files_of_others_are_read_all_the_same,
	      times_that_cannot_be_told_refuse_the_copy)
