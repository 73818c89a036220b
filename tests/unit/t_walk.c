/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Promises: P11 */
#include "scanners/walk.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

#define MOST 5000
static char root[256];
static struct ebb_err err;

struct seen {
	char *keys[MOST];
	struct ebb_record recs[MOST];
	size_t n;
	char *bad[10]; /* unreadable */
	size_t nbad;
	size_t stop_after;
};

static int on_record(void *ctx, const struct ebb_record *r, struct ebb_err *e)
{
	struct seen *s = ctx;
	if (s->stop_after && s->n == s->stop_after)
		return ebb_err_set(e, EBB_ELIMIT, "enough");
	ck_assert_uint_lt(s->n, MOST);
	ck_assert_uint_eq(strlen(r->key), r->key_len);
	if (s->n)
		ck_assert_int_lt(ebb_record_key_cmp(s->keys[s->n - 1], strlen(s->keys[s->n - 1]), r->key,
						    r->key_len), 0);
	s->recs[s->n] = *r;
	s->keys[s->n++] = strdup(r->key);
	return 0;
}

static int on_unreadable(void *ctx, const char *key, size_t len, const char *why, struct ebb_err *e)
{
	struct seen *s = ctx;
	(void)why, (void)e;
	ck_assert_uint_lt(s->nbad, 10);
	s->bad[s->nbad++] = strndup(key, len);
	return 0;
}

static struct seen *walk(struct ebb_walk_opts o, int want)
{
	struct seen *s = calloc(1, sizeof(*s));
	struct ebb_walk_fns fns = {on_record, on_unreadable, s};
	err = (struct ebb_err){0};
	o.root = o.root ? o.root : root;
	o.started = INT64_MAX;
	ck_assert_msg(ebb_walk_run(&o, &fns, NULL, &err) == want, "%s", err.msg);
	return s;
}

static void drop(struct seen *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->keys[i]);
	for (size_t i = 0; i < s->nbad; i++)
		free(s->bad[i]);
	free(s);
}

static const struct ebb_record *find(const struct seen *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->keys[i], key) == 0)
			return &s->recs[i];
	return NULL;
}

static void in_root(const char *script)
{
	char cmd[1200];
	snprintf(cmd, sizeof(cmd), "cd '%s' && %s", root, script);
	ck_assert_int_eq(system(cmd), 0);
}

static void make_root(void)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(root, sizeof(root), "%s/t_walk.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void remove_root(void)
{
	char cmd[300];
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", root);
	ck_assert_int_eq(system(cmd), 0);
}

static size_t others;
static int count_other(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)path, (void)st, (void)type;
	others += f->level > 0;
	return 0;
}

START_TEST(order_is_that_of_the_keys)
{
	make_root();
	/* '-' and '.' sort before '/', '0' behind it. */
	in_root("mkdir -p a/b a-1 a.d a0 && touch a/x a/b/y a-1/x a.d/x a0/x a-f a.f a0f ab");
	for (unsigned t = 1; t < 6; t++) {
		struct seen *s = walk((struct ebb_walk_opts){.threads = t}, 0);
		static const char *const want[] = {"a-1/", "a-1/x", "a-f",  "a.d/", "a.d/x", "a.f", "a/",
						   "a/b/", "a/b/y", "a/x",  "a0/",  "a0/x",  "a0f", "ab"};
		ck_assert_uint_eq(s->n, sizeof(want) / sizeof(want[0]));
		for (size_t i = 0; i < s->n; i++)
			ck_assert_str_eq(s->keys[i], want[i]);
		drop(s);
	}
	remove_root();
}
END_TEST

