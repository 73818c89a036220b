/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/chart.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/html.h"
#include "core/mem.h"
#include "tests/support/prng.h"
#include "tests/support/seed.h"
#include "tests/support/unit.h"

static char *text;
static size_t len;

static FILE *out(void)
{
	return open_memstream(&text, &len);
}

static void label(void *ctx, double value, char *buf)
{
	(void)ctx;
	snprintf(buf, 32, "<%g>", value);
}

START_TEST(text_from_outside_cannot_become_markup)
{
	FILE *f = out();

	ebb_html_bytes(f, "<b a='\"&\x01\xff\xc3\xa9", 12);
	fclose(f);
	ck_assert_str_eq(text, "&lt;b a=&#39;&quot;&amp;\\x01\\xff\xc3\xa9");
	free(text);
}
END_TEST

START_TEST(steps_are_round_and_three_to_six)
{
	for (double most = 1e-6; most < 1e15; most *= 1.37) {
		double step = ebb_chart_step(most), mantissa = step / pow(10, floor(log10(step) + 1e-9));

		ck_assert(most / step >= 2.999 && most / step < 7.6);
		ck_assert(fabs(mantissa - 1) < 1e-6 || fabs(mantissa - 2) < 1e-6 || fabs(mantissa - 5) < 1e-6);
	}
	ck_assert_double_eq(ebb_chart_step(0), 1);
}
END_TEST

START_TEST(a_line_has_its_title_axis_and_forecast)
{
	const struct ebb_chart_point past[] = {{20000, 1, 0, 0}, {20003, 4, 0, 0}}, next[] = {{20004, 5, 4, 6}};
	const struct ebb_chart_mark mark = {20003, 4, "a & b"};
	struct ebb_chart_line c = {.title = "cost", .past = past, .npast = 2, .next = next, .nnext = 1,
				   .marks = &mark, .nmarks = 1, .label = label};
	FILE *f = out();

	ebb_chart_line(f, &c);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "<title>cost</title>"));
	ck_assert_ptr_nonnull(strstr(text, "&lt;6&gt;"));
	ck_assert_ptr_nonnull(strstr(text, "2024-10-04"));
	ck_assert_ptr_nonnull(strstr(text, "line next"));
	ck_assert_ptr_nonnull(strstr(text, "a &amp; b"));
	ck_assert_ptr_null(strstr(text, "nan"));
	free(text);
	f = out();
	c.npast = 1;
	ebb_chart_line(f, &c);
	fclose(f);
	ck_assert_uint_eq(len, 0);
	free(text);
}
END_TEST

/* Boxes must fill the picture, stay in it, and be as large as their values say. */
START_TEST(treemap_areas_are_the_values)
{
	struct ebb_prng r = ebb_seed_start();
	struct ebb_chart_part parts[40];
	double sum = 0, area = 0;
	int i = 0;

	for (int k = 0; k < 40; k++) {
		parts[k] = (struct ebb_chart_part){"n", "t", 1000.0 / (k + 1) + (double)ebb_prng_below(&r, 5), 0};
		sum += parts[k].value;
	}
	FILE *f = out();
	ebb_chart_treemap(f, "where", parts, 40);
	fclose(f);
	for (char *at = text; (at = strstr(at, "<rect")); i++, at++) {
		double x, y, w, h;

		ck_assert_int_eq(sscanf(strstr(at, "x="), "x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"", &x, &y, &w,
					&h), 4);
		ck_assert(x >= 0 && y >= 0 && x + w < 440.2 && y + h < 280.2);
		ck_assert_double_eq_tol(w * h / (440 * 280), parts[i].value / sum, 0.002);
		area += w * h;
	}
	ck_assert_int_eq(i, 40);
	ck_assert_double_eq_tol(area, 440 * 280, 800);
	free(text);
}
END_TEST

EBB_UNIT_MAIN("chart", text_from_outside_cannot_become_markup, steps_are_round_and_three_to_six,
	      a_line_has_its_title_axis_and_forecast, treemap_areas_are_the_values)
