/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_tiers.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "policies/xfer_solve.h"

#define USUAL_SOLVES 200000
#define MAX_STATES 65536	/* groups x pools, for branching on groups */

#define STEERS 8		/* slopes that are tried for one node */
#define NARROWINGS 4		/* times that its ranges shrink by what was found */
#define STEPS 8			/* slopes between the lowest and the highest price of a pool */

#define MEMORY 300000	/* answers that are remembered, for all groups together, */
#define MEMORY_EACH 512 /* and for one */

enum state { FREE, BANNED, COUNTED };

/* The cheapest tree of a group at some slopes. It stays the cheapest while those of pools it uses stay and none falls. */
struct answer {
	uint64_t uses;			/* pools, by their number modulo 64: taking one for used that is not only forgets more */
	struct ebb_xfer_solved solved;	/* in the arena */
};

struct node {
	ebb_xfer_num bound;
	ebb_xfer_num *lo, *hi;		/* per pool */
	uint8_t *state;			/* group x pool, or NULL: all FREE */
	/* how to branch: take from the range of @pool what lies between @cut and @past, or, when these are negative, decide about @group */
	uint32_t pool;			/* EBB_XFER_NONE: not at all */
	ebb_xfer_num cut, past;
	uint32_t group;
};

struct search {
	const struct ebb_xfer *x;
	const struct ebb_xfer_tiers_ask *ask;
	struct ebb_xfer_solve_work *work;
	struct ebb_arena *arena;	/* for what stays */
	struct ebb_arena scratch;	/* for the trees of one node */
	struct ebb_xfer_tree *trees;	/* of the node, per group */
	ebb_xfer_num *volume;		/* of the node, per pool */
	ebb_xfer_num *part;		/* of the node, group x pool; NULL when there are too many */
	int64_t *slope;
	ebb_xfer_num *intercept, *corner;	/* of the line, and where it touches the charge */
	int64_t *least, *most;		/* slopes between which the best one lies */
	size_t *heads;			/* per pool: sites that its links lead to */
	bool *head;
	struct answer *memory;		/* group x n_each; NULL without pools */
	int64_t *slopes;		/* at which each was found, group x n_each x pool: what is searched lies together */
	size_t n_each;
	size_t *n_memory;		/* per group: answers that came in */
	struct node *open;
	size_t n_open, room;
	size_t solves, limit;
	ebb_xfer_num now;		/* bound of the node at the slopes */
	ebb_xfer_num residual;		/* least bound of the nodes that were given up */
	struct ebb_xfer_tiers best;
	struct ebb_err *err;
};

static int no_memory(struct search *s)
{
	return ebb_err_set(s->err, EBB_ENOMEM, "out of memory");
}

/* --- Volumes --- */

static ebb_xfer_num least_wire(const struct ebb_xfer_group *g)
{
	return g->packed >= 0 && g->packed < g->gb ? g->packed : g->gb;
}

static ebb_xfer_num most_wire(const struct ebb_xfer_group *g)
{
	return g->packed > g->gb ? g->packed : g->gb;
}

static void count_heads(struct search *s)
{
	for (size_t p = 0; p < s->x->n_pools; p++) {
		memset(s->head, 0, s->x->n_sites * sizeof(*s->head));
		s->heads[p] = 0;
		for (size_t i = 0; i < s->x->n_links; i++) {
			const struct ebb_xfer_link *l = &s->x->links[i];

			if (l->pool != p || s->head[l->to])
				continue;
			s->head[l->to] = true;
			s->heads[p]++;
		}
	}
}

/* Narrow the ranges by what is decided about groups. False: nothing fits. */
static bool narrow(const struct search *s, struct node *n)
{
	size_t np = s->x->n_pools;

	for (size_t p = 0; p < np; p++) {
		ebb_xfer_num least = 0, most = 0;

		for (size_t g = 0; g < s->x->n_groups; g++) {
			uint8_t st = n->state ? n->state[g * np + p] : FREE;

			least += st == COUNTED ? least_wire(&s->x->groups[g]) : 0;
			most += st == BANNED ? 0 : most_wire(&s->x->groups[g]) * (ebb_xfer_num)s->heads[p];
		}
		n->lo[p] = least > n->lo[p] ? least : n->lo[p];
		n->hi[p] = most < n->hi[p] ? most : n->hi[p];
		if (n->lo[p] > n->hi[p])
			return false;
	}
	return true;
}

