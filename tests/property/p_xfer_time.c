/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slots and room: against a slow search over all trees of two small groups and all timetables in whole GB. What that finds is
 * a plan, so no bound may be above it, no plan called optimal may cost more, and infeasible means that it finds none.
 */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "policies/xfer_plan.h"
#include "tests/support/seed.h"

enum { SITES = 3, LINKS = SITES * SITES, SLOTS = 2, GROUPS = 2 };

#define GB ((ebb_xfer_num)EBB_XFER_ONE)

static struct ebb_xfer_site sites[SITES];
static struct ebb_xfer_link links[LINKS];
static int64_t prices[LINKS][SLOTS];
static ebb_xfer_num rooms[LINKS][SLOTS];
static struct ebb_xfer_slot slots[SLOTS] = {{"day", EBB_XFER_ONE}, {"night", EBB_XFER_ONE}};
static struct ebb_xfer_group groups[GROUPS];
static struct ebb_xfer_replica replicas[GROUPS][1];
static struct ebb_xfer_dest dests[GROUPS][2];
static struct ebb_xfer x = {.slots = slots, .sites = sites, .links = links, .groups = groups,
			    .n_slots = SLOTS, .n_sites = SITES, .n_groups = GROUPS, .timed = true};
static struct ebb_prng rnd;

static int64_t below(int64_t n)
{
	return (int64_t)ebb_prng_below(&rnd, (uint64_t)n);
}

static void draw(void)
{
	x.n_links = 0;
	for (uint32_t s = 0; s < SITES; s++)
		sites[s] = (struct ebb_xfer_site){"s", "", "", below(4), 0, 0, below(2) * EBB_XFER_ONE / 100, -1, -1};
	for (uint32_t a = 0; a < SITES; a++)
		for (uint32_t b = 0; b < SITES; b++) {
			size_t l = x.n_links;

			if (a == b || !below(5))
				continue;
			for (int s = 0; s < SLOTS; s++) {
				prices[l][s] = below(5) * EBB_XFER_ONE / 100;
				rooms[l][s] = below(3) ? below(6) * GB : EBB_XFER_MAX;
			}
			links[x.n_links++] = (struct ebb_xfer_link){a, b, EBB_XFER_NONE, prices[l], rooms[l], NULL};
		}
	for (size_t g = 0; g < GROUPS; g++) {
		uint32_t home = (uint32_t)below(SITES);

		replicas[g][0] = (struct ebb_xfer_replica){home, true, 0, 0, below(5) ? 0 : EBB_XFER_ONE};
		dests[g][0] = (struct ebb_xfer_dest){(home + 1) % SITES, 1};
		dests[g][1] = (struct ebb_xfer_dest){(home + 2) % SITES, 1};
		groups[g] = (struct ebb_xfer_group){
			.id = "g", .gb = (1 + below(3)) * GB, .packed = -1, .replicas = replicas[g], .dests = dests[g],
			.n_replicas = 1, .n_dests = (size_t)(1 + below(2)), .last_slot = (uint32_t)(below(4) > 0),
		};
		groups[g].choose = (uint32_t)below(2);
	}
}

/* --- The slow search --- */

static struct ebb_xfer_hop hops[GROUPS][SITES];
static ebb_xfer_num sent[GROUPS][SITES][SLOTS];
static uint32_t reads[GROUPS];
static struct ebb_xfer_tree trees[GROUPS];
static ebb_xfer_num best;

static void each_tree(size_t g, uint32_t site);

/* All ways to cut each hop of group @g, from hop @h on, in two. */
static void each_timetable(size_t g, size_t h)
{
	struct ebb_xfer_bill b;

	if (h < trees[g].n_hops) {
		for (int i = 0; i <= groups[g].gb / GB; i++) {
			sent[g][h][0] = i * GB;
			sent[g][h][1] = groups[g].gb - i * GB;
			each_timetable(g, h + 1);
		}
	} else if (g + 1 < GROUPS) {
		trees[g + 1].n_hops = 0;
		each_tree(g + 1, 0);
	} else if (ebb_xfer_check(&x, trees, &b, NULL) == 0 && b.total < best) {
		best = b.total;
	}
}

static void each_tree(size_t g, uint32_t site)
{
	struct ebb_xfer_tree *t = &trees[g];

	if (site == SITES) {
		reads[g] = replicas[g][0].site;
		*t = (struct ebb_xfer_tree){.hops = hops[g], .reads = &reads[g], .n_hops = t->n_hops, .n_reads = 1};
		each_timetable(g, 0);
		return;
	}
	each_tree(g, site + 1);
	for (uint32_t l = 0; l < x.n_links; l++)
		if (links[l].to == site && site != replicas[g][0].site) {
			hops[g][t->n_hops] = (struct ebb_xfer_hop){.link = l, .sent = sent[g][t->n_hops]};
			t->n_hops++;
			each_tree(g, site + 1);
			t->n_hops--;
		}
}

int main(void)
{
	int proven = 0, gaps = 0, none = 0, open = 0;

	rnd = ebb_seed_start();
	for (int i = 0; i < 600; i++) {
		EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
		struct ebb_xfer_plan p;
		char a[EBB_XFER_TEXT], c[EBB_XFER_TEXT];

		ebb_arena_init(&arena, 0);
		draw();
		best = EBB_XFER_MAX;
		trees[0].n_hops = 0;
		each_tree(0, 0);
		int r = ebb_xfer_plan(&x, &arena, &p, NULL);
		EBB_SEED_CHECK(r == 0 || r == -EBB_ENOTSUP, "round %d: %d", i, r);
		open += r < 0;
		if (r < 0)
			continue;
		if (p.status == EBB_XFER_INFEASIBLE) {
			EBB_SEED_CHECK(best == EBB_XFER_MAX, "round %d: not infeasible", i);
			none++;
			continue;
		}
		EBB_SEED_CHECK(p.lower_bound <= best && p.lower_bound <= p.bill.total, "round %d: bound %s, there is %s", i,
			       ebb_xfer_cost_text(p.lower_bound, a), ebb_xfer_cost_text(best, c));
		EBB_SEED_CHECK(p.status != EBB_XFER_OPTIMAL || p.bill.total <= best, "round %d: not optimal", i);
		proven += p.status == EBB_XFER_OPTIMAL;
		gaps += p.status == EBB_XFER_FEASIBLE;
	}
	printf("%d proven, %d with a gap, %d infeasible, %d undecided\n", proven, gaps, none, open);
	return 0;
}
