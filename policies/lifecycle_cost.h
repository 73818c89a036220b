/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a lifecycle configuration would cost and save on the objects of an index: the dry run that
 * providers do not offer. Objects are added one by one; sums are kept for each rule.
 *
 * What is due now is priced: what is paid once, and a month before and after (storage, and reads
 * where evidence has counted them). An object loses money when a month costs more afterwards, or
 * when what is paid once has not come back within EBB_DECIDE_LIFE_NS.
 *
 * Not modelled: tags, noncurrent versions (when they became so is not known), delete markers.
 * Pure. Threads: belongs to one thread.
 */
#ifndef EBB_POLICIES_LIFECYCLE_COST_H
#define EBB_POLICIES_LIFECYCLE_COST_H

#include "core/record.h"
#include "policies/bill.h"
#include "policies/lifecycle.h"

struct ebb_lifecycle_group {
	int64_t objects, bytes;
	__int128 once, before, after;	/* 10^-18; a month of 30 days */
};

/* Sums of a rule. */
struct ebb_lifecycle_sum {
	struct ebb_lifecycle_group moved, expired, aborted, losing;
	int64_t later;			/* objects that it will meet when they are older */
	int64_t skipped;		/* due, and too small to be moved */
	int64_t unpriced;		/* due, without a price; in no amount */
};

struct ebb_lifecycle_cost {
	const struct ebb_lifecycle *lc;
	const struct ebb_price_books *prices;
	const char *provider, *region;	/* of the bucket */
	int64_t now;
	struct ebb_lifecycle_sum *rules;	/* lc->n, zeroed */
};

/*
 * Add a record: a file, or an unfinished upload; others are ignored.
 *
 * @class     name of the class it is in, or NULL.
 * @ret_due   what becomes of it.
 * @ret_loses whether it loses money.
 */
void ebb_lifecycle_cost_add(struct ebb_lifecycle_cost *c, const struct ebb_record *rec,
			    const char *class, struct ebb_lifecycle_due *ret_due, bool *ret_loses);

#endif
