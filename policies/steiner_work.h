/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workspace of the Steiner modules (policies/steiner.h), for them alone. */
#ifndef EBB_POLICIES_STEINER_WORK_H
#define EBB_POLICIES_STEINER_WORK_H

#include "policies/steiner.h"

/* A block of memory that only grows. */
struct ebb_steiner_block {
	void *p;
	size_t size;
};

struct ebb_steiner_work {
	const struct ebb_steiner_graph *g;
	/* arcs by their end: in[start[v]] to in[start[v + 1] - 1] */
	uint32_t *start, *in;
	uint32_t *heap, *place;		/* nodes; place[v]: position + 1, 0 when not in the heap */
	uint32_t *tree;			/* arcs of the result */
	uint32_t *parent;		/* per node: arc + 1 that reaches it */
	bool *seen, *keep;
	size_t heap_n;
	struct ebb_steiner_block blocks[17];
};

enum {
	EBB_STEINER_B_START, EBB_STEINER_B_IN, EBB_STEINER_B_HEAP, EBB_STEINER_B_PLACE,
	EBB_STEINER_B_TREE, EBB_STEINER_B_PARENT, EBB_STEINER_B_SEEN, EBB_STEINER_B_KEEP,
	EBB_STEINER_B_COST, EBB_STEINER_B_FROM, EBB_STEINER_B_STACK, EBB_STEINER_B_SET,
	EBB_STEINER_B_REDUCED, EBB_STEINER_B_BEST, EBB_STEINER_B_BANNED, EBB_STEINER_B_DIST, EBB_STEINER_B_CHOSEN
};

/* Block @which with room for @n elements of @size; contents are undefined. NULL: no memory. */
void *ebb_steiner_block(struct ebb_steiner_work *w, int which, size_t n, size_t size);

/* Prepare @w for @g: arcs by end, heap, flags. 0 or -EBB_ENOMEM. */
int ebb_steiner_prepare(struct ebb_steiner_work *w, const struct ebb_steiner_graph *g);

/* A heap of nodes by d[node]. */
void ebb_steiner_push(struct ebb_steiner_work *w, const __int128 *d, uint32_t v);	/* or it became less */
uint32_t ebb_steiner_pop(struct ebb_steiner_work *w, const __int128 *d);

/*
 * Make a tree of the arcs of @set (flags per arc): from the root, the first arc that reaches a node counts; leaves
 * that are no terminals go. Fills w->tree; its cost, EBB_STEINER_FAR when a terminal is not reached.
 */
__int128 ebb_steiner_trim(struct ebb_steiner_work *w, const bool *set, size_t *ret_n);

#endif