/* End of tier @i as a volume on top of what was used already. */
static ebb_xfer_num tier_end(const struct ebb_xfer_pool *p, size_t i)
{
	return p->tiers[i].upto - p->already;
}

/*
 * About as steep as the chord from lo to hi. Within one tier it is that tier's price; else one of a few slopes, which is hardly worse and
 * the same for many nodes, so that answers are remembered.
 */
static int64_t chord(const struct search *s, const struct node *n, size_t p)
{
	const struct ebb_xfer_pool *pool = &s->x->pools[p];
	ebb_xfer_num lo = n->lo[p], run = n->hi[p] > lo ? n->hi[p] - lo : EBB_XFER_ONE;
	int64_t slope = (int64_t)((ebb_xfer_pool_charge(pool, lo + run) - ebb_xfer_pool_charge(pool, lo)) / run);
	int64_t low = pool->tiers[0].price, high = low;

	for (size_t i = 0; i < pool->n_tiers; i++) {
		int64_t price = pool->tiers[i].price;

		if (price == slope)
			return slope;
		low = price < low ? price : low;
		high = price > high ? price : high;
	}
	int64_t step = (high - low) / STEPS;
	return step ? low + (slope - low + step / 2) / step * step : slope;
}

/* Lay a line of slope s->slope[p] below the charge from lo to hi: through the corner that it meets first. */
static void touch(struct search *s, const struct node *n, size_t p)
{
	const struct ebb_xfer_pool *pool = &s->x->pools[p];
	ebb_xfer_num lo = n->lo[p], hi = n->hi[p];

	s->intercept[p] = ebb_xfer_pool_charge(pool, lo) - lo * s->slope[p];
	s->corner[p] = lo;
	for (size_t i = 0; i <= pool->n_tiers; i++) {
		ebb_xfer_num v = i < pool->n_tiers ? tier_end(pool, i) : hi;

		if (v < lo || v > hi)
			continue;
		ebb_xfer_num a = ebb_xfer_pool_charge(pool, v) - v * s->slope[p];
		if (a < s->intercept[p]) {
			s->intercept[p] = a;
			s->corner[p] = v;
		}
	}
}

/* --- One node --- */

static void add_volumes(struct search *s, size_t g)
{
	const struct ebb_xfer_tree *t = &s->trees[g];
	size_t np = s->x->n_pools;

	for (size_t i = 0; i < t->n_hops; i++) {
		uint32_t p = s->x->links[t->hops[i].link].pool;
		ebb_xfer_num w = t->hops[i].packed ? s->x->groups[g].packed : s->x->groups[g].gb;

		if (p == EBB_XFER_NONE)
			continue;
		s->volume[p] += w;
		if (s->part)
			s->part[g * np + p] += w;
	}
}

static int copy_tree(struct search *s, const struct ebb_xfer_tree *t, struct ebb_xfer_tree *to)
{
	*to = *t;
	to->hops = (const void *)ebb_arena_memdup(s->arena, t->hops, t->n_hops * sizeof(*t->hops));
	to->reads = (const void *)ebb_arena_memdup(s->arena, t->reads, t->n_reads * sizeof(*t->reads));
	to->copies = (const void *)ebb_arena_memdup(s->arena, t->copies, t->n_copies * sizeof(*t->copies));
	return to->hops && to->reads && to->copies ? 0 : no_memory(s);
}

/* What is remembered of @g and holds at the slopes of now; NULL: nothing. */
static const struct ebb_xfer_solved *recall(const struct search *s, size_t g)
{
	size_t n = s->memory ? s->n_memory[g] : 0, np = s->x->n_pools;

	/* the newest first: nodes that are looked at one after the other differ little */
	for (size_t k = 0; k < n && k < s->n_each; k++) {
		size_t i = g * s->n_each + (n - 1 - k) % s->n_each;
		const int64_t *was = &s->slopes[i * np];
		uint64_t uses = s->memory[i].uses;
		size_t p = 0;

		while (p < np && (uses >> (p & 63) & 1 ? s->slope[p] == was[p] : s->slope[p] >= was[p]))
			p++;
		if (p == np)
			return &s->memory[i].solved;
	}
	return NULL;
}

