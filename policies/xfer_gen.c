/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_gen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "policies/xfer_lp.h"
#include "policies/xfer_round.h"

#define MAX_ROUNDS 500
#define LP_EFFORT 20000		/* what solving the programme takes, per row and column, where an arc takes 1 */
#define MAX_EFFORT 2e10	/* about a minute */
#define FIRST_PENALTY 1e3	/* of prices, for what flows over; raised where that is not enough */

static int no_memory(struct ebb_xfer_gen *s)
{
	return ebb_err_set(s->err, EBB_ENOMEM, "out of memory");
}

static double usd(ebb_xfer_num v)
{
	return (double)v / (double)EBB_XFER_ONE / (double)EBB_XFER_ONE;
}

/* --- Columns --- */

static bool same(const struct ebb_xfer_column *c, const struct ebb_xfer_solved *w)
{
	bool equal = ebb_xfer_round_same(&c->tree, &w->tree);

	for (size_t i = 0; equal && i < w->tree.n_hops; i++)
		for (size_t j = 0; j < w->tree.n_hops; j++)
			if (c->tree.hops[j].link == w->tree.hops[i].link)
				equal &= c->slots[j] == w->slots[i];
	return equal;
}

/* Keep a way. NULL: no memory. */
static struct ebb_xfer_column *keep(struct ebb_xfer_gen *s, uint32_t g, const struct ebb_xfer_solved *w)
{
	struct ebb_xfer_column *c = ebb_arena_calloc(s->arena, 1, sizeof(*c));
	const struct ebb_xfer_tree *t = &w->tree;

	if (!c)
		return NULL;
	c->group = g;
	c->cost = w->list_cost;
	c->tree = *t;
	c->tree.hops = (const void *)ebb_arena_memdup(s->arena, t->hops, t->n_hops * sizeof(*t->hops));
	c->tree.reads = (const void *)ebb_arena_memdup(s->arena, t->reads, t->n_reads * sizeof(*t->reads));
	c->tree.copies = (const void *)ebb_arena_memdup(s->arena, t->copies, t->n_copies * sizeof(*t->copies));
	c->slots = (const void *)ebb_arena_memdup(s->arena, w->slots, t->n_hops * sizeof(*w->slots));
	if (!c->tree.hops || !c->tree.reads || !c->tree.copies || !c->slots)
		return NULL;
	if (s->n_columns == s->room) {
		struct ebb_xfer_column **more = reallocarray(s->columns, 2 * s->room + 64, sizeof(*more));

		if (!more)
			return NULL;
		s->columns = more;
		s->room = 2 * s->room + 64;
	}
	s->columns[s->n_columns++] = c;
	return c;
}

/* Does it keep to what is decided about its group? */
static bool fits(const struct ebb_xfer_column *c, const struct ebb_xfer_gen_case *k)
{
	for (size_t i = k->start[c->group]; i < k->start[c->group + 1]; i++) {
		const struct ebb_xfer_solve_fix *f = &k->fixes[i];
		bool has = false;

		for (size_t h = 0; f->way != EBB_XFER_SOLVE_READ && h < c->tree.n_hops; h++)
			has |= c->tree.hops[h].link == f->link &&
			       c->tree.hops[h].packed == (f->way == EBB_XFER_SOLVE_PACKED);
		for (size_t j = 0; f->way == EBB_XFER_SOLVE_READ && j < c->tree.n_reads; j++)
			has |= c->tree.reads[j] == f->site;
		if (has != f->must)
			return false;
	}
	return true;
}

/* --- Pricing --- */

static int ask(struct ebb_xfer_gen *s, uint32_t g, const struct ebb_xfer_gen_case *k, const int64_t *pool,
	       const int64_t *room, bool room_only, struct ebb_xfer_solved *ret)
{
	const struct ebb_xfer_solve_ask a = {
		.group = &s->x->groups[g], .pool_price = pool, .room_price = room, .room_only = room_only,
		.fixes = k ? k->fixes + k->start[g] : NULL, .n_fixes = k ? k->start[g + 1] - k->start[g] : 0,
	};
	size_t terms = a.group->n_dests < 12 ? a.group->n_dests : 12;

	s->effort += (double)((s->x->n_links + s->x->n_sites) << terms);
	return ebb_xfer_solve(s->work, &a, &s->scratch, ret, s->err);
}

/* Is the cheapest way without any such prices untouched by them? Then it is the cheapest now, too. */
static bool untouched(const struct ebb_xfer_gen *s, uint32_t g)
{
	const struct ebb_xfer_column *c = s->base[g];
	bool touched = false;

	for (size_t h = 0; h < c->tree.n_hops; h++) {
		uint32_t link = c->tree.hops[h].link, p = s->x->links[link].pool;

		touched |= s->master.room_price[(size_t)link * s->x->n_slots + c->slots[h]] > 0;
		touched |= p != EBB_XFER_NONE && s->master.pool_price[p] > 0;
	}
	return !touched;
}

