/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cheapest trees in a directed graph: from a root to all terminals, by way of any other nodes.
 *
 * Exact, for up to EBB_STEINER_EXACT terminals: Dreyfus and Wagner, "The Steiner Problem in Graphs" (Networks 1, 1971), with
 * the shortest paths of each step by Dijkstra as Erickson, Monma and Veinott have it (Math. Oper. Res. 12, 1987):
 * O(3^k n + 2^k (m + n log n)). With any number: Wong's dual ascent (Math.
 * Programming 28, 1984) for a bound that no tree can be below, and a tree: the cheapest arborescence (Edmonds) over the
 * nodes that the ascent leads to, improved by taking single nodes in and out.
 *
 * Costs are integers of 0 or more; sums stay below EBB_STEINER_FAR. Ties are broken by the order of arcs and nodes, so the
 * same graph gives the same tree.
 *
 * Pure. Threads: a workspace belongs to one thread.
 */
#ifndef EBB_POLICIES_STEINER_H
#define EBB_POLICIES_STEINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

#define EBB_STEINER_EXACT 10
#define EBB_STEINER_FAR ((__int128)1 << 125)	/* cannot be reached */

struct ebb_steiner_arc {
	uint32_t from, to;
	__int128 cost;
};

struct ebb_steiner_graph {
	uint32_t n, root;		/* nodes 0 to n - 1 */
	const struct ebb_steiner_arc *arcs;
	size_t n_arcs;
	const uint32_t *terms;		/* each once, never the root */
	size_t n_terms;
	size_t n_fixed, pick;		/* the first n_fixed and any @pick of the others, of at most EBB_STEINER_EXACT in all; pick 0: all */
};

struct ebb_steiner_work;

struct ebb_steiner_work *ebb_steiner_work_new(void);
void ebb_steiner_work_free(struct ebb_steiner_work *w);
EBB_CLEANUP_PTR(struct ebb_steiner_work, ebb_steiner_work_free);

struct ebb_steiner_tree {
	const uint32_t *arcs;	/* of the graph, parents before children; in the workspace until its next use */
	size_t n_arcs;
	__int128 cost;		/* EBB_STEINER_FAR: a terminal cannot be reached; there are no arcs then */
	__int128 bound;		/* no tree costs less; equal to @cost when it is proven best */
};

/*
 * The cheapest tree, proven when there are at most EBB_STEINER_EXACT terminals.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_steiner_solve(struct ebb_steiner_work *w, const struct ebb_steiner_graph *g,
		      struct ebb_steiner_tree *ret, struct ebb_err *err);

/* The other way, whatever the number of terminals: a good tree and a bound. For tests, and for whom it suffices. */
int ebb_steiner_approx(struct ebb_steiner_work *w, const struct ebb_steiner_graph *g,
			    struct ebb_steiner_tree *ret, struct ebb_err *err);

#endif