/* Remember an answer, in the place of the oldest one. */
static int remember(struct search *s, size_t g, const struct ebb_xfer_solved *one)
{
	size_t np = s->x->n_pools;

	if (!s->memory)
		return 0;
	size_t at = g * s->n_each + s->n_memory[g]++ % s->n_each;
	struct answer *a = &s->memory[at];
	memcpy(&s->slopes[at * np], s->slope, np * sizeof(*s->slopes));
	a->uses = 0;
	for (size_t i = 0; i < one->tree.n_hops; i++)
		if (s->x->links[one->tree.hops[i].link].pool != EBB_XFER_NONE)
			a->uses |= UINT64_C(1) << (s->x->links[one->tree.hops[i].link].pool & 63);
	a->solved = *one;
	return copy_tree(s, &one->tree, &a->solved.tree);
}

/* One group at the slopes of now, by memory or anew. */
static int solve_group(struct search *s, size_t g, const struct ebb_xfer_solve_ask *ask, struct ebb_xfer_solved *ret)
{
	const struct ebb_xfer_solved *known = ask->banned ? NULL : recall(s, g);

	if (known) {
		*ret = *known;
		return 0;
	}
	s->solves++;
	int r = ebb_xfer_solve(s->work, ask, &s->scratch, ret, s->err);
	return r < 0 || !ret->feasible || ask->banned ? r : remember(s, g, ret);
}

/* Solve every group at the node's prices: its bound, and what its plan costs. 1: a group cannot be delivered. */
static int solve_groups(struct search *s, const struct node *n, ebb_xfer_num *ret_bound,
			ebb_xfer_num *ret_cost)
{
	size_t np = s->x->n_pools;
	struct ebb_xfer_solve_ask ask = {
		.pool_price = s->slope, .anywhere = s->ask->anywhere, .any_time = s->ask->any_time,
	};
	struct ebb_xfer_solved one;

	*ret_bound = *ret_cost = 0;
	memset(s->volume, 0, np * sizeof(*s->volume));
	if (s->part)
		memset(s->part, 0, s->x->n_groups * np * sizeof(*s->part));
	for (size_t g = 0; g < s->x->n_groups; g++) {
		uint8_t banned[EBB_XFER_POOLS] = {0};

		for (size_t p = 0; n->state && p < np; p++)
			banned[p] = n->state[g * np + p] == BANNED;
		ask.group = &s->x->groups[g];
		ask.banned = n->state ? banned : NULL;
		int r = solve_group(s, g, &ask, &one);
		if (r < 0)
			return r;
		s->best.stuck = g;
		if (!one.feasible)
			return 1;
		s->trees[g] = one.tree;
		*ret_bound += one.bound;
		*ret_cost += one.cost;
		add_volumes(s, g);
	}
	for (size_t p = 0; p < np; p++) {
		*ret_bound += s->intercept[p];
		*ret_cost += ebb_xfer_pool_charge(&s->x->pools[p], s->volume[p]) - s->slope[p] * s->volume[p];
	}
	return 0;
}

/* Keep the trees of the node as the best. */
static int keep(struct search *s, ebb_xfer_num cost)
{
	struct ebb_xfer_tree *to = ebb_arena_calloc(s->arena, s->x->n_groups + 1, sizeof(*to));

	if (!to)
		return no_memory(s);
	for (size_t g = 0; g < s->x->n_groups; g++)
		if (copy_tree(s, &s->trees[g], &to[g]) < 0)
			return -EBB_ENOMEM;
	s->best.trees = to;
	s->best.cost = cost;
	s->best.feasible = true;
	return 0;
}

/* A tier's end within the range of the pool, nearest to the volume; -1 when there is none. */
static ebb_xfer_num corner(const struct search *s, const struct node *n, uint32_t p)
{
	const struct ebb_xfer_pool *pool = &s->x->pools[p];
	ebb_xfer_num found = -1, far = 0;

	for (size_t i = 0; i + 1 < pool->n_tiers; i++) {
		ebb_xfer_num v = tier_end(pool, i), d = v - s->volume[p];

		d = d < 0 ? -d : d;
		if (v > n->lo[p] && v < n->hi[p] && (found < 0 || d < far)) {
			found = v;
			far = d;
		}
	}
	return found;
}

/*
 * The largest group about which nothing is decided; first one that uses the pool when that has too much, or that does not
 * when it has too little.
 */