START_TEST(every_kind_of_thing)
{
	struct stat st;
	char path[400];
	make_root();
	in_root("printf hello > f && ln f twin && mkfifo p && ln -s /etc out && ln -s nowhere dangling && "
		"truncate -s 1M sparse && mkdir .ebb-trash d && touch .ebb-trash/x d/.ebb-tmp.1 d/.ebb-tmpx");
	in_root("touch \"$(printf 'new\\nline')\" \"$(printf 'not\\377utf8')\"");
	struct seen *s = walk((struct ebb_walk_opts){0}, 0);
	ck_assert_int_eq(find(s, "f")->f[EBB_F_SIZE], 5);
	ck_assert_int_eq(find(s, "f")->f[EBB_F_NLINK], 2);
	ck_assert_int_eq(find(s, "twin")->f[EBB_F_INO], find(s, "f")->f[EBB_F_INO]);
	ck_assert_int_eq(find(s, "p")->f[EBB_F_KIND], EBB_KIND_SPECIAL);
	ck_assert_int_eq(find(s, "out")->f[EBB_F_KIND], EBB_KIND_SYMLINK);
	ck_assert_int_eq(find(s, "dangling")->f[EBB_F_KIND], EBB_KIND_SYMLINK);
	ck_assert_int_eq(find(s, "d/")->f[EBB_F_KIND], EBB_KIND_DIR);
	ck_assert_int_lt(find(s, "sparse")->f[EBB_F_ALLOC], 1 << 20);
	ck_assert_ptr_nonnull(find(s, "new\nline"));
	ck_assert_ptr_nonnull(find(s, "not\xffutf8"));
	ck_assert_ptr_null(find(s, ".ebb-trash/")); /* ebb's own */
	ck_assert_ptr_null(find(s, "d/.ebb-tmp.1"));
	ck_assert_ptr_nonnull(find(s, "d/.ebb-tmpx"));
	ck_assert_uint_eq(s->n, 10); /* nothing of /etc */
	snprintf(path, sizeof(path), "%s/f", root);
	ck_assert_int_eq(stat(path, &st), 0);
	const struct ebb_record *f = find(s, "f");
	ck_assert_int_eq(f->f[EBB_F_MTIME], st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec);
	ck_assert_int_eq(f->f[EBB_F_CTIME], st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec);
	ck_assert_int_eq(f->f[EBB_F_MODE], st.st_mode);
	ck_assert_int_eq(f->f[EBB_F_UID], st.st_uid);
	ck_assert_int_eq(f->f[EBB_F_ALLOC], st.st_blocks * 512);
	ck_assert_uint_eq((uint64_t)f->f[EBB_F_DEV], st.st_dev);
	ck_assert(f->known & EBB_KNOWN(EBB_F_EVIDENCE));
	drop(s);
	remove_root();
}
END_TEST

/* From every key that an interrupted scan could have ended on, the rest comes, all of it and nothing else. */
START_TEST(resume_gives_exactly_the_rest)
{
	make_root();
	in_root("for d in a a/b a/b-c a-b b b/c/d/e z; do mkdir -p $d; for f in 1 2 - .x zz; do touch $d/$f; done; done");
	struct seen *all = walk((struct ebb_walk_opts){0}, 0);
	for (size_t i = 0; i < all->n; i++) {
		struct seen *rest = walk((struct ebb_walk_opts){.after = all->keys[i], .threads = 3}, 0);
		ck_assert_uint_eq(rest->n, all->n - i - 1);
		for (size_t k = 0; k < rest->n; k++)
			ck_assert_str_eq(rest->keys[k], all->keys[i + 1 + k]);
		drop(rest);
	}
	struct seen *gone = walk((struct ebb_walk_opts){.after = "a/b/1x"}, 0); /* vanished since */
	ck_assert_str_eq(gone->keys[0], "a/b/2");
	drop(gone);
	drop(all);
	remove_root();
}
END_TEST

static bool no_b(void *ctx, const char *key, size_t len)
{
	(void)ctx;
	return strcmp(key, "b/") == 0 || (len > 4 && strcmp(key + len - 4, ".log") == 0);
}

START_TEST(excluded_is_not_entered)
{
	make_root();
	in_root("mkdir a b && touch a/x.log a/y b/z");
	struct seen *s = walk((struct ebb_walk_opts){.exclude = no_b}, 0);
	ck_assert_uint_eq(s->n, 2);
	ck_assert_str_eq(s->keys[0], "a/");
	ck_assert_str_eq(s->keys[1], "a/y");
	drop(s);
	remove_root();
}
END_TEST

START_TEST(a_real_tree_is_complete)
{
	make_root();
	in_root("for i in $(seq 30); do mkdir -p d$i/e/f; for j in $(seq 20); do : > d$i/e/f$j; : > d$i/$j; done; done");
	others = 0;
	ck_assert_int_eq(nftw(root, count_other, 20, FTW_PHYS), 0);
	struct seen *s = walk((struct ebb_walk_opts){.threads = 4}, 0);
	ck_assert_uint_eq(s->n, others);
	drop(s);
	remove_root();
}
END_TEST

