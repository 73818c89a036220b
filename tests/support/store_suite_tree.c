/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/store_suite.h"

#define expect ebb_store_suite_expect
#define keys_are ebb_store_suite_keys

#define make_dir ebb_store_suite_make_dir

static void put(struct ebb_store *s, const char *key)
{
	ebb_store_suite_write(s, key, key, strlen(key), NULL);
}

static void head(struct ebb_store *s, const char *key, struct ebb_record *ret)
{
	struct ebb_err err = {0};

	expect(ebb_store_head(s, key, ret, &err), 0, &err);
}

/* --- Keys --- */

/* Every call that takes a key, with one that is malformed. */
static void refuse_everywhere(struct ebb_store *s, const char *key)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	struct ebb_store_reader *r = NULL;
	struct ebb_store_writer *w = NULL;
	struct ebb_record rec;
	struct ebb_meta meta;
	struct ebb_err err = {0};

	ebb_meta_init(&meta);
	expect(ebb_store_head(s, key, &rec, &err), EBB_EINVAL, &err);
	expect(ebb_store_check(s, key, NULL, &err), EBB_EINVAL, &err);
	if (strcmp(key, EBB_STORE_ROOT) != 0) {
		expect(ebb_store_get_meta(s, key, &meta, &err), EBB_EINVAL, &err);
		expect(ebb_store_set_meta(s, key, &meta, EBB_META_ALL, &err), EBB_EINVAL, &err);
	}
	expect(ebb_store_read_open(s, key, NULL, &r, &err), EBB_EINVAL, &err);
	expect(ebb_store_write_open(s, key, &opts, &w, &err), EBB_EINVAL, &err);
	expect(ebb_store_write_sweep(s, key, "t", &err), EBB_EINVAL, &err);
	expect(ebb_store_rename(s, key, "b", NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_rename(s, "o", key, NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_mkdirs(s, key, 0755, NULL, NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_rmdir(s, key, &err), EBB_EINVAL, &err);
	expect(ebb_store_remove(s, key, NULL, &err), EBB_EINVAL, &err);
}

START_TEST(malformed_keys_are_refused)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	static const char *const bad[] = {
		"", "/", "/a", "a//", "a//b", ".", "..", "./", "../", "../a", "a/..", "a/../b",
		"a/./b", "a/.", "./a", "//",
	};
	EBB_CLEANUP(ebb_mem_freep) char *longest = malloc(EBB_KEY_MAX + 2);

	put(s, "o");
	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++)
		refuse_everywhere(s, bad[i]);
	memset(longest, 'x', EBB_KEY_MAX + 1);
	longest[EBB_KEY_MAX + 1] = '\0';
	refuse_everywhere(s, longest);
	keys_are(s, NULL, NULL, "o ");
}
END_TEST

START_TEST(the_root_has_metadata_or_none)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta meta = {0};
	struct ebb_err err = {0};

	int rc = ebb_store_get_meta(s, EBB_STORE_ROOT, &meta, &err);
	ck_assert(rc == 0 || rc == -EBB_ENOENT);
	ebb_err_clear(&err);
	meta.mode = 0710;
	expect(ebb_store_set_meta(s, EBB_STORE_ROOT, &meta, EBB_META_MODE, &err),
	       rc ? EBB_ENOENT : 0, &err);
	if (rc == 0) {
		expect(ebb_store_get_meta(s, EBB_STORE_ROOT, &meta, &err), 0, &err);
		ck_assert_uint_eq(meta.mode, 0710);
	}
}
END_TEST

START_TEST(odd_names_are_names)
{
	SUITE_STORE(s);
	static const char *const odd[] = {
		"\x01", " ", "...", "..a", ".a", "a\nb", "%41", "*", "-rf", "\\", "\x80\xff\xc3(", "~",
	};
	const char *keys[EBB_ARRAY_LEN(odd)];
	size_t n = ebb_store_suite_taken(s, odd, EBB_ARRAY_LEN(odd), keys);
	char longest[NAME_MAX + 1];

	for (size_t i = 0; i < n; i++)
		put(s, keys[i]);
	for (size_t i = 0; i < n; i++)
		ebb_store_suite_content(s, keys[i], keys[i], strlen(keys[i]));
	for (size_t i = 0; i < n; i++)
		ebb_store_suite_purge(s, keys[i]);
	keys_are(s, NULL, NULL, "");
	memset(longest, 'n', NAME_MAX);
	longest[NAME_MAX] = '\0';
	put(s, longest);
	ebb_store_suite_content(s, longest, longest, NAME_MAX);
	ebb_store_suite_purge(s, longest);
}
END_TEST

