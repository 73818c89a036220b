/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/block.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/support/unit.h"

static struct ebb_block_builder *b;
static struct ebb_buf out;
static struct ebb_block_iter *it;

static void setup(void)
{
	b = ebb_block_builder_new();
	it = malloc(sizeof(*it));
	ebb_buf_init(&out, 1 << 26);
	ck_assert_ptr_nonnull(b);
}

static void teardown(void)
{
	ebb_block_builder_free(b);
	ebb_buf_release(&out);
	free(it);
}

static struct ebb_record rec(const char *key, int64_t size)
{
	struct ebb_record r = {.key = key, .key_len = (uint32_t)strlen(key)};
	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, size);
	return r;
}

static void add(struct ebb_record r)
{
	ck_assert_int_eq(ebb_block_builder_add(b, &r, NULL), 0);
}

static struct ebb_block encode_and_open(void)
{
	struct ebb_block blk;
	struct ebb_err err = {0};
	ck_assert_int_eq(ebb_block_builder_encode(b, &out, &err), 0);
	ck_assert_msg(ebb_block_open(&blk, out.data, out.len, &err) == 0, "%s", err.msg);
	return blk;
}

START_TEST(one_record_survives)
{
	setup();
	struct ebb_record r = rec("a", 7), got;
	memset(r.digest, 9, sizeof(r.digest));
	r.known |= EBB_KNOWN_DIGEST;
	add(r);
	struct ebb_block blk = encode_and_open();
	ck_assert_uint_eq(blk.n, 1);
	ck_assert_uint_eq(blk.first_len, 1);
	ebb_block_iter_init(it, &blk);
	ck_assert_int_eq(ebb_block_iter_next(it, &got, NULL), 1);
	ck_assert_str_eq(got.key, "a");
	ck_assert_uint_eq(got.known, r.known);
	ck_assert_mem_eq(got.f, r.f, sizeof(r.f));
	ck_assert_mem_eq(got.digest, r.digest, sizeof(r.digest));
	ck_assert_int_eq(ebb_block_iter_next(it, &got, NULL), 0);
	teardown();
}
END_TEST

START_TEST(every_width_and_unit_survives)
{
	static const int64_t spread[] = {0, 1, 255, 256, 65535, 65536, 1 << 24, INT64_C(1) << 32,
					 INT64_C(1) << 40, INT64_C(1) << 48, INT64_C(1) << 56,
					 INT64_MAX};
	for (size_t s = 0; s < EBB_ARRAY_LEN(spread); s++) {
		for (int neg = 0; neg < 2; neg++) {
			setup();
			int64_t v[3] = {neg ? -spread[s] - neg : 0, 512, spread[s]};
			const char *keys[3] = {"k1", "k2", "k3"};
			for (int i = 0; i < 3; i++) {
				struct ebb_record r = rec(keys[i], v[i]);
				ebb_record_set(&r, EBB_F_ALLOC, v[i] & ~511);
				ebb_record_set(&r, EBB_F_MTIME, i * INT64_C(1000000000));
				ebb_record_set(&r, EBB_F_INO, i ? INT64_MIN : INT64_MAX);
				add(r);
			}
			struct ebb_block blk = encode_and_open();
			int64_t got[EBB_BLOCK_MAX];
			ebb_block_values(&blk, EBB_F_SIZE, got);
			for (int i = 0; i < 3; i++)
				ck_assert_int_eq(got[i], v[i]);
			ebb_block_values(&blk, EBB_F_ALLOC, got);
			for (int i = 0; i < 3; i++)
				ck_assert_int_eq(got[i], v[i] & ~511);
			ebb_block_values(&blk, EBB_F_MTIME, got);
			ck_assert_int_eq(got[2], INT64_C(2000000000));
			ck_assert_int_eq(blk.col[EBB_F_MTIME].width, 1); /* whole seconds cost one byte */
			ebb_block_values(&blk, EBB_F_INO, got);
			ck_assert_int_eq(got[0], INT64_MAX);
			ck_assert_int_eq(got[2], INT64_MIN);
			teardown();
		}
	}
}
END_TEST

START_TEST(constants_cost_nothing)
{
	setup();
	add(rec("a", 5));
	add(rec("b", 5));
	struct ebb_block blk = encode_and_open();
	ck_assert_int_eq(blk.col[EBB_F_SIZE].width, 0);
	ck_assert_int_eq(blk.col[EBB_F_SIZE].min, 5);
	ck_assert_int_eq(blk.col[EBB_F_SIZE].max, 5);
	ck_assert_uint_eq(blk.known_all, blk.known_any);
	teardown();
}
END_TEST

