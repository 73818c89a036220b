/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trees against a slow search that lets every node choose its incoming arc: the exact method finds the same cost, the arcs
 * it gives are such a tree, and the other method's bound and cost lie on either side.
 */
#include <stdio.h>
#include <string.h>

#include "policies/steiner.h"
#include "tests/support/seed.h"

#define MAX_N 6
#define MAX_ARCS (MAX_N * MAX_N)

static struct ebb_steiner_arc arcs[MAX_ARCS];
static uint32_t terms[MAX_N];
static struct ebb_steiner_graph g = {.arcs = arcs, .terms = terms};

/* What the arcs chosen cost; far when they are not a tree that reaches all terminals. */
static __int128 value(const int *in)
{
	__int128 sum = 0;

	for (uint32_t v = 1; v < g.n; v++) {
		uint32_t u = v;

		if (in[v] < 0)
			continue;
		sum += arcs[in[v]].cost;
		for (uint32_t steps = 0; u && in[u] >= 0 && steps < g.n; steps++)
			u = arcs[in[u]].from;
		if (u)
			return EBB_STEINER_FAR;
	}
	for (size_t i = 0; i < g.n_terms; i++)
		if (in[terms[i]] < 0)
			return EBB_STEINER_FAR;
	return sum;
}

static __int128 slow(uint32_t v, int *in)
{
	__int128 best = EBB_STEINER_FAR, x;

	if (v == g.n)
		return value(in);
	in[v] = -1;
	best = slow(v + 1, in);
	for (size_t a = 0; a < g.n_arcs; a++)
		if (arcs[a].to == v) {
			in[v] = (int)a;
			x = slow(v + 1, in);
			best = x < best ? x : best;
		}
	return best;
}

static void draw(struct ebb_prng *r)
{
	uint64_t costs = ebb_prng_below(r, 3) ? 100 : 3, density = 1 + ebb_prng_below(r, 4);

	g.n = (uint32_t)(2 + ebb_prng_below(r, MAX_N - 1));
	g.n_arcs = g.n_terms = 0;
	for (uint32_t i = 0; i < g.n; i++)
		for (uint32_t j = 1; j < g.n; j++)
			if (i != j && ebb_prng_below(r, 4) < density)
				arcs[g.n_arcs++] = (struct ebb_steiner_arc){i, j, (__int128)ebb_prng_below(r, costs)};
	for (uint32_t v = 1; v < g.n; v++)
		if (ebb_prng_below(r, 2))
			terms[g.n_terms++] = v;
}

static void check_arcs(const struct ebb_steiner_tree *t)
{
	int in[MAX_N];

	memset(in, -1, sizeof(in));
	for (size_t i = 0; i < t->n_arcs; i++) {
		EBB_SEED_CHECK(in[arcs[t->arcs[i]].to] < 0, "a node is reached twice");
		in[arcs[t->arcs[i]].to] = (int)t->arcs[i];
	}
	EBB_SEED_CHECK(value(in) == t->cost, "the arcs are no tree of that cost");
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();
	struct ebb_steiner_work *w = ebb_steiner_work_new();
	struct ebb_steiner_tree t;
	int in[MAX_N], tight = 0, rounds = 1500;

	for (int i = 0; w && i < rounds; i++) {
		draw(&r);
		__int128 best = slow(1, in);
		EBB_SEED_CHECK(ebb_steiner_solve(w, &g, &t, NULL) == 0, "it failed");
		EBB_SEED_CHECK(t.cost == best && t.bound == best, "round %d: %lld, not %lld", i, (long long)t.cost,
			       (long long)best);
		if (best < EBB_STEINER_FAR)
			check_arcs(&t);
		if (!g.n_terms)
			continue;
		EBB_SEED_CHECK(ebb_steiner_approx(w, &g, &t, NULL) == 0, "it failed");
		EBB_SEED_CHECK(t.bound <= best && t.cost >= best && (t.cost < EBB_STEINER_FAR) == (best < EBB_STEINER_FAR),
			       "round %d: bound %lld, best %lld, found %lld", i, (long long)t.bound, (long long)best,
			       (long long)t.cost);
		if (best < EBB_STEINER_FAR)
			check_arcs(&t);
		tight += t.cost == best;
	}
	printf("the approximation was best in %d of %d\n", tight, rounds);
	ebb_steiner_work_free(w);
	return 0;
}
