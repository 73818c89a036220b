/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>
#include <sys/resource.h>

#include "core/secret.h"
#include "tests/support/unit.h"

START_TEST(exposes_what_it_was_made_from)
{
	char source[] = "a\0b";
	size_t len;

	EBB_CLEANUP(ebb_secret_freep) struct ebb_secret *secret = ebb_secret_new(source, 3);
	memset(source, 'x', sizeof(source));
	ck_assert_mem_eq(ebb_secret_expose(secret, &len), "a\0b", 4);
	ck_assert_uint_eq(len, 3);
	ck_assert_ptr_nonnull(ebb_secret_expose(secret, NULL));
}
END_TEST

START_TEST(may_be_empty)
{
	EBB_CLEANUP(ebb_secret_freep) struct ebb_secret *secret = ebb_secret_new(NULL, 0);

	ck_assert_str_eq(ebb_secret_expose(secret, NULL), "");
}
END_TEST

START_TEST(free_accepts_null)
{
	ebb_secret_free(NULL);
}
END_TEST

START_TEST(what_holds_a_secret_dumps_no_core)
{
	struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};

	getrlimit(RLIMIT_CORE, &l);
	l.rlim_cur = l.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &l), 0);
	struct ebb_secret *secret = ebb_secret_new("s", 1);
	ck_assert_ptr_nonnull(secret);
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &l), 0);
	ck_assert_uint_le(l.rlim_cur, 1);
	ebb_secret_free(secret);
}
END_TEST

EBB_UNIT_MAIN("secret", exposes_what_it_was_made_from, may_be_empty, free_accepts_null,
	      what_holds_a_secret_dumps_no_core)
