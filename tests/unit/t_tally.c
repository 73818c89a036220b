/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tally.h"
#include "agent/tally_dir.h"
#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
static const int64_t NOW = INT64_C(1700000000) * 1000000000;

/* A block under construction. */
struct maker {
	struct ebb_block_builder *b;
	struct ebb_buf bytes;
	struct ebb_block block;
};

static void begin(struct maker *m)
{
	m->b = ebb_block_builder_new();
	ck_assert_ptr_nonnull(m->b);
	ebb_buf_init(&m->bytes, 1 << 20);
}

static void put(struct maker *m, const char *key, int64_t kind, int64_t size, int64_t idle_days,
		int64_t evidence, int64_t flags, int64_t uid)
{
	struct ebb_record r = {.key = key, .key_len = (uint32_t)strlen(key)};

	ebb_record_set(&r, EBB_F_KIND, kind);
	ebb_record_set(&r, EBB_F_SIZE, size);
	ebb_record_set(&r, EBB_F_ALLOC, size / 2 + 1);
	ebb_record_set(&r, EBB_F_MTIME, NOW - 2 * idle_days * DAY);
	ebb_record_set(&r, EBB_F_ATIME, NOW - idle_days * DAY);
	ebb_record_set(&r, EBB_F_EVIDENCE, evidence);
	ebb_record_set(&r, EBB_F_FLAGS, flags);
	ebb_record_set(&r, EBB_F_UID, uid);
	ck_assert_int_eq(ebb_block_builder_add(m->b, &r, NULL), 0);
}

static const struct ebb_block *end(struct maker *m)
{
	ck_assert_int_eq(ebb_block_builder_encode(m->b, &m->bytes, NULL), 0);
	ck_assert_int_eq(ebb_buf_reserve(&m->bytes, EBB_BLOCK_PAD), 0);
	ck_assert_int_eq(ebb_block_open(&m->block, m->bytes.data, m->bytes.len, NULL), 0);
	return &m->block;
}

static void release(struct maker *m)
{
	ebb_block_builder_free(m->b);
	ebb_buf_release(&m->bytes);
}

static uint64_t sum_bytes(const struct ebb_tally_sum *s, int n)
{
	uint64_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += s[i].bytes;
	return sum;
}

START_TEST(every_dimension_adds_up)
{
	EBB_CLEANUP(ebb_tally_freep) struct ebb_tally *t = ebb_tally_new(EBB_TALLY_ALL, NOW);
	EBB_CLEANUP(release) struct maker m;

	begin(&m);
	put(&m, "a/", EBB_KIND_DIR, 4096, 1, EBB_EVIDENCE_RELATIME, 0, 0);
	put(&m, "a/big.BIN", EBB_KIND_FILE, 5000000, 400, EBB_EVIDENCE_RELATIME, 0, 1);
	put(&m, "a/c.bin", EBB_KIND_FILE, 100, 3, EBB_EVIDENCE_ATIME, 0, 1);
	put(&m, "a/d.bin", EBB_KIND_FILE, 100, 3, EBB_EVIDENCE_ATIME, EBB_FLAG_LINKED_TWIN, 1);
	put(&m, "b", EBB_KIND_SYMLINK, 7, 3, EBB_EVIDENCE_ATIME, 0, 2);
	put(&m, "z", EBB_KIND_FILE, 0, 100, EBB_EVIDENCE_MTIME, EBB_FLAG_UNSEEN, 2);
	ck_assert_int_eq(ebb_tally_block(t, end(&m), NULL, NULL), 0);

	ck_assert_uint_eq(t->total.objects, 6);
	ck_assert_uint_eq(t->total.bytes, 5000100);
	ck_assert_uint_eq(t->kind[EBB_KIND_FILE].objects, 4);
	ck_assert_uint_eq(t->kind[EBB_KIND_DIR].bytes, 0);
	ck_assert_uint_eq(t->kind[EBB_KIND_DIR].alloc, 2049);
	ck_assert_uint_eq(sum_bytes(t->idle, EBB_TALLY_AGES) + sum_bytes(t->unknown, EBB_TALLY_UNKNOWNS), 5000100);
	ck_assert_uint_eq(sum_bytes(t->written, EBB_TALLY_AGES), 5000100);
	ck_assert_uint_eq(sum_bytes(t->size, EBB_TALLY_SIZES), 5000100);
	ck_assert_uint_eq(t->idle[5].bytes, 5000000);	/* 1-2 y */
	ck_assert_uint_eq(t->idle[0].objects, 2);
	ck_assert_uint_eq(t->unknown[EBB_TALLY_UNKNOWN_WRITES].objects, 1);
	ck_assert_uint_eq(t->twins.objects, 1);
	ck_assert_uint_eq(t->twins.bytes, 100);
	ck_assert_uint_eq(t->unseen.objects, 1);
	ck_assert_uint_eq(t->sparse.objects, 3);
}
END_TEST