static int last_key(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	char *last = ctx;

	(void)err;
	memcpy(last, rec->key, rec->key_len);
	last[rec->key_len] = '\0';
	return 0;
}

START_TEST(keys_may_be_as_long_as_they_may)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	char key[EBB_KEY_MAX + 1], to[EBB_KEY_MAX + 1], last[EBB_KEY_MAX + 1] = "";
	struct ebb_record rec;
	struct ebb_err err = {0};

	/* 20 directories of 200 and a name of 96 bytes */
	for (size_t i = 0; i < EBB_KEY_MAX; i++)
		key[i] = i % 200 == 199 && i < 4000 ? '/' : 'k';
	key[4000] = '\0';
	make_dir(s, key);
	key[4000] = 'k';
	key[EBB_KEY_MAX] = '\0';
	put(s, key);
	ebb_store_suite_content(s, key, key, EBB_KEY_MAX);
	head(s, key, &rec);
	expect(ebb_store_list(s, NULL, NULL, last_key, last, &err), 0, &err);
	ck_assert_str_eq(last, key);
	memcpy(to, key, sizeof(to));
	to[EBB_KEY_MAX - 1] = 'l';
	expect(ebb_store_rename(s, key, to, &rec, &err), 0, &err);
	ebb_store_suite_purge(s, to);
	memcpy(to + 4000, "12345678/", 10);
	make_dir(s, to);
	expect(ebb_store_rmdir(s, to, &err), 0, &err);
}
END_TEST

/* --- Listing --- */

START_TEST(list_is_in_key_order)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);

	keys_are(s, NULL, NULL, "");
	make_dir(s, "a/b/");
	make_dir(s, "c/");
	put(s, "a!");
	put(s, "a0");
	put(s, "a.b");
	put(s, "a/b!");
	put(s, "a/b/c");
	put(s, "\xff");
	keys_are(s, NULL, NULL, "a! a.b a/ a/b! a/b/ a/b/c a0 c/ \xff ");
}
END_TEST

START_TEST(list_takes_a_prefix_and_a_start)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);

	make_dir(s, "a/b/");
	make_dir(s, "ab/");
	put(s, "a/b/c");
	put(s, "a/b/d");
	put(s, "a/x");
	put(s, "ab/y");
	put(s, "b");
	keys_are(s, "", "", "a/ a/b/ a/b/c a/b/d a/x ab/ ab/y b ");
	keys_are(s, "a/", NULL, "a/ a/b/ a/b/c a/b/d a/x ");
	keys_are(s, "a/b", NULL, "a/b/ a/b/c a/b/d ");
	keys_are(s, "a/b/d", NULL, "a/b/d ");
	keys_are(s, "ab/y/", NULL, "");
	keys_are(s, "nothing", NULL, "");
	keys_are(s, NULL, "a/b/c", "a/b/d a/x ab/ ab/y b ");
	keys_are(s, NULL, "a/b/", "a/b/c a/b/d a/x ab/ ab/y b ");
	keys_are(s, NULL, "a/bb", "a/x ab/ ab/y b ");
	keys_are(s, NULL, "b", "");
	keys_are(s, "a/", "a/b/c", "a/b/d a/x ");
	keys_are(s, "a/", "b", "");
}
END_TEST

static int compare_with_head(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct ebb_record now;
	char key[20];

	(void)err;
	snprintf(key, sizeof(key), "%.*s", (int)rec->key_len, rec->key);
	head(ctx, key, &now);
	ck_assert_uint_eq(now.known, rec->known);
	ck_assert_mem_eq(now.f, rec->f, sizeof(now.f));
	return 0;
}

