/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random transfer instances with everything that the format has: replicas and archived ones, relays, residency, compressing, pools
 * with allowances, slots, rooms, deadlines, restoring, groups that may be split.
 *
 * Threads: one; an instance lies in static memory until the next is drawn.
 */
#ifndef EBB_TESTS_SUPPORT_XFER_DRAW_H
#define EBB_TESTS_SUPPORT_XFER_DRAW_H

#include <stdio.h>

#include "policies/xfer.h"
#include "tests/support/prng.h"

enum { EBB_XFER_DRAW_SITES = 6, EBB_XFER_DRAW_SLOTS = 3, EBB_XFER_DRAW_GROUPS = 6, EBB_XFER_DRAW_POOLS = 3 };

struct ebb_xfer_draw {
	int64_t sites, groups, pools, slots;	/* at most; at least 2, 1, 0, 1 */
	bool pack;			/* some groups may be compressed */
	bool rooms;			/* some links have little room */
};

const struct ebb_xfer *ebb_xfer_draw(const struct ebb_xfer_draw *how, struct ebb_prng *rnd);

/* The instance drawn last, as a document of the format. */
void ebb_xfer_draw_print(FILE *out);

#endif
