/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_round.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "policies/xfer_slots.h"
#include "policies/xfer_solve.h"

#define LEAST_SHARE 1e-7	/* what is below is noise */

/* All columns of one tree. */
struct way {
	const struct ebb_xfer_column *first;
	double share;
};

struct round {
	const struct ebb_xfer *x;
	struct ebb_arena *arena;
	struct ebb_xfer_slots slots;
	struct ebb_xfer_column **sorted;	/* by group */
	size_t *start;				/* per group: its first one; n_groups + 1 */
	struct way *ways;			/* of one group */
	size_t n_ways;
	struct ebb_xfer_tree *trees;
	/* the instance with the room that is left, for routing anew */
	struct ebb_xfer left;
	struct ebb_xfer_link *links;
	const ebb_xfer_num *none;
	struct ebb_xfer_solve_work *work;
	const int64_t *pool_price;
	struct ebb_err *err;
};

bool ebb_xfer_round_same(const struct ebb_xfer_tree *a, const struct ebb_xfer_tree *b)
{
	if (a->n_hops != b->n_hops || a->n_reads != b->n_reads)
		return false;
	for (size_t i = 0; i < a->n_hops; i++) {
		bool found = false;

		for (size_t j = 0; j < b->n_hops; j++)
			found |= a->hops[i].link == b->hops[j].link && a->hops[i].packed == b->hops[j].packed;
		if (!found)
			return false;
	}
	for (size_t i = 0; i < a->n_reads; i++) {
		bool found = false;

		for (size_t j = 0; j < b->n_reads; j++)
			found |= a->reads[i] == b->reads[j];
		if (!found)
			return false;
	}
	return true;
}

static int no_memory(struct round *r)
{
	return ebb_err_set(r->err, EBB_ENOMEM, "out of memory");
}

/* --- The ways of a group --- */

static int by_share(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	return (x->share < y->share) - (x->share > y->share);
}

/* Join the columns of @g to ways, the largest share first. */
static void find_ways(struct round *r, size_t g)
{
	r->n_ways = 0;
	for (size_t i = r->start[g]; i < r->start[g + 1]; i++) {
		const struct ebb_xfer_column *c = r->sorted[i];
		size_t w = 0;

		if (c->share < LEAST_SHARE)
			continue;
		while (w < r->n_ways && !ebb_xfer_round_same(&r->ways[w].first->tree, &c->tree))
			w++;
		if (w == r->n_ways)
			r->ways[r->n_ways++] = (struct way){c, 0};
		r->ways[w].share += c->share;
	}
	qsort(r->ways, r->n_ways, sizeof(*r->ways), by_share);
}

/* The timetable that the columns of a way make: per hop and slot, what share has travelled by its end. */
static double *guide(struct round *r, size_t g, const struct way *w)
{
	const struct ebb_xfer_tree *t = &w->first->tree;
	double *share = ebb_arena_calloc(r->arena, t->n_hops * r->x->n_slots + 1, sizeof(*share));

	for (size_t i = r->start[g]; share && i < r->start[g + 1]; i++) {
		const struct ebb_xfer_column *c = r->sorted[i];

		if (c->share < LEAST_SHARE || !ebb_xfer_round_same(t, &c->tree))
			continue;
		for (size_t h = 0; h < t->n_hops; h++)
			for (size_t k = 0; k < c->tree.n_hops; k++)
				if (c->tree.hops[k].link == t->hops[h].link)
					share[h * r->x->n_slots + c->slots[k]] += c->share / w->share;
	}
	for (size_t i = 0; share && i < t->n_hops * r->x->n_slots; i++)
		if (i % r->x->n_slots)
			share[i] += share[i - 1];
	return share;
}

/* Lay @t, a tree of @g, as the columns of @w say, or greedily where that finds no room. */
static int lay(struct round *r, size_t g, const struct ebb_xfer_tree *t, const struct way *w,
	       struct ebb_xfer_tree *ret)
{
	const double *share = w ? guide(r, g, w) : NULL;
	int bad = 1;

