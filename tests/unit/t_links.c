/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/links.h"

#include "tests/support/unit.h"

START_TEST(the_first_name_is_the_first)
{
	struct ebb_links l = {0};
	ck_assert_int_eq(ebb_links_meet(&l, 1, 5, 3, NULL), 1);
	ck_assert_int_eq(ebb_links_meet(&l, 2, 5, 3, NULL), 1); /* another device */
	ck_assert_int_eq(ebb_links_meet(&l, 1, 5, 3, NULL), 0);
	ck_assert_int_eq(ebb_links_meet(&l, 1, 5, 3, NULL), 0);
	ck_assert_uint_eq(l.used, 1); /* all names of (1,5) met: forgotten */
	ebb_links_release(&l);
}
END_TEST

/* Many inodes come and go in a mixed order; every one must be met exactly once as the first. */
START_TEST(forgetting_loses_nobody)
{
	struct ebb_links l = {0};
	enum { N = 20000 };
	for (uint64_t i = 0; i < N; i++)
		ck_assert_int_eq(ebb_links_meet(&l, 9, i * 64, 2, NULL), 1);
	for (uint64_t i = 0; i < N; i++)
		ck_assert_int_eq(ebb_links_meet(&l, 9, (i * 7919 % N) * 64, 2, NULL), 0);
	ck_assert_uint_eq(l.used, 0);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_int_eq(ebb_links_meet(&l, 9, i * 64, 2, NULL), 1);
	ebb_links_release(&l);
}
END_TEST

EBB_UNIT_MAIN("links", the_first_name_is_the_first, forgetting_loses_nobody)
