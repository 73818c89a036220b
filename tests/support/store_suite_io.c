/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/store_suite.h"

#define expect ebb_store_suite_expect
#define META EBB_CLEANUP(ebb_meta_release) struct ebb_meta

static const struct ebb_store_write_opts plain = {.size_hint = -1, .tag = "t1"};

static struct ebb_store_writer *writer(struct ebb_store *s, const char *key, const char *tag)
{
	const struct ebb_store_write_opts opts = {.size_hint = 100, .tag = tag};
	struct ebb_store_writer *w = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_write_open(s, key, &opts, &w, &err), 0, &err);
	return w;
}

static void head(struct ebb_store *s, const char *key, struct ebb_record *ret)
{
	struct ebb_err err = {0};

	expect(ebb_store_head(s, key, ret, &err), 0, &err);
}

/* Temporaries are objects beside their key where there are directories, and uploads elsewhere. */
static const char *with_tmp(struct ebb_store *s, const char *with, const char *without)
{
	return ebb_store_caps(s) & EBB_CAP_DIRS ? with : without;
}

static void absent(struct ebb_store *s, const char *key)
{
	struct ebb_record rec;
	struct ebb_err err = {0};

	expect(ebb_store_head(s, key, &rec, &err), EBB_ENOENT, &err);
}

#define make_dir ebb_store_suite_make_dir

/* --- Looking --- */

START_TEST(head_tells_what_stands)
{
	SUITE_STORE(s);
	struct ebb_record rec;
	const char *key = "object";
	const uint32_t least = EBB_KNOWN(EBB_F_KIND) | EBB_KNOWN(EBB_F_SIZE) |
			       EBB_KNOWN(EBB_F_MTIME);

	ebb_store_suite_write(s, key, "12345", 5, NULL);
	head(s, key, &rec);
	ck_assert_ptr_eq(rec.key, key);
	ck_assert_uint_eq(rec.key_len, 6);
	ck_assert_uint_eq(rec.known & least, least);
	ck_assert_int_eq(rec.f[EBB_F_KIND], EBB_KIND_FILE);
	ck_assert_int_eq(rec.f[EBB_F_SIZE], 5);
	ck_assert(!ebb_record_has(&rec, EBB_F_EVIDENCE) && !ebb_record_has(&rec, EBB_F_WINDOW));
	ck_assert(!(rec.known & EBB_KNOWN_DIGEST));
	for (int f = 0; f < EBB_F_COUNT; f++)
		ck_assert(ebb_record_has(&rec, f) || rec.f[f] == 0);
}
END_TEST

START_TEST(a_name_is_an_object_or_a_directory)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	struct ebb_record rec;

	ebb_store_suite_write(s, "object", "x", 1, NULL);
	make_dir(s, "dir/");
	head(s, "dir/", &rec);
	ck_assert_int_eq(rec.f[EBB_F_KIND], EBB_KIND_DIR);
	absent(s, "dir");
	absent(s, "object/");
	absent(s, "object/below");
	absent(s, "dir/below");
	absent(s, "nowhere/below");
}
END_TEST

START_TEST(check_finds_the_first_difference)
{
	SUITE_STORE(s);
	static const enum ebb_field fields[] = {EBB_F_KIND, EBB_F_SIZE, EBB_F_MTIME, EBB_F_CTIME,
						EBB_F_INO};
	struct ebb_record rec;
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "x", 1, &rec);
	expect(ebb_store_check(s, "o", NULL, &err), 0, &err);
	expect(ebb_store_check(s, "o", &rec, &err), 0, &err);
	expect(ebb_store_check(s, "p", &rec, &err), EBB_ENOENT, &err);
	expect(ebb_store_check(s, "p", NULL, &err), EBB_ENOENT, &err);
	for (size_t i = 0; i < EBB_ARRAY_LEN(fields); i++) {
		struct ebb_record other = rec;

		if (fields[i] == EBB_F_MTIME && ebb_record_has(&rec, EBB_F_PARTS))
			continue;

		ebb_record_set(&other, fields[i], rec.f[fields[i]] + 1);
		ck_assert_int_eq(ebb_store_check(s, "o", &other, &err), -EBB_ECHANGED);
		ck_assert_ptr_nonnull(strstr(err.msg, ebb_record_field_name(fields[i])));
		ebb_err_clear(&err);
		other.known &= ~EBB_KNOWN(fields[i]);
		expect(ebb_store_check(s, "o", &other, &err), 0, &err);
	}
}
END_TEST

