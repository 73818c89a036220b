/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cheapest spanning arborescence: every node is reached from the root. Chu and Liu 1965, Edmonds 1967, by contracting cycles.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_STEINER_BRANCHING_H
#define EBB_POLICIES_STEINER_BRANCHING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct ebb_steiner_branching_arc {
	uint32_t from, to;
	__int128 cost;
};

/*
 * @chosen  flag per arc, filled: n - 1 arcs.
 * @return  0; 1: a node cannot be reached; -EBB_ENOMEM.
 */
int ebb_steiner_branching(uint32_t n, uint32_t root, const struct ebb_steiner_branching_arc *arcs,
			  size_t n_arcs, bool *chosen);

#endif