/* Price one group: add to the bound, and to the programme when it is worth it. 1 when it was; -EBB_ENOMEM. */
static int price_group(struct ebb_xfer_gen *s, uint32_t g, const struct ebb_xfer_gen_case *k,
		       enum ebb_xfer_master_goal goal, ebb_xfer_num *bound)
{
	const struct ebb_xfer_master *m = &s->master;
	double dual = m->group_dual[g];
	struct ebb_xfer_solved one;

	if (k->start[g] == k->start[g + 1] && untouched(s, g)) {
		*bound += goal == EBB_XFER_MASTER_FIT ? 0 : s->base_bound[g];
		return 0;
	}
	int r = ask(s, g, k, m->pool_price, m->room_price, goal == EBB_XFER_MASTER_FIT, &one);
	if (r < 0)
		return r;
	if (!one.feasible)
		return 0;	/* cannot be: it has a column */
	*bound += one.bound;
	if (usd(one.cost) >= dual - 1e-9 * fmax(1, fabs(dual)))
		return 0;
	for (size_t i = 0; i < m->n_columns; i++)
		if (m->columns[i]->group == g && same(m->columns[i], &one))
			return 0;
	struct ebb_xfer_column *c = keep(s, g, &one);
	return !c || ebb_xfer_master_add(&s->master, c) < 0 ? no_memory(s) : 1;
}

/* What room and pools take off the bound at the master's prices. */
static ebb_xfer_num price_terms(const struct ebb_xfer_gen *s, const struct ebb_xfer_gen_case *k,
				enum ebb_xfer_master_goal goal)
{
	const struct ebb_xfer_master *m = &s->master;
	const struct ebb_xfer *x = s->x;
	ebb_xfer_num sum = 0;

	for (size_t i = 0; i < x->n_links * x->n_slots; i++)
		if (m->room_price[i])
			sum -= x->links[i / x->n_slots].capacity[i % x->n_slots] * m->room_price[i];
	for (size_t p = 0; p < x->n_pools; p++) {
		const struct ebb_xfer_pool *pool = &x->pools[p];
		ebb_xfer_num least = EBB_XFER_MAX;

		for (size_t i = 0; i <= pool->n_tiers; i++) {
			ebb_xfer_num v = i == 0 ? k->lo[p] : i == pool->n_tiers ? k->hi[p] : pool->tiers[i - 1].upto - pool->already;

			if (v < k->lo[p] || v > k->hi[p])
				continue;
			ebb_xfer_num charge = goal == EBB_XFER_MASTER_FIT ? 0 : ebb_xfer_pool_charge(pool, v);
			least = charge - v * m->pool_price[p] < least ? charge - v * m->pool_price[p] : least;
		}
		sum += least;
	}
	return sum;
}

/* Price all groups. Returns how many columns were added. */
static int price_all(struct ebb_xfer_gen *s, const struct ebb_xfer_gen_case *k, enum ebb_xfer_master_goal goal,
		     ebb_xfer_num *bound)
{
	int added = 0;

	ebb_arena_release(&s->scratch);
	ebb_arena_init(&s->scratch, 0);
	*bound = price_terms(s, k, goal);
	for (uint32_t g = 0; g < s->x->n_groups; g++) {
		int r = price_group(s, g, k, goal, bound);

		if (r < 0)
			return r;
		added += r;
	}
	return added;
}

/* --- One case --- */

/* Columns that fit into the programme; every group has one. 1: a group has none. */
static int fill(struct ebb_xfer_gen *s, const struct ebb_xfer_gen_case *k)
{
	EBB_CLEANUP(ebb_mem_freep) bool *has = calloc(s->x->n_groups + 1, sizeof(*has));
	EBB_CLEANUP(ebb_mem_freep) int64_t *zero = calloc(s->x->n_pools + 1, sizeof(*zero));

	if (!has || !zero || ebb_xfer_master_begin(&s->master, k->lo, k->hi) < 0)
		return no_memory(s);
	for (size_t i = 0; i < s->n_columns; i++)
		if (fits(s->columns[i], k)) {
			has[s->columns[i]->group] = true;
			if (ebb_xfer_master_add(&s->master, s->columns[i]) < 0)
				return no_memory(s);
		}
	for (uint32_t g = 0; g < s->x->n_groups; g++) {
		struct ebb_xfer_solved one;

		if (has[g])
			continue;
		int r = ask(s, g, k, zero, NULL, false, &one);
		if (r < 0 || !one.feasible)
			return r < 0 ? r : 1;
		struct ebb_xfer_column *c = keep(s, g, &one);
		if (!c || ebb_xfer_master_add(&s->master, c) < 0)
			return no_memory(s);
	}
	return 0;
}

