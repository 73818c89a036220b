/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cheapest way for one group when every volume has one price: a cheapest tree in a graph of two layers.
 *
 * Each site is a node for the original and, where compressing is possible, one for the compressed form; a root stands before
 * the replicas, hops are arcs within a layer, converting is an arc between the layers of a site. A cheapest tree may let a site
 * get both forms, which a plan may not: then one of the two ways in is forbidden, each in turn, and both are solved again
 * (branch and bound).
 *
 * Time. A hop may travel in any slot from the one in which its sender has the group; storing it costs nothing. First every
 * link has the price of its cheapest slot; when such slots do not come in the order that the tree needs, the graph gets a
 * copy of itself for every slot, with arcs for waiting. Room counts only by its price.
 *
 * Pure. Threads: a workspace belongs to one thread.
 */
#ifndef EBB_POLICIES_XFER_SOLVE_H
#define EBB_POLICIES_XFER_SOLVE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/mem.h"
#include "policies/xfer.h"

struct ebb_xfer_solve_work;

/* NULL: no memory. */
struct ebb_xfer_solve_work *ebb_xfer_solve_work_new(const struct ebb_xfer *x);
void ebb_xfer_solve_work_free(struct ebb_xfer_solve_work *w);
EBB_CLEANUP_PTR(struct ebb_xfer_solve_work, ebb_xfer_solve_work_free);

/* A way in which a site may get a group. */
enum ebb_xfer_solve_way { EBB_XFER_SOLVE_READ, EBB_XFER_SOLVE_PLAIN, EBB_XFER_SOLVE_PACKED };

/* The site gets the group that way for sure, or that way is closed. */
struct ebb_xfer_solve_fix {
	uint32_t site;
	uint32_t link;			/* for hops: it leads to @site */
	uint8_t way;
	bool must;
};

struct ebb_xfer_solve_ask {
	const struct ebb_xfer_group *group;
	const int64_t *pool_price;	/* per pool, added to the price of its links; NULL without pools */
	const uint8_t *banned;		/* per pool: 1 when the group may not use it; may be NULL */
	const int64_t *room_price;	/* per link and slot, on top of the price; NULL: 0 */
	const struct ebb_xfer_solve_fix *fixes;
	size_t n_fixes;
	bool room_only;			/* nothing costs but @room_price and @pool_price */
	bool anywhere;			/* forget about jurisdictions */
	bool any_time;			/* forget about slots, rooms and restoring */
};

struct ebb_xfer_solved {
	bool feasible;
	ebb_xfer_num cost;		/* at the prices asked; without further copies and early deletion */
	ebb_xfer_num bound;		/* no plan for the group costs less */
	ebb_xfer_num list_cost;		/* of the tree without pool_price and room_price */
	struct ebb_xfer_tree tree;	/* in the arena; nothing is done when no destination needs bytes */
	const uint32_t *slots;		/* per hop: when it travels */
};

/* @return  0, also when it is not feasible; -EBB_ENOMEM. */
int ebb_xfer_solve(struct ebb_xfer_solve_work *w, const struct ebb_xfer_solve_ask *ask,
		   struct ebb_arena *arena, struct ebb_xfer_solved *ret, struct ebb_err *err);

#endif
