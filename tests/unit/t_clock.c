/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>

#include "core/clock.h"
#include "tests/support/unit.h"

START_TEST(fixed_says_what_it_was_told)
{
	struct ebb_clock clock = ebb_clock_fixed(-5);

	ck_assert_int_eq(ebb_clock_now(&clock), -5);
	ck_assert_int_eq(ebb_clock_now(&clock), -5);
}
END_TEST

START_TEST(real_is_after_this_was_written)
{
	ck_assert_int_gt(ebb_clock_now(&ebb_clock_real), INT64_C(1700000000) * EBB_CLOCK_SECOND);
}
END_TEST

START_TEST(monotonic_never_goes_back)
{
	int64_t before = ebb_clock_monotonic();

	for (int i = 0; i < 1000; i++) {
		int64_t now = ebb_clock_monotonic();
		ck_assert_int_ge(now, before);
		before = now;
	}
}
END_TEST

struct stepping {
	struct ebb_clock clock;
	int64_t *steps;
};

static int64_t step(const struct ebb_clock *clock)
{
	return ++*((const struct stepping *)clock)->steps;
}

START_TEST(a_test_may_bring_its_own)
{
	int64_t steps = 0;
	struct stepping s = {.clock = {.now = step}, .steps = &steps};

	ck_assert_int_eq(ebb_clock_now(&s.clock), 1);
	ck_assert_int_eq(ebb_clock_now(&s.clock), 2);
}
END_TEST

EBB_UNIT_MAIN("clock", fixed_says_what_it_was_told, real_is_after_this_was_written,
	monotonic_never_goes_back, a_test_may_bring_its_own)
