/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/budget.h"

#include <check.h>
#include <string.h>

#include "core/date.h"
#include "core/mem.h"
#include "tests/support/flow.h"
#include "tests/support/unit.h"

#define USD INT64_C(1000000000)

static struct ebb_arena arena;
static struct ebb_err err;

static size_t read(const char *text, struct ebb_budget **ret)
{
	size_t n;
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "ebb.yaml", text, &err);

	ck_assert_msg(doc && ebb_budget_read(&arena, doc, ret, &n, &err) == 0, "%s", err.msg);
	return n;
}

static void refused(const char *text, const char *want)
{
	struct ebb_budget *b;
	size_t n;
	struct ebb_err why = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "ebb.yaml", text, &why);

	ck_assert_msg(doc != NULL, "%s", why.msg);
	ck_assert_int_eq(ebb_budget_read(&arena, doc, &b, &n, &why), -EBB_ECONFIG);
	ck_assert_msg(strstr(why.msg, want) && strstr(why.msg, "ebb.yaml:1:"), "%s", why.msg);
}

START_TEST(budgets_are_read)
{
	struct ebb_budget *b;

	ck_assert_uint_eq(read("[{name: r, for: {team: research}, month: 500 USD, warn: [80%, 100%], forecast: 110%},"
			       " {name: all, month: 2000 EUR}]", &b), 2);
	ck_assert_str_eq(b[0].dim, "team");
	ck_assert_str_eq(b[0].value, "research");
	ck_assert_int_eq(b[0].month.nano, 500 * USD);
	ck_assert_int_eq(b[0].warn_ppm[0], 800000);
	ck_assert_int_eq(b[0].forecast_ppm, 1100000);
	ck_assert(!b[1].dim && b[1].nwarn == 1 && b[1].warn_ppm[0] == 1000000 && !b[1].forecast_ppm);
}
END_TEST

START_TEST(mistakes_name_their_place)
{
	refused("[{name: a, month: 5}]", "month");
	refused("[{month: 5 USD}]", "name");
	refused("[{name: a, month: 0 USD}]", "more than nothing");
	refused("[{name: a, month: 5 USD, warn: [100%, 80%]}]", "thresholds rise");
	refused("[{name: a, month: 5 USD, warn: []}]", "1 to 8");
	refused("[{name: a, month: 5 USD, for: {team: x, env: y}}]", "one label");
	refused("[{name: a, month: 5 USD, for: {folder: \"lake:x/\"}}]", "no history is kept of folders");
	refused("[{name: a, month: 5 USD, wran: [80%]}]", "warn");
	refused("[{name: a, month: 5 USD}, {name: a, month: 6 USD}]", "already");
}
END_TEST

/* Days from the 20th of October 2026 to the @last of November, each a month of @cost. */
static size_t days(struct ebb_budget_day *d, int last, int64_t cost)
{
	int64_t first = ebb_date_days((struct ebb_date){2026, 10, 20});
	size_t n = 12 + (size_t)last;

	for (size_t i = 0; i < n; i++)
		d[i] = (struct ebb_budget_day){first + (int64_t)i, cost};
	return n;
}

START_TEST(a_month_is_the_sum_of_its_days)
{
	struct ebb_budget *b;
	struct ebb_budget_day d[60];
	struct ebb_budget_state s;

	read("[{name: a, month: 300 USD, warn: [50%, 80%], forecast: 100%}]", &b);
	size_t n = days(d, 15, 300 * USD); /* 10 USD a day */
	ck_assert_int_eq(ebb_budget_judge(b, d, n, NULL, &s, &err), 0);
	ck_assert_int_eq(s.spent, 150 * USD);
	ck_assert_int_eq(s.expected, 300 * USD);
	ck_assert_int_eq(s.unknown_days, 0);
	ck_assert_int_eq(s.spent_ppm, 500000);
	ck_assert_int_eq(s.passed_ppm, 500000);
	ck_assert(s.will_pass && !s.known);
}
END_TEST

START_TEST(forecasts_count_for_the_days_left)
{
	static struct ebb_forecast f;
	struct ebb_budget *b;
	struct ebb_budget_day d[60];
	struct ebb_budget_state s;

	read("[{name: a, month: 1000 USD, forecast: 60%}]", &b);
	f = (struct ebb_forecast){.n = 2, .known = true};
	f.day[0] = f.day[1] = (struct ebb_forecast_day){600e9, 300e9, 900e9, 0, 0};
	size_t n = days(d, 28, 300 * USD);
	ck_assert_int_eq(ebb_budget_judge(b, d, n, &f, &s, &err), 0);
	ck_assert_int_eq(s.expected, (280 + 40) * USD);
	ck_assert_int_eq(s.expected_lo, (280 + 20) * USD);
	ck_assert_int_eq(s.expected_hi, (280 + 60) * USD);
	ck_assert(s.known && !s.will_pass && !s.passed_ppm);
	f.n = 1; /* where the forecast ends, days are like today */
	ck_assert_int_eq(ebb_budget_judge(b, d, n, &f, &s, &err), 0);
	ck_assert_int_eq(s.expected, (280 + 20 + 10) * USD);
}
END_TEST

START_TEST(days_that_nobody_saw_are_told)
{
	struct ebb_budget *b;
	struct ebb_budget_day d[60];
	struct ebb_budget_state s;

	read("[{name: a, month: 300 USD}]", &b);
	size_t n = days(d, 15, 300 * USD);
	ck_assert_int_eq(ebb_budget_judge(b, d + n - 5, 5, NULL, &s, &err), 0);
	ck_assert_int_eq(s.unknown_days, 10);
	ck_assert_int_eq(s.spent, 50 * USD);
	ck_assert_int_eq(ebb_budget_judge(b, d, 0, NULL, &s, &err), -EBB_EINVAL);
}
END_TEST

EBB_UNIT_MAIN("budget", budgets_are_read, mistakes_name_their_place, a_month_is_the_sum_of_its_days,
	      forecasts_count_for_the_days_left, days_that_nobody_saw_are_told)
