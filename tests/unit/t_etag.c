/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/etag.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

static struct ebb_err err;

/* Bytes as i * 7 % 251, fed in pieces of @step. */
static void tag(size_t len, int64_t part, size_t step, char hex[2 * EBB_ETAG_LEN + 1])
{
	uint8_t *p = malloc(len + 1), md5[EBB_ETAG_LEN];
	struct ebb_etag e;

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 % 251);
	ck_assert_int_eq(ebb_etag_init(&e, part, &err), 0);
	for (size_t at = 0, n; at < len; at += n) {
		n = len - at < step ? len - at : step;
		ebb_etag_update(&e, p + at, n);
	}
	ck_assert_int_eq(ebb_etag_final(&e, md5, &err), 0);
	ebb_etag_release(&e);
	ebb_digest_hex(md5, sizeof(md5), hex);
	free(p);
}

/* Golden: Python's hashlib, md5(b"".join(md5(part).digest() for part in parts)). */
START_TEST(tags_are_those_of_the_stores)
{
	static const struct {
		size_t len;
		int64_t part;
		const char *hex;
	} want[] = {
		{0, 0, "d41d8cd98f00b204e9800998ecf8427e"},
		{10, 0, "56a5b2640a52663e844df71af7b51dcb"},
		{5000, 0, "7e60d2c284c0cb177fe72ad7a33fb3f9"},
		{0, 10, "59adb24ef3cdbe0297f05b395827453f"},
		{5000, 1000, "057d60524b813c9210217ceb0e540bb2"},
		{5001, 1000, "b28c01c71da037b88b0df6caa7285a07"},
		{999, 1000, "a4c916889def460cdd362a26bacb50d4"},
		{4999, 7, "3fbb588602cfe47310b149726dd8109b"},
	};
	static const size_t steps[] = {1, 7, 1000, 1 << 20};
	char hex[2 * EBB_ETAG_LEN + 1];

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
			tag(want[i].len, want[i].part, steps[s], hex);
			ck_assert_str_eq(hex, want[i].hex);
		}
}
END_TEST

START_TEST(sizes_of_parts_give_that_number_of_parts)
{
	const int64_t mib = 1 << 20;
	int64_t v[EBB_ETAG_SIZES];

	ck_assert_uint_eq(ebb_etag_part_sizes(100, 0, v), 1);
	ck_assert_int_eq(v[0], 0);
	ck_assert_uint_eq(ebb_etag_part_sizes(100, 1, v), 1);
	ck_assert_int_eq(v[0], 100);
	ck_assert_uint_eq(ebb_etag_part_sizes(20 * mib, 3, v), 2);
	ck_assert_int_eq(v[0], 8 * mib);
	/* 7 MiB is nobody's habit, but 6 of them are the smallest that make 42 */
	ck_assert_uint_eq(ebb_etag_part_sizes(42 * mib, 6, v), 2);
	ck_assert_int_eq(v[0], 8 * mib);
	ck_assert_int_eq(v[1], 7 * mib);
	ck_assert_uint_eq(ebb_etag_part_sizes(10, 20, v), 0);
	ck_assert_uint_eq(ebb_etag_part_sizes(-1, 2, v), 0);
	ck_assert_uint_eq(ebb_etag_part_sizes(INT64_MAX, 2, v), 0);
	for (int64_t parts = 2; parts < 300; parts++) {
		size_t n = ebb_etag_part_sizes(1000 * mib + 17, parts, v);

		for (size_t i = 0; i < n; i++)
			ck_assert_int_eq((1000 * mib + 17 + v[i] - 1) / v[i], parts);
	}
}
END_TEST

EBB_UNIT_MAIN("etag", tags_are_those_of_the_stores, sizes_of_parts_give_that_number_of_parts)
