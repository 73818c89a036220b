/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/forecast.h"

#include <check.h>
#include <math.h>
#include <stdio.h>

#include "core/err.h"
#include "tests/support/prng.h"
#include "tests/support/unit.h"

static struct ebb_forecast f;

/* Noise of one standard deviation, from twelve uniform numbers. */
static double noise(struct ebb_prng *r)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += (double)ebb_prng_below(r, 1 << 20) / (1 << 20);
	return sum - 6;
}

START_TEST(holt_is_that_of_the_formula)
{
	static const double y[] = {10, 12, 13, 15, 16};
	const struct ebb_forecast_weights w = {.alpha = 0.5, .beta = 0.5};
	struct ebb_forecast_state s = ebb_forecast_run(EBB_FORECAST_HOLT, y, 5, &w);

	ck_assert_double_eq_tol(s.level, 16.40625, 1e-12);
	ck_assert_double_eq_tol(s.trend, 1.484375, 1e-12);
	ck_assert_double_eq_tol(ebb_forecast_at(&s, 1), 17.890625, 1e-12);
	ck_assert_double_eq_tol(ebb_forecast_at(&s, 3), 20.859375, 1e-12);
}
END_TEST

START_TEST(a_week_repeats)
{
	double y[70];
	static const double week[] = {100, 120, 118, 119, 121, 60, 55};

	for (int i = 0; i < 70; i++)
		y[i] = week[i % 7];
	ck_assert_int_eq(ebb_forecast_make(y, 70, 14, &f), 0);
	ck_assert_int_eq(f.method, EBB_FORECAST_SEASONAL);
	for (int h = 0; h < 14; h++)
		ck_assert_double_eq_tol(f.day[h].value, week[h % 7], 1e-9);
	ck_assert(f.error[EBB_FORECAST_NAIVE] > 0.1 && f.error[EBB_FORECAST_SEASONAL] < 1e-12);
}
END_TEST

START_TEST(a_trend_goes_on)
{
	double y[60];

	for (int i = 0; i < 60; i++)
		y[i] = 50 + 3 * i;
	ck_assert_int_eq(ebb_forecast_make(y, 60, 30, &f), 0);
	ck_assert_int_eq(f.method, EBB_FORECAST_HOLT);
	ck_assert_double_eq_tol(f.day[29].value, 50 + 3 * 89, 1e-6);
}
END_TEST

START_TEST(growing_weeks_need_winters)
{
	struct ebb_prng r = {7};
	double y[120];

	for (int i = 0; i < 120; i++)
		y[i] = 1000 + 8 * i + (i % 7 < 5 ? 150 : -200) + 5 * noise(&r);
	ck_assert_int_eq(ebb_forecast_make(y, 120, 28, &f), 0);
	printf("WAPE: naive %.4f, seasonal %.4f, holt %.4f, holt-winters %.4f\n", f.error[0], f.error[1],
	       f.error[2], f.error[3]);
	ck_assert_int_eq(f.method, EBB_FORECAST_HOLT_WINTERS);
	ck_assert_double_lt(f.error[EBB_FORECAST_HOLT_WINTERS], f.error[EBB_FORECAST_NAIVE] / 4);
}
END_TEST

START_TEST(intervals_hold_what_they_say)
{
	struct ebb_prng r = {11};
	int in80 = 0, in95 = 0, all = 0;

	for (int round = 0; round < 60; round++) {
		double y[104];
		for (int i = 0; i < 104; i++)
			y[i] = 500 + 20 * noise(&r);
		ck_assert_int_eq(ebb_forecast_make(y, 90, 14, &f), 0);
		ck_assert(f.known);
		for (int h = 0; h < 14; h++, all++) {
			in80 += y[90 + h] >= f.day[h].lo80 && y[90 + h] <= f.day[h].hi80;
			in95 += y[90 + h] >= f.day[h].lo95 && y[90 + h] <= f.day[h].hi95;
		}
	}
	printf("of %d days %d within 80 %%, %d within 95 %%\n", all, in80, in95);
	ck_assert(in80 > all * 70 / 100 && in95 > all * 88 / 100);
}
END_TEST

START_TEST(short_histories_promise_nothing)
{
	static const double y[] = {3, 4, 5};

	ck_assert_int_eq(ebb_forecast_make(y, 3, 5, &f), 0);
	ck_assert_int_eq(f.method, EBB_FORECAST_NAIVE);
	ck_assert(!f.known && f.trials == 0);
	ck_assert_double_eq(f.day[4].value, 5);
}
END_TEST

START_TEST(costs_do_not_fall_below_nothing)
{
	double y[40];

	for (int i = 0; i < 40; i++)
		y[i] = 400 - 10 * i;
	ck_assert_int_eq(ebb_forecast_make(y, 40, 30, &f), 0);
	ck_assert_double_eq(f.day[29].value, 0);
	ck_assert_double_eq(f.day[29].lo95, 0);
}
END_TEST

START_TEST(unfit_series_are_refused)
{
	const double bad[] = {1, NAN}, negative[] = {1, -1}, good[] = {1};

	ck_assert_int_eq(ebb_forecast_make(bad, 2, 1, &f), -EBB_EINVAL);
	ck_assert_int_eq(ebb_forecast_make(negative, 2, 1, &f), -EBB_EINVAL);
	ck_assert_int_eq(ebb_forecast_make(good, 0, 1, &f), -EBB_EINVAL);
	ck_assert_int_eq(ebb_forecast_make(good, 1, 0, &f), -EBB_EINVAL);
	ck_assert_int_eq(ebb_forecast_make(good, 1, EBB_FORECAST_MAX + 1, &f), -EBB_EINVAL);
}
END_TEST

EBB_UNIT_MAIN("forecast", holt_is_that_of_the_formula, a_week_repeats, a_trend_goes_on,
	      growing_weeks_need_winters, intervals_hold_what_they_say, short_histories_promise_nothing,
	      costs_do_not_fall_below_nothing, unfit_series_are_refused)