START_TEST(check_looks_at_no_other_fields)
{
	SUITE_STORE(s);
	struct ebb_record rec;
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "x", 1, &rec);
	ebb_record_set(&rec, EBB_F_ATIME, 7);
	ebb_record_set(&rec, EBB_F_DEV, 7);
	ebb_record_set(&rec, EBB_F_MODE, 7);
	ebb_record_set(&rec, EBB_F_EVIDENCE, EBB_EVIDENCE_ATIME);
	expect(ebb_store_check(s, "o", &rec, &err), 0, &err);
}
END_TEST

/* --- Reading --- */

START_TEST(read_opens_what_is_expected)
{
	SUITE_STORE(s);
	struct ebb_store_reader *r = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "x", 1, &rec);
	make_dir(s, "d/");
	expect(ebb_store_read_open(s, "nothing", NULL, &r, &err), EBB_ENOENT, &err);
	expect(ebb_store_read_open(s, "d", NULL, &r, &err), EBB_ENOENT, &err);
	expect(ebb_store_read_open(s, "d/", NULL, &r, &err),
	       ebb_store_caps(s) & EBB_CAP_DIRS ? EBB_EINVAL : EBB_ENOENT, &err);
	rec.f[EBB_F_SIZE]++;
	expect(ebb_store_read_open(s, "o", &rec, &r, &err), EBB_ECHANGED, &err);
	ck_assert_ptr_null(r);
	rec.f[EBB_F_SIZE]--;
	expect(ebb_store_read_open(s, "o", &rec, &r, &err), 0, &err);
	ebb_store_read_close(r);
	ebb_store_read_close(NULL);
}
END_TEST

START_TEST(read_ends_with_zero)
{
	SUITE_STORE(s);
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	struct ebb_err err = {0};
	char buf[10];

	ebb_store_suite_write(s, "o", "abc", 3, NULL);
	expect(ebb_store_read_open(s, "o", NULL, &r, &err), 0, &err);
	ck_assert_int_eq(ebb_store_read(r, buf, 0, &err), 0);
	ck_assert_int_eq(ebb_store_read(r, buf, 2, &err), 2);
	ck_assert_mem_eq(buf, "ab", 2);
	ck_assert_int_eq(ebb_store_read(r, buf, 10, &err), 1);
	ck_assert_mem_eq(buf, "c", 1);
	ck_assert_int_eq(ebb_store_read(r, buf, 10, &err), 0);
	ck_assert_int_eq(ebb_store_read(r, buf, 10, &err), 0);
}
END_TEST

START_TEST(read_seeks)
{
	SUITE_STORE(s);
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	struct ebb_err err = {0};
	char buf[10];

	ebb_store_suite_write(s, "o", "abcdef", 6, NULL);
	expect(ebb_store_read_open(s, "o", NULL, &r, &err), 0, &err);
	if (ebb_store_read_seek(r, 4, &err) == -EBB_ENOTSUP)
		return; /* only from the beginning to the end */
	ck_assert_int_eq(ebb_store_read(r, buf, 10, &err), 2);
	ck_assert_mem_eq(buf, "ef", 2);
	ck_assert_int_eq(ebb_store_read_seek(r, 100, &err), 0);
	ck_assert_int_eq(ebb_store_read(r, buf, 10, &err), 0);
	expect(ebb_store_read_seek(r, -1, &err), EBB_EINVAL, &err);
	ck_assert_int_eq(ebb_store_read_seek(r, 0, &err), 0);
	ck_assert_int_eq(ebb_store_read(r, buf, 2, &err), 2);
	ck_assert_mem_eq(buf, "ab", 2);
}
END_TEST

