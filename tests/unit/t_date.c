/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>

#include "core/date.h"
#include "tests/support/unit.h"

START_TEST(every_day_round_trips)
{
	struct ebb_date d = {.year = 1678, .month = 1, .day = 1};
	int64_t days = ebb_date_days(d);

	while (d.year < 2262) {
		struct ebb_date first = ebb_date_of(days * EBB_DATE_DAY_NS);
		struct ebb_date last = ebb_date_of(days * EBB_DATE_DAY_NS + EBB_DATE_DAY_NS - 1);

		if (ebb_date_days(d) != days || !ebb_date_valid(d) || first.year != d.year ||
		    first.month != d.month || first.day != d.day || last.day != d.day)
			ck_abort_msg("%d-%d-%d", d.year, d.month, d.day);
		days++;
		if (++d.day > ebb_date_month_days(d.year, d.month)) {
			d.day = 1;
			d.month++;
		}
		if (d.month > 12) {
			d.month = 1;
			d.year++;
		}
	}
}
END_TEST

START_TEST(known_days)
{
	ck_assert_int_eq(ebb_date_days((struct ebb_date){1970, 1, 1}), 0);
	ck_assert_int_eq(ebb_date_days((struct ebb_date){2000, 3, 1}), 11017);
	ck_assert_int_eq(ebb_date_days((struct ebb_date){1, 1, 1}), -719162);
	ck_assert_int_eq(ebb_date_of(INT64_MAX).year, 2262);
	ck_assert_int_eq(ebb_date_of(INT64_MIN).year, 1677);
	ck_assert_int_eq(ebb_date_of(-1).year, 1969);
	ck_assert_int_eq(ebb_date_of(-1).day, 31);
}
END_TEST

START_TEST(month_lengths)
{
	ck_assert_int_eq(ebb_date_month_days(2023, 2), 28);
	ck_assert_int_eq(ebb_date_month_days(2024, 2), 29);
	ck_assert_int_eq(ebb_date_month_days(1900, 2), 28);
	ck_assert_int_eq(ebb_date_month_days(2000, 2), 29);
	ck_assert_int_eq(ebb_date_month_days(2024, 9), 30);
	ck_assert_int_eq(ebb_date_month_days(2024, 12), 31);
}
END_TEST

START_TEST(validity)
{
	ck_assert(ebb_date_valid((struct ebb_date){2024, 2, 29}));
	ck_assert(!ebb_date_valid((struct ebb_date){2023, 2, 29}));
	ck_assert(!ebb_date_valid((struct ebb_date){2023, 0, 1}));
	ck_assert(!ebb_date_valid((struct ebb_date){2023, 13, 1}));
	ck_assert(!ebb_date_valid((struct ebb_date){2023, 1, 0}));
	ck_assert(!ebb_date_valid((struct ebb_date){2023, 1, 32}));
	ck_assert(!ebb_date_valid((struct ebb_date){0, 1, 1}));
	ck_assert(!ebb_date_valid((struct ebb_date){10000, 1, 1}));
}
END_TEST

START_TEST(weekdays)
{
	ck_assert_int_eq(ebb_date_weekday((struct ebb_date){1970, 1, 1}), 3);
	ck_assert_int_eq(ebb_date_weekday((struct ebb_date){2024, 1, 1}), 0);
	ck_assert_int_eq(ebb_date_weekday((struct ebb_date){2024, 2, 29}), 3);
	ck_assert_int_eq(ebb_date_weekday((struct ebb_date){1969, 12, 28}), 6);
	ck_assert_int_eq(ebb_date_weekday((struct ebb_date){1900, 1, 1}), 0);
}
END_TEST

EBB_UNIT_MAIN("date", every_day_round_trips, known_days, month_lengths, validity, weekdays)
