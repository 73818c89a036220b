/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_room.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "policies/xfer_check.h"
#include "policies/xfer_slots.h"

#define MAX_STEPS 2000000	/* of listing the trees of one group */
#define MAX_WAYS 5000		/* kept for one group */
#define MAX_COMBINED 2000000	/* combinations looked at */
#define MAX_LAID 20000		/* timetables tried */

/* A tree of a group: what it costs but for links and pools, and what it sends where. */
struct way {
	ebb_xfer_num base;		/* everything but links and pools */
	ebb_xfer_num alone;		/* with its links at their lowest prices */
	ebb_xfer_num *volume;		/* per link */
	struct ebb_xfer_tree tree;
};

struct search {
	const struct ebb_xfer *x;
	uint32_t first, last;		/* slots that any group may use */
	struct ebb_arena *arena;
	struct ebb_arena scratch;	/* for one timetable */
	struct ebb_xfer one;		/* the group being listed, without time */
	struct ebb_xfer_link *links;
	struct ebb_xfer_hop *hops;
	uint32_t *reads, *copies;
	long steps;
	struct way **ways;		/* per group */
	size_t *n_ways;
	ebb_xfer_num *rest;		/* per group: least cost of it and those behind it */
	ebb_xfer_num *volume;		/* per link, of what is chosen */
	ebb_xfer_num *pooled;
	struct ebb_xfer_tree *chosen;
	long combined, laid;
	ebb_xfer_num open;		/* least bound of what was not resolved */
	struct ebb_xfer_room best;
	struct ebb_err *err;
};

static int no_memory(struct search *s)
{
	return ebb_err_set(s->err, EBB_ENOMEM, "out of memory");
}

/* --- All trees of a group --- */

static int64_t lowest(const struct search *s, size_t link)
{
	const struct ebb_xfer_link *l = &s->x->links[link];
	int64_t least = INT64_MAX;

	for (uint32_t i = s->first; i <= s->last; i++)
		if (l->capacity[i] > 0 && l->price[i] < least)
			least = l->price[i];
	return least == INT64_MAX ? 0 : least;
}

/* Is @a no worse than @b, whatever else is sent? */
static bool dominates(const struct search *s, const struct way *a, const struct way *b)
{
	bool no_worse = a->base <= b->base;

	for (size_t l = 0; no_worse && l < s->x->n_links; l++)
		no_worse = a->volume[l] <= b->volume[l];
	return no_worse;
}

static void *copied(struct search *s, const void *p, size_t n, size_t size)
{
	return ebb_arena_memdup(s->arena, n ? p : NULL, n * size);
}

/* List a tree, when it is a plan for the group and no other one is better in every respect. 1: too many. */
static int list_tree(struct search *s, size_t g, const struct ebb_xfer_tree *t)
{
	struct ebb_xfer_bill bill;
	struct way w = {.volume = s->volume};

	if (ebb_xfer_check(&s->one, t, &bill, NULL) < 0)
		return 0;
	memset(w.volume, 0, s->x->n_links * sizeof(*w.volume));
	w.base = w.alone = bill.total - bill.links - bill.pools;
	for (size_t i = 0; i < t->n_hops; i++) {
		ebb_xfer_num v = t->hops[i].packed ? s->one.groups->packed : s->one.groups->gb;

		w.volume[t->hops[i].link] += v;
		w.alone += v * lowest(s, t->hops[i].link);
	}
	for (size_t i = 0; i < s->n_ways[g]; i++)
		if (dominates(s, &s->ways[g][i], &w))
			return 0;
	if (s->n_ways[g] == MAX_WAYS)
		return 1;
	w.volume = copied(s, w.volume, s->x->n_links, sizeof(*w.volume));
	w.tree = *t;
	w.tree.hops = copied(s, t->hops, t->n_hops, sizeof(*t->hops));
	w.tree.reads = copied(s, t->reads, t->n_reads, sizeof(*t->reads));
	w.tree.copies = copied(s, t->copies, t->n_copies, sizeof(*t->copies));
	if (!w.volume || !w.tree.hops || !w.tree.reads || !w.tree.copies)
		return no_memory(s);
	s->ways[g][s->n_ways[g]++] = w;
	return 0;
}