/* A tour opens by what the index knew; what stands there now is told at the end. */
START_TEST(read_next_verifies_late)
{
	SUITE_STORE(s);
	struct ebb_store_tour tour;
	struct ebb_record a, b;
	struct ebb_err err = {0};
	char buf[4];

	make_dir(s, "d/");
	ebb_store_suite_write(s, "d/a", "aaa", 3, &a);
	ebb_store_suite_write(s, "d/b", "bbb", 3, &b);
	ebb_store_tour_init(&tour);
	for (int i = 0; i < 3; i++) {
		EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
		const char *key = i == 1 ? "d/b" : "d/a";

		expect(ebb_store_read_next(s, &tour, key, i == 1 ? &b : &a, &r, &err), 0, &err);
		ck_assert_int_eq(ebb_store_read(r, buf, 4, &err), 3);
		ck_assert_int_eq(buf[0], i == 1 ? 'b' : 'a');
		expect(ebb_store_read_verify(r, &err), 0, &err);
	}
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	a.f[EBB_F_SIZE]++;
	int rc = ebb_store_read_next(s, &tour, "d/a", &a, &r, &err);
	if (rc == 0)
		rc = ebb_store_read_verify(r, &err);
	ck_assert_int_eq(rc, -EBB_ECHANGED);
	ebb_store_tour_release(&tour);
}
END_TEST

START_TEST(read_verify_sees_changes)
{
	SUITE_STORE(s);
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *q = NULL;
	struct ebb_err err = {0};
	META meta;

	ebb_store_suite_write(s, "o", "abc", 3, NULL);
	expect(ebb_store_read_open(s, "o", NULL, &r, &err), 0, &err);
	expect(ebb_store_read_verify(r, &err), 0, &err);
	ebb_meta_init(&meta);
	meta.mtime = 1000;
	if (ebb_store_suite_sees_meta(s)) {
		expect(ebb_store_set_meta(s, "o", &meta, EBB_META_TIMES, &err), 0, &err);
		expect(ebb_store_read_verify(r, &err), EBB_ECHANGED, &err);
	}

	expect(ebb_store_read_open(s, "o", NULL, &q, &err), 0, &err);
	expect(ebb_store_read_verify(q, &err), 0, &err);
	ebb_store_suite_purge(s, "o");
	ebb_store_suite_write(s, "o", "abd", 3, NULL);
	expect(ebb_store_read_verify(q, &err), EBB_ECHANGED, &err);
}
END_TEST

START_TEST(reading_leaves_access_times)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_META);
	struct ebb_err err = {0};
	struct ebb_record rec;
	META meta;

	ebb_store_suite_write(s, "o", "abc", 3, NULL);
	ebb_meta_init(&meta);
	meta.mtime = 2000;
	meta.atime = 1000;	/* before mtime: relatime would move it */
	expect(ebb_store_set_meta(s, "o", &meta, EBB_META_TIMES, &err), 0, &err);
	ebb_store_suite_content(s, "o", "abc", 3);
	expect(ebb_store_get_meta(s, "o", &meta, &err), 0, &err);
	head(s, "o", &rec);
	if (ebb_record_has(&rec, EBB_F_ATIME))
		ck_assert_int_eq(rec.f[EBB_F_ATIME], 1000);
	ck_assert_int_eq(meta.atime, 1000);
}
END_TEST

/* --- Writing --- */

