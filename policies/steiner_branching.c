/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/steiner_branching.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* Per level: the cheapest arc into each node, and the component that each belongs to. */
struct level {
	uint32_t n, root;
	const struct ebb_steiner_branching_arc *arcs;
	size_t n_arcs;
	uint32_t *in;		/* arc + 1 */
	uint32_t *comp;		/* number in the contracted graph */
	uint32_t *mark;		/* walk that came by; node on a cycle: n + 1 */
	uint32_t n_comp;
};

static void cheapest(struct level *l)
{
	for (size_t a = 0; a < l->n_arcs; a++) {
		uint32_t to = l->arcs[a].to;

		if (to != l->root && (!l->in[to] || l->arcs[a].cost < l->arcs[l->in[to] - 1].cost))
			l->in[to] = (uint32_t)a + 1;
	}
}

/* Number the components: each cycle of cheapest arcs is one. Returns the number of cycles. */
static uint32_t contract(struct level *l)
{
	uint32_t cycles = 0, on_cycle = l->n + 1;

	for (uint32_t v = 0; v < l->n; v++) {
		uint32_t u = v;

		while (!l->mark[u] && u != l->root) {
			l->mark[u] = v + 1;
			u = l->arcs[l->in[u] - 1].from;
		}
		if (u == l->root || l->mark[u] != v + 1)
			continue;
		while (l->mark[u] != on_cycle) {
			l->mark[u] = on_cycle;
			l->comp[u] = cycles;
			u = l->arcs[l->in[u] - 1].from;
		}
		cycles++;
	}
	l->n_comp = cycles;
	for (uint32_t v = 0; v < l->n; v++)
		if (l->mark[v] != on_cycle)
			l->comp[v] = l->n_comp++;
	return cycles;
}

static int solve(uint32_t n, uint32_t root, const struct ebb_steiner_branching_arc *arcs,
		 size_t n_arcs, bool *chosen);

/* Solve the contracted graph and open the cycles again. */
static int expand(struct level *l, uint32_t cycles, bool *chosen)
{
	EBB_CLEANUP(ebb_mem_freep) struct ebb_steiner_branching_arc *arcs = calloc(l->n_arcs + 1, sizeof(*arcs));
	EBB_CLEANUP(ebb_mem_freep) uint32_t *of = calloc(l->n_arcs + 1, sizeof(*of));
	EBB_CLEANUP(ebb_mem_freep) bool *sub = calloc(l->n_arcs + 1, sizeof(*sub));
	EBB_CLEANUP(ebb_mem_freep) bool *entered = calloc(l->n + 1, sizeof(*entered));
	size_t n = 0;

	if (!arcs || !of || !sub || !entered)
		return -EBB_ENOMEM;
	for (size_t a = 0; a < l->n_arcs; a++) {
		const struct ebb_steiner_branching_arc *x = &l->arcs[a];
		uint32_t from = l->comp[x->from], to = l->comp[x->to];

		if (from == to || x->to == l->root)
			continue;
		arcs[n] = (struct ebb_steiner_branching_arc){from, to, x->cost};
		if (to < cycles)
			arcs[n].cost -= l->arcs[l->in[x->to] - 1].cost;
		of[n++] = (uint32_t)a;
	}
	int r = solve(l->n_comp, l->comp[l->root], arcs, n, sub);
	if (r)
		return r;
	for (size_t a = 0; a < n; a++)
		if (sub[a]) {
			chosen[of[a]] = true;
			entered[l->arcs[of[a]].to] = true;
		}
	for (uint32_t v = 0; v < l->n; v++)
		if (l->comp[v] < cycles && !entered[v])
			chosen[l->in[v] - 1] = true;
	return 0;
}

static int solve(uint32_t n, uint32_t root, const struct ebb_steiner_branching_arc *arcs,
		 size_t n_arcs, bool *chosen)
{
	EBB_CLEANUP(ebb_mem_freep) uint32_t *memory = calloc(3 * (size_t)n + 1, sizeof(*memory));
	struct level l = {.n = n, .root = root, .arcs = arcs, .n_arcs = n_arcs, .in = memory};

	if (!memory)
		return -EBB_ENOMEM;
	l.comp = memory + n;
	l.mark = memory + 2 * (size_t)n;
	cheapest(&l);
	for (uint32_t v = 0; v < n; v++)
		if (v != root && !l.in[v])
			return 1;
	uint32_t cycles = contract(&l);
	if (cycles)
		return expand(&l, cycles, chosen);
	for (uint32_t v = 0; v < n; v++)
		if (v != root)
			chosen[l.in[v] - 1] = true;
	return 0;
}

int ebb_steiner_branching(uint32_t n, uint32_t root, const struct ebb_steiner_branching_arc *arcs,
			  size_t n_arcs, bool *chosen)
{
	memset(chosen, 0, n_arcs * sizeof(*chosen));
	return solve(n, root, arcs, n_arcs, chosen);
}
