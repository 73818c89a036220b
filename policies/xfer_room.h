/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small instances in which slots and the room of links change the plan: every tree of every group is listed, and combined by
 * branch and bound. The bound of a combination fills each link's cheapest slots with all that goes over it, as if every group
 * could use all of them from the first on; the timetable is laid by policies/xfer_slots.h. Where both cost the same it is proven.
 *
 * Not for groups that may be split, nor where there are too many trees. Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_ROOM_H
#define EBB_POLICIES_XFER_ROOM_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer.h"

struct ebb_xfer_room {
	bool feasible;
	ebb_xfer_num cost, bound;	/* with everything */
	const struct ebb_xfer_tree *trees;	/* timed */
};

/* @return  0; 1: not decided (too large, or no timetable was found where there may be one); -EBB_ENOMEM. */
int ebb_xfer_room_solve(const struct ebb_xfer *x, struct ebb_arena *arena, struct ebb_xfer_room *ret,
			struct ebb_err *err);

#endif