START_TEST(written_bytes_come_back)
{
	SUITE_STORE(s);
	static const size_t sizes[] = {0, 1, 4095, 4096, 300000};
	EBB_CLEANUP(ebb_mem_freep) char *data = malloc(300000);
	struct ebb_err err = {0};
	char key[20];

	for (size_t i = 0; i < 300000; i++)
		data[i] = (char)(i * 31 ^ i >> 8);
	for (size_t i = 0; i < EBB_ARRAY_LEN(sizes); i++) {
		snprintf(key, sizeof(key), "o%zu", i);
		struct ebb_store_writer *w = writer(s, key, "t1");
		for (size_t at = 0; at < sizes[i]; at += 70000) {
			size_t n = sizes[i] - at < 70000 ? sizes[i] - at : 70000;
			expect(ebb_store_write(w, data + at, n, &err), 0, &err);
		}
		expect(ebb_store_write(w, data, 0, &err), 0, &err);
		expect(ebb_store_write_commit(w, NULL, 0, NULL, &err), 0, &err);
		ebb_store_suite_content(s, key, data, sizes[i]);
	}
}
END_TEST

START_TEST(holes_read_as_zeroes)
{
	SUITE_STORE(s);
	const size_t hole = 1 << 20, size = 2 * hole + 3;
	EBB_CLEANUP(ebb_mem_freep) char *data = calloc(1, size);
	struct ebb_err err = {0};
	struct ebb_record rec;

	memcpy(data + hole, "abc", 3);
	struct ebb_store_writer *w = writer(s, "o", "t1");
	expect(ebb_store_write_hole(w, -1, &err), EBB_EINVAL, &err);
	expect(ebb_store_write_hole(w, 0, &err), 0, &err);
	expect(ebb_store_write_hole(w, (int64_t)hole, &err), 0, &err);
	expect(ebb_store_write(w, "abc", 3, &err), 0, &err);
	expect(ebb_store_write_hole(w, (int64_t)hole, &err), 0, &err);
	expect(ebb_store_write_commit(w, NULL, 0, &rec, &err), 0, &err);
	ck_assert_int_eq(rec.f[EBB_F_SIZE], (int64_t)size);
	if (ebb_store_caps(s) & EBB_CAP_SPARSE)
		ck_assert_int_lt(rec.f[EBB_F_ALLOC], (int64_t)hole);
	ebb_store_suite_content(s, "o", data, size);
}
END_TEST

/* Copy as holes and data, the way callers do; the holes' bytes are returned. */
static int64_t copy_sparsely(struct ebb_store *s, const char *from, const char *to)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	struct ebb_store_writer *w = writer(s, to, "t1");
	struct ebb_err err = {0};
	int64_t n = 1, hole, holes = 0;
	char buf[1000];

	expect(ebb_store_read_open(s, from, NULL, &r, &err), 0, &err);
	while (n > 0) {
		expect(ebb_store_read_hole(r, &hole, &err), 0, &err);
		expect(ebb_store_write_hole(w, hole, &err), 0, &err);
		n = ebb_store_read(r, buf, sizeof(buf), &err);
		ck_assert_int_ge(n, 0);
		expect(ebb_store_write(w, buf, (size_t)n, &err), 0, &err);
		holes += hole;
	}
	expect(ebb_store_write_commit(w, NULL, 0, NULL, &err), 0, &err);
	return holes;
}

START_TEST(holes_are_found_and_copied)
{
	SUITE_STORE(s);
	const size_t block = 64 << 10, size = 6 * block;
	EBB_CLEANUP(ebb_mem_freep) char *data = calloc(1, size);
	struct ebb_err err = {0};

	/* hole, data, hole, data of a few bytes, hole, hole to the end */
	memset(data + block, 'x', block);
	memcpy(data + 3 * block, "abc", 3);
	struct ebb_store_writer *w = writer(s, "o", "t1");
	expect(ebb_store_write_hole(w, (int64_t)block, &err), 0, &err);
	expect(ebb_store_write(w, data + block, block, &err), 0, &err);
	expect(ebb_store_write_hole(w, (int64_t)block, &err), 0, &err);
	expect(ebb_store_write(w, "abc", 3, &err), 0, &err);
	expect(ebb_store_write_hole(w, (int64_t)(3 * block - 3), &err), 0, &err);
	expect(ebb_store_write_commit(w, NULL, 0, NULL, &err), 0, &err);
	ebb_store_suite_content(s, "o", data, size);
	int64_t holes = copy_sparsely(s, "o", "p");
	ebb_store_suite_content(s, "p", data, size);
	ck_assert_int_eq(copy_sparsely(s, "p", "q"), holes);
	if (ebb_store_caps(s) & EBB_CAP_SPARSE)
		ck_assert_int_ge(holes, 3 * (int64_t)block);
	else
		ck_assert_int_eq(holes, 0);
}
END_TEST