START_TEST(top_groups_and_the_rest)
{
	EBB_CLEANUP(ebb_tally_freep) struct ebb_tally *t =
		ebb_tally_new(EBB_TALLY_EXT | EBB_TALLY_OWNER, NOW);
	EBB_CLEANUP(release) struct maker m;
	struct ebb_tally_group g[3];
	struct ebb_tally_sum others;
	size_t more;

	begin(&m);
	put(&m, ".hidden", EBB_KIND_FILE, 1, 1, EBB_EVIDENCE_ATIME, 0, 5);
	put(&m, "a.TXT", EBB_KIND_FILE, 10, 1, EBB_EVIDENCE_ATIME, 0, 5);
	put(&m, "b.d/none", EBB_KIND_FILE, 2, 1, EBB_EVIDENCE_ATIME, 0, 6);
	put(&m, "c.txt", EBB_KIND_FILE, 20, 1, EBB_EVIDENCE_ATIME, 0, 7);
	put(&m, "d.csv", EBB_KIND_FILE, 25, 1, EBB_EVIDENCE_ATIME, 0, 7);
	put(&m, "e.averyverylongextension", EBB_KIND_FILE, 3, 1, EBB_EVIDENCE_ATIME, 0, 7);
	put(&m, "f.log", EBB_KIND_FILE, 4, 1, EBB_EVIDENCE_ATIME, 0, 7);
	ck_assert_int_eq(ebb_tally_block(t, end(&m), "", NULL), 0);

	ck_assert_uint_eq(ebb_tally_top(t, EBB_TALLY_EXT, 2, g, &others, &more), 2);
	ck_assert_str_eq(g[0].name, "txt");
	ck_assert_uint_eq(g[0].sum.bytes, 30);
	ck_assert_str_eq(g[1].name, "csv");
	ck_assert_uint_eq(more, 2);
	ck_assert_uint_eq(others.bytes, 10);
	ck_assert_uint_eq(others.objects, 4);
	ck_assert_uint_eq(ebb_tally_top(t, EBB_TALLY_OWNER, 3, g, &others, &more), 3);
	ck_assert_int_eq(g[0].uid, 7);
	ck_assert_int_eq(g[2].uid, 6);
	ck_assert_uint_eq(others.objects, 0);
	ck_assert_uint_eq(more, 0);
}
END_TEST

START_TEST(groups_are_bounded)
{
	EBB_CLEANUP(ebb_tally_freep) struct ebb_tally *t = ebb_tally_new(EBB_TALLY_EXT, NOW);
	struct ebb_tally_group g[1];
	struct ebb_tally_sum others;
	size_t more;

	for (int block = 0; block < 20; block++) {
		EBB_CLEANUP(release) struct maker m;

		begin(&m);
		for (int i = 0; i < 1000; i++) {
			char key[32];

			snprintf(key, sizeof(key), "f%06d.%06d", block * 1000 + i, block * 1000 + i);
			put(&m, key, EBB_KIND_FILE, 1, 1, EBB_EVIDENCE_ATIME, 0, 0);
		}
		ck_assert_int_eq(ebb_tally_block(t, end(&m), "", NULL), 0);
	}
	ck_assert_uint_eq(ebb_tally_top(t, EBB_TALLY_EXT, 1, g, &others, &more), 1);
	ck_assert_uint_eq(g[0].sum.bytes + others.bytes, 20000);
	ck_assert_uint_eq(more, EBB_TALLY_GROUPS);
}
END_TEST

START_TEST(prefixes_restrict)
{
	EBB_CLEANUP(ebb_tally_freep) struct ebb_tally *t = ebb_tally_new(0, NOW);
	EBB_CLEANUP(release) struct maker m;

	begin(&m);
	put(&m, "a/x", EBB_KIND_FILE, 1, 1, EBB_EVIDENCE_ATIME, 0, 0);
	put(&m, "b/x", EBB_KIND_FILE, 2, 1, EBB_EVIDENCE_ATIME, 0, 0);
	put(&m, "c/x", EBB_KIND_FILE, 4, 1, EBB_EVIDENCE_ATIME, 0, 0);
	ck_assert_int_eq(ebb_tally_block(t, end(&m), "b/", NULL), 0);
	ck_assert_uint_eq(t->total.bytes, 2);
}
END_TEST

