/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What samples say of compressing: extensions, means against numbers worked out by hand, coverage of the stated error. */
#include "policies/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/support/unit.h"

START_TEST(extensions)
{
	static const struct {
		const char *key, *ext;
	} v[] = {
		{"a/b.CSV", "csv"}, {"b", ""}, {"", ""}, {"a.d/b", ""}, {"a/.b", "b"}, {"b.", ""}, {"x.tar.gz", "gz"},
		{"x.0123456789abcdef", "0123456789abcdef"}, {"x.0123456789abcdefg", ""}, {"x.c\xff", ""}, {"x.a b", ""}, {"x.\xc3\xa9", ""},
	};
	char ext[EBB_SHRINK_EXT_MAX + 1];

	for (size_t i = 0; i < EBB_ARRAY_LEN(v); i++) {
		ebb_shrink_ext(v[i].key, strlen(v[i].key), ext);
		ck_assert_str_eq(ext, v[i].ext);
	}
}
END_TEST

static int compare(const void *a, const void *b)
{
	return ebb_shrink_compare(a, b);
}

START_TEST(kinds_are_found_by_rule_and_extension)
{
	struct ebb_shrink_kind v[] = {
		{.rule = 2, .ext = "log", .permille = 1}, {.rule = 0, .ext = "log", .permille = 2},
		{.rule = 2, .ext = "", .permille = 3},	  {.rule = 2, .ext = "csv", .permille = 4},
	};
	const struct ebb_shrink s = {v, EBB_ARRAY_LEN(v)}, none = {NULL, 0};

	qsort(v, EBB_ARRAY_LEN(v), sizeof(v[0]), compare);
	ck_assert_int_eq(ebb_shrink_find(&s, 2, "a/b.LOG", 7)->permille, 1);
	ck_assert_int_eq(ebb_shrink_find(&s, 0, "a/b.log", 7)->permille, 2);
	ck_assert_int_eq(ebb_shrink_find(&s, 2, "a/b", 3)->permille, 3);
	ck_assert_int_eq(ebb_shrink_find(&s, 2, "b.csv", 5)->permille, 4);
	ck_assert_ptr_null(ebb_shrink_find(&s, 0, "b.csv", 5));
	ck_assert_ptr_null(ebb_shrink_find(&s, 1, "b.log", 5));
	ck_assert_ptr_null(ebb_shrink_find(&none, 2, "b.log", 5));
	ck_assert_ptr_null(ebb_shrink_find(NULL, 2, "b.log", 5));
}
END_TEST

/* 100, 200, 300, 400: mean 250, variance 50000 / 3, error sqrt(that / 4) = 64.55, times t(3) = 3.182: 205.4. */
START_TEST(mean_and_margin)
{
	static const int four[] = {100, 200, 300, 400};
	int same[EBB_SHRINK_SAMPLES], permille, margin;

	ebb_shrink_mean(four, 4, &permille, &margin);
	ck_assert_int_eq(permille, 250);
	ck_assert_int_eq(margin, 206);
	for (int i = 0; i < EBB_SHRINK_SAMPLES; i++)
		same[i] = 333;
	ebb_shrink_mean(same, EBB_SHRINK_SAMPLES, &permille, &margin);
	ck_assert_int_eq(permille, 333);
	ck_assert_int_eq(margin, 0);
	for (int i = 0; i < EBB_SHRINK_SAMPLES; i++)	/* half and half: 500, sqrt(250000 * 32 / 31 / 32) * 2.04 = 183.2 */
		same[i] = i % 2 * 1000;
	ebb_shrink_mean(same, EBB_SHRINK_SAMPLES, &permille, &margin);
	ck_assert_int_eq(permille, 500);
	ck_assert_int_eq(margin, 184);
}
END_TEST

START_TEST(errors_of_kinds_add_up_as_squares)
{
	const struct ebb_shrink_kind v[] = {{.bytes = 3000000, .margin = 100}, {.bytes = 40000000, .margin = 10}};

	ck_assert_int_eq(ebb_shrink_margin(v, 2), 500000);
	ck_assert_int_eq(ebb_shrink_margin(v, 0), 0);
	const struct ebb_shrink_kind much = {.bytes = INT64_MAX, .margin = 100000};
	ck_assert_int_eq(ebb_shrink_margin(&much, 1), INT64_MAX);
}
END_TEST

static uint64_t roll(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x * 0x2545f4914f6cdd1d >> 33;
}

/* Populations of mixed natures: the true mean lies within the margin about as often as it says. */
START_TEST(the_truth_lies_within_the_margin)
{
	int within = 0, permille, margin, v[EBB_SHRINK_SAMPLES];
	uint64_t x = 20261128;

	for (int world = 0; world < 2000; world++) {
		int share[200];
		int64_t bytes[200], all = 0, left = 0;

		for (int i = 0; i < 200; i++) {
			share[i] = roll(&x) % 3 == 0 ? 1000 : (int)(roll(&x) % 600);
			all += bytes[i] = (int64_t)1 << roll(&x) % 12;
			left += bytes[i] * share[i];
		}
		for (int k = 0; k < EBB_SHRINK_SAMPLES; k++) {
			int64_t at = (int64_t)(roll(&x) % (uint64_t)all);
			int i = 0;

			while (at >= bytes[i])
				at -= bytes[i++];
			v[k] = share[i];
		}
		ebb_shrink_mean(v, EBB_SHRINK_SAMPLES, &permille, &margin);
		within += llabs(left / all - permille) <= margin;
	}
	ck_assert_msg(within >= 1850 && within <= 1970, "%d of 2000", within);
}
END_TEST

EBB_UNIT_MAIN("shrink", extensions, kinds_are_found_by_rule_and_extension, mean_and_margin, errors_of_kinds_add_up_as_squares,
	      the_truth_lies_within_the_margin)
