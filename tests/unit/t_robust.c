/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/robust.h"

#include <check.h>
#include <math.h>

#include "tests/support/unit.h"

/* Worked by hand from the published formulas: x has median 10 and MAD 1. */
static const double x[] = {10, 11, 9, 10, 12, 10, 50};
#define N (sizeof(x) / sizeof(x[0]))

START_TEST(the_score_is_that_of_the_formula)
{
	double work[N];
	struct ebb_robust r = ebb_robust_of(x, N, work);

	ck_assert_double_eq(r.median, 10);
	ck_assert_double_eq(r.mad, 1);
	ck_assert_double_eq_tol(ebb_robust_z(&r, 50), 26.98, 1e-9);
	ck_assert_double_eq_tol(ebb_robust_z(&r, 12), 1.349, 1e-9);
	ck_assert_double_eq(ebb_robust_z(&r, 10), 0);
}
END_TEST

START_TEST(without_a_mad_the_mean_distance_serves)
{
	const double most[] = {5, 5, 5, 5, 9};
	const double same[] = {5, 5, 5};
	double work[5];
	struct ebb_robust r = ebb_robust_of(most, 5, work);

	ck_assert_double_eq(r.mad, 0);
	ck_assert_double_eq_tol(ebb_robust_z(&r, 9), 4 / (1.253314 * 0.8), 1e-9);
	r = ebb_robust_of(same, 3, work);
	ck_assert_double_eq(ebb_robust_z(&r, 5), 0);
	ck_assert(isinf(ebb_robust_z(&r, 6)) && ebb_robust_z(&r, 4) < 0);
}
END_TEST

START_TEST(the_weighted_mean_is_that_of_the_formula)
{
	ck_assert_double_eq_tol(ebb_robust_ewma(x, N, 0.2, 10), 18.239616, 1e-9);
	ck_assert_double_eq(ebb_robust_ewma(x, 0, 0.2, 10), 10);
}
END_TEST

START_TEST(medians_of_even_and_empty_samples)
{
	double even[] = {4, 1, 3, 2}, none[1];

	ck_assert_double_eq(ebb_robust_median(even, 4), 2.5);
	ck_assert_double_eq(ebb_robust_median(none, 0), 0);
}
END_TEST

START_TEST(a_line_ignores_wild_points)
{
	double t[20], y[20], work[EBB_ROBUST_LINE_WORK];

	for (int i = 0; i < 20; i++) {
		t[i] = 100 + i;
		y[i] = i % 7 == 3 ? 1e6 : 50 + 2.5 * t[i];
	}
	struct ebb_robust_line line = ebb_robust_line_of(t, y, 20, work);
	ck_assert_double_eq_tol(line.slope, 2.5, 1e-9);
	ck_assert_double_eq_tol(line.at0, 50, 1e-6);
}
END_TEST

EBB_UNIT_MAIN("robust", the_score_is_that_of_the_formula, without_a_mad_the_mean_distance_serves,
	      the_weighted_mean_is_that_of_the_formula, medians_of_even_and_empty_samples,
	      a_line_ignores_wild_points)