START_TEST(list_gives_what_head_gives)
{
	SUITE_STORE(s);
	struct ebb_err err = {0};

	make_dir(s, "d/");
	put(s, "d/o");
	expect(ebb_store_list(s, NULL, NULL, compare_with_head, s, &err), 0, &err);
}
END_TEST

static int stop_at_second(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	int *n = ctx;

	(void)rec;
	return ++*n == 2 ? ebb_err_set(err, EBB_ECANCELLED, "enough") : 0;
}

START_TEST(list_stops_when_told)
{
	SUITE_STORE(s);
	struct ebb_err err = {0};
	int n = 0;

	put(s, "a");
	put(s, "b");
	put(s, "c");
	expect(ebb_store_list(s, NULL, NULL, stop_at_second, &n, &err), EBB_ECANCELLED, &err);
	ck_assert_int_eq(n, 2);
}
END_TEST

/* --- Renaming --- */

START_TEST(rename_keeps_the_object)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RENAME);
	struct ebb_err err = {0};
	struct ebb_record before, after;

	make_dir(s, "d/");
	ebb_store_suite_write(s, "a", "abc", 3, &before);
	expect(ebb_store_rename(s, "a", "d/b", &before, &err), 0, &err);
	head(s, "d/b", &after);
	ck_assert_int_eq(after.f[EBB_F_INO], before.f[EBB_F_INO]);
	ck_assert_int_eq(after.f[EBB_F_MTIME], before.f[EBB_F_MTIME]);
	ck_assert_int_eq(after.f[EBB_F_MODE], before.f[EBB_F_MODE]);
	ebb_store_suite_content(s, "d/b", "abc", 3);
	keys_are(s, NULL, NULL, "d/ d/b ");
	expect(ebb_store_rename(s, "d/b", "c", NULL, &err), 0, &err);
	keys_are(s, NULL, NULL, "c d/ ");
}
END_TEST

START_TEST(rename_never_replaces)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RENAME);
	struct ebb_err err = {0};

	put(s, "a");
	put(s, "b");
	make_dir(s, "d/");
	make_dir(s, "e/");
	expect(ebb_store_rename(s, "a", "b", NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_rename(s, "a", "d", NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_rename(s, "d/", "e/", NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_rename(s, "d/", "b/", NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_rename(s, "a", "a", NULL, &err), EBB_EEXIST, &err);
	keys_are(s, NULL, NULL, "a b d/ e/ ");
	ebb_store_suite_content(s, "b", "b", 1);
}
END_TEST

START_TEST(rename_needs_both_ends)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RENAME);
	struct ebb_err err = {0};

	put(s, "a");
	make_dir(s, "d/");
	expect(ebb_store_rename(s, "nothing", "b", NULL, &err), EBB_ENOENT, &err);
	expect(ebb_store_rename(s, "d", "b", NULL, &err), EBB_ENOENT, &err);
	expect(ebb_store_rename(s, "a/", "b/", NULL, &err), EBB_ENOENT, &err);
	expect(ebb_store_rename(s, "a", "nowhere/b", NULL, &err), EBB_ENOENT, &err);
	expect(ebb_store_rename(s, "a", "b/", NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_rename(s, "d/", "b", NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_rename(s, "d/", "d/e/", NULL, &err), EBB_EINVAL, &err);
	keys_are(s, NULL, NULL, "a d/ ");
}
END_TEST

START_TEST(rename_checks_the_state)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RENAME);
	struct ebb_err err = {0};
	struct ebb_record rec;

	ebb_store_suite_write(s, "a", "abc", 3, &rec);
	rec.f[EBB_F_MTIME]++;
	expect(ebb_store_rename(s, "a", "b", &rec, &err), EBB_ECHANGED, &err);
	keys_are(s, NULL, NULL, "a ");
}
END_TEST

START_TEST(directories_move_with_all_below)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RENAME);
	struct ebb_err err = {0};

	make_dir(s, "d/e/");
	make_dir(s, "x/");
	put(s, "d/e/o");
	put(s, "d/p");
	put(s, "d!");
	expect(ebb_store_rename(s, "d/", "x/y/", NULL, &err), 0, &err);
	keys_are(s, NULL, NULL, "d! x/ x/y/ x/y/e/ x/y/e/o x/y/p ");
	ebb_store_suite_content(s, "x/y/e/o", "d/e/o", 5);
}
END_TEST