START_TEST(a_reader_without_holes_gets_every_byte)
{
	SUITE_STORE(s);
	char zeroes[1] = "";

	ebb_store_suite_write(s, "empty", "", 0, NULL);
	ebb_store_suite_write(s, "dense", "abc", 3, NULL);
	ck_assert_int_eq(copy_sparsely(s, "empty", "e2"), 0);
	ck_assert_int_eq(copy_sparsely(s, "dense", "d2"), 0);
	ebb_store_suite_content(s, "e2", zeroes, 0);
	ebb_store_suite_content(s, "d2", "abc", 3);
}
END_TEST

START_TEST(nothing_is_seen_before_commit)
{
	SUITE_STORE(s);
	struct ebb_err err = {0};

	struct ebb_store_writer *w = writer(s, "o", "t1");
	expect(ebb_store_write(w, "abc", 3, &err), 0, &err);
	absent(s, "o");
	ebb_store_suite_keys(s, NULL, NULL, with_tmp(s, ".ebb-tmp.t1 ", ""));
	expect(ebb_store_write_commit(w, NULL, 0, NULL, &err), 0, &err);
	ebb_store_suite_keys(s, NULL, NULL, "o ");
}
END_TEST

START_TEST(abort_leaves_nothing)
{
	SUITE_STORE(s);
	struct ebb_err err = {0};

	make_dir(s, "d/");
	struct ebb_store_writer *w = writer(s, "d/o", "t1");
	expect(ebb_store_write(w, "abc", 3, &err), 0, &err);
	ebb_store_suite_keys(s, NULL, NULL, with_tmp(s, "d/ d/.ebb-tmp.t1 ", ""));
	ebb_store_write_abort(w);
	ebb_store_suite_keys(s, NULL, NULL, with_tmp(s, "d/ ", ""));
	ebb_store_write_abort(NULL);
}
END_TEST

START_TEST(commit_never_overwrites)
{
	SUITE_STORE(s);
	struct ebb_err err = {0};
	struct ebb_record before, after;

	struct ebb_store_writer *first = writer(s, "o", "t1"), *second = writer(s, "o", "t2");
	expect(ebb_store_write(first, "first", 5, &err), 0, &err);
	expect(ebb_store_write(second, "second", 6, &err), 0, &err);
	expect(ebb_store_write_commit(first, NULL, 0, &before, &err), 0, &err);
	expect(ebb_store_write_commit(second, NULL, 0, NULL, &err), EBB_EEXIST, &err);
	head(s, "o", &after);
	ck_assert(ebb_record_same_content(&before, &after));
	ebb_store_suite_content(s, "o", "first", 5);
	ebb_store_suite_keys(s, NULL, NULL, "o ");

	SUITE_NEEDS(s, EBB_CAP_DIRS);
	make_dir(s, "d/");
	struct ebb_store_writer *third = writer(s, "d", "t1");
	expect(ebb_store_write_commit(third, NULL, 0, NULL, &err), EBB_EEXIST, &err);
	ebb_store_suite_keys(s, NULL, NULL, "d/ o ");
}
END_TEST

