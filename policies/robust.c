/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/robust.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double ebb_robust_median(double *x, size_t n)
{
	if (n == 0)
		return 0;
	qsort(x, n, sizeof(*x), by_value);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

struct ebb_robust ebb_robust_of(const double *x, size_t n, double *work)
{
	struct ebb_robust r = {.n = n};

	if (n == 0)
		return r;
	for (size_t i = 0; i < n; i++)
		work[i] = x[i];
	r.median = ebb_robust_median(work, n);
	for (size_t i = 0; i < n; i++) {
		work[i] = fabs(x[i] - r.median);
		r.mean_ad += work[i];
	}
	r.mean_ad /= (double)n;
	r.mad = ebb_robust_median(work, n);
	return r;
}

double ebb_robust_z(const struct ebb_robust *r, double x)
{
	double off = x - r->median;

	if (off == 0)
		return 0;
	if (r->mad > 0)
		return 0.6745 * off / r->mad;
	if (r->mean_ad > 0)
		return off / (1.253314 * r->mean_ad);
	return off > 0 ? INFINITY : -INFINITY;
}

double ebb_robust_ewma(const double *x, size_t n, double lambda, double start)
{
	for (size_t i = 0; i < n; i++)
		start = lambda * x[i] + (1 - lambda) * start;
	return start;
}

struct ebb_robust_line ebb_robust_line_of(const double *t, const double *y, size_t n, double *work)
{
	struct ebb_robust_line line = {0, 0};
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			work[k++] = (y[j] - y[i]) / (t[j] - t[i]);
	line.slope = ebb_robust_median(work, k);
	for (size_t i = 0; i < n; i++)
		work[i] = y[i] - line.slope * t[i];
	line.at0 = ebb_robust_median(work, n);
	return line;
}
