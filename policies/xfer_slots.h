/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Laying trees into time: how much of each hop travels in which slot.
 *
 * Tree after tree, hops from the replica outwards. With a guide (what a linear programme says of each hop and slot), each hop
 * follows that as far as there is room and its sender has it, exact to the last unit. Without one it is greedy: each hop in the
 * cheapest slots (the earliest of equals) that have room, after its sender has everything or in the slot in which it gets
 * the rest. What is found is a valid timetable; that none is found does not prove that there is none.
 *
 * Pure. Threads: a state belongs to one thread.
 */
#ifndef EBB_POLICIES_XFER_SLOTS_H
#define EBB_POLICIES_XFER_SLOTS_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer.h"

/* The room that is left. */
struct ebb_xfer_slots {
	const struct ebb_xfer *x;
	ebb_xfer_num *room;	/* per link and slot; EBB_XFER_MAX: no limit */
	uint32_t *first;	/* scratch, per site */
	const struct ebb_xfer_hop **in;	/* scratch, per site */
};

/* All room of @x, in @arena. -EBB_ENOMEM. */
int ebb_xfer_slots_init(struct ebb_xfer_slots *s, const struct ebb_xfer *x, struct ebb_arena *arena);

/*
 * Lay one tree of @g, or of a part of it, and take its room.
 *
 * @guide  per hop and slot: the share of the hop's volume that has travelled by the end of the slot; NULL: greedy.
 * @ret    the tree with its hops timed; parts behind it (next) are not looked at.
 * @return 0; 1: no timetable found, nothing is taken; -EBB_ENOMEM.
 */
int ebb_xfer_slots_add(struct ebb_xfer_slots *s, const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t,
		       const double *guide, struct ebb_arena *arena, struct ebb_xfer_tree *ret);

/* Lay all trees, in order, greedily. 0 with the same trees, timed; 1: no timetable found; -EBB_ENOMEM. */
int ebb_xfer_slots_lay(const struct ebb_xfer *x, const struct ebb_xfer_tree *trees,
		       struct ebb_arena *arena, const struct ebb_xfer_tree **ret, struct ebb_err *err);

#endif