START_TEST(commit_tells_what_stands_now)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_META);
	struct ebb_err err = {0};
	struct ebb_record told, seen;
	const char *key = "o";
	META meta;

	ebb_meta_init(&meta);
	meta.mode = 0640;
	meta.mtime = 5;
	struct ebb_store_writer *w = writer(s, key, "t1");
	expect(ebb_store_write(w, "abc", 3, &err), 0, &err);
	expect(ebb_store_write_commit(w, &meta, EBB_META_MODE | EBB_META_TIMES, &told, &err), 0,
	       &err);
	head(s, key, &seen);
	ck_assert_ptr_eq(told.key, key);
	ck_assert_uint_eq(told.known, seen.known);
	ck_assert_mem_eq(told.f, seen.f, sizeof(told.f));
	expect(ebb_store_check(s, key, &told, &err), 0, &err);
}
END_TEST

START_TEST(writing_needs_the_parent)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	struct ebb_err err = {0};
	struct ebb_store_writer *w = NULL;

	ebb_store_suite_write(s, "o", "", 0, NULL);
	expect(ebb_store_write_open(s, "d/o", &plain, &w, &err), EBB_ENOENT, &err);
	expect(ebb_store_write_open(s, "o/o", &plain, &w, &err), EBB_ENOENT, &err);
	expect(ebb_store_write_open(s, "d/", &plain, &w, &err), EBB_EINVAL, &err);
	ck_assert_ptr_null(w);
}
END_TEST

START_TEST(tags_name_temporaries)
{
	SUITE_STORE(s);
	char longest[EBB_STORE_TAG_MAX + 2];
	const char *bad[] = {NULL, "", "a/b", "..x/", "a b", "ä", "a_b", longest};
	struct ebb_store_writer *w = NULL;
	struct ebb_err err = {0};

	memset(longest, 'x', sizeof(longest));
	longest[EBB_STORE_TAG_MAX + 1] = '\0';
	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++) {
		const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = bad[i]};

		expect(ebb_store_write_open(s, "o", &opts, &w, &err), EBB_EINVAL, &err);
		expect(ebb_store_write_sweep(s, "o", bad[i], &err), EBB_EINVAL, &err);
	}
	ck_assert_ptr_null(w);
	longest[EBB_STORE_TAG_MAX] = '\0';
	ebb_store_write_abort(writer(s, "o", longest));
	ebb_store_write_abort(writer(s, "o", "Run-7.step-0"));
}
END_TEST

START_TEST(one_tag_one_temporary)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_DIRS);
	struct ebb_store_writer *w = writer(s, "o", "t1"), *v = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_write_open(s, "o", &plain, &v, &err), EBB_EEXIST, &err);
	ck_assert_ptr_null(v);
	ebb_store_write_abort(w);
	w = writer(s, "o", "t1");
	ebb_store_write_abort(w);
}
END_TEST

START_TEST(sweep_removes_what_a_killed_writer_left)
{
	SUITE_STORE(s);
	struct ebb_err err = {0};

	make_dir(s, "d/");
	struct ebb_store_writer *killed = writer(s, "d/o", "t1"), *alive = writer(s, "d/o", "t2");
	expect(ebb_store_write_sweep(s, "d/o", "t1", &err), 0, &err);
	ebb_store_suite_keys(s, NULL, NULL, with_tmp(s, "d/ d/.ebb-tmp.t2 ", ""));
	expect(ebb_store_write_sweep(s, "d/o", "t1", &err), 0, &err);
	expect(ebb_store_write_sweep(s, "nowhere/o", "t1", &err), 0, &err);
	expect(ebb_store_write_commit(alive, NULL, 0, NULL, &err), 0, &err);
	ebb_store_write_abort(killed);	/* frees what a kill would not */
	ebb_store_suite_keys(s, NULL, NULL, with_tmp(s, "d/ d/o ", "d/o "));
}
END_TEST

#define THREADS 4
#define OBJECTS 20

struct worker {
	struct ebb_store *s;
	int number, failures;
};

