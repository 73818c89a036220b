/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "tests/support/unit.h"

START_TEST(appends_keep_a_nul)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b;

	ebb_buf_init(&b, 1000);
	ck_assert_ptr_null(b.data);
	ck_assert_int_eq(ebb_buf_adds(&b, "one "), 0);
	ck_assert_int_eq(ebb_buf_addc(&b, '2'), 0);
	ck_assert_int_eq(ebb_buf_addf(&b, " %s %d", "three", 4), 0);
	ck_assert_str_eq(b.data, "one 2 three 4");
	ck_assert_int_eq(ebb_buf_add(&b, "\0x", 2), 0);
	ck_assert_uint_eq(b.len, 15);
	ck_assert_mem_eq(b.data, "one 2 three 4\0x", 16);
}
END_TEST

START_TEST(cap_is_exact_and_failure_changes_nothing)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(5);

	ck_assert_int_eq(ebb_buf_adds(&b, "abc"), 0);
	ck_assert_int_eq(ebb_buf_adds(&b, "def"), -EBB_ENOMEM);
	ck_assert_int_eq(ebb_buf_addf(&b, "%d", 123), -EBB_ENOMEM);
	ck_assert_str_eq(b.data, "abc");
	ck_assert_int_eq(ebb_buf_adds(&b, "de"), 0);
	ck_assert_str_eq(b.data, "abcde");
	ck_assert_int_eq(ebb_buf_addc(&b, 'f'), -EBB_ENOMEM);
	ck_assert_uint_eq(b.len, 5);
}
END_TEST

START_TEST(no_overflow_near_size_max)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(SIZE_MAX);

	ck_assert_int_eq(ebb_buf_adds(&b, "abc"), 0);
	ck_assert_int_eq(ebb_buf_reserve(&b, SIZE_MAX - 2), -EBB_ENOMEM);
	ck_assert_str_eq(b.data, "abc");
}
END_TEST

START_TEST(reserve_then_add_cannot_move)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(100000);

	ck_assert_int_eq(ebb_buf_reserve(&b, 0), 0);
	ck_assert_str_eq(b.data, "");
	ck_assert_int_eq(ebb_buf_reserve(&b, 50000), 0);
	const char *data = b.data;
	for (int i = 0; i < 50000; i++)
		ck_assert_int_eq(ebb_buf_addc(&b, 'x'), 0);
	ck_assert_ptr_eq(b.data, data);
}
END_TEST

START_TEST(clear_keeps_memory)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(100);

	ebb_buf_clear(&b);
	ebb_buf_adds(&b, "abc");
	const char *data = b.data;
	ebb_buf_clear(&b);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_str_eq(b.data, "");
	ck_assert_ptr_eq(b.data, data);
}
END_TEST

START_TEST(detach_hands_over)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(100);
	EBB_CLEANUP(ebb_mem_freep) char *empty = ebb_buf_detach(&b);

	ck_assert_str_eq(empty, "");
	ebb_buf_adds(&b, "abc");
	EBB_CLEANUP(ebb_mem_freep) char *abc = ebb_buf_detach(&b);
	ck_assert_str_eq(abc, "abc");
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.cap, 100);
	ck_assert_int_eq(ebb_buf_adds(&b, "again"), 0);
}
END_TEST

EBB_UNIT_MAIN("buf",
	appends_keep_a_nul, cap_is_exact_and_failure_changes_nothing, no_overflow_near_size_max,
	reserve_then_add_cannot_move, clear_keeps_memory, detach_hands_over)
