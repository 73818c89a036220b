/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calendar: days, months and years in UTC, proleptic Gregorian. Prices are per month and months
 * differ, so whoever prices bytes over time asks here how long a month is.
 *
 * Times are nanoseconds since 1970-01-01T00:00:00Z, see core/clock.h.
 * Threads: every function may be called from any thread.
 */
#ifndef EBB_CORE_DATE_H
#define EBB_CORE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define EBB_DATE_DAY_NS INT64_C(86400000000000)

struct ebb_date {
	int year;	/* 1677 to 2262 when it comes from a time */
	int month;	/* 1 to 12 */
	int day;	/* 1 to ebb_date_month_days() */
};

/* The day that @ns lies in. */
struct ebb_date ebb_date_of(int64_t ns);

/* Does the calendar have that day? Years 1 to 9999. */
bool ebb_date_valid(struct ebb_date d);

/* Days from 1970-01-01 to @d; negative before. @d must be valid. */
int64_t ebb_date_days(struct ebb_date d);

/* 28 to 31. @month 1 to 12. */
int ebb_date_month_days(int year, int month);

/* Day of the week of @d: 0 is Monday, 6 is Sunday (as ISO 8601 orders them). */
int ebb_date_weekday(struct ebb_date d);

#endif
