/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bill: what something costs, line by line, so that every sum can be shown with its arithmetic.
 *
 * Each line is a quantity times a figure of a price book, on one of three sides: once, each month
 * as it is, each month as it would be. Amounts are integers of 10^-18 of the currency of the price
 * books (price.h), rounded once for each line; sums are the sums of the lines.
 *
 * A line whose figure has no price makes the bill unpriced: its sums are then too small and mean
 * nothing. Books of a site of one's own need not mention what they do not charge for; there a
 * missing figure is nothing to pay.
 *
 * Pure. Threads: plain data.
 */
#ifndef EBB_POLICIES_BILL_H
#define EBB_POLICIES_BILL_H

#include "policies/price.h"

enum ebb_bill_side {
	EBB_BILL_ONCE,		/* paid once */
	EBB_BILL_BEFORE,	/* each month of 30 days, as it is */
	EBB_BILL_AFTER,		/* each month of 30 days, when it is done */
	EBB_BILL_SIDES
};

/* "once", "before", "after". Constant. */
const char *ebb_bill_side_name(enum ebb_bill_side s);

struct ebb_bill_line {
	enum ebb_bill_side side;
	const char *what;		/* "storage", "early deletion": constant text */
	const struct ebb_price_class *class;	/* or NULL */
	const struct ebb_price_figure *figure;
	__int128 quantity;		/* quantity / over in bytes, requests, object-months ... */
	int64_t over;
	__int128 before;		/* volume of the month that tiers had counted already; negative: the
					 * first tier's price was taken */
	__int128 amount;
};

#define EBB_BILL_LINES 40

struct ebb_bill {
	struct ebb_bill_line line[EBB_BILL_LINES];
	size_t n;
	const char *missing;		/* what has no price, or NULL: all has */
	const struct ebb_price_class *missing_class;	/* in which class, or NULL */
};

/* Empty it; needed before its first use. */
static inline void ebb_bill_clear(struct ebb_bill *b)
{
	b->n = 0;
	b->missing = NULL;
	b->missing_class = NULL;
}

/*
 * Charge @quantity / @over units of @figure. No quantity, no line. A bill has room for every line
 * that the cost_*.h functions make of one object and its move; one too many makes it unpriced.
 *
 * @figure  NULL or without price: see above.
 */
void ebb_bill_add(struct ebb_bill *b, enum ebb_bill_side side, const char *what,
		  const struct ebb_price_class *class, const struct ebb_price_figure *figure,
		  __int128 quantity, int64_t over);

/*
 * Price a line again as part of a month's volume, with allowance, tiers and steps.
 *
 * @before  units that the month had already; not negative.
 */
void ebb_bill_tiers(struct ebb_bill_line *l, __int128 before);

/* Sum of a side. */
__int128 ebb_bill_sum(const struct ebb_bill *b, enum ebb_bill_side side);

/* The line whose figure is the least certain of those that cost something; NULL when none does. */
const struct ebb_bill_line *ebb_bill_doubtful(const struct ebb_bill *b);

/*
 * An amount as money, rounded to nano-units, ties to even.
 *
 * @return  0, -EBB_EINVAL (currency), -EBB_ERANGE.
 */
int ebb_bill_money(__int128 amount, const char *currency, struct ebb_money *ret,
		   struct ebb_err *err);

/*
 * Months of 30 days after which the cost once has come back, in millionths, rounded up; 0 when
 * nothing is paid once.
 *
 * @return  false: never.
 */
bool ebb_bill_break_even(const struct ebb_bill *b, int64_t *ret);

/* An amount exactly, as few digits as it takes: "0.0000107". Is @out. */
const char *ebb_bill_text(__int128 amount, char out[EBB_DECIMAL_TEXT]);

#endif
