/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What days, moves and reads cost: every figure is worked out by hand from the prices. */
#include "policies/tariff.h"

#include <string.h>

#include "core/err.h"
#include "tests/support/s3_tariff.h"
#include "tests/support/unit.h"

#define GIB ((int64_t)1 << 30)

static void is_nano(ebb_tariff_num ticks, int64_t nano)
{
	struct ebb_money m = {0};

	ck_assert_int_eq(ebb_tariff_money(&s3_tariff, ticks, &m, NULL), 0);
	ck_assert_int_eq(m.nano, nano);
	ck_assert_str_eq(m.currency, "USD");
}

START_TEST(a_month_of_days)
{
	/* 487 days are 16 months: 16 x 0.023 for a GiB */
	is_nano(487 * ebb_tariff_storage(&s3_tariff, STANDARD, GIB), 368000000);
	is_nano(487 * ebb_tariff_storage(&s3_tariff, GLACIER_IR, GIB), 64000000);
	/* 1 KiB is billed as 128 KiB: 16 x 0.0125 / 8192 */
	is_nano(487 * ebb_tariff_storage(&s3_tariff, STANDARD_IA, 1024), 24414);
	ck_assert(ebb_tariff_storage(&s3_tariff, STANDARD_IA, 1) ==
		  ebb_tariff_storage(&s3_tariff, STANDARD_IA, S3_KIB128));
}
END_TEST

START_TEST(overheads_are_billed_at_two_rates)
{
	struct ebb_tariff t = s3_tariff;

	t.class[GLACIER_IR].overhead = 32768;
	t.class[GLACIER_IR].overhead_hot = 8192;
	t.class[GLACIER_IR].min_bytes = 0;
	/* 16 x (0.004 x 32768 + 0.023 x 8192) / 2^30 */
	is_nano(487 * ebb_tariff_storage(&t, GLACIER_IR, 0), 4761);
}
END_TEST

START_TEST(reads_and_entries)
{
	is_nano(ebb_tariff_retrieval(&s3_tariff, GLACIER_IR, 10 * GIB), 300000000);
	is_nano(ebb_tariff_retrieval(&s3_tariff, STANDARD, 10 * GIB), 0);
	is_nano(1000 * ebb_tariff_entry(&s3_tariff, STANDARD_IA), 10000000);
}
END_TEST

START_TEST(leaving_early_pays_the_rest)
{
	struct ebb_tariff_place p = {.class = STANDARD_IA, .days = 10};
	ebb_tariff_num day = ebb_tariff_storage(&s3_tariff, STANDARD_IA, GIB);

	ck_assert(ebb_tariff_leave(&s3_tariff, &p, GIB) ==
		  ebb_tariff_retrieval(&s3_tariff, STANDARD_IA, GIB) + 20 * day);
	p.days = 30;
	ck_assert(ebb_tariff_leave(&s3_tariff, &p, GIB) ==
		  ebb_tariff_retrieval(&s3_tariff, STANDARD_IA, GIB));
	ck_assert(ebb_tariff_move(&s3_tariff, &p, STANDARD, GIB) ==
		  ebb_tariff_retrieval(&s3_tariff, STANDARD_IA, GIB) +
			  ebb_tariff_entry(&s3_tariff, STANDARD));
	ck_assert_int_eq(p.class, STANDARD);
	ck_assert_int_eq(p.days, 0);
	ck_assert(ebb_tariff_move(&s3_tariff, &p, STANDARD, GIB) == 0);
}
END_TEST

START_TEST(sinks_after_days_without_a_read)
{
	struct ebb_tariff_place p = {.class = INTELLIGENT};
	ebb_tariff_num sum = 0, watch = 0;

	for (int d = 0; d < 100; d++)
		sum += ebb_tariff_day(&s3_tariff, &p, GIB, -1);
	for (int d = 0; d < 100; d++)
		watch += (ebb_tariff_num)2500000 * GIB * 16;
	ck_assert(sum == watch + 30 * ebb_tariff_storage(&s3_tariff, STANDARD, GIB) +
				 60 * ebb_tariff_storage(&s3_tariff, STANDARD_IA, GIB) +
				 10 * ebb_tariff_storage(&s3_tariff, GLACIER_IR, GIB));
	/* a read of no bytes is a read; the day itself is still charged where the object was */
	ebb_tariff_day(&s3_tariff, &p, GIB, 0);
	ck_assert_int_eq(p.unread, 0);
	/* below 128 KiB nothing is watched, and nothing sinks */
	p = (struct ebb_tariff_place){.class = INTELLIGENT, .unread = 400};
	ck_assert(ebb_tariff_day(&s3_tariff, &p, 1000, -1) ==
		  ebb_tariff_storage(&s3_tariff, STANDARD, 1000));
}
END_TEST

START_TEST(classes_by_name)
{
	ck_assert_int_eq(ebb_tariff_find(&s3_tariff, "GLACIER_IR"), GLACIER_IR);
	ck_assert_int_eq(ebb_tariff_find(&s3_tariff, "GLACIER"), -1);
}
END_TEST

EBB_UNIT_MAIN("tariff", a_month_of_days, overheads_are_billed_at_two_rates, reads_and_entries,
	      leaving_early_pays_the_rest, sinks_after_days_without_a_read, classes_by_name)