/* --- Directories --- */

static int note(void *ctx, const char *key, struct ebb_err *err)
{
	char *noted = ctx;

	strcat(strcat(noted, key), " ");
	return strcmp(key, "stop/") == 0 ? ebb_err_set(err, EBB_EJOURNAL, "told to stop") : 0;
}

START_TEST(mkdirs_makes_what_is_missing)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	struct ebb_err err = {0};
	struct ebb_record rec;
	char noted[100] = "";

	expect(ebb_store_mkdirs(s, "a/b/", 0700, note, noted, &err), 0, &err);
	ck_assert_str_eq(noted, "a/ a/b/ ");
	noted[0] = '\0';
	expect(ebb_store_mkdirs(s, "a/b/c/d/", 0777, note, noted, &err), 0, &err);
	ck_assert_str_eq(noted, "a/b/c/ a/b/c/d/ ");
	noted[0] = '\0';
	expect(ebb_store_mkdirs(s, "a/b/", 0755, note, noted, &err), 0, &err);
	ck_assert_str_eq(noted, "");
	head(s, "a/b/", &rec);
	ck_assert_int_eq(rec.f[EBB_F_MODE] & 07777, 0700);
	head(s, "a/b/c/", &rec);
	ck_assert_int_eq(rec.f[EBB_F_MODE] & 07777, 0777);
	keys_are(s, NULL, NULL, "a/ a/b/ a/b/c/ a/b/c/d/ ");
}
END_TEST

