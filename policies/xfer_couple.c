/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_couple.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "policies/xfer_check.h"
#include "policies/xfer_gen.h"
#include "policies/xfer_round.h"

#define USUAL_CASES 20000
#define BRANCH_EFFORT 2e9	/* a few seconds, and a quarter of what the root took: large instances end with a small gap */
#define NOISE 1e-6	/* of a share: what is nearer to 0 or 1 is 0 or 1 */

/* A case: what its parent has decided, and one thing more. */
struct node {
	ebb_xfer_num bound;
	uint32_t parent;		/* EBB_XFER_NONE: the root */
	uint32_t group;			/* EBB_XFER_NONE: a pool was cut, see lo and hi */
	struct ebb_xfer_solve_fix fix;
	const ebb_xfer_num *lo, *hi;	/* per pool */
};

struct search {
	const struct ebb_xfer *x;
	const struct ebb_xfer_couple_ask *ask;
	struct ebb_arena *arena;
	struct ebb_arena scratch;	/* for one rounding */
	struct ebb_xfer_gen gen;
	struct node *nodes;		/* all */
	uint32_t *open;			/* those that wait */
	size_t n_nodes, n_open, room;
	struct ebb_xfer_solve_fix *fixes;	/* of the case at hand, by group */
	size_t *start;
	double *x_hop[2], *x_read;	/* shares by way: per link, original and compressed; per site */
	int64_t *room_price, *pool_price;	/* at the root */
	ebb_xfer_num residual;		/* least bound of what was put aside */
	struct ebb_xfer_couple best;
	struct ebb_err *err;
};

static int no_memory(struct search *s)
{
	return ebb_err_set(s->err, EBB_ENOMEM, "out of memory");
}

/* What a bound may be below the cost and still prove it. */
static ebb_xfer_num slack(ebb_xfer_num cost)
{
	return cost / 1000000000 + (ebb_xfer_num)EBB_XFER_ONE * 1000;
}

bool ebb_xfer_couple_proven(ebb_xfer_num bound, ebb_xfer_num cost)
{
	return bound >= cost - slack(cost);
}

/* --- The case at hand --- */

/* Bring the decisions of a case into the order of groups. */
static int gather(struct search *s, const struct node *n)
{
	size_t groups = s->x->n_groups, count = 0;

	memset(s->start, 0, (groups + 2) * sizeof(*s->start));
	for (const struct node *a = n;; a = &s->nodes[a->parent]) {
		if (a->group != EBB_XFER_NONE) {
			s->start[a->group + 2]++;
			count++;
		}
		if (a->parent == EBB_XFER_NONE)
			break;
	}
	struct ebb_xfer_solve_fix *more = reallocarray(s->fixes, count + 1, sizeof(*more));
	if (!more)
		return no_memory(s);
	s->fixes = more;
	for (size_t g = 2; g < groups + 2; g++)
		s->start[g] += s->start[g - 1];
	for (const struct node *a = n;; a = &s->nodes[a->parent]) {
		if (a->group != EBB_XFER_NONE)
			s->fixes[s->start[a->group + 1]++] = a->fix;
		if (a->parent == EBB_XFER_NONE)
			break;
	}
	return 0;
}

/* A plan from the shares; the best one is kept. */
static int try_plan(struct search *s)
{
	const struct ebb_xfer_master *m = &s->gen.master;
	const struct ebb_xfer_tree *trees;
	struct ebb_xfer_bill bill;

	ebb_arena_release(&s->scratch);
	ebb_arena_init(&s->scratch, 0);
	int r = ebb_xfer_round(s->x, m->columns, m->n_columns, &s->scratch, &trees, s->err);
	if (r)
		return r < 0 ? r : 0;
	if (ebb_xfer_check(s->x, trees, &bill, NULL) < 0 || (s->best.feasible && bill.total >= s->best.cost))
		return 0;
	if ((r = ebb_xfer_round(s->x, m->columns, m->n_columns, s->arena, &s->best.trees, s->err)) < 0)
		return r;
	s->best.feasible = true;
	s->best.cost = bill.total;
	return 0;
}

/* --- What to cut --- */

