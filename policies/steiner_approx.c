/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees for many terminals, and the bound: the second half of policies/steiner.h. */
#include <stdlib.h>
#include <string.h>

#include "policies/steiner.h"
#include "policies/steiner_branching.h"
#include "policies/steiner_work.h"

#define MAX_PASSES 20	/* over all nodes, while taking them in or out helps */

struct approx {
	struct ebb_steiner_work *w;
	const struct ebb_steiner_graph *g;
	__int128 *reduced;	/* per arc: cost that dual ascent has left */
	bool *set;		/* per arc: of the tree looked at */
	bool *in, *term;	/* per node: may be used; is a terminal */
	uint32_t *number;	/* per node: in the graph of those that are in */
	uint32_t *list;
	struct ebb_steiner_branching_arc *arcs;
	uint32_t *of;
	bool *chosen;
	uint32_t *best;		/* arcs of the best tree */
	size_t n_best;
	__int128 cost, bound;
};

/* --- The bound --- */

/* Nodes from which @t can be reached over arcs whose cost is used up. Returns how many; they are listed. */
static size_t cut_of(struct approx *a, uint32_t t)
{
	struct ebb_steiner_work *w = a->w;
	size_t n = 1;

	memset(w->seen, 0, a->g->n * sizeof(*w->seen));
	w->seen[t] = true;
	a->list[0] = t;
	for (size_t i = 0; i < n; i++) {
		uint32_t v = a->list[i];

		for (uint32_t j = w->start[v]; j < w->start[v + 1]; j++) {
			uint32_t arc = w->in[j], u = a->g->arcs[arc].from;

			if (a->reduced[arc] || w->seen[u])
				continue;
			w->seen[u] = true;
			a->list[n++] = u;
		}
	}
	return n;
}

/* Raise the cut around @t as far as it goes. 1: the root is in it; -1: nothing leads into it. */
static int raise(struct approx *a, uint32_t t)
{
	struct ebb_steiner_work *w = a->w;
	size_t n = cut_of(a, t);
	__int128 least = EBB_STEINER_FAR;

	if (w->seen[a->g->root])
		return 1;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++)
			for (uint32_t j = w->start[a->list[i]]; j < w->start[a->list[i] + 1]; j++) {
				uint32_t arc = w->in[j];

				if (w->seen[a->g->arcs[arc].from])
					continue;
				if (pass)
					a->reduced[arc] -= least;
				else if (a->reduced[arc] < least)
					least = a->reduced[arc];
			}
	if (least >= EBB_STEINER_FAR)
		return -1;
	a->bound += least;
	return 0;
}

/* Wong's dual ascent, the terminals in turn. False: one cannot be reached. */
static bool ascend(struct approx *a)
{
	size_t done = 0;

	for (size_t i = 0; i < a->g->n_arcs; i++)
		a->reduced[i] = a->g->arcs[i].cost;
	a->bound = 0;
	for (size_t i = 0; done < a->g->n_terms; i = (i + 1) % a->g->n_terms) {
		int r = raise(a, a->g->terms[i]);

		if (r < 0)
			return false;
		done = r ? done + 1 : 0;
	}
	return true;
}

/* --- The tree --- */

/* Keep what w->tree holds when it costs less. */
static bool keep(struct approx *a, __int128 cost, size_t n)
{
	if (cost >= a->cost)
		return false;
	a->cost = cost;
	a->n_best = n;
	memcpy(a->best, a->w->tree, n * sizeof(*a->best));
	return true;
}

/* Cheapest tree over exactly the nodes that are in, leaves trimmed. 1: better than all before; 0; -EBB_ENOMEM. */
static int span(struct approx *a)
{
	const struct ebb_steiner_graph *g = a->g;
	uint32_t n = 0;
	size_t m = 0, kept;

	for (uint32_t v = 0; v < g->n; v++)
		a->number[v] = a->in[v] ? n++ : 0;
	for (size_t i = 0; i < g->n_arcs; i++) {
		const struct ebb_steiner_arc *x = &g->arcs[i];

		if (!a->in[x->from] || !a->in[x->to] || x->to == g->root)
			continue;
		a->arcs[m] = (struct ebb_steiner_branching_arc){a->number[x->from], a->number[x->to], x->cost};
		a->of[m++] = (uint32_t)i;
	}
	int r = ebb_steiner_branching(n, a->number[g->root], a->arcs, m, a->chosen);
	if (r)
		return r < 0 ? r : 0;
	memset(a->set, 0, g->n_arcs * sizeof(*a->set));
	for (size_t i = 0; i < m; i++)
		a->set[a->of[i]] = a->chosen[i];
	__int128 cost = ebb_steiner_trim(a->w, a->set, &kept);
	return keep(a, cost, kept);
}

