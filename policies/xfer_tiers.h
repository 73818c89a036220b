/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All groups together, coupled by pools whose price depends on the volume: tiers and free allowances.
 *
 * Branch and bound. A node bounds the volume of each pool; over that range the charge is replaced by a line which is never
 * above it, so that every group can be solved alone (policies/xfer_solve.h) and the sum is a bound. The plan found is billed as
 * it is: the best one so far. Where line and charge differ, the range is cut at a tier's end; on a range within one tier
 * the line is the charge. Where the volume leaves such a range (which only prices that rise with the volume cause, such as
 * the end of a free allowance), a group is kept out of the pool or is counted in it.
 *
 * Without pools this is one node. Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_TIERS_H
#define EBB_POLICIES_XFER_TIERS_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer.h"

struct ebb_xfer_tiers {
	bool feasible;
	size_t stuck;			/* not feasible: the first group that cannot be delivered */
	ebb_xfer_num cost, bound;	/* without further copies and early deletion */
	const struct ebb_xfer_tree *trees;	/* one per group, in the arena */
	size_t nodes;			/* that were solved */
};

struct ebb_xfer_tiers_ask {
	bool anywhere, any_time;	/* as in struct ebb_xfer_solve_ask */
	size_t max_solves;		/* effort: groups solved, all nodes together; 0: the usual */
};

/* @return  0, also when not feasible; -EBB_ENOMEM. */
int ebb_xfer_tiers_solve(const struct ebb_xfer *x, const struct ebb_xfer_tiers_ask *ask,
			 struct ebb_arena *arena, struct ebb_xfer_tiers *ret, struct ebb_err *err);

#endif
