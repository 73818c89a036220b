/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <time.h>

#include "agent/schedule.h"
#include "tests/support/unit.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)

/* 2026-11-23T00:00:00Z, a Monday */
#define MONDAY (INT64_C(1795392000) * SECOND)

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

START_TEST(due_times_are_those_of_the_days)
{
	struct ebb_schedule s = {.at = {150, 14 * 60}, .n = 2, .days = 0x3e};	/* Mon-Fri 02:30, 14:00 */

	zone("UTC");
	ck_assert_int_eq(ebb_schedule_after(&s, 0, MONDAY), MONDAY + 150 * 60 * SECOND);
	ck_assert_int_eq(ebb_schedule_after(&s, 0, MONDAY + 150 * 60 * SECOND), MONDAY + 14 * HOUR);
	ck_assert_int_eq(ebb_schedule_before(&s, 0, MONDAY + 150 * 60 * SECOND), MONDAY + 150 * 60 * SECOND);
	/* Friday before: over the weekend there is nothing */
	ck_assert_int_eq(ebb_schedule_before(&s, 0, MONDAY), MONDAY - 3 * 24 * HOUR + 14 * HOUR);
	ck_assert_int_eq(ebb_schedule_after(&s, 0, MONDAY + 4 * 24 * HOUR + 15 * HOUR), MONDAY + 7 * 24 * HOUR + 150 * 60 * SECOND);
	s.n = 0;
	ck_assert_int_eq(ebb_schedule_before(&s, 0, MONDAY), INT64_MIN);
	ck_assert_int_eq(ebb_schedule_after(&s, 0, MONDAY), INT64_MAX);
}
END_TEST

START_TEST(hours_are_those_of_the_zone)
{
	struct ebb_schedule s = {.at = {150}, .n = 1, .days = 0x7f};

	zone("XXX-4");	/* as in Dubai */
	ck_assert_int_eq(ebb_schedule_after(&s, 0, MONDAY), MONDAY + 22 * HOUR + 30 * 60 * SECOND);
	/* 2027-03-28: Berlin goes from 02:00 to 03:00, so 02:30 is 03:30 there, 01:30 UTC; in autumn 02:30 is there twice, and due once */
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	int64_t spring = (INT64_C(1806192000)) * SECOND;	/* 2027-03-28T00:00:00Z */
	ck_assert_int_eq(ebb_schedule_after(&s, 0, spring), spring + 90 * 60 * SECOND);
	int64_t autumn = INT64_C(1824940800) * SECOND;	/* 2027-10-31T00:00:00Z */
	int64_t first = ebb_schedule_after(&s, 0, autumn - HOUR);
	ck_assert(first == autumn + 30 * 60 * SECOND || first == autumn + 90 * 60 * SECOND);
	ck_assert_int_ge(ebb_schedule_after(&s, 0, first), autumn + 24 * HOUR);
}
END_TEST

START_TEST(jitter_is_steady_and_spreads)
{
	struct ebb_schedule s = {.at = {150}, .n = 1, .days = 0x7f, .jitter = 10 * 60 * SECOND};
	int64_t least = INT64_MAX, most = 0, due = MONDAY + 150 * 60 * SECOND;

	zone("UTC");
	for (uint64_t seed = 0; seed < 100; seed++) {
		int64_t t = ebb_schedule_after(&s, seed, MONDAY);

		ck_assert_int_eq(t, ebb_schedule_after(&s, seed, MONDAY + HOUR));
		ck_assert_int_eq(t, ebb_schedule_before(&s, seed, MONDAY + 5 * HOUR));
		ck_assert(t >= due && t <= due + s.jitter);
		least = t < least ? t : least;
		most = t > most ? t : most;
	}
	ck_assert(least < due + 60 * SECOND && most > due + 540 * SECOND);
	ck_assert(ebb_schedule_seed("node1") != ebb_schedule_seed("node2"));
}
END_TEST

EBB_UNIT_MAIN("schedule", due_times_are_those_of_the_days, hours_are_those_of_the_zone, jitter_is_steady_and_spreads)
