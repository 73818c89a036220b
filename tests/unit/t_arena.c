/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "core/arena.h"
#include "core/mem.h"
#include "tests/support/unit.h"

START_TEST(zeroed_aligned_and_stable)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	unsigned char *first;

	ebb_arena_init(&a, 0);
	ck_assert_uint_eq(a.total, 0);
	first = ebb_arena_alloc(&a, 3);
	memset(first, 7, 3);
	for (size_t size = 1; size < 5000; size += 7) {
		unsigned char *p = ebb_arena_alloc(&a, size);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % 16, 0);
		ck_assert_int_eq(p[0], 0);
		ck_assert_int_eq(memcmp(p, p + 1, size - 1), 0);
		memset(p, 0xff, size);
	}
	ck_assert_uint_eq(first[0], 7);
	ck_assert_uint_eq(first[2], 7);
}
END_TEST

START_TEST(size_zero_is_not_null)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;

	ebb_arena_init(&a, 0);
	ck_assert_ptr_nonnull(ebb_arena_alloc(&a, 0));
}
END_TEST

START_TEST(cap_holds_and_old_memory_stays)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	char *kept;
	size_t n = 0;

	ebb_arena_init(&a, 10000);
	kept = ebb_arena_strdup(&a, "kept");
	while (ebb_arena_alloc(&a, 100))
		n++;
	ck_assert_uint_gt(n, 80);
	ck_assert_uint_le(a.total, 10000);
	ck_assert_str_eq(kept, "kept");
	ck_assert_ptr_null(ebb_arena_alloc(&a, 20000));
}
END_TEST

START_TEST(big_allocations_and_overflow)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	volatile size_t huge = SIZE_MAX;	/* hidden from the compiler's own check */

	ebb_arena_init(&a, (size_t)64 << 20);
	ck_assert_ptr_nonnull(ebb_arena_alloc(&a, (size_t)8 << 20));
	ck_assert_ptr_null(ebb_arena_calloc(&a, huge / 2, 4));
	ck_assert_ptr_null(ebb_arena_calloc(&a, huge / 16, 16));
	ck_assert_ptr_nonnull(ebb_arena_calloc(&a, 10, 16));
	ck_assert_ptr_null(ebb_arena_memdup(&a, "", huge));
}
END_TEST

START_TEST(copies)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;

	ebb_arena_init(&a, 0);
	ck_assert_mem_eq(ebb_arena_memdup(&a, "a\0b", 3), "a\0b", 4);
	ck_assert_str_eq(ebb_arena_memdup(&a, NULL, 0), "");
	ck_assert_str_eq(ebb_arena_strdup(&a, "text"), "text");
	ck_assert_str_eq(ebb_arena_printf(&a, "%d-%s", 42, "x"), "42-x");
}
END_TEST

START_TEST(release_accepts_zeroed)
{
	struct ebb_arena a = {0};

	ebb_arena_release(&a);
	ebb_arena_init(&a, 0);
	ck_assert_ptr_nonnull(ebb_arena_alloc(&a, 1));
	ebb_arena_release(&a);
	ebb_arena_release(&a);
}
END_TEST

EBB_UNIT_MAIN("arena",
	zeroed_aligned_and_stable, size_zero_is_not_null, cap_holds_and_old_memory_stays,
	big_allocations_and_overflow, copies, release_accepts_zeroed)
