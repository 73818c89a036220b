/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A linear programme that grows: min c x, lo <= A x <= hi, x >= 0. The one place that knows GLPK; another solver is another
 * file with these functions. Numbers are binary floats: what they say is a hint, which the planner turns into integer prices
 * and proves with those.
 *
 * The library may be built without a solver (make GLPK=0): there is no programme then, and the planner goes without.
 *
 * Pure but for GLPK's memory, which is one per thread. Threads: a programme belongs to the thread that made it.
 */
#ifndef EBB_POLICIES_XFER_LP_H
#define EBB_POLICIES_XFER_LP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/mem.h"

struct ebb_xfer_lp;

/* A coefficient of a new row (@at: a column) or of a new column (@at: a row). */
struct ebb_xfer_lp_entry {
	int at;
	double value;
};

/* Is there a solver? */
bool ebb_xfer_lp_built(void);

/* NULL: no solver, or no memory. */
struct ebb_xfer_lp *ebb_xfer_lp_new(void);
void ebb_xfer_lp_free(struct ebb_xfer_lp *lp);
EBB_CLEANUP_PTR(struct ebb_xfer_lp, ebb_xfer_lp_free);

/* A row: equal to @bound, or at most @bound. Returns its number, -1 without memory. */
int ebb_xfer_lp_row(struct ebb_xfer_lp *lp, bool equal, double bound, size_t n,
		    const struct ebb_xfer_lp_entry *entries);

/* A column. Returns its number, -1 without memory. */
int ebb_xfer_lp_col(struct ebb_xfer_lp *lp, double cost, size_t n, const struct ebb_xfer_lp_entry *entries);

void ebb_xfer_lp_cost(struct ebb_xfer_lp *lp, int col, double cost);

/* Solve, from where the last time ended. False: no optimum was found. */
bool ebb_xfer_lp_solve(struct ebb_xfer_lp *lp);

/* Of the optimum: the objective, a column's value, a row's dual (what one more of its bound adds to the objective). */
double ebb_xfer_lp_objective(const struct ebb_xfer_lp *lp);
double ebb_xfer_lp_value(const struct ebb_xfer_lp *lp, int col);
double ebb_xfer_lp_dual(const struct ebb_xfer_lp *lp, int row);

#endif
