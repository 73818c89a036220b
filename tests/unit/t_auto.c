/* SPDX-License-Identifier: GPL-3.0-or-later */
/* class: auto: patience from prices, the base by size, and that candidates are followed when they have earned it. */
#include "policies/auto.h"

#include "tests/support/s3_tariff.h"
#include "tests/support/unit.h"

#define GIB ((int64_t)1 << 30)

START_TEST(patience_comes_from_prices)
{
	/* two retrievals of 0.01 over a saving of 0.0105 a month: 57.98 days, and the fees */
	ck_assert_int_eq(ebb_auto_patience(&s3_tariff, STANDARD, STANDARD_IA, GIB), 59);
	ck_assert_int_eq(ebb_auto_patience(&s3_tariff, STANDARD, STANDARD_IA, 1000 * GIB), 58);
	/* 0.06 over 0.019 a month */
	ck_assert_int_eq(ebb_auto_patience(&s3_tariff, STANDARD, GLACIER_IR, 1000 * GIB), 97);
	/* small objects wait for their fees: 100 KiB cost more in STANDARD_IA */
	ck_assert_int_eq(ebb_auto_patience(&s3_tariff, STANDARD, STANDARD_IA, 60 << 10), INT32_MAX);
	ck_assert_int_gt(ebb_auto_patience(&s3_tariff, STANDARD, STANDARD_IA, 256 << 10), 200);
	ck_assert_int_eq(ebb_auto_patience(&s3_tariff, STANDARD, STANDARD, GIB), INT32_MAX);
}
END_TEST

START_TEST(quiet_is_what_a_day_saves)
{
	/* 0.0105 / 30.4375 / 0.01 of the object */
	int64_t bytes = ebb_auto_quiet_bytes(&s3_tariff, STANDARD, STANDARD_IA, GIB);

	ck_assert_int_eq(bytes * 1000 / GIB, 34);
	bytes = ebb_auto_quiet_bytes(&s3_tariff, STANDARD, GLACIER_IR, GIB);
	ck_assert_int_eq(bytes * 1000 / GIB, 20);
}
END_TEST

START_TEST(base_by_size)
{
	ck_assert_int_eq(ebb_auto_base(&s3_tariff, GIB), INTELLIGENT);
	ck_assert_int_eq(ebb_auto_base(&s3_tariff, 1000), STANDARD);
	/* 0.0000025 a month for an object that could save 0.019 a GiB: 141,281 bytes */
	ck_assert_int_eq(ebb_auto_base(&s3_tariff, 141000), STANDARD);
	ck_assert_int_eq(ebb_auto_base(&s3_tariff, 142000), INTELLIGENT);
}
END_TEST

/* Where an object of a GiB is after so many days on each of which @bytes are read. */
static int after(int days, int64_t bytes)
{
	struct ebb_auto *a = ebb_auto_new(&s3_tariff, 1);
	int class = -1;

	ck_assert_ptr_nonnull(a);
	ebb_auto_begin(a, 0, 1000 * GIB);
	for (int d = 0; d < days; d++) {
		class = ebb_auto_class(a, 0);
		ebb_auto_learn(a, 0, bytes);
		ebb_auto_next_day(a);
	}
	ebb_auto_free(a);
	return class;
}

START_TEST(hot_stays_at_the_base)
{
	ck_assert_int_eq(after(1, 2000 * GIB), INTELLIGENT);
	ck_assert_int_eq(after(800, 2000 * GIB), INTELLIGENT);
}
END_TEST

START_TEST(small_reads_do_not_hold_it)
{
	/* 2.5 % a day: never idle, and yet cheaper elsewhere after the patience of that class */
	ck_assert_int_eq(after(58, 25 * GIB), INTELLIGENT);
	ck_assert_int_eq(after(59, 25 * GIB), STANDARD_IA);
	ck_assert_int_eq(after(400, 25 * GIB), STANDARD_IA);
	/* next to nothing a day: what the object's own past says is believed sooner */
	ck_assert_int_eq(after(20, GIB), INTELLIGENT);
	ck_assert_int_eq(after(97, GIB), GLACIER_IR);
	ck_assert_int_eq(after(400, GIB), GLACIER_IR);
}
END_TEST

START_TEST(unread_is_left_to_the_base)
{
	/* the base tiers what nobody reads, and asks nothing for giving it back; once
	 * the past is long enough, not being there from the first day is seen to cost more */
	ck_assert_int_eq(after(20, -1), INTELLIGENT);
}
END_TEST

START_TEST(goes_back_when_fetched_as_much_as_leaving_costs)
{
	struct ebb_auto *a = ebb_auto_new(&s3_tariff, 1);
	int class = -1;

	ck_assert_ptr_nonnull(a);
	ebb_auto_begin(a, 0, 1000 * GIB);
	for (int d = 0; d < 62; d++) {
		class = ebb_auto_class(a, 0);
		ebb_auto_learn(a, 0, 25 * GIB);
		ebb_auto_next_day(a);
	}
	ck_assert_int_eq(class, STANDARD_IA);
	ck_assert_int_eq(ebb_auto_class(a, 0), STANDARD_IA);
	ebb_auto_learn(a, 0, 1000 * GIB);
	ebb_auto_next_day(a);
	ck_assert_int_eq(ebb_auto_class(a, 0), INTELLIGENT);
	ebb_auto_free(a);
}
END_TEST

START_TEST(a_population_teaches)
{
	enum { N = 40 };
	int days[2] = {0, 0};

	/* two objects live alike, one among others like it, one among busy ones */
	for (int busy = 0; busy < 2; busy++) {
		int64_t others = busy ? 2000 * GIB : GIB;
		struct ebb_auto *a = ebb_auto_new(&s3_tariff, N + 1);

		ck_assert_ptr_nonnull(a);
		for (size_t i = 0; i <= N; i++)
			ebb_auto_begin(a, i, 1000 * GIB);
		while (ebb_auto_class(a, N) == INTELLIGENT && days[busy] < 1000) {
			for (size_t i = 0; i <= N; i++) {
				ebb_auto_class(a, i);
				ebb_auto_learn(a, i, i < N ? others : GIB);
			}
			ebb_auto_next_day(a);
			days[busy]++;
		}
		ebb_auto_free(a);
	}
	ck_assert_int_lt(days[0], days[1]);
	ck_assert_int_lt(days[1], 1000);
}
END_TEST

EBB_UNIT_MAIN("auto", patience_comes_from_prices, quiet_is_what_a_day_saves, base_by_size,
	      hot_stays_at_the_base, small_reads_do_not_hold_it, unread_is_left_to_the_base,
	      goes_back_when_fetched_as_much_as_leaving_costs, a_population_teaches)