/* The pool whose hull is farthest below its charge, and the tier's end nearest to its volume. */
static uint32_t choose_pool(const struct search *s, const struct node *n, ebb_xfer_num *ret_cut)
{
	const struct ebb_xfer_master *m = &s->gen.master;
	uint32_t found = EBB_XFER_NONE;
	double widest = 1e-9;

	for (uint32_t p = 0; p < s->x->n_pools; p++) {
		const struct ebb_xfer_pool *pool = &s->x->pools[p];
		ebb_xfer_num cut = -1, volume = 0;
		double v = 0;

		for (size_t i = 0; i < m->n_columns; i++)
			for (size_t h = 0; h < m->columns[i]->tree.n_hops; h++) {
				const struct ebb_xfer_hop *hop = &m->columns[i]->tree.hops[h];
				const struct ebb_xfer_group *g = &s->x->groups[m->columns[i]->group];

				if (s->x->links[hop->link].pool == p)
					v += m->columns[i]->share * (double)(hop->packed ? g->packed : g->gb);
			}
		volume = (ebb_xfer_num)v;
		double gap = (double)ebb_xfer_pool_charge(pool, volume) / 1e24 - m->pool_charge[p];
		for (size_t i = 0; i + 1 < pool->n_tiers; i++) {
			ebb_xfer_num end = pool->tiers[i].upto - pool->already;
			ebb_xfer_num far = end < volume ? volume - end : end - volume;

			if (end > n->lo[p] && end < n->hi[p] && (cut < 0 || far < (cut < volume ? volume - cut : cut - volume)))
				cut = end;
		}
		if (cut >= 0 && gap > widest) {
			widest = gap;
			found = p;
			*ret_cut = cut;
		}
	}
	return found;
}

/* Shares of one group by the ways into sites; to 0 again with @on false. */
static void add_shares(struct search *s, const struct ebb_xfer_column *c, bool on)
{
	for (size_t h = 0; h < c->tree.n_hops; h++) {
		double *at = &s->x_hop[c->tree.hops[h].packed][c->tree.hops[h].link];

		*at = on ? *at + c->share : 0;
	}
	for (size_t i = 0; i < c->tree.n_reads; i++)
		s->x_read[c->tree.reads[i]] = on ? s->x_read[c->tree.reads[i]] + c->share : 0;
}

/* How undecided a share is. */
static double openness(double share)
{
	double v = fmin(share, 1 - share);

	return v < NOISE ? 0 : v;
}

/* The most undecided way of a group, into @fix; returns how undecided it is. */
static double choose_way(const struct search *s, const struct ebb_xfer_column *c, struct ebb_xfer_solve_fix *fix)
{
	double most = 0;

	for (size_t h = 0; h < c->tree.n_hops; h++) {
		const struct ebb_xfer_hop *hop = &c->tree.hops[h];
		double v = openness(s->x_hop[hop->packed][hop->link]);

		if (v <= most)
			continue;
		most = v;
		*fix = (struct ebb_xfer_solve_fix){
			.site = s->x->links[hop->link].to, .link = hop->link,
			.way = hop->packed ? EBB_XFER_SOLVE_PACKED : EBB_XFER_SOLVE_PLAIN,
		};
	}
	for (size_t i = 0; i < c->tree.n_reads; i++) {
		double v = openness(s->x_read[c->tree.reads[i]]);

		if (v > most) {
			most = v;
			*fix = (struct ebb_xfer_solve_fix){.site = c->tree.reads[i], .way = EBB_XFER_SOLVE_READ};
		}
	}
	return most;
}

static int by_group(const void *a, const void *b)
{
	const struct ebb_xfer_column *x = *(struct ebb_xfer_column *const *)a, *y = *(struct ebb_xfer_column *const *)b;

	return (x->group > y->group) - (x->group < y->group);
}

