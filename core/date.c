/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/date.h"

#define DAYS_TO_1970 719468	/* from 0000-03-01 */
#define DAYS_400_YEARS 146097

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int ebb_date_month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool ebb_date_valid(struct ebb_date d)
{
	return d.year >= 1 && d.year <= 9999 && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
	       d.day <= ebb_date_month_days(d.year, d.month);
}

/*
 * Years are counted from March, so that the leap day is the last of its year, and in groups of 400,
 * after which the calendar repeats. (153 m + 2) / 5 is the number of days before month m of such a
 * year: the lengths from March on repeat 31 30 31 30 31, 153 days in 5 months.
 */
int64_t ebb_date_days(struct ebb_date d)
{
	int64_t year = d.month <= 2 ? d.year - 1 : d.year;
	int64_t month = d.month <= 2 ? d.month + 9 : d.month - 3;
	int64_t group = year / 400;
	int64_t y = year % 400;

	return group * DAYS_400_YEARS + y * 365 + y / 4 - y / 100 + (153 * month + 2) / 5 +
	       d.day - 1 - DAYS_TO_1970;
}

struct ebb_date ebb_date_of(int64_t ns)
{
	int64_t days = ns / EBB_DATE_DAY_NS - (ns % EBB_DATE_DAY_NS < 0) + DAYS_TO_1970;
	int64_t group = days / DAYS_400_YEARS;
	int64_t left = days % DAYS_400_YEARS;

	/* Take the leap days out of the count of days, and what is left are years of 365. */
	int64_t y = (left - left / 1460 + left / 36524 - left / (DAYS_400_YEARS - 1)) / 365;
	left -= y * 365 + y / 4 - y / 100;
	int64_t month = (5 * left + 2) / 153;

	return (struct ebb_date){
		.year = (int)(group * 400 + y + (month >= 10)),
		.month = (int)(month < 10 ? month + 3 : month - 9),
		.day = (int)(left - (153 * month + 2) / 5 + 1),
	};
}

int ebb_date_weekday(struct ebb_date d)
{
	/* 1970-01-01 was a Thursday (3). */
	int64_t n = (ebb_date_days(d) + 3) % 7;

	return (int)(n < 0 ? n + 7 : n);
}
