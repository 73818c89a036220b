/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/alerts.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "tests/support/unit.h"

#define N 60
#define BEGIN INT64_C(20780)
#define FALL 40		/* day on which a run's doing is seen */

static struct ebb_err err;
static struct ebb_history_day day[N];

/* Growth of 10 a day, and from day FALL on 300 less. */
static void series(void)
{
	for (int64_t i = 0; i < N; i++)
		day[i] = (struct ebb_history_day){.day = BEGIN + i, .cost = 1000 + 10 * i - (i >= FALL ? 300 : 0)};
}

static struct ebb_savings run(int64_t began, int64_t real, int64_t waiting)
{
	static const char *const stores[] = {"lake", NULL};
	static struct ebb_savings_row row;

	row = (struct ebb_savings_row){.rule = "r", .action = "delete", .real_month = real, .waiting_month = waiting};
	return (struct ebb_savings){.run = "r1", .time = (BEGIN + began) * EBB_DATE_DAY_NS, .measured = 1, .currency = "USD",
				    .stores = stores, .rows = &row, .n = 1};
}

START_TEST(a_move_is_where_the_series_fell)
{
	struct ebb_savings s = run(FALL - 1, 200, 100);
	struct ebb_savings_list l = {.all = &s, .n = 1};
	struct ebb_alerts_move *m;

	series();
	ck_assert_int_eq(ebb_alerts_moves(&l, "USD", NULL, NULL, day, N, &m, &err), 1);
	ck_assert_int_eq(m[0].day, BEGIN + FALL);
	ck_assert_int_eq(m[0].amount, 300); /* what waits in the trash is out of the series as well */
	free(m);
	ck_assert_int_eq(ebb_alerts_moves(&l, "EUR", NULL, NULL, day, N, &m, &err), 0);
	free(m);
	s.measured = 0;
	ck_assert_int_eq(ebb_alerts_moves(&l, "USD", NULL, NULL, day, N, &m, &err), 0);
	free(m);
}
END_TEST

START_TEST(a_label_has_moves_of_its_own)
{
	static const struct ebb_savings_moved moved[] = {{NULL, NULL, 250}, {"team", "a", 300}, {"team", "b", -40}, {"team", "c", 0}};
	struct ebb_savings s = run(FALL - 1, 200, 100);
	struct ebb_savings_list l = {.all = &s, .n = 1};
	struct ebb_alerts_move *m;

	series();
	/* of an earlier version: nobody knows of labels */
	ck_assert_int_eq(ebb_alerts_moves(&l, "USD", "team", "a", day, N, &m, &err), 0);
	free(m);
	s.moved = moved;
	s.nmoved = 4;
	ck_assert_int_eq(ebb_alerts_moves(&l, "USD", NULL, NULL, day, N, &m, &err), 1);
	ck_assert_int_eq(m[0].amount, 250); /* what is known better than by the sum */
	free(m);
	ck_assert_int_eq(ebb_alerts_moves(&l, "USD", "team", "a", day, N, &m, &err), 1);
	ck_assert_int_eq(m[0].amount, 300);
	ck_assert_int_eq(m[0].day, BEGIN + FALL);
	free(m);
	day[FALL + 1].cost = day[FALL].cost + 400; /* what a run put there is seen where the series rose */
	ck_assert_int_eq(ebb_alerts_moves(&l, "USD", "team", "b", day, N, &m, &err), 1);
	ck_assert_int_eq(m[0].amount, -40);
	ck_assert_int_eq(m[0].day, BEGIN + FALL + 1);
	free(m);
	ck_assert_int_eq(ebb_alerts_moves(&l, "USD", "team", "c", day, N, &m, &err), 0);
	free(m);
	ck_assert_int_eq(ebb_alerts_moves(&l, "USD", "team", "d", day, N, &m, &err), 0);
	free(m);
}
END_TEST

/* A fall that was made is no trend: with it known the growth goes on, without it the forecast is another. */
START_TEST(moves_are_not_extrapolated)
{
	static struct ebb_forecast with, without;
	const struct ebb_alerts_move move = {BEGIN + FALL, 300};

	series();
	ck_assert_int_eq(ebb_alerts_forecast(day, N, 20, &move, 1, &with, &err), 0);
	ck_assert_int_eq(ebb_alerts_forecast(day, N, 20, NULL, 0, &without, &err), 0);
	for (size_t i = 0; i < 20; i++)
		ck_assert_double_eq_tol(with.day[i].value, 1000 + 10.0 * (double)(N + i) - 300, 1);
	ck_assert(with.error[with.method] < 1e-3);
	ck_assert(without.error[without.method] > 10 * with.error[with.method]);
	ck_assert(with.error[with.method] < with.error[EBB_FORECAST_NAIVE]);
}
END_TEST

START_TEST(nothing_costs_less_than_nothing)
{
	static struct ebb_forecast f;
	const struct ebb_alerts_move move = {BEGIN, 5000};

	series();
	ck_assert_int_eq(ebb_alerts_forecast(day, N, 5, &move, 1, &f, &err), 0);
	for (size_t i = 0; i < 5; i++)
		ck_assert(f.day[i].value >= 0 && f.day[i].lo80 >= 0);
}
END_TEST

EBB_UNIT_MAIN("alerts", a_move_is_where_the_series_fell, a_label_has_moves_of_its_own, moves_are_not_extrapolated, nothing_costs_less_than_nothing)
