/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/steiner.h"

#include <stdlib.h>
#include <string.h>

#include "policies/steiner_work.h"

struct ebb_steiner_work *ebb_steiner_work_new(void)
{
	return calloc(1, sizeof(struct ebb_steiner_work));
}

void ebb_steiner_work_free(struct ebb_steiner_work *w)
{
	for (size_t i = 0; w && i < EBB_ARRAY_LEN(w->blocks); i++)
		free(w->blocks[i].p);
	free(w);
}

void *ebb_steiner_block(struct ebb_steiner_work *w, int which, size_t n, size_t size)
{
	struct ebb_steiner_block *b = &w->blocks[which];
	size_t need = ebb_mem_add(ebb_mem_mul(n, size), 1);

	if (need > b->size) {
		free(b->p);
		b->p = malloc(need);
		b->size = b->p ? need : 0;
	}
	return b->p;
}

/* By their end; nothing moves where they are given in that order. */
static void sort_arcs(struct ebb_steiner_work *w)
{
	const struct ebb_steiner_graph *g = w->g;
	uint32_t before = 0;
	bool sorted = true;

	memset(w->start, 0, (g->n + 2) * sizeof(*w->start));
	for (size_t a = 0; a < g->n_arcs; a++) {
		sorted &= before <= g->arcs[a].to;
		before = g->arcs[a].to;
		w->start[before + 2]++;
	}
	for (size_t v = 2; v < g->n + (size_t)2; v++)
		w->start[v] += w->start[v - 1];
	for (size_t a = 0; sorted && a < g->n_arcs; a++)
		w->in[a] = (uint32_t)a;
	for (size_t a = 0; !sorted && a < g->n_arcs; a++)
		w->in[w->start[g->arcs[a].to + 1]++] = (uint32_t)a;
	if (sorted)
		memmove(w->start, w->start + 1, (g->n + (size_t)1) * sizeof(*w->start));
}

int ebb_steiner_prepare(struct ebb_steiner_work *w, const struct ebb_steiner_graph *g)
{
	size_t n = g->n;

	w->g = g;
	w->start = ebb_steiner_block(w, EBB_STEINER_B_START, n + 2, sizeof(*w->start));
	w->in = ebb_steiner_block(w, EBB_STEINER_B_IN, g->n_arcs, sizeof(*w->in));
	w->heap = ebb_steiner_block(w, EBB_STEINER_B_HEAP, n, sizeof(*w->heap));
	w->place = ebb_steiner_block(w, EBB_STEINER_B_PLACE, n, sizeof(*w->place));
	w->tree = ebb_steiner_block(w, EBB_STEINER_B_TREE, n, sizeof(*w->tree));
	w->parent = ebb_steiner_block(w, EBB_STEINER_B_PARENT, n, sizeof(*w->parent));
	w->seen = ebb_steiner_block(w, EBB_STEINER_B_SEEN, n, sizeof(*w->seen));
	w->keep = ebb_steiner_block(w, EBB_STEINER_B_KEEP, n, sizeof(*w->keep));
	if (!w->start || !w->in || !w->heap || !w->place || !w->tree || !w->parent || !w->seen || !w->keep)
		return -EBB_ENOMEM;
	w->heap_n = 0;
	memset(w->place, 0, n * sizeof(*w->place));
	sort_arcs(w);
	return 0;
}

/* --- Heap: by cost, then by node, so that ties do not depend on history --- */

static bool less(const __int128 *d, uint32_t a, uint32_t b)
{
	return d[a] != d[b] ? d[a] < d[b] : a < b;
}

static void put(struct ebb_steiner_work *w, size_t i, uint32_t v)
{
	w->heap[i] = v;
	w->place[v] = (uint32_t)i + 1;
}