static void *write_many(void *arg)
{
	struct worker *me = arg;
	char key[40], tag[40];

	for (int i = 0; i < OBJECTS; i++) {
		struct ebb_store_writer *w;
		struct ebb_record rec;

		snprintf(key, sizeof(key), "o%d", i);
		snprintf(tag, sizeof(tag), "t%d.%d", me->number, i);
		const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = tag};
		if (ebb_store_write_open(me->s, key, &opts, &w, NULL) < 0 ||
		    ebb_store_write(w, key, strlen(key), NULL) < 0) {
			me->failures += 1000;
			return NULL;
		}
		int rc = ebb_store_write_commit(w, NULL, 0, NULL, NULL);
		if (rc == -EBB_EEXIST)
			me->failures++;
		else if (rc < 0 || (!ebb_store_suite_row()->racy && ebb_store_head(me->s, key, &rec, NULL) < 0))
			me->failures += 1000;
	}
	return NULL;
}

START_TEST(of_many_threads_one_wins_each_key)
{
	SUITE_STORE(s);
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	int failures = 0;

	if (ebb_store_suite_row()->blind)
		return;

	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){s, i, 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		failures += workers[i].failures;
	}
	ck_assert_int_eq(failures, (THREADS - 1) * OBJECTS);
	ebb_store_suite_content(s, "o7", "o7", 2);
}
END_TEST

/* --- Metadata --- */

/* Some filesystems keep no attributes of users (tmpfs before Linux 6.6). */
static bool keeps_attributes(struct ebb_store *s)
{
	META m = {0};

	ck_assert_int_eq(ebb_meta_add(&m, "user.probe", "1", 1, NULL), 0);
	ebb_store_suite_write(s, "probe", "", 0, NULL);
	int rc = ebb_store_set_meta(s, "probe", &m, EBB_META_XATTRS, NULL);
	ck_assert(rc == 0 || rc == -EBB_ENOTSUP);
	if (rc < 0)
		fprintf(stderr, "SKIPPED: attributes, which this filesystem does not keep\n");
	ebb_store_suite_purge(s, "probe");
	return rc == 0;
}

/* What every user can set on a file of his own. */
static void sample(struct ebb_store *s, struct ebb_meta *m)
{
	ebb_meta_init(m);
	m->uid = getuid();
	m->gid = getgid();
	m->mode = 0750;
	m->mtime = INT64_C(1234567890123456789);
	m->atime = -1;
	if (!keeps_attributes(s))
		return;
	ck_assert_int_eq(ebb_meta_add(m, "user.ebb", "a\0b", 3, NULL), 0);
	ck_assert_int_eq(ebb_meta_add(m, "user.empty", NULL, 0, NULL), 0);
}

static void same_meta(struct ebb_store *s, const char *key, const struct ebb_meta *m)
{
	struct ebb_err err = {0};
	META now;

	ebb_meta_init(&now);
	expect(ebb_store_get_meta(s, key, &now, &err), 0, &err);
	expect(ebb_meta_compare(m, &now, EBB_META_ALL, &err), 0, &err);
}

START_TEST(commit_sets_metadata)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_META);
	struct ebb_err err = {0};
	META meta;

	sample(s, &meta);
	struct ebb_store_writer *w = writer(s, "o", "t1");
	expect(ebb_store_write(w, "abc", 3, &err), 0, &err);
	expect(ebb_store_write_commit(w, &meta, EBB_META_ALL, NULL, &err), 0, &err);
	same_meta(s, "o", &meta);
	ebb_store_suite_content(s, "o", "abc", 3);
	same_meta(s, "o", &meta);
}
END_TEST

START_TEST(commit_sets_only_the_parts_asked_for)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_META);
	struct ebb_err err = {0};
	META meta;
	META now;

	sample(s, &meta);
	ebb_meta_init(&now);
	expect(ebb_store_write_commit(writer(s, "o", "t1"), &meta, EBB_META_TIMES, NULL, &err), 0,
	       &err);
	expect(ebb_store_get_meta(s, "o", &now, &err), 0, &err);
	ck_assert_int_eq(now.mtime, meta.mtime);
	ck_assert_uint_ne(now.mode, meta.mode);
	ck_assert_uint_eq(now.nxattrs, 0);
}
END_TEST

