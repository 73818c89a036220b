/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdint.h>

#include "policies/xfer_sum.h"
#include "tests/support/unit.h"

START_TEST(what_is_alike_is_one_group)
{
	struct ebb_xfer_sum *s = ebb_xfer_sum_new(100);
	size_t n;

	/* sites 0 and 1 have it, 1 and 2 want it: only 2 needs bytes */
	ck_assert_int_eq(ebb_xfer_sum_add(s, 3, 6, 0, 1000, 1, NULL), 0);
	ck_assert_int_eq(ebb_xfer_sum_add(s, 3, 4, 0, 900, 1, NULL), 0);
	ck_assert_int_eq(ebb_xfer_sum_add(s, 3, 6, 1, 900, 1, NULL), 0);	/* other terms */
	ck_assert_int_eq(ebb_xfer_sum_add(s, 3, 6, 0, 1 << 20, 1, NULL), 0);	/* another size */
	ck_assert_int_eq(ebb_xfer_sum_add(s, 1, 6, 0, 900, 1, NULL), 0);	/* other replicas */
	const struct ebb_xfer_sum_row *r = ebb_xfer_sum_rows(s, &n);
	ck_assert_uint_eq(n, 4);
	ck_assert(r[0].have == 1 && r[0].want == 6);
	ck_assert(r[1].have == 3 && r[1].want == 4 && r[1].bytes == 1900 && r[1].objects == 2);
	ck_assert(r[2].bytes == 1 << 20 && r[3].terms == 1);
	/* going on after looking */
	ck_assert_int_eq(ebb_xfer_sum_add(s, 3, 4, 0, 100000, 100, NULL), 0);
	r = ebb_xfer_sum_rows(s, &n);
	ck_assert_uint_eq(n, 4);
	ck_assert(r[1].bytes == 101900 && r[1].objects == 102);
	ebb_xfer_sum_free(s);
}
END_TEST

START_TEST(sizes_are_kept_apart_by_powers_of_four)
{
	struct ebb_xfer_sum *s = ebb_xfer_sum_new(100);
	size_t n;

	for (int64_t size = 0; size <= 64; size++)
		ck_assert_int_eq(ebb_xfer_sum_add(s, 1, 2, 0, size, 1, NULL), 0);
	const struct ebb_xfer_sum_row *r = ebb_xfer_sum_rows(s, &n);
	ck_assert_uint_eq(n, 5);
	ck_assert(r[0].bytes == 0 && r[1].objects == 3 && r[2].objects == 12 && r[3].objects == 48 && r[4].objects == 1);
	ebb_xfer_sum_free(s);
}
END_TEST

START_TEST(failures_leave_the_sum_alone)
{
	struct ebb_xfer_sum *s = ebb_xfer_sum_new(1);
	size_t n;

	ck_assert_int_eq(ebb_xfer_sum_add(s, 1, 2, 0, INT64_MAX, 1, NULL), 0);
	ck_assert_int_eq(ebb_xfer_sum_add(s, 1, 2, 0, INT64_MAX, 1, NULL), -EBB_ERANGE);
	ck_assert_int_eq(ebb_xfer_sum_add(s, 1, 4, 0, 1, 1, NULL), -EBB_ELIMIT);
	ck_assert_int_eq(ebb_xfer_sum_add(s, 1, 2, 0, -1, 1, NULL), -EBB_EINVAL);
	const struct ebb_xfer_sum_row *r = ebb_xfer_sum_rows(s, &n);
	ck_assert(n == 1 && r[0].bytes == INT64_MAX && r[0].objects == 1);
	ebb_xfer_sum_free(s);
}
END_TEST

START_TEST(many_groups_are_found_again)
{
	struct ebb_xfer_sum *s = ebb_xfer_sum_new(1 << 20);
	size_t n;

	for (int round = 0; round < 3; round++)
		for (uint64_t i = 0; i < 20000; i++)
			ck_assert_int_eq(ebb_xfer_sum_add(s, i, ~i, 7, 100, 1, NULL), 0);
	const struct ebb_xfer_sum_row *r = ebb_xfer_sum_rows(s, &n);
	ck_assert_uint_eq(n, 20000);
	for (size_t i = 0; i < n; i++)
		ck_assert(r[i].have == i && r[i].bytes == 300 && r[i].objects == 3);
	ebb_xfer_sum_free(s);
}
END_TEST

EBB_UNIT_MAIN("xfer_sum", what_is_alike_is_one_group, sizes_are_kept_apart_by_powers_of_four,
	      failures_leave_the_sum_alone, many_groups_are_found_again)
