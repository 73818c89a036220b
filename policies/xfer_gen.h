/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Column generation: the linear programme of all groups (policies/xfer_master.h), with as many of their ways as it takes. Room
 * and pools get prices from it; at these every group is asked for its cheapest way (policies/xfer_solve.h); ways that are cheaper
 * than what the programme has go into it, until there are none.
 *
 * The bound does not rest on floats: whatever integer prices of 0 or more there are, the sum of the cheapest ways at them, less
 * the price of all room, is below every plan (Lagrange). Where the programme is solved, both meet.
 *
 * Pure. Threads: one.
 */
#ifndef EBB_POLICIES_XFER_GEN_H
#define EBB_POLICIES_XFER_GEN_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer_master.h"
#include "policies/xfer_solve.h"

struct ebb_xfer_gen {
	const struct ebb_xfer *x;
	struct ebb_arena *arena;	/* for columns */
	struct ebb_arena scratch;
	struct ebb_xfer_master master;
	struct ebb_xfer_solve_work *work;
	struct ebb_xfer_column **columns;	/* all that were ever made */
	size_t n_columns, room;
	struct ebb_xfer_column **base;	/* per group: its cheapest way when room and pools cost nothing */
	ebb_xfer_num *base_bound;
	double effort, max_effort;	/* arcs looked at */
	struct ebb_err *err;
};

/* What is decided; the rest is free. */
struct ebb_xfer_gen_case {
	const struct ebb_xfer_solve_fix *fixes;
	const size_t *start;		/* per group: its first fix; n_groups + 1 */
	const ebb_xfer_num *lo, *hi;	/* per pool: its volume */
	ebb_xfer_num cutoff;		/* a bound from there on will do */
};

struct ebb_xfer_gen_result {
	bool feasible;
	bool solved;			/* the programme to its end: master has the shares */
	ebb_xfer_num bound;		/* without further copies and early deletion */
	ebb_xfer_num short_by;		/* not feasible for want of room: at least this volume does not fit; else 0 */
};

/* 0; 1: no solver; 2: some group has no way at all; -EBB_ENOMEM. */
int ebb_xfer_gen_init(struct ebb_xfer_gen *s, const struct ebb_xfer *x, struct ebb_arena *arena, struct ebb_err *err);
void ebb_xfer_gen_release(struct ebb_xfer_gen *s);

/*
 * Solve the programme of a case.
 *
 * @best_room, @best_pool  prices of the best bound, as in the master; may be NULL.
 * @return  0; -EBB_ENOMEM.
 */
int ebb_xfer_gen_run(struct ebb_xfer_gen *s, const struct ebb_xfer_gen_case *c, int64_t *best_room,
		     int64_t *best_pool, struct ebb_xfer_gen_result *ret);

#endif
