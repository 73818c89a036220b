/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plans for transfer instances: the cheapest way, what proves it, and what it saves.
 *
 * Every plan has passed the verifier (policies/xfer_check.h), whose bill it carries.
 *
 * Time. Where slots, room of links or restoring say something, the plan that forgets about them is laid into the slots
 * (policies/xfer_slots.h); when it costs no more there, it is optimal. Otherwise small instances are solved by listing all trees
 * (policies/xfer_room.h). What neither proves is reported as feasible with the bound that there is, or, when no timetable was
 * found, refused with -EBB_ENOTSUP. No guess is made.
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
	size_t nodes;			/* of branch and bound */
	ebb_xfer_num short_by;		/* no room before the deadline for at least this volume; 0: unknown */
	/* What one GB more is worth, 10^-12 USD; NULL where nothing couples groups */
	const int64_t *room_price;	/* of room, per link and slot */
	const int64_t *pool_price;	/* in a pool, per pool: what it costs */
};

/*
 * Plan. Everything lies in @arena.
 *
 * @return  0, also when infeasible; -EBB_ENOTSUP: time, room or budget leave it undecided; -EBB_EMISMATCH:
 *          the verifier refused the plan (a bug); -EBB_ENOMEM.
 */
int ebb_xfer_plan(const struct ebb_xfer *x, struct ebb_arena *arena, struct ebb_xfer_plan *ret,
		  struct ebb_err *err);

/* "optimal", "feasible", "infeasible"; "residency", "unreachable", "deadline", "budget", "". Constant. */
const char *ebb_xfer_plan_status(enum ebb_xfer_status s);
const char *ebb_xfer_plan_reason(enum ebb_xfer_reason r);

#endif
