/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plans for transfer instances: the cheapest way, what proves it, and what it saves.
 *
 * Every plan has passed the verifier (policies/xfer_check.h), whose bill it carries.
 *
 * Time. Slots, room of links and restoring are looked at in one way so far: the instance is solved as if links had room for
 * all (a bound), and the plan is laid into the slots, groups in order, each hop in the cheapest slots that still have room. When that
 * works out at the cost of the bound, it is optimal. Otherwise -EBB_ENOTSUP says so; no guess is made.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_PLAN_H
#define EBB_POLICIES_XFER_PLAN_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer.h"
#include "policies/xfer_check.h"

enum ebb_xfer_status {
	EBB_XFER_OPTIMAL,	/* cost = lower bound */
	EBB_XFER_FEASIBLE,	/* a plan, and a bound below its cost */
	EBB_XFER_INFEASIBLE	/* see reason */
};

enum ebb_xfer_reason {
	EBB_XFER_NO_REASON,
	EBB_XFER_RESIDENCY,	/* would work without allowed_jurisdictions */
	EBB_XFER_UNREACHABLE,	/* no way at all */
	EBB_XFER_DEADLINE,	/* would work with more time or room */
	EBB_XFER_BUDGET		/* would work with minimum_required */
};

struct ebb_xfer_plan {
	enum ebb_xfer_status status;
	enum ebb_xfer_reason reason;
	const char *method;		/* constant */
	const struct ebb_xfer_group *stuck;	/* the first group that cannot be delivered; NULL otherwise */
	/* With a plan, also one that only the budget forbids: */
	const struct ebb_xfer_tree *trees;	/* one per group; NULL without */
	struct ebb_xfer_bill bill;
	ebb_xfer_num lower_bound;
	bool minimum_exact;		/* over the budget: bill.total is the minimum required, not only an upper bound of it */
	/* What copying straight to each destination costs; negative when that is not possible */
	ebb_xfer_num direct_first;	/* from the first replica */
	ebb_xfer_num direct_cheapest;	/* from the replica that is cheapest for the group at first-tier prices */
	size_t nodes;			/* of the branch and bound over tiers */
};

/*
 * Plan. Everything lies in @arena.
 *
 * @return  0, also when infeasible; -EBB_ENOTSUP: a deadline or room instance that cannot be decided yet; -EBB_EMISMATCH:
 *          the verifier refused the plan (a bug); -EBB_ENOMEM.
 */
int ebb_xfer_plan(const struct ebb_xfer *x, struct ebb_arena *arena, struct ebb_xfer_plan *ret,
		  struct ebb_err *err);

/* "optimal", "feasible", "infeasible"; "residency", "unreachable", "deadline", "budget", "". Constant. */
const char *ebb_xfer_plan_status(enum ebb_xfer_status s);
const char *ebb_xfer_plan_reason(enum ebb_xfer_reason r);

#endif
