/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/anomaly.h"

#include <check.h>
#include <math.h>
#include <stdio.h>

#include "core/err.h"
#include "tests/support/prng.h"
#include "tests/support/unit.h"

#define DAYS 120
static struct ebb_anomaly_point p[DAYS];
static struct ebb_anomaly found[DAYS];

static double noise(struct ebb_prng *r)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += (double)ebb_prng_below(r, 1 << 20) / (1 << 20);
	return sum - 6;
}

/* A working week: weekends at 60 %, growth of @growth a day, noise of 3 %. */
static void series(uint64_t seed, double growth)
{
	struct ebb_prng r = {seed};

	for (int i = 0; i < DAYS; i++) {
		double base = 1000 * (1 + growth * i) * (i % 7 < 5 ? 1 : 0.6);

		p[i] = (struct ebb_anomaly_point){20000 + i, base * (1 + 0.03 * noise(&r))};
	}
}

static int find(void)
{
	return ebb_anomaly_find(p, DAYS, 20000 + 60, &ebb_anomaly_defaults, found, DAYS);
}

static bool is_found(enum ebb_anomaly_kind kind, int first, int last)
{
	for (int i = 0; i < DAYS && found[i].day; i++)
		if (found[i].kind == kind && found[i].day >= 20000 + first && found[i].day <= 20000 + last)
			return true;
	return false;
}

START_TEST(a_spike_is_told_with_its_numbers)
{
	series(1, 0);
	p[100].value *= 1.8;
	int n = find();

	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(found[0].kind, EBB_ANOMALY_SPIKE);
	ck_assert_int_eq(found[0].day, 20100);
	ck_assert(found[0].weekday && found[0].history == 8);
	ck_assert_double_gt(found[0].score, 3.5);
	ck_assert_double_eq(found[0].value, p[100].value);
	ck_assert_double_eq_tol(found[0].expected, p[100].value / 1.8, 150);
}
END_TEST

/* 50 seeded series with weekends, half of them growing: a spike, a fall, a drift of 1.5 % a day. */
START_TEST(planted_anomalies_are_found_and_little_else)
{
	int spikes = 0, falls = 0, drifts = 0, alarms = 0, rounds = 50;

	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < DAYS; i++)
			found[i].day = 0;
		series((uint64_t)round, round % 2 ? 0.002 : 0);
		int n = find();
		ck_assert_int_ge(n, 0);
		alarms += n;
		p[80].value *= 1.5;
		find();
		spikes += is_found(EBB_ANOMALY_SPIKE, 80, 80);
		p[80].value /= 1.5;
		p[95].value *= 0.5;
		find();
		falls += is_found(EBB_ANOMALY_SPIKE, 95, 95);
		p[95].value /= 0.5;
		for (int i = 100; i < DAYS; i++)
			p[i].value *= 1 + 0.015 * (i - 99);
		find();
		drifts += is_found(EBB_ANOMALY_DRIFT, 100, DAYS);
	}
	printf("of %d: spikes of 50 %% %d, falls by half %d, drifts of 1.5 %% a day %d; false alarms %d in %d days\n",
	       rounds, spikes, falls, drifts, alarms, rounds * 60);
	ck_assert_int_ge(spikes, rounds * 97 / 100);
	ck_assert_int_ge(falls, rounds * 97 / 100);
	ck_assert_int_ge(drifts, rounds * 95 / 100);
	ck_assert_int_le(alarms, rounds * 60 / 200); /* one in 200 days */
}
END_TEST

START_TEST(both_thresholds_must_be_passed)
{
	struct ebb_anomaly_opts o = ebb_anomaly_defaults;

	series(3, 0);
	p[100].value *= 1.8;
	double off = p[100].value * 0.8 / 1.8;
	o.min_amount = off * 1.5;
	ck_assert_int_eq(ebb_anomaly_find(p, DAYS, 20060, &o, found, DAYS), 0);
	o.min_amount = off / 1.5;
	ck_assert_int_eq(ebb_anomaly_find(p, DAYS, 20060, &o, found, DAYS), 1);
	o.min_share = 2;
	ck_assert_int_eq(ebb_anomaly_find(p, DAYS, 20060, &o, found, DAYS), 0);
}
END_TEST

START_TEST(steady_growth_is_no_anomaly)
{
	for (int i = 0; i < DAYS; i++)
		p[i] = (struct ebb_anomaly_point){20000 + i, 1000 + 10.0 * i + i % 3};
	ck_assert_int_eq(find(), 0);
}
END_TEST

START_TEST(gaps_and_short_histories_are_borne)
{
	size_t n = 0;

	series(5, 0);
	for (size_t i = 0; i < DAYS; i += i % 4 == 3 ? 3 : 1)
		p[n++] = p[i];
	ck_assert_int_ge(ebb_anomaly_find(p, n, 0, &ebb_anomaly_defaults, found, DAYS), 0);
	ck_assert_int_eq(ebb_anomaly_find(p, 3, 0, &ebb_anomaly_defaults, found, DAYS), 0);
	ck_assert_int_eq(ebb_anomaly_find(p, 0, 0, &ebb_anomaly_defaults, found, DAYS), 0);
}
END_TEST

START_TEST(unfit_series_are_refused)
{
	struct ebb_anomaly_point bad[] = {{1, 1}, {1, 2}}, wild[] = {{1, 1}, {2, INFINITY}};

	ck_assert_int_eq(ebb_anomaly_find(bad, 2, 0, &ebb_anomaly_defaults, found, 1), -EBB_EINVAL);
	ck_assert_int_eq(ebb_anomaly_find(wild, 2, 0, &ebb_anomaly_defaults, found, 1), -EBB_EINVAL);
}
END_TEST

START_TEST(more_than_there_is_room_for_are_counted)
{
	series(9, 0);
	p[80].value *= 3;
	p[90].value *= 3;
	ck_assert_int_eq(ebb_anomaly_find(p, DAYS, 20060, &ebb_anomaly_defaults, found, 1), 2);
	ck_assert_int_eq(found[0].day, 20080);
}
END_TEST

EBB_UNIT_MAIN("anomaly", a_spike_is_told_with_its_numbers, planted_anomalies_are_found_and_little_else,
	      both_thresholds_must_be_passed, steady_growth_is_no_anomaly,
	      gaps_and_short_histories_are_borne, unfit_series_are_refused,
	      more_than_there_is_room_for_are_counted)
