/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/budget.h"

#include <string.h>

#include "core/date.h"
#include "core/err.h"

#define MONTH_DAYS 30

/* --- Reading --- */

static int read_for(const struct ebb_tree_node *n, struct ebb_budget *b, struct ebb_err *err)
{
	int r = ebb_tree_expect(n, EBB_TREE_MAP, err);

	if (r < 0)
		return r;
	if (n->n_children != 1)
		return ebb_tree_error(n, err, "a budget is for one label: {team: research}");
	b->dim = n->first->key;
	if (strcmp(b->dim, "folder") == 0)
		return ebb_tree_error(n->first, err, "no history is kept of folders: give this one a label, by a dataset or by its prefix "
						     "in `labels`");
	return ebb_tree_text(n->first, &b->value, err);
}

static int read_share(const struct ebb_tree_node *n, int *ret, struct ebb_err *err)
{
	int64_t ppm = 0;
	int r = ebb_tree_percent(n, &ppm, err);

	if (r == 0 && (ppm <= 0 || ppm > 1000000000))
		return ebb_tree_error(n, err, "a threshold lies above 0%% and is at most 100000%%");
	*ret = (int)ppm;
	return r;
}

static int read_warn(const struct ebb_tree_node *n, struct ebb_budget *b, struct ebb_err *err)
{
	int r = ebb_tree_expect(n, EBB_TREE_SEQ, err);

	if (r < 0)
		return r;
	if (n->n_children == 0 || n->n_children > EBB_BUDGET_WARN)
		return ebb_tree_error(n, err, "a budget has 1 to %d thresholds", EBB_BUDGET_WARN);
	EBB_TREE_EACH(child, n) {
		if ((r = read_share(child, &b->warn_ppm[b->nwarn], err)) < 0)
			return r;
		if (b->nwarn && b->warn_ppm[b->nwarn] <= b->warn_ppm[b->nwarn - 1])
			return ebb_tree_error(child, err, "thresholds rise: 80%%, 100%%");
		b->nwarn++;
	}
	return 0;
}

static int read_budget(const struct ebb_tree_node *n, struct ebb_budget *b, struct ebb_err *err)
{
	static const char *const keys[] = {"name", "for", "month", "warn", "forecast"};
	const struct ebb_tree_node *name, *month, *m;
	int r = ebb_tree_unknown_keys(n, keys, sizeof(keys) / sizeof(keys[0]), err);

	*b = (struct ebb_budget){.line = (int)n->line, .col = (int)n->column};
	if (r < 0)
		return r;
	if (!(name = ebb_tree_need(n, "name", err)) || !(month = ebb_tree_need(n, "month", err)))
		return -EBB_ECONFIG;
	if ((r = ebb_tree_text(name, &b->name, err)) < 0 || (r = ebb_tree_money(month, &b->month, err)) < 0)
		return r;
	if (b->month.nano <= 0)
		return ebb_tree_error(month, err, "a budget is more than nothing");
	if ((m = ebb_tree_get(n, "for")) && (r = read_for(m, b, err)) < 0)
		return r;
	if ((m = ebb_tree_get(n, "forecast")) && (r = read_share(m, &b->forecast_ppm, err)) < 0)
		return r;
	if ((m = ebb_tree_get(n, "warn")))
		return read_warn(m, b, err);
	b->warn_ppm[b->nwarn++] = 1000000;
	return 0;
}

int ebb_budget_read(struct ebb_arena *arena, const struct ebb_tree_node *node, struct ebb_budget **ret,
		    size_t *ret_n, struct ebb_err *err)
{
	struct ebb_budget *list;
	size_t n = 0;
	int r;

	*ret = NULL;
	*ret_n = 0;
	if (!node)
		return 0;
	if ((r = ebb_tree_expect(node, EBB_TREE_SEQ, err)) < 0)
		return r;
	list = ebb_arena_calloc(arena, node->n_children + 1, sizeof(*list));
	if (!list)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	EBB_TREE_EACH(child, node) {
		if ((r = read_budget(child, &list[n], err)) < 0)
			return r;
		for (size_t i = 0; i < n; i++)
			if (strcmp(list[i].name, list[n].name) == 0)
				return ebb_tree_error(child, err, "budget '%s' stands in line %d already", list[n].name,
						      list[i].line);
		n++;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

/* --- Judging --- */

/* Sum of a 30th of each day, rounded once. */
static int month_part(__int128 sum, int64_t *ret, struct ebb_err *err)
{
	int r = ebb_decimal_ratio(sum, 0, MONTH_DAYS, ret, NULL);

	return r < 0 ? ebb_err_set(err, EBB_ERANGE, "a month's cost does not fit 64 bits") : 0;
}

static int ppm_of(int64_t part, int64_t whole)
{
	__int128 ppm = (__int128)part * 1000000 / whole;

	return ppm > INT32_MAX ? INT32_MAX : ppm < 0 ? 0 : (int)ppm;
}

/* A forecast as an amount; what no amount can hold is the largest. */
static int64_t amount(double nano)
{
	return nano < 9e18 ? (int64_t)nano : INT64_MAX;
}

/* What the days of the month behind today will cost: a value and its interval. */
static void add_rest(const struct ebb_forecast *f, int64_t today_cost, int64_t left, __int128 sum[3])
{
	for (int64_t i = 0; i < left; i++) {
		bool have = f && (size_t)i < f->n;
		const struct ebb_forecast_day *d = have ? &f->day[i] : NULL;

		sum[0] += d ? amount(d->value) : today_cost;
		sum[1] += d ? amount(f->known ? d->lo80 : d->value) : today_cost;
		sum[2] += d ? amount(f->known ? d->hi80 : d->value) : today_cost;
	}
}

int ebb_budget_judge(const struct ebb_budget *b, const struct ebb_budget_day *days, size_t n,
		     const struct ebb_forecast *forecast, struct ebb_budget_state *ret, struct ebb_err *err)
{
	struct ebb_budget_state s = {0};
	__int128 spent = 0, sum[3];
	size_t at = n;
	int r;

	if (n == 0)
		return ebb_err_set(err, EBB_EINVAL, "no day is known");
	struct ebb_date today = ebb_date_of(days[n - 1].day * EBB_DATE_DAY_NS), first = today;
	first.day = 1;
	while (at > 0 && days[at - 1].day >= ebb_date_days(first))
		spent += days[--at].cost;
	s.unknown_days = today.day - (int64_t)(n - at);
	sum[0] = sum[1] = sum[2] = spent;
	add_rest(forecast, days[n - 1].cost, ebb_date_month_days(today.year, today.month) - today.day, sum);
	if ((r = month_part(spent, &s.spent, err)) < 0 || (r = month_part(sum[0], &s.expected, err)) < 0 ||
	    (r = month_part(sum[1], &s.expected_lo, err)) < 0 || (r = month_part(sum[2], &s.expected_hi, err)) < 0)
		return r;
	s.known = forecast && forecast->known;
	s.spent_ppm = ppm_of(s.spent, b->month.nano);
	s.expected_ppm = ppm_of(s.expected, b->month.nano);
	for (size_t i = 0; i < b->nwarn; i++)
		if (s.spent_ppm >= b->warn_ppm[i])
			s.passed_ppm = b->warn_ppm[i];
	s.will_pass = b->forecast_ppm && s.expected_ppm >= b->forecast_ppm;
	*ret = s;
	return 0;
}