START_TEST(mkdirs_stops)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	struct ebb_err err = {0};
	char noted[100] = "";

	put(s, "o");
	expect(ebb_store_mkdirs(s, "o/", 0755, NULL, NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_mkdirs(s, "o/d/", 0755, NULL, NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_mkdirs(s, "o", 0755, NULL, NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_mkdirs(s, "stop/here/", 0755, note, noted, &err), EBB_EJOURNAL, &err);
	keys_are(s, NULL, NULL, "o stop/ ");
}
END_TEST

START_TEST(rmdir_removes_empty_directories)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	struct ebb_err err = {0};

	make_dir(s, "d/e/");
	put(s, "o");
	expect(ebb_store_rmdir(s, "d/", &err), EBB_EEXIST, &err);
	expect(ebb_store_rmdir(s, "d/e/", &err), 0, &err);
	expect(ebb_store_rmdir(s, "d/", &err), 0, &err);
	expect(ebb_store_rmdir(s, "d/", &err), EBB_ENOENT, &err);
	expect(ebb_store_rmdir(s, "o/", &err), EBB_ENOENT, &err);
	expect(ebb_store_rmdir(s, "o", &err), EBB_EINVAL, &err);
	keys_are(s, NULL, NULL, "o ");
}
END_TEST

/* --- Removing --- */

static struct ebb_proof *purge_proof(struct ebb_store *s, const char *key,
				     const struct ebb_record *rec)
{
	struct ebb_proof *proof = NULL;
	struct ebb_err err = {0};

	expect(ebb_proof_purge(s, key, rec, EBB_PROOF_PURGE_WORDS, &proof, &err), 0, &err);
	return proof;
}

START_TEST(remove_takes_a_proof_about_this_object)
{
	SUITE_STORE(s);
	SUITE_STORE(other);
	struct ebb_err err = {0};
	struct ebb_record rec;

	ebb_store_suite_write(s, "a", "abc", 3, &rec);
	ebb_store_suite_write(s, "b", "abc", 3, NULL);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = purge_proof(s, "a", &rec);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *elsewhere = purge_proof(other, "a", &rec);
	expect(ebb_store_remove(s, "a", NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_remove(s, "b", proof, &err), EBB_EINVAL, &err);
	expect(ebb_store_remove(s, "a", elsewhere, &err), EBB_EINVAL, &err);
	keys_are(s, NULL, NULL, "a b ");
	expect(ebb_store_remove(s, "a", proof, &err), 0, &err);
	keys_are(s, NULL, NULL, "b ");
	expect(ebb_store_remove(s, "a", proof, &err), EBB_ENOENT, &err);
}
END_TEST

START_TEST(remove_spares_what_changed)
{
	SUITE_STORE(s);
	struct ebb_err err = {0};
	struct ebb_record rec;
	struct ebb_meta later;

	ebb_store_suite_write(s, "a", "abc", 3, &rec);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = purge_proof(s, "a", &rec);
	ebb_meta_init(&later);
	later.mtime = rec.f[EBB_F_MTIME] + 1;
	if (ebb_store_suite_sees_meta(s)) {
		expect(ebb_store_set_meta(s, "a", &later, EBB_META_TIMES, &err), 0, &err);
		expect(ebb_store_remove(s, "a", proof, &err), EBB_ECHANGED, &err);
	}
	keys_are(s, NULL, NULL, "a ");
	ebb_store_suite_purge(s, "a");
	ebb_store_suite_write(s, "a", "abcd", 4, NULL);
	expect(ebb_store_remove(s, "a", proof, &err), EBB_ECHANGED, &err);
	ebb_store_suite_content(s, "a", "abcd", 4);
}
END_TEST

START_TEST(remove_is_not_for_directories)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	struct ebb_err err = {0};
	struct ebb_record rec;

	make_dir(s, "d/");
	head(s, "d/", &rec);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = purge_proof(s, "d/", &rec);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *bare = purge_proof(s, "d", &rec);
	expect(ebb_store_remove(s, "d/", proof, &err), EBB_EINVAL, &err);
	expect(ebb_store_remove(s, "d", bare, &err), EBB_ENOENT, &err);
	keys_are(s, NULL, NULL, "d/ ");
}
END_TEST

/* --- The store itself --- */

START_TEST(identity_stays_and_tells_emptiness)
{
	SUITE_STORE(s);
	struct ebb_store_identity first, now;
	struct ebb_err err = {0};

	expect(ebb_store_identify(s, &first, &err), 0, &err);
	ck_assert(first.empty && first.kind[0]);
	make_dir(s, EBB_PROOF_TRASH "run-1/");
	put(s, EBB_PROOF_TRASH "run-1/o");
	make_dir(s, "lost+found/");
	expect(ebb_store_identify(s, &now, &err), 0, &err);
	ck_assert(now.empty);
	put(s, "o");
	expect(ebb_store_identify(s, &now, &err), 0, &err);
	ck_assert(!now.empty);
	ck_assert_uint_eq(now.dev, first.dev);
	ck_assert_uint_eq(now.ino, first.ino);
	ck_assert_str_eq(now.fsid, first.fsid);
	ck_assert_str_eq(now.kind, first.kind);
}
END_TEST

START_TEST(space_is_told_or_not_supported)
{
	SUITE_STORE(s);
	struct ebb_err err = {0};
	int64_t bytes = -5;

	int rc = ebb_store_space(s, &bytes, &err);
	ck_assert(rc == 0 ? bytes >= 0 : rc == -EBB_ENOTSUP && bytes == -5 && err.msg[0]);
}
END_TEST

void ebb_store_suite_tree_add(TCase *tcase, int n)
{
	const TTest *const tests[] = {
		malformed_keys_are_refused, the_root_has_metadata_or_none, odd_names_are_names,
		keys_may_be_as_long_as_they_may,
		list_is_in_key_order, list_takes_a_prefix_and_a_start, list_gives_what_head_gives,
		list_stops_when_told, rename_keeps_the_object, rename_never_replaces,
		rename_needs_both_ends, rename_checks_the_state, directories_move_with_all_below,
		mkdirs_makes_what_is_missing, mkdirs_stops, rmdir_removes_empty_directories,
		remove_takes_a_proof_about_this_object, remove_spares_what_changed,
		remove_is_not_for_directories, identity_stays_and_tells_emptiness,
		space_is_told_or_not_supported,
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(tests); i++)
		tcase_add_loop_test(tcase, tests[i], 0, n);
}