START_TEST(callbacks_and_cancel_stop_it)
{
	struct seen s = {.stop_after = 1};
	struct ebb_walk_fns fns = {on_record, on_unreadable, &s};
	atomic_bool cancel = true;
	make_root();
	in_root("mkdir -p a/b/c d && touch a/1 a/b/2 d/3");
	struct ebb_walk_opts o = {.root = root, .threads = 3};
	ck_assert_int_eq(ebb_walk_run(&o, &fns, NULL, &err), -EBB_ELIMIT);
	free(s.keys[0]);
	drop(walk((struct ebb_walk_opts){.cancel = &cancel}, -EBB_ECANCELLED));
	drop(walk((struct ebb_walk_opts){.root = "/nonexistent/dir"}, -EBB_ESTORE));
	remove_root();
}
END_TEST

START_TEST(deep_paths_up_to_the_limit)
{
	char name[201];
	int depth = 0, fd;
	make_root();
	memset(name, 'n', 200);
	name[200] = '\0';
	fd = open(root, O_RDONLY | O_DIRECTORY);
	for (; depth < 25; depth++) { /* 25 * 201 bytes: more than PATH_MAX */
		ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
		int next = openat(fd, name, O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	close(fd);
	struct seen *s = walk((struct ebb_walk_opts){0}, 0);
	ck_assert_uint_eq(s->n, 4096 / 201);
	ck_assert_uint_eq(s->nbad, 1); /* the one that holds the first too long path */
	drop(s);
	remove_root();
}
END_TEST

START_TEST(unreadable_directories_are_told)
{
	make_root();
	in_root("mkdir ok closed names && touch ok/x closed/y names/z && chmod 0 closed && chmod 444 names && chmod 755 .");
	pid_t pid = fork();
	if (pid == 0) { /* root reads everything: be somebody else, who may not see the folders above */
		if (chdir(root) != 0 || (getuid() == 0 && setresuid(65534, 65534, 65534) != 0))
			_exit(9);
		struct seen *s = walk((struct ebb_walk_opts){.root = "."}, 0);
		const struct ebb_record *z = find(s, "names/z");
		_exit(!(s->nbad == 1 && strcmp(s->bad[0], "closed/") == 0 && s->n == 5 && find(s, "ok/x") &&
			find(s, "closed/") && z && z->known == (EBB_KNOWN(EBB_F_KIND) | EBB_KNOWN(EBB_F_FLAGS))));
	}
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	in_root("chmod 755 closed names");
	remove_root();
}
END_TEST

START_TEST(mounts_are_not_entered)
{
	if (getuid() != 0) {
		printf("SKIPPED: mounting needs root\n");
		return;
	}
	make_root();
	in_root("mkdir m other && touch other/x");
	pid_t pid = fork();
	if (pid == 0) {
		char path[400];
		snprintf(path, sizeof(path), "%s/m", root);
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", path, "tmpfs", MS_NOATIME, NULL))
			_exit(77);
		in_root("touch m/inside");
		struct seen *s = walk((struct ebb_walk_opts){0}, 0);
		int bad = find(s, "m/inside") || !find(s, "m/") ||
			  !(find(s, "m/")->f[EBB_F_FLAGS] & EBB_FLAG_MOUNT);
		s = walk((struct ebb_walk_opts){.cross_filesystems = true}, 0);
		bad |= !find(s, "m/inside") ||
		       find(s, "m/inside")->f[EBB_F_EVIDENCE] != EBB_EVIDENCE_MTIME; /* noatime */
		_exit(bad);
	}
	int status;
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 77)
		printf("SKIPPED: cannot mount here\n");
	else
		ck_assert_int_eq(status, 0);
	remove_root();
}
END_TEST

START_TEST(p11_access_times_stay)
{
	struct stat before, after;
	char path[400];
	make_root();
	in_root("mkdir d && touch d/f && touch -a -d '2001-01-01' d");
	snprintf(path, sizeof(path), "%s/d", root);
	ck_assert_int_eq(stat(path, &before), 0);
	drop(walk((struct ebb_walk_opts){0}, 0));
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_int_eq(before.st_atim.tv_sec, after.st_atim.tv_sec);
	remove_root();
}
END_TEST

EBB_UNIT_MAIN("walk", order_is_that_of_the_keys, every_kind_of_thing, resume_gives_exactly_the_rest,
	      excluded_is_not_entered, a_real_tree_is_complete, callbacks_and_cancel_stop_it,
	      deep_paths_up_to_the_limit, unreadable_directories_are_told, mounts_are_not_entered,
	      p11_access_times_stay)