/* The group, among those that may not be split, of which most is undecided. */
static uint32_t choose_group(struct search *s, struct ebb_xfer_solve_fix *ret)
{
	struct ebb_xfer_master *m = &s->gen.master;
	uint32_t found = EBB_XFER_NONE;
	double most = 0;

	qsort(m->columns, m->n_columns, sizeof(struct ebb_xfer_column *), by_group);
	for (size_t i = 0, end; i < m->n_columns; i = end) {
		uint32_t g = m->columns[i]->group;
		const struct ebb_xfer_group *group = &s->x->groups[g];
		struct ebb_xfer_solve_fix fix = {0};

		for (end = i; end < m->n_columns && m->columns[end]->group == g; end++)
			add_shares(s, m->columns[end], true);
		for (size_t j = i; j < end && !(group->may_split && group->n_dests == 1); j++) {
			double v = m->columns[j]->share > NOISE ? choose_way(s, m->columns[j], &fix) : 0;

			v *= 1 + (double)group->gb / 1e12;
			if (v > most) {
				most = v;
				found = g;
				*ret = fix;
			}
		}
		for (size_t j = i; j < end; j++)
			add_shares(s, m->columns[j], false);
	}
	return found;
}

/* --- Cases --- */

static int push(struct search *s, struct node n)
{
	if (s->n_nodes == s->room) {
		size_t room = 2 * s->room + 64;
		struct node *nodes = reallocarray(s->nodes, room, sizeof(*nodes));
		s->nodes = nodes ? nodes : s->nodes;
		uint32_t *open = reallocarray(s->open, room, sizeof(*open));
		s->open = open ? open : s->open;
		if (!nodes || !open)
			return no_memory(s);
		s->room = room;
	}
	s->open[s->n_open++] = (uint32_t)s->n_nodes;
	s->nodes[s->n_nodes++] = n;
	return 0;
}

/* Put a case aside, with its bound. */
static void leave(struct search *s, ebb_xfer_num bound)
{
	s->residual = bound < s->residual ? bound : s->residual;
}

static int cut_pool(struct search *s, uint32_t at, ebb_xfer_num bound, uint32_t p, ebb_xfer_num cut)
{
	size_t np = s->x->n_pools;
	struct node n = {.bound = bound, .parent = at, .group = EBB_XFER_NONE};
	ebb_xfer_num *hi = ebb_arena_calloc(s->arena, np, sizeof(*hi));
	ebb_xfer_num *lo = ebb_arena_calloc(s->arena, np, sizeof(*lo));
	int r;

	if (!hi || !lo)
		return no_memory(s);
	memcpy(hi, s->nodes[at].hi, np * sizeof(*hi));
	memcpy(lo, s->nodes[at].lo, np * sizeof(*lo));
	hi[p] = lo[p] = cut;
	n.lo = s->nodes[at].lo;
	n.hi = hi;
	if ((r = push(s, n)) < 0)
		return r;
	n.lo = lo;
	n.hi = s->nodes[at].hi;
	return push(s, n);
}

static int cut_group(struct search *s, uint32_t at, ebb_xfer_num bound, uint32_t g, struct ebb_xfer_solve_fix fix)
{
	struct node n = {
		.bound = bound, .parent = at, .group = g, .lo = s->nodes[at].lo, .hi = s->nodes[at].hi, .fix = fix,
	};
	int r = push(s, n);

	n.fix.must = true;
	return r < 0 ? r : push(s, n);
}

/* Solve a case; keep its plan; cut it where it is not settled. */
static int visit(struct search *s, uint32_t at)
{
	const struct node n = s->nodes[at];
	bool root = n.parent == EBB_XFER_NONE;
	struct ebb_xfer_gen_case k = {.lo = n.lo, .hi = n.hi, .cutoff = EBB_XFER_MAX};
	struct ebb_xfer_gen_result out;
	struct ebb_xfer_solve_fix fix;
	ebb_xfer_num cut = 0;
	int r = gather(s, &n);

	if (r < 0)
		return r;
	k.fixes = s->fixes;
	k.start = s->start;
	if (s->best.feasible)
		k.cutoff = s->best.cost - s->ask->constant - slack(s->best.cost);
	s->best.cases++;
	r = ebb_xfer_gen_run(&s->gen, &k, root ? s->room_price : NULL, root ? s->pool_price : NULL, &out);
	if (r < 0)
		return r;
	if (root) {
		s->best.short_by = out.short_by;
		s->gen.max_effort = fmin(s->gen.max_effort, 1.25 * s->gen.effort + BRANCH_EFFORT);
	}
	if (!out.feasible)
		return 0;
	ebb_xfer_num bound = out.bound + s->ask->constant;
	bound = bound > n.bound ? bound : n.bound;
	if (!out.solved) {
		leave(s, bound);
		return root ? try_plan(s) : 0;
	}
	if ((r = try_plan(s)) < 0)
		return r;
	if (s->best.feasible && ebb_xfer_couple_proven(bound, s->best.cost)) {
		leave(s, bound);
		return 0;
	}
	uint32_t p = choose_pool(s, &n, &cut);
	if (p != EBB_XFER_NONE)
		return cut_pool(s, at, bound, p, cut);
	uint32_t g = choose_group(s, &fix);
	if (g != EBB_XFER_NONE)
		return cut_group(s, at, bound, g, fix);
	leave(s, bound);
	return 0;
}