static uint32_t undecided(const struct search *s, const struct node *n, uint32_t p)
{
	bool over = s->volume[p] > n->hi[p];
	uint32_t found = EBB_XFER_NONE, fits = EBB_XFER_NONE;
	size_t np = s->x->n_pools;

	for (uint32_t g = 0; s->part && g < s->x->n_groups; g++) {
		bool fit = (s->part[g * np + p] > 0) == over;

		if (n->state && n->state[g * np + p] != FREE)
			continue;
		if (found == EBB_XFER_NONE || s->x->groups[g].gb > s->x->groups[found].gb)
			found = g;
		if (fit && (fits == EBB_XFER_NONE || s->x->groups[g].gb > s->x->groups[fits].gb))
			fits = g;
	}
	return fits != EBB_XFER_NONE ? fits : found;
}

/* --- What cannot be better any more --- */

/* By how much the charge lies above the line. */
static ebb_xfer_num above(const struct search *s, size_t p, ebb_xfer_num v)
{
	return ebb_xfer_pool_charge(&s->x->pools[p], v) - s->slope[p] * v - s->intercept[p];
}

/* Volumes of a pool that a better plan may have: from @lo to @hi, but none between @cut and @past when these are not negative. */
struct span {
	ebb_xfer_num lo, cut, past, hi;
};

/*
 * Every plan with a volume of v in the pool costs as much more than the bound as the charge lies above the line at v; where that is
 * @spare or more it is no better than the best one. lo is negative: none is better.
 */
static struct span better(const struct search *s, const struct node *n, size_t p, ebb_xfer_num spare)
{
	const struct ebb_xfer_pool *pool = &s->x->pools[p];
	struct span a = {-1, -1, -1, -1};
	ebb_xfer_num v = n->lo[p], over = above(s, p, v) - spare;

	if (over < 0)
		a.lo = v;
	for (size_t i = 0; i <= pool->n_tiers; i++) {
		ebb_xfer_num end = i < pool->n_tiers && tier_end(pool, i) < n->hi[p] ? tier_end(pool, i) : n->hi[p];

		if (end <= v)
			continue;
		ebb_xfer_num next = above(s, p, end) - spare, rise = (next - over) / (end - v);
		if (over < 0 && next >= 0) {
			a.hi = v + (rise - 1 - over) / rise;
			a.cut = a.cut < 0 ? a.hi : a.cut;
		} else if (over >= 0 && next < 0 && a.lo < 0) {
			a.lo = v + over / -rise;
		} else if (over >= 0 && next < 0 && a.past < 0) {
			a.past = v + over / -rise;
		}
		v = end;
		over = next;
	}
	if (over < 0)
		a.hi = v;
	if (a.past <= a.cut)
		a.cut = a.past = -1;
	return a;
}

/* Leave out at both ends what cannot be better. 1: something was; 0: nothing; negative: no volume is left. */
static int shrink(const struct search *s, struct node *n)
{
	int any = 0;

	for (size_t p = 0; p < s->x->n_pools; p++) {
		struct span a = better(s, n, p, s->best.cost - s->now);

		if (a.lo < 0)
			return -1;
		any |= a.lo > n->lo[p] || a.hi < n->hi[p];
		n->lo[p] = a.lo;
		n->hi[p] = a.hi;
	}
	return any;
}

/* --- Where to go on --- */

/* Where line and charge differ most, and what to do about it. */
static void choose(const struct search *s, struct node *n)
{
	ebb_xfer_num widest = 0;

	n->pool = EBB_XFER_NONE;
	for (uint32_t p = 0; p < s->x->n_pools; p++) {
		ebb_xfer_num gap = above(s, p, s->volume[p]);
		struct span hole = better(s, n, p, s->best.cost - s->now);
		ebb_xfer_num cut = hole.cut >= 0 ? hole.cut : corner(s, n, p);
		uint32_t group = cut < 0 && gap > 0 ? undecided(s, n, p) : EBB_XFER_NONE;

		if (gap <= widest || (cut < 0 && group == EBB_XFER_NONE))
			continue;
		widest = gap;
		n->pool = p;
		n->cut = cut;
		n->past = hole.cut >= 0 ? hole.past : cut;
		n->group = group;
	}
}

