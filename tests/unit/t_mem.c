/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/support/unit.h"

struct thing {
	int *counter;
};

static void thing_free(struct thing *t)
{
	++*t->counter;
}

EBB_CLEANUP_PTR(struct thing, thing_free);

START_TEST(sums_and_products_saturate)
{
	ck_assert_uint_eq(ebb_mem_add(2, 3), 5);
	ck_assert_uint_eq(ebb_mem_add(SIZE_MAX, 1), SIZE_MAX);
	ck_assert_uint_eq(ebb_mem_add(SIZE_MAX - 1, 1), SIZE_MAX);
	ck_assert_uint_eq(ebb_mem_mul(6, 7), 42);
	ck_assert_uint_eq(ebb_mem_mul(SIZE_MAX / 2, 3), SIZE_MAX);
	ck_assert_uint_eq(ebb_mem_mul(SIZE_MAX, 0), 0);
}
END_TEST

START_TEST(cleanup_pointer_skips_null)
{
	int counter = 0;
	{
		struct thing t = {&counter};
		EBB_CLEANUP(thing_freep) struct thing *some = &t;
		EBB_CLEANUP(thing_freep) struct thing *none = NULL;
		(void)some;
		(void)none;
	}
	ck_assert_int_eq(counter, 1);
}
END_TEST

START_TEST(freep_frees_any_pointer_and_keeps_errno)
{
	errno = ENOENT;
	{
		EBB_CLEANUP(ebb_mem_freep) char *s = malloc(10);
		EBB_CLEANUP(ebb_mem_freep) int *none = NULL;
		(void)s;
		(void)none;
	}
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(closep_closes_and_keeps_errno)
{
	int copy;
	{
		EBB_CLEANUP(ebb_mem_closep) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		EBB_CLEANUP(ebb_mem_closep) int none = -1;
		ck_assert_int_ge(fd, 0);
		(void)none;
		copy = fd;
		errno = EAGAIN;
	}
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fcntl(copy, F_GETFD), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(array_len)
{
	int a[7];

	ck_assert_uint_eq(EBB_ARRAY_LEN(a), 7);
}
END_TEST

EBB_UNIT_MAIN("mem",
	sums_and_products_saturate, cleanup_pointer_skips_null,
	freep_frees_any_pointer_and_keeps_errno, closep_closes_and_keeps_errno, array_len)
