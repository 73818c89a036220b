/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan as those who pay for it read it: what goes over each link and what that costs, what goes into each pool, and why each
 * hop is made.
 *
 * Threads: any.
 */
#ifndef EBB_AGENT_TRANSFER_BILL_H
#define EBB_AGENT_TRANSFER_BILL_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer_plan.h"

#define EBB_TRANSFER_BILL_WHY 320	/* room for a reason */

struct ebb_transfer_bill {
	ebb_xfer_num *link_gb, *link_cost;	/* per link; without pools */
	ebb_xfer_num *pool_gb, *pool_cost;	/* per pool */
	/* what sleeps in archives and is read: each group once, the cost of reading, the longest that one takes */
	ebb_xfer_num thaw_gb, thaw_objects, thaw_cost;
	int64_t thaw_hours;		/* 10^-12 h */
	const char *speed;		/* at which it is thawed; NULL: not known. Set by the caller */
};

/* Of the trees of @p. Everything in @arena. @return  0; -EBB_ENOMEM. */
int ebb_transfer_bill(const struct ebb_xfer *x, const struct ebb_xfer_plan *p, struct ebb_arena *arena,
		      struct ebb_transfer_bill *ret, struct ebb_err *err);

/* Whether the plan reads anything that must be thawed first. */
bool ebb_transfer_bill_sleeps(const struct ebb_xfer *x, const struct ebb_xfer_plan *p);

/* Why hop @h of tree @t is made, and not one straight from a replica. Returns @out. */
const char *ebb_transfer_bill_why(const struct ebb_xfer *x, const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t,
				  const struct ebb_xfer_hop *h, char out[EBB_TRANSFER_BILL_WHY]);

/* Who is charged for what leaves a site: its provider, else the site itself. */
const char *ebb_transfer_bill_payer(const struct ebb_xfer *x, uint32_t site);

#endif
