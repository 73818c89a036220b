/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Budgets: what may be spent a calendar month (UTC), on everything or on one value of a dimension, and how it stands.
 *
 *	budgets:
 *	  - {name: research, for: {team: research}, month: 500 USD, warn: [80%, 100%], forecast: 100%}
 *	  - {name: all, month: 2000 USD}
 *
 * `for` is a label or store, class, jurisdiction, region, age or type (alloc.h); of folders there is no history.
 * `warn` are shares of the month's amount at which what was spent so far raises an alert (100% unless said); `forecast` is the share at
 * which the expected month does (not looked at unless said). A day costs a 30th of its 30-day month: what a store holds is known once a
 * day, and a budget is no invoice.
 *
 * Pure. Threads: plain data.
 */
#ifndef EBB_POLICIES_BUDGET_H
#define EBB_POLICIES_BUDGET_H

#include "core/arena.h"
#include "core/money.h"
#include "core/tree.h"
#include "policies/forecast.h"

#define EBB_BUDGET_WARN 8

struct ebb_budget {
	const char *name;
	const char *dim, *value;	/* NULL: everything */
	struct ebb_money month;
	int warn_ppm[EBB_BUDGET_WARN];	/* rising; parts per million */
	size_t nwarn;
	int forecast_ppm;		/* 0: not looked at */
	int line, col;			/* where it stands */
};

/*
 * Read `budgets:` (NULL: none).
 *
 * @return  0; -EBB_ECONFIG with file, line, column and remedy; -EBB_ENOMEM.
 */
int ebb_budget_read(struct ebb_arena *arena, const struct ebb_tree_node *node, struct ebb_budget **ret,
		    size_t *ret_n, struct ebb_err *err);

/* A day's cost: of a month of 30 days like it, nano-units of the budget's currency. */
struct ebb_budget_day {
	int64_t day;	/* days since the epoch; ascending without gaps */
	int64_t cost;
};

struct ebb_budget_state {
	int64_t spent;		/* nano-units since the first of the month, the day of `today` included */
	int64_t unknown_days;	/* of the month before the first known day: spent, but nobody knows what */
	int64_t expected;	/* the whole month: spent and what the forecast says of the days left */
	int64_t expected_lo, expected_hi;	/* its 80 % interval, where known; both `expected` otherwise */
	bool known;		/* the interval is */
	int spent_ppm, expected_ppm;	/* of the budget */
	int passed_ppm;		/* the greatest threshold of `warn` that was passed, 0: none */
	bool will_pass;		/* the forecast passes its threshold */
};

/*
 * Judge a budget by the @n days up to @today, the last of them.
 *
 * @forecast  of the days behind @today, in nano-units a month as the days are; NULL: they are like today.
 * @return    0, -EBB_ERANGE; -EBB_EINVAL without days.
 */
int ebb_budget_judge(const struct ebb_budget *b, const struct ebb_budget_day *days, size_t n,
		     const struct ebb_forecast *forecast, struct ebb_budget_state *ret, struct ebb_err *err);

#endif
