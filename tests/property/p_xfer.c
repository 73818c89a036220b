/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plans against a slow search that tries, for every group, every way in which every site may get it, and joins the groups
 * afterwards: a plan called optimal costs the same, a bound is never above, infeasible means infeasible, no plan costs
 * more than copying straight, and none gets cheaper when a link gets dearer. What the slow search may do is said by the verifier alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "policies/xfer_couple.h"
#include "policies/xfer_plan.h"
#include "tests/support/seed.h"

enum { SITES = 4, LINKS = SITES * SITES, POOLS = 2, GROUPS = 3, WAYS = 4096 };

#define GB ((ebb_xfer_num)EBB_XFER_ONE)

static struct ebb_xfer_site sites[SITES];
static struct ebb_xfer_link links[LINKS];
static struct ebb_xfer_pool pools[POOLS];
static struct ebb_xfer_tier tiers[POOLS][3];
static struct ebb_xfer_group groups[GROUPS];
static struct ebb_xfer_replica replicas[GROUPS][SITES];
static struct ebb_xfer_dest dests[GROUPS][SITES];
static bool allowed[GROUPS][SITES];
static int64_t prices[LINKS];
static const ebb_xfer_num endless = EBB_XFER_MAX;
static const struct ebb_xfer_slot slot = {"", INT64_MAX};
static struct ebb_xfer x = {.slots = &slot, .sites = sites, .pools = pools, .links = links, .groups = groups, .n_slots = 1};
static struct ebb_prng rnd;

/* --- Random instances --- */

static int64_t below(int64_t n)
{
	return (int64_t)ebb_prng_below(&rnd, (uint64_t)n);
}

static int64_t price(void)
{
	return below(3) ? below(10) * EBB_XFER_ONE / 10 : 0;
}

static void draw_group(size_t i, bool pack)
{
	struct ebb_xfer_group *g = &groups[i];

	*g = (struct ebb_xfer_group){.id = "g", .gb = (1 + below(9)) * GB, .packed = -1, .objects = below(3) * GB};
	if (pack)
		g->packed = g->gb * (1 + below(5)) / 4;
	for (uint32_t s = 0; s < x.n_sites; s++) {
		if (below(2))
			replicas[i][g->n_replicas++] = (struct ebb_xfer_replica){
				.site = s, .satisfies = below(2), .per_gb = below(2) ? price() : 0, .per_object = price(),
			};
		if (below(2))
			dests[i][g->n_dests++] = (struct ebb_xfer_dest){s, 1 + below(2)};
		allowed[i][s] = below(4);
	}
	if (below(2))
		g->choose = (uint32_t)below(3);
	for (size_t d = 0; g->choose && d < g->n_dests; d++)
		dests[i][d].copies = 1;
	g->replicas = replicas[i];
	g->dests = dests[i];
	g->allowed = below(3) ? NULL : allowed[i];
	g->fixed = below(2);
}

static void draw_pools(void)
{
	for (size_t p = 0; p < x.n_pools; p++) {
		tiers[p][0] = (struct ebb_xfer_tier){(1 + below(8)) * GB, price()};
		tiers[p][1] = (struct ebb_xfer_tier){(10 + below(9)) * GB, price()};
		tiers[p][2] = (struct ebb_xfer_tier){EBB_XFER_MAX, price()};
		pools[p] = (struct ebb_xfer_pool){"p", below(6) * GB, tiers[p], 3, NULL};
	}
}

static void draw(void)
{
	x.n_sites = (size_t)(2 + below(SITES - 1));
	x.n_groups = (size_t)(1 + below(GROUPS));
	x.n_pools = (size_t)below(POOLS + 1);
	x.n_links = 0;
	for (uint32_t s = 0; s < x.n_sites; s++)
		sites[s] = (struct ebb_xfer_site){
			"s", "", "", below(2), price() / 10, price() / 10, below(2) ? price() : 0,
			below(3) ? price() / 3 : EBB_XFER_NEVER, below(3) ? price() / 3 : EBB_XFER_NEVER,
		};
	for (uint32_t a = 0; a < x.n_sites; a++)
		for (uint32_t b = 0; b < x.n_sites; b++) {
			if (a == b || !below(4))
				continue;
			prices[x.n_links] = price();
			links[x.n_links] = (struct ebb_xfer_link){
				a, b, below(2) && x.n_pools ? (uint32_t)below((int64_t)x.n_pools) : EBB_XFER_NONE,
				&prices[x.n_links], &endless, NULL,
			};
			x.n_links++;
		}
	draw_pools();
	bool pack = below(2);
	for (size_t i = 0; i < x.n_groups; i++)
		draw_group(i, pack && x.n_sites < SITES);
}

/* --- The slow search --- */

/* A way to deliver a group: its cost but for pools, and what it puts into them. */
struct way {
	ebb_xfer_num cost, volume[POOLS];
};

struct ways {
	struct way *w;
	size_t n;
};

static void try_tree(const struct ebb_xfer *one, const struct ebb_xfer_tree *t, struct ways *to)
{
	struct ebb_xfer_bill b;
	struct way w = {0};

	if (ebb_xfer_check(one, t, &b, NULL) < 0)
		return;
	w.cost = b.total - b.pools;
	for (size_t i = 0; i < t->n_hops; i++)
		if (links[t->hops[i].link].pool != EBB_XFER_NONE)
			w.volume[links[t->hops[i].link].pool] +=
				t->hops[i].packed ? one->groups->packed : one->groups->gb;
	for (size_t i = 0; i < to->n; i++)
		if (to->w[i].cost <= w.cost && !memcmp(to->w[i].volume, w.volume, sizeof(w.volume)))
			return;
	if (to->n < WAYS)
		to->w[to->n++] = w;
}

