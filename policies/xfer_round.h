/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From shares to a plan: every group that may not be split goes one way, the one with most of it; the shares of that way's
 * columns are its timetable. Groups whose way is clear are laid first, then the largest. What no longer fits goes another way of
 * its own, or is routed anew through what room there is. A group that may be split is cut at its shares.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_ROUND_H
#define EBB_POLICIES_XFER_ROUND_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer.h"
#include "policies/xfer_master.h"

/*
 * @columns  those of a solution, with their shares, in any order.
 * @ret      one tree per group, timed, in @arena; the verifier has not seen them.
 * @return   0; 1: some group found no way; -EBB_ENOMEM.
 */
int ebb_xfer_round(const struct ebb_xfer *x, struct ebb_xfer_column *const *columns, size_t n_columns,
		   struct ebb_arena *arena, const struct ebb_xfer_tree **ret, struct ebb_err *err);

/* Are these the same hops in the same forms, and the same reads, whatever the slots? */
bool ebb_xfer_round_same(const struct ebb_xfer_tree *a, const struct ebb_xfer_tree *b);

#endif