START_TEST(masks_tell_what_is_known)
{
	setup();
	struct ebb_record r = rec("a", 5);
	add(r);
	r = rec("b", 6);
	ebb_record_set(&r, EBB_F_UID, 3);
	add(r);
	struct ebb_block blk = encode_and_open();
	uint32_t known[EBB_BLOCK_MAX];
	ebb_block_known(&blk, known);
	ck_assert(!(known[0] & EBB_KNOWN(EBB_F_UID)) && (known[1] & EBB_KNOWN(EBB_F_UID)));
	ck_assert(!(blk.known_all & EBB_KNOWN(EBB_F_UID)));
	ck_assert(blk.known_any & EBB_KNOWN(EBB_F_UID));
	teardown();
}
END_TEST

START_TEST(bad_keys_are_refused)
{
	char long_key[EBB_KEY_MAX + 2];
	struct ebb_err err = {0};
	setup();
	memset(long_key, 'x', sizeof(long_key));
	struct ebb_record r = rec("b", 1);
	add(r);
	r.key = "a";
	ck_assert_int_eq(ebb_block_builder_add(b, &r, &err), -EBB_EINVAL);
	r.key = "b"; /* equal */
	ck_assert_int_eq(ebb_block_builder_add(b, &r, NULL), -EBB_EINVAL);
	r.key_len = 0;
	ck_assert_int_eq(ebb_block_builder_add(b, &r, NULL), -EBB_EINVAL);
	r.key = long_key;
	r.key_len = EBB_KEY_MAX + 1;
	ck_assert_int_eq(ebb_block_builder_add(b, &r, NULL), -EBB_EINVAL);
	r.key_len = EBB_KEY_MAX;
	ck_assert_int_eq(ebb_block_builder_add(b, &r, NULL), 0);
	ck_assert_uint_eq(ebb_block_builder_count(b), 2);
	teardown();
}
END_TEST

START_TEST(full_by_count_and_by_bytes)
{
	char key[5000];
	setup();
	for (int i = 0; i < EBB_BLOCK_MAX; i++) {
		ck_assert(!ebb_block_builder_full(b));
		snprintf(key, sizeof(key), "%06d", i);
		add(rec(key, i));
	}
	ck_assert(ebb_block_builder_full(b));
	ck_assert_uint_eq(encode_and_open().n, EBB_BLOCK_MAX);
	ebb_block_builder_clear(b);
	int n = 0;
	for (; !ebb_block_builder_full(b); n++) { /* nothing shared: the keys fill it */
		memset(key, 'A' + n, 4000);
		key[4000] = '\0';
		add(rec(key, n));
	}
	ck_assert_int_le(n, EBB_BLOCK_KEY_BYTES / 4000 + 1);
	ck_assert_uint_eq(encode_and_open().n, (uint32_t)n);
	teardown();
}
END_TEST

START_TEST(same_records_same_bytes)
{
	struct ebb_buf again = EBB_BUF_INIT(1 << 26);
	setup();
	add(rec("a", 1));
	add(rec("b", 2));
	encode_and_open();
	ck_assert_int_eq(ebb_buf_add(&again, out.data, out.len), 0);
	ebb_block_builder_clear(b);
	add(rec("a", 1));
	add(rec("b", 2));
	encode_and_open();
	ck_assert_uint_eq(out.len, again.len);
	ck_assert_mem_eq(out.data, again.data, out.len);
	ebb_buf_release(&again);
	teardown();
}
END_TEST

START_TEST(damage_never_leaves_the_bytes)
{
	struct ebb_record r;
	struct ebb_block blk;
	setup();
	for (int i = 0; i < 50; i++) {
		char key[16];
		snprintf(key, sizeof(key), "key-%04d", i * 7);
		add(rec(key, i * 1000003));
	}
	encode_and_open();
	for (size_t cut = 0; cut < out.len; cut++) /* exact allocation: ASan sees every step outside */
	{
		char *copy = malloc(cut ? cut : 1);
		memcpy(copy, out.data, cut);
		ck_assert_int_eq(ebb_block_open(&blk, copy, cut, NULL), -EBB_ECORRUPT);
		free(copy);
	}
	for (size_t i = 0; i < out.len; i++) {
		char *copy = malloc(out.len);
		memcpy(copy, out.data, out.len);
		copy[i] = (char)(copy[i] ^ 0xff);
		if (ebb_block_open(&blk, copy, out.len, NULL) == 0) {
			ebb_block_iter_init(it, &blk);
			while (ebb_block_iter_next(it, &r, NULL) == 1)
				;
		}
		free(copy);
	}
	teardown();
}
END_TEST

EBB_UNIT_MAIN("block", one_record_survives, every_width_and_unit_survives, constants_cost_nothing,
	      masks_tell_what_is_known, bad_keys_are_refused, full_by_count_and_by_bytes,
	      same_records_same_bytes, damage_never_leaves_the_bytes)
