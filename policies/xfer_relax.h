/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would help where there is no plan: the instance planned again without one of its constraints.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_RELAX_H
#define EBB_POLICIES_XFER_RELAX_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer_plan.h"

enum ebb_xfer_relaxation {
	EBB_XFER_RELAX_BUDGET,		/* as much money as it takes */
	EBB_XFER_RELAX_TIME,		/* no slots, deadlines, restoring, room of links */
	EBB_XFER_RELAX_RESIDENCY,	/* no allowed_jurisdictions */
	EBB_XFER_RELAXATIONS
};

struct ebb_xfer_relax {
	bool helps[EBB_XFER_RELAXATIONS];	/* there is a plan then, within the budget but for the first */
	ebb_xfer_num cost[EBB_XFER_RELAXATIONS];	/* of that plan */
	int cheapest;				/* the one whose plan costs least; -1: none helps alone */
};

/* @p: the plan of @x, which is infeasible. @return  0; -EBB_ENOMEM. */
int ebb_xfer_relax(const struct ebb_xfer *x, const struct ebb_xfer_plan *p, struct ebb_arena *arena,
		   struct ebb_xfer_relax *ret, struct ebb_err *err);

/* "budget", "deadline", "residency". Constant. */
const char *ebb_xfer_relax_name(enum ebb_xfer_relaxation r);

#endif
