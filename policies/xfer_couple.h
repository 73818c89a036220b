/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All groups together, whatever couples them: room of links, slots, pools. Branch and bound over the linear programme of
 * policies/xfer_gen.h.
 *
 * What the programme may do and a plan may not: send parts of a group different ways, and pay for a pool along the lower hull of
 * its charge. So a case is cut in two where a site gets a group in more than one way (this way, or not this way), or at the end of
 * a tier within the range of a pool's volume. When nothing is left to cut, the programme's solution is a plan.
 *
 * Cases are taken in the order of their bounds, so the least bound that is left is that of the whole, whenever it stops.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_COUPLE_H
#define EBB_POLICIES_XFER_COUPLE_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer.h"

/* Is the bound as good as the cost? Prices of programmes are rounded to 10^-12 USD per GB: to 10^-9 of it, or 10^-9 USD. */
bool ebb_xfer_couple_proven(ebb_xfer_num bound, ebb_xfer_num cost);

struct ebb_xfer_couple_ask {
	ebb_xfer_num constant;		/* what every plan costs besides: further copies, early deletion */
	const struct ebb_xfer_tree *start;	/* a plan, timed; NULL: none is known */
	ebb_xfer_num start_cost;	/* by the verifier */
	size_t max_cases;		/* 0: the usual */
};

struct ebb_xfer_couple {
	bool feasible;			/* there is a plan */
	bool infeasible;		/* there is none, for sure */
	ebb_xfer_num cost, bound;	/* with everything */
	const struct ebb_xfer_tree *trees;	/* timed, verified; in the arena */
	ebb_xfer_num short_by;		/* infeasible: at least this volume finds no room; 0: unknown */
	size_t cases;
	const int64_t *room_price;	/* per link and slot: what a GB more of room is worth, 10^-12 USD; in the arena */
	const int64_t *pool_price;	/* per pool: what a GB more costs */
};

/* @return  0; 1: there is no solver, or a group has no way at all; -EBB_ENOMEM. */
int ebb_xfer_couple_solve(const struct ebb_xfer *x, const struct ebb_xfer_couple_ask *ask, struct ebb_arena *arena,
			  struct ebb_xfer_couple *ret, struct ebb_err *err);

#endif