/*
 * Where the volume left a range within one tier: a slope that brings it back bounds better. First the ends of what slopes
 * may be, then halving. False: nothing to change.
 */
static bool steer(struct search *s, const struct node *n, int round)
{
	bool any = false;

	for (uint32_t p = 0; p < s->x->n_pools; p++) {
		ebb_xfer_num v = s->volume[p];

		if (above(s, p, v) <= 0 || v == s->corner[p] || s->least[p] + 1 >= s->most[p] || corner(s, n, p) >= 0)
			continue;
		if (v < s->corner[p])
			s->most[p] = s->slope[p];
		else
			s->least[p] = s->slope[p];
		s->slope[p] = s->least[p] + (s->most[p] - s->least[p]) / 2;
		if (round == 0)
			s->slope[p] = v < s->corner[p] ? s->least[p] : s->most[p];
		touch(s, n, p);
		any = true;
	}
	return any;
}

/* Bound a node, and keep its plans where they are the best. 1: a group cannot be delivered. */
static int bound_node(struct search *s, struct node *n)
{
	ebb_xfer_num bound, cost;
	int r, round = 0;

	for (size_t p = 0; p < s->x->n_pools; p++) {
		s->slope[p] = chord(s, n, p);
		s->least[p] = 0;
		s->most[p] = EBB_XFER_ONE * 1000;
		touch(s, n, p);
	}
	do {
		ebb_arena_release(&s->scratch);
		ebb_arena_init(&s->scratch, 0);
		r = solve_groups(s, n, &bound, &cost);
		if (r == 0 && (!s->best.feasible || cost < s->best.cost))
			r = keep(s, cost);
		if (r)
			return r;
		n->bound = bound > n->bound ? bound : n->bound;
		s->now = bound;
	} while (n->bound < s->best.cost && round < STEERS && steer(s, n, round++));
	return 0;
}

/* Solve a node and put it among the open ones, unless it is done with. */
static int visit(struct search *s, struct node n)
{
	if (!narrow(s, &n))
		return 0;
	s->best.nodes++;
	int r, narrowed = 1;
	for (int i = 0; narrowed > 0 && i < NARROWINGS; i++) {
		r = bound_node(s, &n);
		narrowed = r || n.bound >= s->best.cost ? -1 : shrink(s, &n);
		if (narrowed < 0)
			return r < 0 ? r : 0;
	}
	choose(s, &n);
	if (n.pool == EBB_XFER_NONE) {
		s->residual = n.bound < s->residual ? n.bound : s->residual;
		return 0;
	}
	if (s->n_open == s->room) {
		size_t room = 2 * s->room + 64;
		struct node *more = realloc(s->open, room * sizeof(*more));

		if (!more)
			return no_memory(s);
		s->open = more;
		s->room = room;
	}
	s->open[s->n_open++] = n;
	return 0;
}

/* --- Branching --- */

static int copy_node(struct search *s, const struct node *from, struct node *ret)
{
	size_t np = s->x->n_pools, states = s->x->n_groups * np;
	struct node n = *from;

	n.lo = ebb_arena_calloc(s->arena, np + 1, sizeof(*n.lo));
	n.hi = ebb_arena_calloc(s->arena, np + 1, sizeof(*n.hi));
	if (from->state || from->cut < 0)
		n.state = ebb_arena_calloc(s->arena, states + 1, 1);
	if (!n.lo || !n.hi || ((from->state || from->cut < 0) && !n.state))
		return no_memory(s);
	memcpy(n.lo, from->lo, np * sizeof(*n.lo));
	memcpy(n.hi, from->hi, np * sizeof(*n.hi));
	if (from->state)
		memcpy(n.state, from->state, states);
	*ret = n;
	return 0;
}

static int expand(struct search *s, const struct node *n)
{
	size_t at = (size_t)n->group * s->x->n_pools + n->pool;

	for (int side = 0; side < 2; side++) {
		struct node child;
		int r = copy_node(s, n, &child);

		if (r < 0)
			return r;
		if (n->cut < 0)
			child.state[at] = side ? COUNTED : BANNED;
		else if (side)
			child.lo[n->pool] = n->past;
		else
			child.hi[n->pool] = n->cut;
		if ((r = visit(s, child)) < 0)
			return r;
	}
	return 0;
}