	if (w && !share)
		return -EBB_ENOMEM;
	if (share)
		bad = ebb_xfer_slots_add(&r->slots, &r->x->groups[g], t, share, r->arena, ret);
	if (bad == 1)
		bad = ebb_xfer_slots_add(&r->slots, &r->x->groups[g], t, NULL, r->arena, ret);
	return bad;
}

/* --- Groups that are split --- */

/* The volume of a share: a whole number of 10^-6 GB where it is near one. */
static ebb_xfer_num volume(double share, ebb_xfer_num whole)
{
	double v = share * (double)whole, near = 1e6 * round(v / 1e6);

	if (fabs(v - near) < 1e3 + 1e-13 * (double)whole)
		v = near;
	return v < 1 ? 1 : v >= (double)whole ? whole : (ebb_xfer_num)v;
}

/* The last way, which has the smallest share, takes what rounding leaves. */
static int lay_parts(struct round *r, size_t g)
{
	const struct ebb_xfer_group *group = &r->x->groups[g];
	struct ebb_xfer_tree *parts = ebb_arena_calloc(r->arena, r->n_ways + 1, sizeof(*parts));
	ebb_xfer_num left = group->gb;

	if (!parts)
		return -EBB_ENOMEM;
	for (size_t i = 0; i < r->n_ways; i++) {
		const struct way *w = &r->ways[i];
		struct ebb_xfer_tree t = w->first->tree;

		t.gb = i + 1 == r->n_ways ? left : volume(w->share, group->gb);
		if (t.gb > left || t.gb <= 0)
			return 1;
		left -= t.gb;
		int bad = lay(r, g, &t, w, &parts[i]);
		if (bad)
			return bad;
		if (i)
			parts[i - 1].next = &parts[i];
	}
	r->trees[g] = parts[0];
	return 0;
}

/* --- Routing anew --- */

/* Of links that have not the room for the whole group, none is left. */
static void close_links(struct round *r, const struct ebb_xfer_group *g)
{
	const struct ebb_xfer *x = r->x;

	for (size_t i = 0; i < x->n_links; i++) {
		ebb_xfer_num least = g->packed >= 0 && g->packed < g->gb ? g->packed : g->gb, sum = 0;
		const ebb_xfer_num *room = r->slots.room + i * x->n_slots;

		for (uint32_t s = 0; s <= g->last_slot && sum < least; s++)
			sum = room[s] >= EBB_XFER_MAX ? least : sum + room[s];
		r->links[i].capacity = sum < least ? r->none : room;
	}
}

static int route_anew(struct round *r, size_t g)
{
	const struct ebb_xfer_solve_ask ask = {.group = &r->x->groups[g], .pool_price = r->pool_price};
	struct ebb_xfer_solved one;

	close_links(r, ask.group);
	int bad = ebb_xfer_solve(r->work, &ask, r->arena, &one, r->err);
	if (bad < 0 || !one.feasible)
		return bad < 0 ? bad : 1;
	return lay(r, g, &one.tree, NULL, &r->trees[g]);
}

static int lay_group(struct round *r, size_t g)
{
	const struct ebb_xfer_group *group = &r->x->groups[g];
	int bad = 1;

	find_ways(r, g);
	if (group->may_split && group->n_dests == 1 && r->n_ways > 1)
		return lay_parts(r, g);
	for (size_t i = 0; bad == 1 && i < r->n_ways; i++)
		bad = lay(r, g, &r->ways[i].first->tree, &r->ways[i], &r->trees[g]);
	return bad == 1 ? route_anew(r, g) : bad;
}

/* --- All groups --- */

