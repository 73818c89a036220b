/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Laying trees into time: how much of each hop travels in which slot.
 *
 * Greedy: groups in order, hops from the replica outwards, each in the cheapest slots (the earliest of equals) that have room
 * left and in which its sender has it. What is found is a valid timetable; that none is found does not prove that there is none.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_SLOTS_H
#define EBB_POLICIES_XFER_SLOTS_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer.h"

/* @return  0 with the same trees, timed; 1: no timetable found; -EBB_ENOMEM. */
int ebb_xfer_slots_lay(const struct ebb_xfer *x, const struct ebb_xfer_tree *trees,
		       struct ebb_arena *arena, const struct ebb_xfer_tree **ret, struct ebb_err *err);

#endif