/* Site after site: it gets nothing, reads its replica, or has one hop, in either form. */
static int list_from(struct search *s, size_t g, uint32_t site, struct ebb_xfer_tree t)
{
	const struct ebb_xfer_group *group = s->one.groups;
	struct ebb_xfer_tree more = t;
	int r, forms = group->packed >= 0 ? 2 : 1;

	if (++s->steps > MAX_STEPS)
		return 1;
	if (site == s->x->n_sites)
		return list_tree(s, g, &t);
	if ((ebb_xfer_needs(group, site) && !group->choose ? 0 : (r = list_from(s, g, site + 1, t))))
		return r;
	if (ebb_xfer_replica_at(group, site)) {
		s->reads[more.n_reads++] = site;
		if (ebb_xfer_needs(group, site))
			s->copies[more.n_copies++] = site;
		if ((r = list_from(s, g, site + 1, more)))
			return r;
	}
	if (!s->x->sites[site].relay && !ebb_xfer_dest_at(group, site))
		return 0;
	for (uint32_t l = 0; l < s->x->n_links; l++)
		for (int packed = 0; s->x->links[l].to == site && packed < forms; packed++) {
			more = t;
			s->hops[more.n_hops++] = (struct ebb_xfer_hop){.link = l, .packed = packed};
			if ((r = list_from(s, g, site + 1, more)))
				return r;
		}
	return 0;
}

/* Replicas of @g that can be read within its slots, as if they were there from the start. */
static struct ebb_xfer_replica *in_time(struct search *s, const struct ebb_xfer_group *g, size_t *ret_n)
{
	struct ebb_xfer_replica *a = ebb_arena_calloc(s->arena, g->n_replicas + 1, sizeof(*a));

	*ret_n = 0;
	for (size_t i = 0; a && i < g->n_replicas; i++) {
		ebb_xfer_num start = 0;

		for (uint32_t slot = 0; slot < g->last_slot; slot++)
			start += s->x->slots[slot].hours;
		if (start < g->replicas[i].restore && !g->replicas[i].satisfies)
			continue;
		a[*ret_n] = g->replicas[i];
		a[(*ret_n)++].restore = start < g->replicas[i].restore ? INT64_MAX : 0;
	}
	return a;
}

static int by_cost(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	return (x->alone > y->alone) - (x->alone < y->alone);
}

/* Make the lists of all groups, cheapest first. 1: too many trees. */
static int list_all(struct search *s)
{
	int r = 0;

	for (size_t g = s->x->n_groups; r == 0 && g-- > 0;) {
		struct ebb_xfer_group group = s->x->groups[g];

		s->ways[g] = ebb_arena_calloc(s->arena, MAX_WAYS, sizeof(struct way));
		group.replicas = in_time(s, &s->x->groups[g], &group.n_replicas);
		if (!s->ways[g] || !group.replicas)
			return no_memory(s);
		group.last_slot = 0;
		s->one.groups = &group;
		s->steps = 0;
		r = list_from(s, g, 0, (struct ebb_xfer_tree){.hops = s->hops, .reads = s->reads, .copies = s->copies});
		qsort(s->ways[g], s->n_ways[g], sizeof(struct way), by_cost);
		s->rest[g] = s->rest[g + 1] + (s->n_ways[g] ? s->ways[g]->alone : 0);
	}
	return r;
}

/* --- Combining them --- */

/* What @volume costs on a link at least; EBB_XFER_MAX when it has not the room. */
static ebb_xfer_num fill(const struct search *s, size_t link, ebb_xfer_num volume)
{
	const struct ebb_xfer_link *l = &s->x->links[link];
	ebb_xfer_num cost = 0;
	int64_t above = -1;

	while (volume > 0) {
		int64_t next = INT64_MAX;

		for (uint32_t i = s->first; i <= s->last; i++)
			if (l->price[i] > above && l->price[i] < next && l->capacity[i] > 0)
				next = l->price[i];
		if (next == INT64_MAX)
			return EBB_XFER_MAX;
		for (uint32_t i = s->first; i <= s->last && volume > 0; i++)
			if (l->price[i] == next) {
				ebb_xfer_num v = volume < l->capacity[i] ? volume : l->capacity[i];

				cost += v * next;
				volume -= v;
			}
		above = next;
	}
	return cost;
}

/* No combination that goes on from here costs less; EBB_XFER_MAX: there is none. */
static ebb_xfer_num bound(struct search *s, size_t g, ebb_xfer_num base)
{
	ebb_xfer_num sum = base + s->rest[g];

	memset(s->pooled, 0, s->x->n_pools * sizeof(*s->pooled));
	for (size_t l = 0; l < s->x->n_links; l++) {
		ebb_xfer_num cost = s->volume[l] ? fill(s, l, s->volume[l]) : 0;

		if (cost == EBB_XFER_MAX)
			return cost;
		sum += cost;
		if (s->x->links[l].pool != EBB_XFER_NONE)
			s->pooled[s->x->links[l].pool] += s->volume[l];
	}
	for (size_t p = 0; p < s->x->n_pools; p++)
		sum += ebb_xfer_pool_charge(&s->x->pools[p], s->pooled[p]);
	return sum;
}