/* Sort columns by group. */
static int sort_columns(struct round *r, struct ebb_xfer_column *const *columns, size_t n)
{
	size_t most = 0;

	r->sorted = ebb_arena_calloc(r->arena, n + 1, sizeof(struct ebb_xfer_column *));
	r->start = ebb_arena_calloc(r->arena, r->x->n_groups + 2, sizeof(*r->start));
	if (!r->sorted || !r->start)
		return -EBB_ENOMEM;
	for (size_t i = 0; i < n; i++)
		r->start[columns[i]->group + 2]++;
	for (size_t g = 2; g < r->x->n_groups + 2; g++) {
		most = r->start[g] > most ? r->start[g] : most;
		r->start[g] += r->start[g - 1];
	}
	for (size_t i = 0; i < n; i++)
		r->sorted[r->start[columns[i]->group + 1]++] = columns[i];
	r->ways = ebb_arena_calloc(r->arena, most + 1, sizeof(*r->ways));
	return r->ways ? 0 : -EBB_ENOMEM;
}

struct turn {
	uint32_t group;
	bool unclear;
	ebb_xfer_num gb;
};

static int by_turn(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->unclear != y->unclear)
		return x->unclear - y->unclear;
	if (x->gb != y->gb)
		return x->gb < y->gb ? 1 : -1;
	return (x->group > y->group) - (x->group < y->group);
}

/* In which order groups are laid: first those that the shares leave no choice. */
static struct turn *order(struct round *r)
{
	struct turn *turns = ebb_arena_calloc(r->arena, r->x->n_groups + 1, sizeof(*turns));

	for (uint32_t g = 0; turns && g < r->x->n_groups; g++) {
		find_ways(r, g);
		bool split = r->x->groups[g].may_split && r->x->groups[g].n_dests == 1;
		turns[g] = (struct turn){g, !split && (r->n_ways == 0 || r->ways[0].share < 1 - 1e-6), r->x->groups[g].gb};
	}
	if (turns)
		qsort(turns, r->x->n_groups, sizeof(*turns), by_turn);
	return turns;
}

static int prepare(struct round *r)
{
	const struct ebb_xfer *x = r->x;
	int64_t *prices = ebb_arena_calloc(r->arena, x->n_pools + 1, sizeof(*prices));

	r->trees = ebb_arena_calloc(r->arena, x->n_groups + 1, sizeof(*r->trees));
	r->links = ebb_arena_calloc(r->arena, x->n_links + 1, sizeof(*r->links));
	r->none = ebb_arena_calloc(r->arena, x->n_slots + 1, sizeof(*r->none));
	if (!r->trees || !r->links || !r->none || !prices)
		return -EBB_ENOMEM;
	memcpy(r->links, x->links, x->n_links * sizeof(*r->links));
	for (size_t p = 0; p < x->n_pools; p++)
		prices[p] = x->pools[p].tiers[0].price;
	r->pool_price = prices;
	r->left = *x;
	r->left.links = r->links;
	r->work = ebb_xfer_solve_work_new(&r->left);
	return r->work ? ebb_xfer_slots_init(&r->slots, x, r->arena) : -EBB_ENOMEM;
}

static void release(struct round *r)
{
	ebb_xfer_solve_work_free(r->work);
}

int ebb_xfer_round(const struct ebb_xfer *x, struct ebb_xfer_column *const *columns, size_t n_columns,
		   struct ebb_arena *arena, const struct ebb_xfer_tree **ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct round r = {.x = x, .arena = arena, .err = err};
	int bad = prepare(&r);

	if (bad == 0)
		bad = sort_columns(&r, columns, n_columns);
	const struct turn *turns = bad == 0 ? order(&r) : NULL;
	if (!turns)
		return no_memory(&r);
	for (size_t i = 0; bad == 0 && i < x->n_groups; i++)
		bad = lay_group(&r, turns[i].group);
	if (bad == -EBB_ENOMEM)
		return no_memory(&r);
	if (bad == 0)
		*ret = r.trees;
	return bad;
}
