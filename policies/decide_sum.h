/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sums over actions and objects. Threads: a sum belongs to one at a time.
 */
#ifndef EBB_POLICIES_DECIDE_SUM_H
#define EBB_POLICIES_DECIDE_SUM_H

#include <stdint.h>

#include "core/err.h"
#include "core/record.h"
#include "policies/action.h"

/*
 * Sums over the actions, or the refused objects, of one rule. Refused objects have sizes, and
 * amounts as far as they came to be known before the refusal.
 */
struct ebb_decide_sum {
	int64_t objects;		/* files only */
	int64_t bytes;			/* size of the objects; an inode with several names
					 * counts at the first */
	int64_t freed;			/* bytes freed where they are */
	int64_t wire;
	int64_t unpriced;		/* objects without a price; not in the amounts */
	struct ebb_money one_off;
	struct ebb_money saving;	/* per month */
};

/* Bytes of a record that count in sums: those of an inode at its first name only. */
int64_t ebb_decide_sum_bytes(const struct ebb_record *r);

/* Add so many objects and bytes. 0 or -EBB_ERANGE. */
int ebb_decide_sum_objects(struct ebb_decide_sum *s, int64_t objects, int64_t bytes, struct ebb_err *err);

/* Add an action with its amounts. 0 or -EBB_ERANGE. */
int ebb_decide_sum_action(struct ebb_decide_sum *s, const struct ebb_action *a, struct ebb_err *err);

#endif