/* Try a timetable for the trees chosen, which cost at least @least. */
static int lay(struct search *s, ebb_xfer_num least)
{
	const struct ebb_xfer_tree *trees;
	struct ebb_xfer_bill bill;
	int r = 1;

	ebb_arena_release(&s->scratch);
	ebb_arena_init(&s->scratch, 0);
	if (s->laid++ < MAX_LAID)
		r = ebb_xfer_slots_lay(s->x, s->chosen, &s->scratch, &trees, s->err);
	if (r == 0)
		r = ebb_xfer_check(s->x, trees, &bill, NULL) < 0;
	if (r < 0)
		return r;
	if ((r || bill.total > least) && least < s->open)
		s->open = least;
	if (r || (s->best.feasible && bill.total >= s->best.cost))
		return 0;
	s->best.feasible = true;
	s->best.cost = bill.total;
	r = ebb_xfer_slots_lay(s->x, s->chosen, s->arena, &s->best.trees, s->err);
	return r < 0 ? r : 0;
}

/* 1: too many combinations. */
static int combine(struct search *s, size_t g, ebb_xfer_num base)
{
	ebb_xfer_num least = bound(s, g, base);
	int r = 0;

	if (++s->combined > MAX_COMBINED)
		return 1;
	if (least == EBB_XFER_MAX || (s->best.feasible && least >= s->best.cost))
		return 0;
	if (g == s->x->n_groups)
		return lay(s, least);
	for (size_t i = 0; r == 0 && i < s->n_ways[g]; i++) {
		const struct way *w = &s->ways[g][i];

		for (size_t l = 0; l < s->x->n_links; l++)
			s->volume[l] += w->volume[l];
		s->chosen[g] = w->tree;
		r = combine(s, g + 1, base + w->base);
		for (size_t l = 0; l < s->x->n_links; l++)
			s->volume[l] -= w->volume[l];
	}
	return r;
}

static bool prepare(struct search *s)
{
	const struct ebb_xfer *x = s->x;
	size_t n = x->n_groups + 1;

	s->links = ebb_arena_calloc(s->arena, x->n_links + 1, sizeof(*s->links));
	s->hops = ebb_arena_calloc(s->arena, x->n_sites + 1, sizeof(*s->hops));
	s->reads = ebb_arena_calloc(s->arena, x->n_sites + 1, sizeof(*s->reads));
	s->copies = ebb_arena_calloc(s->arena, x->n_sites + 1, sizeof(*s->copies));
	s->ways = ebb_arena_calloc(s->arena, n, sizeof(struct way *));
	s->n_ways = ebb_arena_calloc(s->arena, n, sizeof(*s->n_ways));
	s->rest = ebb_arena_calloc(s->arena, n, sizeof(*s->rest));
	s->volume = ebb_arena_calloc(s->arena, x->n_links + 1, sizeof(*s->volume));
	s->pooled = ebb_arena_calloc(s->arena, x->n_pools + 1, sizeof(*s->pooled));
	s->chosen = ebb_arena_calloc(s->arena, n, sizeof(*s->chosen));
	if (!s->links || !s->hops || !s->reads || !s->copies || !s->ways || !s->n_ways || !s->rest ||
	    !s->volume || !s->pooled || !s->chosen)
		return false;
	static const ebb_xfer_num endless = EBB_XFER_MAX;
	for (size_t i = 0; i < x->n_links; i++) {
		s->links[i] = x->links[i];
		s->links[i].capacity = &endless;
	}
	s->one = *x;
	s->one.links = s->links;
	s->one.n_slots = s->one.n_groups = 1;
	return true;
}

static void release(struct search *s)
{
	ebb_arena_release(&s->scratch);
}

int ebb_xfer_room_solve(const struct ebb_xfer *x, struct ebb_arena *arena, struct ebb_xfer_room *ret,
			struct ebb_err *err)
{
	EBB_CLEANUP(release) struct search s = {.x = x, .arena = arena, .open = EBB_XFER_MAX, .err = err};

	s.first = (uint32_t)x->n_slots;
	for (size_t g = 0; g < x->n_groups; g++) {
		uint32_t first = ebb_xfer_first_slot(x, &x->groups[g]);

		if (x->groups[g].may_split)
			return 1;
		s.first = first < s.first ? first : s.first;
		s.last = x->groups[g].last_slot > s.last ? x->groups[g].last_slot : s.last;
	}
	if (!prepare(&s))
		return no_memory(&s);
	int r = list_all(&s);
	memset(s.volume, 0, x->n_links * sizeof(*s.volume));
	if (r == 0)
		r = combine(&s, 0, 0);
	if (r)
		return r;
	if (!s.best.feasible && s.open < EBB_XFER_MAX)
		return 1;
	s.best.bound = s.open < s.best.cost ? s.open : s.best.cost;
	*ret = s.best;
	return 0;
}
