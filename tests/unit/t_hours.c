/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "agent/hours.h"
#include "tests/support/unit.h"

enum { SUN, MON, TUE, WED, THU, FRI, SAT };

/* A minute of a week in November 2026 that begins on a Sunday, the first. */
static bool at(const struct ebb_hours *h, int wday, int minute)
{
	const int64_t sunday = INT64_C(1793491200);

	return ebb_hours_contain(h, (sunday + wday * 86400 + minute * 60) * INT64_C(1000000000));
}

static struct ebb_hours hours(const char *text)
{
	struct ebb_hours h = {0};

	setenv("TZ", "UTC", 1);
	tzset();
	ck_assert_int_eq(ebb_hours_parse(text, &h, NULL), 0);
	return h;
}

START_TEST(a_span_within_a_day)
{
	struct ebb_hours h = hours("Mon-Fri 08:30-17:00");

	ck_assert(!at(&h, MON, 8 * 60 + 29));
	ck_assert(at(&h, MON, 8 * 60 + 30));
	ck_assert(at(&h, FRI, 17 * 60 - 1));
	ck_assert(!at(&h, FRI, 17 * 60));
	ck_assert(!at(&h, SAT, 12 * 60));
}
END_TEST

START_TEST(a_span_over_midnight_belongs_to_the_day_it_begins)
{
	struct ebb_hours h = hours("Mon-Fri 20:00-06:00");

	ck_assert(at(&h, FRI, 23 * 60));
	ck_assert(at(&h, SAT, 5 * 60 + 59));
	ck_assert(!at(&h, SAT, 6 * 60));
	ck_assert(!at(&h, SAT, 20 * 60));
	ck_assert(!at(&h, MON, 3 * 60));
}
END_TEST

START_TEST(days_may_wrap_and_be_listed)
{
	struct ebb_hours h = hours("Sat-Mon,Wed 00:00-24:00");

	for (int d = SUN; d <= SAT; d++)
		ck_assert(at(&h, d, 1439) == (d == SAT || d == SUN || d == MON || d == WED));
	h = hours("22:00-05:00");
	for (int d = SUN; d <= SAT; d++)
		ck_assert(at(&h, d, 0) && !at(&h, d, 12 * 60));
}
END_TEST

START_TEST(what_is_malformed_is_refused)
{
	static const char *const bad[] = {"", "20:00", "Mon 20:00", "20:00-25:00", "20:60-21:00",
					  "8:00-17:00", "Mon-Fry 08:00-17:00",
					  "Mon,  08:00-17:00", "08:00-17:00 ", "08:00-08:00", "24:00-08:00",
					  "Monday 08:00-17:00", "08:00 - 17:00", "not", "not ",
					  "Sat;", ";Sat", "Sat;;Sun", "Sat; not", "Sat;Sat;Sat;Sat;Sat;Sat;Sat;Sat;Sat"};
	struct ebb_hours h = {.n = 7};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(ebb_hours_parse(bad[i], &h, NULL), -EBB_ECONFIG);
		ck_assert_uint_eq(h.n, 7);
	}
}
END_TEST

START_TEST(several_spans_and_what_is_left_out)
{
	struct ebb_hours h = hours("Mon-Fri 20:00-06:00; Sat,Sun ; not Sun 03:00-05:00");

	ck_assert(at(&h, SAT, 12 * 60));
	ck_assert(at(&h, SUN, 2 * 60 + 59));
	ck_assert(!at(&h, SUN, 3 * 60));
	ck_assert(at(&h, SUN, 5 * 60));
	ck_assert(!at(&h, MON, 12 * 60));
	ck_assert(at(&h, MON, 20 * 60));
	/* only what is left out: everything else is in */
	h = hours("not Mon-Fri 08:00-18:00");
	ck_assert(at(&h, MON, 7 * 60) && !at(&h, MON, 8 * 60) && at(&h, SUN, 8 * 60));
}
END_TEST

START_TEST(the_next_opening_is_found)
{
	const int64_t second = INT64_C(1000000000), sunday = INT64_C(1793491200) * second, hour = 3600 * second;
	struct ebb_hours h = hours("Mon-Fri 20:00-06:00");

	ck_assert_int_eq(ebb_hours_next(&h, sunday + 12 * hour + 7), sunday + 44 * hour);
	ck_assert_int_eq(ebb_hours_next(&h, sunday + 45 * hour + 7), sunday + 45 * hour + 7);
	h = hours("Sat; not Sat");
	ck_assert_int_eq(ebb_hours_next(&h, sunday), INT64_MAX);
}
END_TEST

START_TEST(days_and_times_of_a_schedule)
{
	uint8_t days = 0;
	int at = 0;

	ck_assert_int_eq(ebb_hours_days("Sat-Mon", &days, NULL), 0);
	ck_assert_uint_eq(days, 1 << SAT | 1 << SUN | 1 << MON);
	ck_assert_int_eq(ebb_hours_days("Sat Mon", &days, NULL), -EBB_ECONFIG);
	ck_assert_int_eq(ebb_hours_clock("02:30", &at, NULL), 0);
	ck_assert_int_eq(at, 150);
	ck_assert_int_eq(ebb_hours_clock("24:00", &at, NULL), -EBB_ECONFIG);
	ck_assert_int_eq(ebb_hours_clock("2:30", &at, NULL), -EBB_ECONFIG);
}
END_TEST

EBB_UNIT_MAIN("hours", a_span_within_a_day, a_span_over_midnight_belongs_to_the_day_it_begins,
	      days_may_wrap_and_be_listed,
	      several_spans_and_what_is_left_out, the_next_opening_is_found, days_and_times_of_a_schedule,
	      what_is_malformed_is_refused)