START_TEST(idle_is_known_only_as_far_as_it_is)
{
	enum ebb_tally_unknown why = EBB_TALLY_UNKNOWN_NONE;

	/* a day of doubt counts as the younger class */
	ck_assert_int_eq(ebb_tally_idle_class((struct ebb_span){29 * DAY + 1, 30 * DAY + 1}, EBB_EVIDENCE_RELATIME, &why), 1);
	ck_assert_int_eq(ebb_tally_idle_class((struct ebb_span){40 * DAY, 40 * DAY}, EBB_EVIDENCE_ATIME, &why), 2);
	/* more doubt, one class all the same */
	ck_assert_int_eq(ebb_tally_idle_class((struct ebb_span){0, 6 * DAY}, EBB_EVIDENCE_MTIME, &why), 0);
	ck_assert_int_eq(ebb_tally_idle_class((struct ebb_span){0, 60 * DAY}, EBB_EVIDENCE_MTIME, &why), -1);
	ck_assert_int_eq(why, EBB_TALLY_UNKNOWN_WRITES);
	ck_assert_int_eq(ebb_tally_idle_class((struct ebb_span){10 * DAY, 60 * DAY}, EBB_EVIDENCE_RELATIME, &why), -1);
	ck_assert_int_eq(why, EBB_TALLY_UNKNOWN_WINDOW);
	ck_assert_int_eq(ebb_tally_idle_class((struct ebb_span){0, INT64_MAX}, EBB_EVIDENCE_NONE, &why), -1);
	ck_assert_int_eq(why, EBB_TALLY_UNKNOWN_NONE);
}
END_TEST

START_TEST(classes_have_edges)
{
	ck_assert_int_eq(ebb_tally_age_class(0), 0);
	ck_assert_int_eq(ebb_tally_age_class(7 * DAY - 1), 0);
	ck_assert_int_eq(ebb_tally_age_class(7 * DAY), 1);
	ck_assert_int_eq(ebb_tally_age_class(INT64_MAX), EBB_TALLY_AGES - 1);
	ck_assert_int_eq(ebb_tally_size_class(0), 0);
	ck_assert_int_eq(ebb_tally_size_class(1), 1);
	ck_assert_int_eq(ebb_tally_size_class(4096), 2);
	ck_assert_int_eq(ebb_tally_size_class(INT64_MAX), EBB_TALLY_SIZES - 1);
}
END_TEST

/* Rows as "depth key objects bytes;" */
static int to_text(void *ctx, const char *key, size_t len, int depth, const struct ebb_tally_sum *sum,
		   struct ebb_err *err)
{
	char *text = ctx;

	(void)err;
	sprintf(text + strlen(text), "%d %.*s %llu %llu; ", depth, (int)len, key,
		(unsigned long long)sum->objects, (unsigned long long)sum->bytes);
	return 0;
}

static void expect_dirs(const struct ebb_block *b, const char *prefix, int depth, const char *expected)
{
	char text[1000] = "";
	EBB_CLEANUP(ebb_tally_dir_freep) struct ebb_tally_dir *d =
		ebb_tally_dir_new(prefix, depth, to_text, text);

	ck_assert_int_eq(ebb_tally_dir_block(d, b, NULL), 0);
	ck_assert_int_eq(ebb_tally_dir_finish(d, NULL), 0);
	ck_assert_str_eq(text, expected);
}

START_TEST(folders_contain_what_lies_in_them)
{
	EBB_CLEANUP(release) struct maker m;

	begin(&m);
	put(&m, "a/", EBB_KIND_DIR, 4096, 1, EBB_EVIDENCE_ATIME, 0, 0);
	put(&m, "a/b/", EBB_KIND_DIR, 4096, 1, EBB_EVIDENCE_ATIME, 0, 0);
	put(&m, "a/b/c", EBB_KIND_FILE, 1, 1, EBB_EVIDENCE_ATIME, 0, 0);
	put(&m, "a/d", EBB_KIND_FILE, 2, 1, EBB_EVIDENCE_ATIME, 0, 0);
	put(&m, "ab", EBB_KIND_FILE, 4, 1, EBB_EVIDENCE_ATIME, 0, 0);
	put(&m, "e/f/g/h", EBB_KIND_FILE, 8, 1, EBB_EVIDENCE_ATIME, 0, 0);
	put(&m, "e/f/g/i", EBB_KIND_FILE, 8, 1, EBB_EVIDENCE_ATIME, EBB_FLAG_LINKED_TWIN, 0);
	const struct ebb_block *b = end(&m);
	expect_dirs(b, "", 0, "0  7 15; ");
	expect_dirs(b, "", 1, "1 a/ 4 3; 1 e/ 2 8; 0  7 15; ");
	expect_dirs(b, "", 2, "2 a/b/ 2 1; 1 a/ 4 3; 2 e/f/ 2 8; 1 e/ 2 8; 0  7 15; ");
	expect_dirs(b, "a/", 1, "1 a/b/ 2 1; 0 a/ 4 3; ");
	expect_dirs(b, "a", 0, "0 a 5 7; ");
	expect_dirs(b, "x", 3, "0 x 0 0; ");
}
END_TEST

EBB_UNIT_MAIN("tally", every_dimension_adds_up, top_groups_and_the_rest, groups_are_bounded,
	      prefixes_restrict, idle_is_known_only_as_far_as_it_is, classes_have_edges,
	      folders_contain_what_lies_in_them)
