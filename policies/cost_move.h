/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What it costs once that objects leave a class, and enter another: all of cost_*.h put together.
 *
 *   leaving    early deletion of the class left
 *   reading    where the objects are rewritten or go elsewhere: restore, request, retrieval
 *   way        egress between the regions
 *   entering   transition requests, or writing
 *
 * A change of class in place is of one of two kinds. A provider moves objects down to cheaper
 * storage by itself (a transition); everything else, up or by a copy, reads the object and writes
 * it anew. Pure.
 */
#ifndef EBB_POLICIES_COST_MOVE_H
#define EBB_POLICIES_COST_MOVE_H

#include "policies/cost_retrieval.h"

struct ebb_cost_move {
	const struct ebb_price_class *from;
	const struct ebb_price_class *to;	/* NULL: the objects go away */
	struct ebb_cost_load load;
	int64_t age_ns;		/* time in `from` so far; 0 when unknown */
	bool rewritten;		/* by copying, although a transition would do */
	struct ebb_cost_thaw thaw;
	const struct ebb_price_figure *egress;	/* what a byte pays on its way; NULL: they do not
						 * leave their place */
	__int128 written;	/* bytes written, when not those of load (compressed); 0: those */
};

/* Would the provider do it by itself: the same place, and storage no dearer than now? */
bool ebb_cost_move_is_transition(const struct ebb_price_class *from,
				 const struct ebb_price_class *to);

/* Add the lines, all on the side "once". */
void ebb_cost_move(struct ebb_bill *b, const struct ebb_cost_move *m);

#endif
