/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/shrink.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Student's t, 95 % both sides, for 3 to 31 degrees of freedom, in thousandths (NIST/SEMATECH e-Handbook, 1.3.6.7.2). */
static const int t95[] = {
	3182, 2776, 2571, 2447, 2365, 2306, 2262, 2228, 2201, 2179, 2160, 2145, 2131, 2120, 2110,
	2101, 2093, 2086, 2080, 2074, 2069, 2064, 2060, 2056, 2052, 2048, 2045, 2042, 2040,
};

void ebb_shrink_ext(const char *key, size_t len, char ret[EBB_SHRINK_EXT_MAX + 1])
{
	size_t n = 0;

	while (n < len && n <= EBB_SHRINK_EXT_MAX && key[len - n - 1] != '.' && key[len - n - 1] != '/')
		n++;
	ret[0] = '\0';
	if (n == len || n > EBB_SHRINK_EXT_MAX || key[len - n - 1] != '.')
		return;
	for (size_t i = 0; i < n; i++)
		if (!isascii(key[len - n + i]) || !isalnum((unsigned char)key[len - n + i]))
			return;
	for (size_t i = 0; i < n; i++)
		ret[i] = (char)tolower((unsigned char)key[len - n + i]);
	ret[n] = '\0';
}

int ebb_shrink_compare(const struct ebb_shrink_kind *a, const struct ebb_shrink_kind *b)
{
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	return strcmp(a->ext, b->ext);
}

static int compare(const void *a, const void *b)
{
	return ebb_shrink_compare(a, b);
}

const struct ebb_shrink_kind *ebb_shrink_find(const struct ebb_shrink *s, size_t rule, const char *key, size_t len)
{
	struct ebb_shrink_kind want = {.rule = rule};

	if (!s || s->n == 0)
		return NULL;
	ebb_shrink_ext(key, len, want.ext);
	return bsearch(&want, s->v, s->n, sizeof(*s->v), compare);
}

void ebb_shrink_mean(const int *v, int n, int *ret_permille, int *ret_margin)
{
	double sum = 0, squares = 0;

	for (int i = 0; i < n; i++)
		sum += v[i];
	for (int i = 0; i < n; i++)
		squares += (v[i] - sum / n) * (v[i] - sum / n);
	double error = sqrt(squares / (n - 1) / n) * t95[n - EBB_SHRINK_SAMPLES_MIN] / 1000;

	*ret_permille = (int)ceil(sum / n);
	*ret_margin = (int)ceil(error);
}

int64_t ebb_shrink_margin(const struct ebb_shrink_kind *v, size_t n)
{
	double squares = 0;

	for (size_t i = 0; i < n; i++) {
		double one = (double)v[i].bytes / 1000 * v[i].margin;

		squares += one * one;
	}
	return squares < 8e37 ? (int64_t)ceil(sqrt(squares)) : INT64_MAX;
}