void ebb_steiner_push(struct ebb_steiner_work *w, const __int128 *d, uint32_t v)
{
	size_t i = w->place[v] ? w->place[v] - 1 : w->heap_n++;

	for (; i > 0 && less(d, v, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		put(w, i, w->heap[(i - 1) / 2]);
	put(w, i, v);
}

uint32_t ebb_steiner_pop(struct ebb_steiner_work *w, const __int128 *d)
{
	uint32_t top = w->heap[0], last = w->heap[--w->heap_n];
	size_t i = 0, child;

	w->place[top] = 0;
	if (w->heap_n == 0)
		return top;
	for (; (child = 2 * i + 1) < w->heap_n; i = child) {
		if (child + 1 < w->heap_n && less(d, w->heap[child + 1], w->heap[child]))
			child++;
		if (!less(d, w->heap[child], last))
			break;
		put(w, i, w->heap[child]);
	}
	put(w, i, last);
	return top;
}

/* --- From arcs to a tree --- */

/* Nodes that the arcs of @set reach, with the arc that does, in the order of w->heap (used as a list). */
static size_t reach(struct ebb_steiner_work *w, const bool *set)
{
	const struct ebb_steiner_graph *g = w->g;
	size_t n = 0;
	bool more = true;

	memset(w->seen, 0, g->n * sizeof(*w->seen));
	memset(w->parent, 0, g->n * sizeof(*w->parent));
	w->seen[g->root] = true;
	while (more) {
		more = false;
		for (size_t a = 0; a < g->n_arcs; a++) {
			const struct ebb_steiner_arc *arc = &g->arcs[a];

			if (!set[a] || !w->seen[arc->from] || w->seen[arc->to])
				continue;
			w->seen[arc->to] = true;
			w->parent[arc->to] = (uint32_t)a + 1;
			w->heap[n++] = arc->to;
			more = true;
		}
	}
	return n;
}

__int128 ebb_steiner_trim(struct ebb_steiner_work *w, const bool *set, size_t *ret_n)
{
	const struct ebb_steiner_graph *g = w->g;
	size_t n = reach(w, set), kept = 0;
	__int128 cost = 0;

	*ret_n = 0;
	memset(w->keep, 0, g->n * sizeof(*w->keep));
	for (size_t i = 0; i < g->n_terms; i++) {
		if (!w->seen[g->terms[i]])
			return EBB_STEINER_FAR;
		w->keep[g->terms[i]] = true;
	}
	for (size_t i = n; i-- > 0;)
		if (w->keep[w->heap[i]])
			w->keep[g->arcs[w->parent[w->heap[i]] - 1].from] = true;
	for (size_t i = 0; i < n; i++)
		if (w->keep[w->heap[i]]) {
			w->tree[kept++] = w->parent[w->heap[i]] - 1;
			cost += g->arcs[w->tree[kept - 1]].cost;
		}
	*ret_n = kept;
	return cost;
}

/* --- Exact --- */

/* How a cost came about: by an arc (its number + 1), or by joining two sets (the smaller one, marked). */
#define JOINED 0x80000000u

/* Where the approximation leaves a gap, the table is made for a few terminals more than EBB_STEINER_EXACT. */
#define MOST 12
#define MOST_CELLS 4000000u

#define FEW 64	/* nodes that a set of bits tells */

struct table {
	__int128 *cost;		/* per set of terminals and node */
	uint32_t *from;
};

/*
 * Let paths end at every node that is reached: Dijkstra against the direction of arcs, up to the root. What costs as much elsewhere is
 * in no cheapest tree that could not as well have these terminals hang at the root.
 */
static void extend(struct ebb_steiner_work *w, __int128 *d, uint32_t *from)
{
	const struct ebb_steiner_graph *g = w->g;

	for (uint32_t v = 0; v < g->n; v++)
		if (d[v] < EBB_STEINER_FAR && d[v] <= d[g->root])
			ebb_steiner_push(w, d, v);
	while (w->heap_n) {
		uint32_t v = ebb_steiner_pop(w, d);

		if (v == g->root)
			break;
		for (uint32_t i = w->start[v]; i < w->start[v + 1]; i++) {
			const struct ebb_steiner_arc *a = &g->arcs[w->in[i]];
			__int128 cost = d[v] + a->cost;

			if (cost < d[a->from] && cost <= d[g->root]) {
				d[a->from] = cost;
				from[a->from] = w->in[i] + 1;
				ebb_steiner_push(w, d, a->from);
			}
		}
	}
	while (w->heap_n)
		w->place[w->heap[--w->heap_n]] = 0;
}

/* Of the nodes in @set the one that costs least, the first of equals. */
static uint32_t nearest(const __int128 *d, uint64_t set)
{
	uint32_t v = (uint32_t)__builtin_ctzll(set);

	for (set &= set - 1; set; set &= set - 1) {
		uint32_t u = (uint32_t)__builtin_ctzll(set);

		v = d[u] < d[v] ? u : v;
	}
	return v;
}

/* The same in a graph of up to FEW nodes: looking at all is faster than keeping a heap in order. */
static void extend_few(struct ebb_steiner_work *w, __int128 *d, uint32_t *from)
{
	const struct ebb_steiner_graph *g = w->g;
	const __int128 *most = &d[g->root];
	uint64_t open = 0;

	for (uint32_t v = 0; v < g->n; v++)
		open |= (uint64_t)(d[v] < EBB_STEINER_FAR && d[v] <= *most) << v;
	while (open) {
		uint32_t v = nearest(d, open);
		__int128 here = d[v];

		if (here >= *most)
			break;
		open &= ~(UINT64_C(1) << v);
		for (uint32_t i = w->start[v]; i < w->start[v + 1]; i++) {
			const struct ebb_steiner_arc *a = &g->arcs[w->in[i]];
			__int128 cost = here + a->cost;

			if (cost < d[a->from] && cost <= *most) {
				d[a->from] = cost;
				from[a->from] = w->in[i] + 1;
				open |= UINT64_C(1) << a->from;
			}
		}
	}
}

/* Best of all ways to cut @set in two at each node; each pair is looked at once. */
static void join(const struct table *t, size_t n, uint32_t set)
{
	__int128 *d = t->cost + set * n;
	uint32_t *from = t->from + set * n, low = set & -set;

	for (uint32_t a = (set - 1) & set; a; a = (a - 1) & set) {
		const __int128 *x = t->cost + a * n, *y = t->cost + (set ^ a) * n;

		if (!(a & low))
			continue;
		for (size_t v = 0; v < n; v++)
			if (x[v] + y[v] < d[v]) {
				d[v] = x[v] + y[v];
				from[v] = a | JOINED;
			}
	}
}

/* The cheapest set of terminals that is asked for. */
static uint32_t choose(const struct ebb_steiner_graph *g, const struct table *t)
{
	uint32_t all = (uint32_t)((UINT64_C(1) << g->n_terms) - 1), fixed = (1u << g->n_fixed) - 1, best = all;

	for (uint32_t s = fixed; g->pick && s < all; s++)
		if ((s & fixed) == fixed && (size_t)__builtin_popcount(s) == g->n_fixed + g->pick &&
		    t->cost[s * (size_t)g->n + g->root] < t->cost[best * (size_t)g->n + g->root])
			best = s;
	return best;
}

/* Collect the arcs of the best tree for the terminals @all from the root. */
static int collect(struct ebb_steiner_work *w, const struct table *t, uint32_t all, bool *set)
{
	const struct ebb_steiner_graph *g = w->g;
	size_t n = g->n, depth = 1;
	struct step {
		uint32_t set, node;
	} *stack = ebb_steiner_block(w, EBB_STEINER_B_STACK, g->n_terms + 2, sizeof(*stack));

	if (!stack)
		return -EBB_ENOMEM;
	stack[0] = (struct step){all, g->root};
	while (depth) {
		struct step s = stack[--depth];
		uint32_t from = t->from[s.set * n + s.node];

		if (from & JOINED) {
			stack[depth++] = (struct step){from & ~JOINED, s.node};
			stack[depth++] = (struct step){s.set & ~from, s.node};
		} else if (from) {
			set[from - 1] = true;
			stack[depth++] = (struct step){s.set, g->arcs[from - 1].to};
		}
	}
	return 0;
}

/* Terminals that are wanted or on the way; and one of them, no fixed one, that nothing goes on from: bit @ret_leaf, or 0. */
static uint32_t reached(const struct ebb_steiner_work *w, const struct ebb_steiner_graph *g, size_t n_arcs, uint32_t *ret_leaf)
{
	uint32_t all = 0;

	*ret_leaf = 0;
	for (uint32_t i = 0; i < g->n_terms; i++) {
		bool in = false, on = false;

		for (size_t a = 0; a < n_arcs; a++) {
			in |= g->arcs[w->tree[a]].to == g->terms[i];
			on |= g->arcs[w->tree[a]].from == g->terms[i];
		}
		all |= (uint32_t)in << i;
		if (in && !on && i >= g->n_fixed)
			*ret_leaf = 1u << i;
	}
	return all;
}

/* The tree for the terminals @all. Where it comes to more than were to be picked, for nothing, it ends before those. */
static __int128 trim_to(struct ebb_steiner_work *w, const bool *set, uint32_t all, size_t *ret_n)
{
	const struct ebb_steiner_graph *g = w->g;
	struct ebb_steiner_graph chosen = *g;
	uint32_t terms[MOST], leaf = 0;
	__int128 cost;

	chosen.terms = terms;
	w->g = &chosen;
	do {
		all &= ~leaf;
		chosen.n_terms = 0;
		for (size_t i = 0; i < g->n_terms; i++)
			if (all >> i & 1)
				terms[chosen.n_terms++] = g->terms[i];
		cost = ebb_steiner_trim(w, set, ret_n);
		all = g->pick ? reached(w, g, *ret_n, &leaf) : all;
	} while (leaf && (size_t)__builtin_popcount(all) > g->n_fixed + g->pick);
	w->g = g;
	return cost;
}

static int exact(struct ebb_steiner_work *w, struct ebb_steiner_tree *ret)
{
	const struct ebb_steiner_graph *g = w->g;
	size_t n = g->n, sets = (size_t)1 << g->n_terms;
	struct table t = {
		ebb_steiner_block(w, EBB_STEINER_B_COST, sets * n, sizeof(*t.cost)),
		ebb_steiner_block(w, EBB_STEINER_B_FROM, sets * n, sizeof(*t.from)),
	};
	bool *set = ebb_steiner_block(w, EBB_STEINER_B_SET, g->n_arcs, sizeof(*set));

	if (!t.cost || !t.from || !set)
		return -EBB_ENOMEM;
	for (size_t i = n; i < sets * n; i++)
		t.cost[i] = EBB_STEINER_FAR;
	memset(t.from, 0, sets * n * sizeof(*t.from));
	for (uint32_t s = 1; s < sets; s++) {
		if (s & (s - 1))
			join(&t, n, s);
		else
			t.cost[s * n + g->terms[__builtin_ctz(s)]] = 0;
		(n <= FEW ? extend_few : extend)(w, t.cost + s * n, t.from + s * n);
	}
	uint32_t all = choose(g, &t);
	ret->bound = t.cost[all * n + g->root];
	ret->cost = ret->bound;
	ret->n_arcs = 0;
	if (ret->cost >= EBB_STEINER_FAR)
		return 0;
	memset(set, 0, g->n_arcs * sizeof(*set));
	if (collect(w, &t, all, set) < 0)
		return -EBB_ENOMEM;
	ret->cost = trim_to(w, set, all, &ret->n_arcs);
	ret->arcs = w->tree;
	return 0;
}

int ebb_steiner_solve(struct ebb_steiner_work *w, const struct ebb_steiner_graph *g,
		      struct ebb_steiner_tree *ret, struct ebb_err *err)
{
	struct ebb_steiner_tree t = {0};

	if (g->n_terms > EBB_STEINER_EXACT && !g->pick) {
		int r = ebb_steiner_approx(w, g, &t, err);

		if (r < 0 || t.cost == t.bound || g->n_terms > MOST || (uint64_t)g->n << g->n_terms > MOST_CELLS) {
			if (r == 0)
				*ret = t;
			return r;
		}
	}
	if (g->n_terms && (ebb_steiner_prepare(w, g) < 0 || exact(w, &t) < 0))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	*ret = t;
	return 0;
}
