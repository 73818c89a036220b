/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Robust statistics of small samples: what is usual, and how unusual a value is, without a few wild values deciding it.
 *
 * Values are doubles: these numbers say where to look and what may come, they are never charged or paid.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_POLICIES_ROBUST_H
#define EBB_POLICIES_ROBUST_H

#include <stddef.h>

struct ebb_robust {
	size_t n;
	double median;
	double mad;		/* median of the distances to the median */
	double mean_ad;		/* mean of those distances */
};

/* Median of the @n values in @x, which is sorted on the way; 0 when @n is 0. */
double ebb_robust_median(double *x, size_t n);

/* Describe the @n values of @x. @work: room for @n values. */
struct ebb_robust ebb_robust_of(const double *x, size_t n, double *work);

/*
 * Modified z-score of @x: 0.6745 (x - median) / MAD, or (x - median) / (1.253314 mean distance) where the MAD is 0; 0 for the median
 * itself and an infinity for anything else when all values are equal.
 * Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993; the second form is that of IBM SPSS.
 */
double ebb_robust_z(const struct ebb_robust *r, double x);

/* Exponentially weighted mean of @x in order, from @start: m = lambda x + (1 - lambda) m. */
double ebb_robust_ewma(const double *x, size_t n, double lambda, double start);

/*
 * Theil-Sen line through (@t, @y): the median of all slopes, and the median of what they leave. Distinct @t, at most EBB_ROBUST_LINE points.
 *
 * @work  room for EBB_ROBUST_LINE * (EBB_ROBUST_LINE - 1) / 2 values.
 */
#define EBB_ROBUST_LINE 64
#define EBB_ROBUST_LINE_WORK (EBB_ROBUST_LINE * (EBB_ROBUST_LINE - 1) / 2)
struct ebb_robust_line {
	double slope, at0;
};
struct ebb_robust_line ebb_robust_line_of(const double *t, const double *y, size_t n, double *work);

#endif