/* Take the case with the least bound, the latest of equals: that dives. */
static uint32_t take(struct search *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->n_open; i++)
		if (s->nodes[s->open[i]].bound <= s->nodes[s->open[best]].bound)
			best = i;
	uint32_t at = s->open[best];
	s->open[best] = s->open[--s->n_open];
	return at;
}

static int run(struct search *s)
{
	size_t np = s->x->n_pools, limit = s->ask->max_cases ? s->ask->max_cases : USUAL_CASES;
	ebb_xfer_num *lo = ebb_arena_calloc(s->arena, np + 1, sizeof(*lo));
	ebb_xfer_num *hi = ebb_arena_calloc(s->arena, np + 1, sizeof(*hi));
	ebb_xfer_num all = 0;
	int r;

	if (!lo || !hi)
		return no_memory(s);
	for (size_t g = 0; g < s->x->n_groups; g++)
		all += s->x->groups[g].packed > s->x->groups[g].gb ? s->x->groups[g].packed : s->x->groups[g].gb;
	for (size_t p = 0; p < np; p++)
		hi[p] = all * (ebb_xfer_num)s->x->n_sites;
	if ((r = push(s, (struct node){.parent = EBB_XFER_NONE, .group = EBB_XFER_NONE, .lo = lo, .hi = hi})) < 0)
		return r;
	while (s->n_open) {
		uint32_t at = take(s);

		if (s->best.feasible && ebb_xfer_couple_proven(s->nodes[at].bound, s->best.cost))
			leave(s, s->nodes[at].bound);
		else if (s->best.cases >= limit || s->gen.effort >= s->gen.max_effort)
			leave(s, s->nodes[at].bound);
		else if ((r = visit(s, at)) < 0)
			return r;
	}
	return 0;
}

static void release(struct search *s)
{
	ebb_xfer_gen_release(&s->gen);
	ebb_arena_release(&s->scratch);
	free(s->nodes);
	free(s->open);
	free(s->fixes);
}

int ebb_xfer_couple_solve(const struct ebb_xfer *x, const struct ebb_xfer_couple_ask *ask, struct ebb_arena *arena,
			  struct ebb_xfer_couple *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct search s = {.x = x, .ask = ask, .arena = arena, .residual = EBB_XFER_MAX, .err = err};
	int r = ebb_xfer_gen_init(&s.gen, x, arena, err);

	if (r)
		return r < 0 ? r : 1;
	s.start = ebb_arena_calloc(arena, x->n_groups + 2, sizeof(*s.start));
	s.x_hop[0] = ebb_arena_calloc(arena, x->n_links + 1, sizeof(double));
	s.x_hop[1] = ebb_arena_calloc(arena, x->n_links + 1, sizeof(double));
	s.x_read = ebb_arena_calloc(arena, x->n_sites + 1, sizeof(double));
	s.room_price = ebb_arena_calloc(arena, x->n_links * x->n_slots + 1, sizeof(*s.room_price));
	s.pool_price = ebb_arena_calloc(arena, x->n_pools + 1, sizeof(*s.pool_price));
	if (!s.start || !s.x_hop[0] || !s.x_hop[1] || !s.x_read || !s.room_price || !s.pool_price)
		return no_memory(&s);
	s.best.feasible = ask->start;
	s.best.trees = ask->start;
	s.best.cost = ask->start_cost;
	if ((r = run(&s)) < 0)
		return r;
	s.best.infeasible = !s.best.feasible && s.residual == EBB_XFER_MAX;
	s.best.bound = s.best.feasible && s.residual > s.best.cost ? s.best.cost : s.residual;
	s.best.room_price = s.room_price;
	s.best.pool_price = s.pool_price;
	*ret = s.best;
	return 0;
}
