/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What leaving a class before its minimum duration costs: storage for the days that are left, of
 * the bytes billed for the objects (the overhead goes with them). Deleting, overwriting and moving
 * out count; some providers let their own changes of class go free.
 *
 * Source: AWS S3 pricing page ("pro-rated charge equal to the storage charge for the remaining
 * days"), GCS pricing page (lifecycle changes of class are exempt). Pure.
 */
#ifndef EBB_POLICIES_COST_RETENTION_H
#define EBB_POLICIES_COST_RETENTION_H

#include "policies/cost_storage.h"

/* Whole days that are left of the minimum duration of an object that has been in @c for @age_ns. */
int64_t ebb_cost_retention_days(const struct ebb_price_class *c, int64_t age_ns);

/*
 * Objects leave @c.
 *
 * @age_ns  time in the class so far; 0 when it is not known, which is the dearest.
 * @moved   by the provider's own change of class, not by delete or rewrite.
 */
void ebb_cost_retention(struct ebb_bill *b, enum ebb_bill_side side,
			const struct ebb_price_class *c, struct ebb_cost_load load, int64_t age_ns,
			bool moved);

#endif
