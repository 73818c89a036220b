/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planning transfers at scale, one core: many groups over 71 regions, with nothing that couples them, with links that have less
 * room than the cheapest plan wants, with pools that get cheaper by volume; and adding up records into groups. Prices are drawn
 * in the manner of list prices (few values, many ties). Prints a table; judges nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "policies/xfer_plan.h"
#include "policies/xfer_sum.h"
#include "tests/support/prng.h"

enum { SITES = 71, LINKS = SITES * (SITES - 1), GROUPS = 10000, POOLS = 8, CAPPED = 60 };

#define GB ((ebb_xfer_num)EBB_XFER_ONE)
#define USD(cents) ((int64_t)(cents)*EBB_XFER_ONE / 1000)	/* tenths of a cent */

static struct ebb_xfer_site sites[SITES];
static struct ebb_xfer_link links[LINKS];
static int64_t prices[LINKS];
static ebb_xfer_num rooms[LINKS];
static struct ebb_xfer_group groups[GROUPS];
static struct ebb_xfer_replica replicas[GROUPS][3];
static struct ebb_xfer_dest dests[GROUPS][5];
static struct ebb_xfer_pool pools[POOLS];
static struct ebb_xfer_slot slot = {"", 24 * EBB_XFER_ONE};
static struct ebb_xfer x = {
	.slots = &slot, .sites = sites, .links = links, .groups = groups, .pools = pools,
	.n_slots = 1, .n_sites = SITES, .n_links = LINKS, .n_groups = GROUPS,
};
static struct ebb_prng rnd = {7};

/* Seconds of this thread's core: other load does not count. */
static double cpu(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)ebb_prng_below(&rnd, n);
}

/* Three clouds; continents; what leaves a cloud costs by where it starts. */
static void draw_grid(void)
{
	static const int out[] = {87, 90, 90, 110, 120, 154};
	int cloud[SITES], land[SITES], leave[SITES];
	size_t l = 0;

	for (int s = 0; s < SITES; s++) {
		cloud[s] = s % 3;
		land[s] = (int)below(5);
		leave[s] = out[below(6)];
		sites[s] = (struct ebb_xfer_site){.id = "region", .relay = true, .get = 400000, .put = 5000000, .compress = -1, .decompress = -1};
	}
	for (uint32_t a = 0; a < SITES; a++)
		for (uint32_t b = 0; b < SITES; b++) {
			if (a == b)
				continue;
			prices[l] = USD(cloud[a] != cloud[b] ? leave[a] : land[a] == land[b] ? 20 : 50 + 10 * cloud[a]);
			rooms[l] = EBB_XFER_MAX;
			links[l] = (struct ebb_xfer_link){a, b, EBB_XFER_NONE, &prices[l], &rooms[l], NULL};
			l++;
		}
}

static void draw_groups(size_t n)
{
	x.n_groups = n;
	for (size_t i = 0; i < n; i++) {
		bool used[SITES] = {false};
		struct ebb_xfer_group *g = &groups[i];

		*g = (struct ebb_xfer_group){.id = "g", .gb = (10 + below(990)) * GB, .packed = -1, .objects = (1 + below(100000)) * GB};
		g->n_replicas = 1 + below(3);
		g->n_dests = 1 + below(5);
		g->replicas = replicas[i];
		g->dests = dests[i];
		for (size_t k = 0; k < g->n_replicas + g->n_dests; k++) {
			uint32_t s;

			do
				s = below(SITES);
			while (used[s]);
			used[s] = true;
			if (k < g->n_replicas)
				replicas[i][k] = (struct ebb_xfer_replica){.site = s, .satisfies = true};
			else
				dests[i][k - g->n_replicas] = (struct ebb_xfer_dest){s, 1};
		}
	}
}

static struct ebb_xfer_plan plan(const char *what, struct ebb_arena *arena)
{
	struct ebb_xfer_plan p = {0};
	struct ebb_err err = {0};
	double begin = cpu();
	int r = ebb_xfer_plan(&x, arena, &p, &err);
	double took = cpu() - begin;

	if (r < 0) {
		fprintf(stderr, "b_xfer: %s: %s\n", what, err.msg);
		exit(1);
	}
	double gap = (double)(p.bill.total - p.lower_bound) / (double)(p.bill.total + 1);
	printf("%-52s %6.2f CPU s  %-9s gap %.1e  saves %4.1f %% against direct  %s\n", what, took, ebb_xfer_plan_status(p.status), gap,
	       100 * (1 - (double)p.bill.total / (double)(p.direct_first + 1)), p.method);
	return p;
}

/* The links that @p uses most get 40 % of the room that it wants. */
static void narrow(const struct ebb_xfer_plan *p)
{
	static ebb_xfer_num used[LINKS];

	memset(used, 0, sizeof(used));
	for (size_t g = 0; g < x.n_groups; g++)
		for (size_t h = 0; h < p->trees[g].n_hops; h++)
			used[p->trees[g].hops[h].link] += groups[g].gb;
	for (int i = 0; i < CAPPED; i++) {
		size_t most = 0;

		for (size_t l = 1; l < LINKS; l++)
			most = used[l] > used[most] ? l : most;
		rooms[most] = used[most] * 2 / 5;
		used[most] = 0;
	}
}

/* The egress of a third of the sites, in pools of their own. */
static void pool(void)
{
	static const struct ebb_xfer_tier tiers[] = {
		{10240 * GB, USD(90)}, {51200 * GB, USD(85)}, {153600 * GB, USD(70)}, {EBB_XFER_MAX, USD(50)},
	};

	x.n_pools = POOLS;
	for (size_t p = 0; p < POOLS; p++)
		pools[p] = (struct ebb_xfer_pool){"pool", 0, tiers, 4, NULL};
	for (size_t l = 0; l < LINKS; l++)
		if (links[l].from < 3 * POOLS) {
			links[l].pool = links[l].from / 3;
			prices[l] = 0;
		}
}

static void sums(void)
{
	enum { RECORDS = 100000000 };
	struct ebb_xfer_sum *s = ebb_xfer_sum_new(1 << 20);
	double begin = cpu();
	size_t n = 0;

	for (size_t i = 0; s && i < RECORDS; i++) {
		uint64_t r = ebb_prng_next(&rnd);

		if (ebb_xfer_sum_add(s, 1 + (r & 7), 256 << (r >> 3 & 7), r >> 6 & 15, (int64_t)(r >> (30 + (r >> 10 & 15))), 1, NULL) < 0)
			exit(1);
	}
	if (s)
		ebb_xfer_sum_rows(s, &n);
	printf("%-52s %6.2f CPU s  %zu groups\n", "100 M records added up", cpu() - begin, n);
	ebb_xfer_sum_free(s);
}

int main(void)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ebb_arena_init(&arena, 0);
	draw_grid();
	draw_groups(GROUPS);
	struct ebb_xfer_plan p = plan("10,000 groups, 71 regions, 1-5 to, 1-3 from", &arena);
	narrow(&p);
	plan("the same, 60 links with 40 % of the room", &arena);
	for (size_t l = 0; l < LINKS; l++)
		rooms[l] = EBB_XFER_MAX;
	pool();
	draw_groups(1000);
	plan("1,000 groups, 8 pools with 4 tiers", &arena);
	sums();
	return 0;
}