/* Take the open node with the least bound. */
static struct node take(struct search *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->n_open; i++)
		if (s->open[i].bound < s->open[best].bound)
			best = i;
	struct node n = s->open[best];
	s->open[best] = s->open[--s->n_open];
	return n;
}

static int run(struct search *s)
{
	struct node root = {.bound = 0, .cut = 0}, start;
	int r;

	root.lo = ebb_arena_calloc(s->arena, s->x->n_pools + 1, sizeof(*root.lo));
	root.hi = ebb_arena_calloc(s->arena, s->x->n_pools + 1, sizeof(*root.hi));
	if (!root.lo || !root.hi)
		return no_memory(s);
	for (size_t p = 0; p < s->x->n_pools; p++)
		root.hi[p] = EBB_XFER_MAX;
	if ((r = copy_node(s, &root, &start)) < 0 || (r = visit(s, start)) < 0)
		return r;
	while (s->n_open) {
		struct node n = take(s);

		if (n.bound >= s->best.cost)
			continue;
		if (s->solves >= s->limit) {
			s->residual = n.bound < s->residual ? n.bound : s->residual;
			continue;
		}
		if ((r = expand(s, &n)) < 0)
			return r;
	}
	s->best.bound = s->residual < s->best.cost ? s->residual : s->best.cost;
	return 0;
}

/* A group that may be split can be partly in a pool: deciding about it as a whole would prove nothing. */
static bool splits(const struct ebb_xfer *x)
{
	bool any = false;

	for (size_t g = 0; g < x->n_groups; g++)
		any |= x->groups[g].may_split;
	return any;
}

static void release(struct search *s)
{
	ebb_xfer_solve_work_free(s->work);
	ebb_arena_release(&s->scratch);
	free(s->open);
}

int ebb_xfer_tiers_solve(const struct ebb_xfer *x, const struct ebb_xfer_tiers_ask *ask,
			 struct ebb_arena *arena, struct ebb_xfer_tiers *ret, struct ebb_err *err)
{
	size_t np = x->n_pools, states = ebb_mem_mul(x->n_groups, np);
	EBB_CLEANUP(release) struct search s = {
		.x = x, .ask = ask, .arena = arena, .residual = EBB_XFER_MAX, .err = err,
		.limit = ask->max_solves ? ask->max_solves : USUAL_SOLVES,
		.work = ebb_xfer_solve_work_new(x),
	};

	s.trees = ebb_arena_calloc(arena, x->n_groups + 1, sizeof(*s.trees));
	s.volume = ebb_arena_calloc(arena, np + 1, sizeof(*s.volume));
	s.slope = ebb_arena_calloc(arena, np + 1, sizeof(*s.slope));
	s.intercept = ebb_arena_calloc(arena, np + 1, sizeof(*s.intercept));
	s.corner = ebb_arena_calloc(arena, np + 1, sizeof(*s.corner));
	s.least = ebb_arena_calloc(arena, np + 1, sizeof(*s.least));
	s.most = ebb_arena_calloc(arena, np + 1, sizeof(*s.most));
	s.heads = ebb_arena_calloc(arena, np + 1, sizeof(*s.heads));
	s.head = ebb_arena_calloc(arena, x->n_sites + 1, sizeof(*s.head));
	if (states && states <= MAX_STATES && !splits(x))
		s.part = ebb_arena_calloc(arena, states, sizeof(*s.part));
	if (np) {
		s.n_each = 1 + MEMORY / (x->n_groups + 1);
		s.n_each = s.n_each < MEMORY_EACH ? s.n_each : MEMORY_EACH;
		s.memory = ebb_arena_calloc(arena, ebb_mem_mul(x->n_groups, s.n_each) + 1, sizeof(*s.memory));
		s.slopes = ebb_arena_calloc(arena, ebb_mem_mul(ebb_mem_mul(x->n_groups, s.n_each), np) + 1, sizeof(*s.slopes));
		s.n_memory = ebb_arena_calloc(arena, x->n_groups + 1, sizeof(*s.n_memory));
	}
	if ((np && (!s.memory || !s.slopes || !s.n_memory)) || !s.work || !s.trees || !s.volume || !s.slope || !s.intercept || !s.corner ||
	    !s.least || !s.most || !s.heads || !s.head)
		return no_memory(&s);
	count_heads(&s);
	int r = run(&s);
	if (r == 0)
		*ret = s.best;
	return r;
}
