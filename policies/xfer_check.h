/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verifier of transfer plans: recomputes from the instance alone whether a plan may be done and what it costs. It shares
 * no code with the planner but the look-ups of policies/xfer.h; every plan that is printed has passed it.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_CHECK_H
#define EBB_POLICIES_XFER_CHECK_H

#include "core/err.h"
#include "policies/xfer.h"

/* Where the money goes; the parts add up to @total. */
struct ebb_xfer_bill {
	ebb_xfer_num total;
	ebb_xfer_num links;		/* wire volume, pools excepted */
	ebb_xfer_num pools;
	ebb_xfer_num requests;		/* of hops and local copies */
	ebb_xfer_num relays;
	ebb_xfer_num retrieval;
	ebb_xfer_num codec;		/* compressing and decompressing */
	ebb_xfer_num copies;		/* further copies at destinations */
	ebb_xfer_num fixed;		/* early deletion */
};

/*
 * Check @trees, one per group of @x, in the same order.
 *
 * @return  0 with the bill; -EBB_EMISMATCH: not a plan for this instance (the message says which group and why);
 *          -EBB_ENOMEM. The budget is not looked at.
 */
int ebb_xfer_check(const struct ebb_xfer *x, const struct ebb_xfer_tree *trees,
		   struct ebb_xfer_bill *ret, struct ebb_err *err);

#endif