/* Every site: nothing, its replica (copied when it needs one), or one hop in either form. */
static void all_ways(const struct ebb_xfer *one, uint32_t s, struct ebb_xfer_tree t, struct ways *to)
{
	struct ebb_xfer_hop *hops = (struct ebb_xfer_hop *)(uintptr_t)t.hops;
	uint32_t *reads = (uint32_t *)(uintptr_t)t.reads, *copies = (uint32_t *)(uintptr_t)t.copies;
	struct ebb_xfer_tree more = t;

	if (s == one->n_sites) {
		try_tree(one, &t, to);
		return;
	}
	all_ways(one, s + 1, t, to);
	if (ebb_xfer_replica_at(one->groups, s)) {
		reads[more.n_reads++] = s;
		if (ebb_xfer_needs(one->groups, s))
			copies[more.n_copies++] = s;
		all_ways(one, s + 1, more, to);
	}
	for (uint32_t l = 0; l < one->n_links; l++)
		for (int packed = 0; links[l].to == s && packed < (one->groups->packed >= 0 ? 2 : 1); packed++) {
			more = t;
			hops[more.n_hops++] = (struct ebb_xfer_hop){.link = l, .packed = packed};
			all_ways(one, s + 1, more, to);
		}
}

static ebb_xfer_num join(const struct ways *all, size_t g, struct way sum)
{
	ebb_xfer_num best = EBB_XFER_MAX;

	if (g == x.n_groups) {
		for (size_t p = 0; p < x.n_pools; p++)
			sum.cost += ebb_xfer_pool_charge(&pools[p], sum.volume[p]);
		return sum.cost;
	}
	for (size_t i = 0; i < all[g].n; i++) {
		struct way next = sum;

		next.cost += all[g].w[i].cost;
		for (size_t p = 0; p < POOLS; p++)
			next.volume[p] += all[g].w[i].volume[p];
		ebb_xfer_num c = join(all, g + 1, next);
		best = c < best ? c : best;
	}
	return best;
}

static ebb_xfer_num slow(void)
{
	static struct way room[GROUPS][WAYS];
	struct ways all[GROUPS];
	struct ebb_xfer_hop hops[SITES];
	uint32_t reads[SITES], copies[SITES];
	struct ebb_xfer one = x;

	one.n_groups = 1;
	for (size_t g = 0; g < x.n_groups; g++) {
		one.groups = &groups[g];
		all[g] = (struct ways){room[g], 0};
		all_ways(&one, 0, (struct ebb_xfer_tree){.hops = hops, .reads = reads, .copies = copies}, &all[g]);
	}
	return join(all, 0, (struct way){0});
}

int main(void)
{
	int proven = 0, gaps = 0, none = 0, rounds = 700;

	rnd = ebb_seed_start();
	for (int i = 0; i < rounds; i++) {
		EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
		struct ebb_xfer_plan p;
		struct ebb_err err = {0};
		char a[EBB_XFER_TEXT], b[EBB_XFER_TEXT];

		ebb_arena_init(&arena, 0);
		draw();
		ebb_xfer_num best = slow();
		EBB_SEED_CHECK(ebb_xfer_plan(&x, &arena, &p, &err) == 0, "round %d: %s", i, err.msg);
		EBB_SEED_CHECK((p.status == EBB_XFER_INFEASIBLE) == (best == EBB_XFER_MAX), "round %d: feasible or not?", i);
		none += p.status == EBB_XFER_INFEASIBLE;
		if (p.status == EBB_XFER_INFEASIBLE)
			continue;
		/* prices of a linear programme are rounded: then a bound may be short by up to 10^-9 */
		bool same = p.lower_bound == p.bill.total, near = ebb_xfer_couple_proven(p.lower_bound, p.bill.total);
		EBB_SEED_CHECK(p.bill.total >= best && p.lower_bound <= best && (p.status == EBB_XFER_OPTIMAL ? near : !same),
			       "round %d: %s, best is %s", i, ebb_xfer_cost_text(p.bill.total, a), ebb_xfer_cost_text(best, b));
		EBB_SEED_CHECK(p.status == EBB_XFER_OPTIMAL || x.n_pools, "round %d: a gap without pools", i);
		EBB_SEED_CHECK(p.direct_first < 0 || p.bill.total <= p.direct_first || p.status == EBB_XFER_FEASIBLE, "round %d: straight is cheaper", i);
		EBB_SEED_CHECK(p.direct_cheapest < 0 || p.bill.total <= p.direct_cheapest || p.status == EBB_XFER_FEASIBLE, "round %d: straight is cheaper", i);
		if (p.status == EBB_XFER_OPTIMAL && x.n_links) {
			struct ebb_xfer_plan dearer;

			prices[below((int64_t)x.n_links)] += EBB_XFER_ONE / 10;
			EBB_SEED_CHECK(ebb_xfer_plan(&x, &arena, &dearer, &err) == 0 && dearer.bill.total >= p.bill.total,
				       "round %d: a dearer link makes the plan cheaper", i);
		}
		proven += p.status == EBB_XFER_OPTIMAL;
		gaps += p.status == EBB_XFER_FEASIBLE;
	}
	printf("%d proven, %d with a gap, %d infeasible\n", proven, gaps, none);
	return 0;
}
