/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The linear programme that couples groups: which share of a group goes which way, so that no link carries more than it can
 * and pools are charged by their volume. A column is a tree of a group with a slot for every hop; mixing columns of one tree
 * spreads its hops over slots, and every timetable is such a mixture (cut the group at the shares that have arrived).
 *
 * Room is a row only once a solution has used more than there is. What does not fit flows over at a high price, so there is
 * always a solution. The charge of a pool is the lower hull over the range of its volume.
 *
 * Binary floats inside; prices come out as integers of 10^-12 USD. Pure. Threads: a master belongs to one thread.
 */
#ifndef EBB_POLICIES_XFER_MASTER_H
#define EBB_POLICIES_XFER_MASTER_H

#include "core/err.h"
#include "core/mem.h"
#include "policies/xfer.h"

/* A way for one group. */
struct ebb_xfer_column {
	uint32_t group;
	struct ebb_xfer_tree tree;
	const uint32_t *slots;		/* per hop */
	ebb_xfer_num cost;		/* at list prices, without pools */
	double share;			/* in the last solution */
	int at;				/* for the master alone */
};

enum ebb_xfer_master_goal {
	EBB_XFER_MASTER_COST,		/* least cost */
	EBB_XFER_MASTER_FIT		/* least volume that flows over; nothing else costs anything */
};

struct ebb_xfer_master {
	const struct ebb_xfer *x;
	/* of the last solution */
	double objective;		/* USD, or GB */
	double over;			/* GB that flow over */
	double *group_dual;		/* per group, like the objective: its cheapest way at these prices */
	int64_t *room_price;		/* per link and slot, 10^-12 USD per GB; 0 or more */
	int64_t *pool_price;		/* per pool, the same */
	double *pool_charge;		/* per pool, USD: what the hull says */
	/* inside */
	struct ebb_xfer_lp *lp;
	struct ebb_xfer_column **columns;
	size_t n_columns, room;
	int *group_row, *room_row, *pool_row;
	double *used;			/* per link and slot, GB */
	double *pooled;			/* scratch, per pool */
	struct ebb_xfer_lp_entry *entries;
	size_t entry_room;
	int *overs;			/* columns for what flows over */
	size_t n_overs;
	struct ebb_xfer_master_corner *corners;
	size_t n_corners;
	enum ebb_xfer_master_goal goal;
	double penalty;			/* USD per GB that flows over */
	double limit;			/* of prices, so that integers do not overflow */
};

/* -EBB_ENOMEM, also without a solver. */
int ebb_xfer_master_init(struct ebb_xfer_master *m, const struct ebb_xfer *x);
void ebb_xfer_master_release(struct ebb_xfer_master *m);

/* Forget all columns; volumes of pools lie between @lo and @hi (per pool). -EBB_ENOMEM. */
int ebb_xfer_master_begin(struct ebb_xfer_master *m, const ebb_xfer_num *lo, const ebb_xfer_num *hi);

/* @c is borrowed until the next begin. -EBB_ENOMEM. */
int ebb_xfer_master_add(struct ebb_xfer_master *m, struct ebb_xfer_column *c);

/* Every group has a column. 0; 1: the solver gave up; -EBB_ENOMEM. */
int ebb_xfer_master_solve(struct ebb_xfer_master *m, enum ebb_xfer_master_goal goal, double penalty);

#endif
