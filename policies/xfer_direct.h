/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What copying straight to every destination would cost: what plans are compared with. No relays, no trees, no compressing; slots
 * and rooms are ignored.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_DIRECT_H
#define EBB_POLICIES_XFER_DIRECT_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/xfer.h"

enum ebb_xfer_direct_from {
	EBB_XFER_DIRECT_FIRST,		/* the first replica of each group */
	EBB_XFER_DIRECT_CHEAPEST	/* the cheapest one of each group, judged alone */
};

/* @return  0 with the cost, negative when a group has no such way; -EBB_ENOMEM. */
int ebb_xfer_direct(const struct ebb_xfer *x, enum ebb_xfer_direct_from from,
		    struct ebb_arena *arena, ebb_xfer_num *ret, struct ebb_err *err);

#endif