START_TEST(set_meta_sets_parts_one_by_one)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_META);
	const char *keys[] = {"o", "d/"};
	struct ebb_err err = {0};
	META meta;

	sample(s, &meta);
	make_dir(s, "d/");
	ebb_store_suite_write(s, "o", "x", 1, NULL);
	for (size_t i = 0; i < (ebb_store_caps(s) & EBB_CAP_DIRS ? 2 : 1); i++) {
		META was;
		META now;

		ebb_meta_init(&was);
		ebb_meta_init(&now);
		expect(ebb_store_get_meta(s, keys[i], &was, &err), 0, &err);
		for (uint32_t part = 1; part < EBB_META_ALL; part <<= 1) {
			expect(ebb_store_set_meta(s, keys[i], &meta, part, &err), 0, &err);
			expect(ebb_store_get_meta(s, keys[i], &now, &err), 0, &err);
			expect(ebb_meta_compare(&now, &meta, 2 * part - 1, &err), 0, &err);
			expect(ebb_meta_compare(&now, &was, EBB_META_ALL & ~(2 * part - 1), &err),
			       0, &err);
		}
		same_meta(s, keys[i], &meta);
	}
}
END_TEST

START_TEST(set_meta_removes_other_attributes)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_META);
	struct ebb_err err = {0};
	META meta;

	sample(s, &meta);
	ebb_store_suite_write(s, "o", "x", 1, NULL);
	expect(ebb_store_set_meta(s, "o", &meta, EBB_META_ALL, &err), 0, &err);
	if (meta.nxattrs == 0)
		return;
	meta.nxattrs--;	/* user.empty */
	expect(ebb_store_set_meta(s, "o", &meta, EBB_META_XATTRS, &err), 0, &err);
	same_meta(s, "o", &meta);
	meta.nxattrs++;
	struct ebb_meta none;
	ebb_meta_init(&none);
	expect(ebb_store_set_meta(s, "o", &none, EBB_META_XATTRS, &err), 0, &err);
	expect(ebb_store_get_meta(s, "o", &none, &err), 0, &err);
	ck_assert_uint_eq(none.nxattrs, 0);
}
END_TEST

START_TEST(metadata_needs_an_object)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_META);
	struct ebb_err err = {0};
	META meta;

	ebb_meta_init(&meta);
	ck_assert_int_eq(ebb_meta_add(&meta, "user.x", "1", 1, NULL), 0);
	expect(ebb_store_get_meta(s, "o", &meta, &err), EBB_ENOENT, &err);
	ck_assert_uint_eq(meta.nxattrs, 1);
	expect(ebb_store_set_meta(s, "o", &meta, EBB_META_ALL, &err), EBB_ENOENT, &err);
	ebb_store_suite_write(s, "o", "x", 1, NULL);
	expect(ebb_store_get_meta(s, "o", &meta, &err), 0, &err);
	ck_assert_uint_eq(meta.nxattrs, 0);
}
END_TEST

void ebb_store_suite_io_add(TCase *tcase, int n)
{
	const TTest *const tests[] = {
		head_tells_what_stands, a_name_is_an_object_or_a_directory,
		check_finds_the_first_difference, check_looks_at_no_other_fields,
		read_opens_what_is_expected, read_ends_with_zero, read_seeks,
		read_next_verifies_late, read_verify_sees_changes,
		reading_leaves_access_times, written_bytes_come_back, holes_read_as_zeroes,
		holes_are_found_and_copied, a_reader_without_holes_gets_every_byte,
		nothing_is_seen_before_commit, abort_leaves_nothing, commit_never_overwrites,
		commit_tells_what_stands_now, writing_needs_the_parent, tags_name_temporaries,
		one_tag_one_temporary, sweep_removes_what_a_killed_writer_left,
		of_many_threads_one_wins_each_key, commit_sets_metadata,
		commit_sets_only_the_parts_asked_for, set_meta_sets_parts_one_by_one,
		set_meta_removes_other_attributes, metadata_needs_an_object,
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(tests); i++)
		tcase_add_loop_test(tcase, tests[i], 0, n);
}