struct prices {
	int64_t *room, *pool;
};

static void keep_prices(const struct ebb_xfer_gen *s, const struct prices *p)
{
	if (p->room)
		memcpy(p->room, s->master.room_price, s->x->n_links * s->x->n_slots * sizeof(*p->room));
	if (p->pool)
		memcpy(p->pool, s->master.pool_price, s->x->n_pools * sizeof(*p->pool));
}

/* Programme and pricing in turn, until nothing is added or the bound is good enough. */
static int rounds(struct ebb_xfer_gen *s, const struct ebb_xfer_gen_case *k, enum ebb_xfer_master_goal goal,
		  double penalty, const struct prices *best, struct ebb_xfer_gen_result *ret)
{
	ebb_xfer_num bound;

	ret->solved = false;
	ret->bound = 0;
	for (int i = 0; i < MAX_ROUNDS && s->effort < s->max_effort; i++) {
		int r = ebb_xfer_master_solve(&s->master, goal, penalty);

		s->effort += LP_EFFORT * (double)(s->master.n_columns + s->x->n_groups);
		if (r)
			return r < 0 ? no_memory(s) : 0;
		if ((r = price_all(s, k, goal, &bound)) < 0)
			return r;
		if (bound > ret->bound || i == 0) {
			ret->bound = bound > ret->bound ? bound : ret->bound;
			keep_prices(s, best);
		}
		ret->solved = r == 0 || s->master.objective - usd(ret->bound) <= 1e-10 * s->master.objective + 1e-9;
		if (ret->solved || (goal == EBB_XFER_MASTER_COST && ret->bound >= k->cutoff))
			return r < 0 ? r : 0;
	}
	return 0;
}

int ebb_xfer_gen_run(struct ebb_xfer_gen *s, const struct ebb_xfer_gen_case *k, int64_t *best_room,
		     int64_t *best_pool, struct ebb_xfer_gen_result *ret)
{
	const struct prices best = {best_room, best_pool}, none = {NULL, NULL};
	double penalty = FIRST_PENALTY;
	struct ebb_xfer_gen_result fit;
	int r = fill(s, k);

	*ret = (struct ebb_xfer_gen_result){0};
	if (r)
		return r < 0 ? r : 0;
	ret->feasible = true;
	for (int raised = 0; raised < 3; raised++, penalty *= 1e3) {
		if ((r = rounds(s, k, EBB_XFER_MASTER_COST, penalty, &best, ret)) < 0)
			return r;
		if (!ret->solved || s->master.over <= 1e-7)
			return 0;
		/* something flows over: must it? */
		if ((r = rounds(s, k, EBB_XFER_MASTER_FIT, penalty, &none, &fit)) < 0)
			return r;
		if (fit.bound > EBB_XFER_ONE) {
			ret->feasible = false;
			ret->short_by = fit.bound / EBB_XFER_ONE;
			return 0;
		}
	}
	ret->solved = false;
	return 0;
}

/* --- Making it --- */

int ebb_xfer_gen_init(struct ebb_xfer_gen *s, const struct ebb_xfer *x, struct ebb_arena *arena, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) int64_t *zero = calloc(x->n_pools + 1, sizeof(*zero));

	*s = (struct ebb_xfer_gen){.x = x, .arena = arena, .err = err, .max_effort = MAX_EFFORT};
	ebb_arena_init(&s->scratch, 0);
	if (!ebb_xfer_lp_built())
		return 1;
	s->work = ebb_xfer_solve_work_new(x);
	s->base = ebb_arena_calloc(arena, x->n_groups + 1, sizeof(struct ebb_xfer_column *));
	s->base_bound = ebb_arena_calloc(arena, x->n_groups + 1, sizeof(*s->base_bound));
	if (!zero || !s->work || !s->base || !s->base_bound || ebb_xfer_master_init(&s->master, x) < 0)
		return no_memory(s);
	for (uint32_t g = 0; g < x->n_groups; g++) {
		struct ebb_xfer_solved one;
		int r = ask(s, g, NULL, zero, NULL, false, &one);

		if (r < 0 || !one.feasible)
			return r < 0 ? r : 2;
		s->base[g] = keep(s, g, &one);
		s->base_bound[g] = one.bound;
		if (!s->base[g])
			return no_memory(s);
	}
	return 0;
}

void ebb_xfer_gen_release(struct ebb_xfer_gen *s)
{
	ebb_xfer_master_release(&s->master);
	ebb_xfer_solve_work_free(s->work);
	ebb_arena_release(&s->scratch);
	free(s->columns);
}