/* The nodes of the best tree, and the root, are in. */
static void enter_best(struct approx *a)
{
	memset(a->in, 0, a->g->n * sizeof(*a->in));
	a->in[a->g->root] = true;
	for (size_t i = 0; i < a->n_best; i++)
		a->in[a->g->arcs[a->best[i]].to] = true;
}

/* Take nodes in or out one by one while that helps. */
static int improve(struct approx *a)
{
	bool better = true;

	for (int pass = 0; better && pass < MAX_PASSES && a->cost > a->bound; pass++) {
		better = false;
		for (uint32_t v = 0; v < a->g->n; v++) {
			if (a->term[v] || v == a->g->root)
				continue;
			a->in[v] = !a->in[v];
			int r = span(a);
			if (r < 0)
				return r;
			if (r)
				enter_best(a);
			else
				a->in[v] = !a->in[v];
			better |= r > 0;
		}
	}
	return 0;
}

/* A first tree: the nodes that the used-up arcs reach, spanned; they reach every terminal. */
static int begin(struct approx *a)
{
	size_t n;

	for (size_t i = 0; i < a->g->n_arcs; i++)
		a->set[i] = a->reduced[i] == 0;
	__int128 cost = ebb_steiner_trim(a->w, a->set, &n);
	keep(a, cost, n);
	enter_best(a);
	int r = span(a);
	if (r >= 0)
		enter_best(a);
	return r < 0 ? r : 0;
}

static bool prepare(struct approx *a)
{
	size_t n = a->g->n, m = a->g->n_arcs;
	struct ebb_steiner_work *w = a->w;

	if (ebb_steiner_prepare(w, a->g) < 0)
		return false;
	a->reduced = ebb_steiner_block(w, EBB_STEINER_B_REDUCED, m, sizeof(*a->reduced));
	a->set = ebb_steiner_block(w, EBB_STEINER_B_SET, m, sizeof(*a->set));
	a->in = ebb_steiner_block(w, EBB_STEINER_B_BANNED, 2 * n, sizeof(*a->in));
	a->number = ebb_steiner_block(w, EBB_STEINER_B_STACK, n, sizeof(*a->number));
	a->list = ebb_steiner_block(w, EBB_STEINER_B_DIST, n, sizeof(*a->list));
	a->arcs = ebb_steiner_block(w, EBB_STEINER_B_COST, m, sizeof(*a->arcs));
	a->of = ebb_steiner_block(w, EBB_STEINER_B_FROM, m, sizeof(*a->of));
	a->chosen = ebb_steiner_block(w, EBB_STEINER_B_CHOSEN, m, sizeof(*a->chosen));
	a->best = ebb_steiner_block(w, EBB_STEINER_B_BEST, n, sizeof(*a->best));
	if (!a->reduced || !a->set || !a->in || !a->number || !a->list || !a->arcs || !a->of ||
	    !a->chosen || !a->best)
		return false;
	a->term = a->in + n;
	memset(a->term, 0, n * sizeof(*a->term));
	for (size_t i = 0; i < a->g->n_terms; i++)
		a->term[a->g->terms[i]] = true;
	return true;
}

int ebb_steiner_approx(struct ebb_steiner_work *w, const struct ebb_steiner_graph *g,
			    struct ebb_steiner_tree *ret, struct ebb_err *err)
{
	struct approx a = {.w = w, .g = g, .cost = EBB_STEINER_FAR};
	struct ebb_steiner_tree t = {.cost = EBB_STEINER_FAR, .bound = EBB_STEINER_FAR};

	if (!prepare(&a))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (ascend(&a)) {
		if (begin(&a) < 0 || improve(&a) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		t = (struct ebb_steiner_tree){a.best, a.n_best, a.cost, a.bound};
	}
	*ret = t;
	return 0;
}
