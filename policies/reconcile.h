/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reconciliation: what was predicted beside what was billed, by month, provider, region and class.
 *
 * Nothing is dropped: a charge is either compared, or counted under why it is not (its kind, a month that nobody saw whole, a row that
 * could not be read). The error of a row is predicted less billed, as a share of billed; calibration is over the rows that can be compared:
 *
 *   bias     sum of predicted less sum of billed, as a share of billed
 *   error    sum of absolute differences, as a share of billed
 *   factor   billed by predicted: what predictions would have to be multiplied by
 *
 * Amounts are 10^-12 of one currency. Pure. Threads: belongs to one thread.
 */
#ifndef EBB_POLICIES_RECONCILE_H
#define EBB_POLICIES_RECONCILE_H

#include "policies/charge.h"

/* What is compared. */
struct ebb_reconcile_key {
	int year, month;
	const char *provider, *region, *class;
};

struct ebb_reconcile_row {
	struct ebb_reconcile_key key;
	char service[64];	/* as the bill calls it; "" when it was not billed */
	__int128 billed, predicted;
	int64_t charges;	/* rows of the bill */
	int unknown_days;	/* of the month: without history, so that predicted is of a part only */
	bool has_billed, has_predicted;
};

struct ebb_reconcile;

struct ebb_reconcile *ebb_reconcile_new(void);	/* NULL when memory is short */
void ebb_reconcile_free(struct ebb_reconcile *r);

/* Add to a row; strings are copied. -EBB_ENOMEM. */
int ebb_reconcile_billed(struct ebb_reconcile *r, const struct ebb_reconcile_key *k, const char *service, __int128 pico,
			 struct ebb_err *err);
int ebb_reconcile_predicted(struct ebb_reconcile *r, const struct ebb_reconcile_key *k, __int128 pico, int unknown_days,
			    struct ebb_err *err);

/* The rows, by month, provider, region and class; borrowed until the next call that adds. */
const struct ebb_reconcile_row *ebb_reconcile_rows(struct ebb_reconcile *r, size_t *ret_n);

/* Has it a bill, a prediction, and every day of its month? */
bool ebb_reconcile_comparable(const struct ebb_reconcile_row *row);

struct ebb_reconcile_sum {
	size_t rows;		/* compared */
	__int128 billed, predicted, differences;	/* of them */
	double bias, error, factor;	/* 0 when nothing was billed */
};

struct ebb_reconcile_sum ebb_reconcile_calibration(struct ebb_reconcile *r);

#endif
