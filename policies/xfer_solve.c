/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_solve.h"

#include <stdlib.h>
#include <string.h>

#include "policies/steiner.h"

/* Problems in which a site gets both forms are split at most so often for one group. */
#define MAX_BRANCHES 400

enum kind { READ, HOP, PACKED_HOP, PACK, UNPACK };

/* What an arc stands for: a link, or a site. */
struct meaning {
	uint8_t kind;
	uint32_t at;
};

enum { NO_PACKED = 1, NO_PLAIN = 2 };	/* ways into a site that are closed */

struct ebb_xfer_solve_work {
	const struct ebb_xfer *x;
	struct ebb_steiner_work *steiner;
	struct ebb_steiner_arc *arcs;
	struct meaning *means;
	struct meaning *best;		/* arcs of the best tree so far */
	uint32_t *terms;
	uint32_t *node;			/* per site: number + 1 of its node, 0 when it takes no part */
	uint8_t *closed;		/* per site */
	uint8_t *ways;			/* per site: how the tree reaches it */
	bool *dest, *needs;		/* per site */
	size_t n_best, n_nodes;
	/* one search */
	const struct ebb_xfer_solve_ask *ask;
	ebb_xfer_num cost, bound;
	int branches;
	uint32_t first;			/* slot from which on a replica can be read */
};

struct ebb_xfer_solve_work *ebb_xfer_solve_work_new(const struct ebb_xfer *x)
{
	EBB_CLEANUP(ebb_xfer_solve_work_freep) struct ebb_xfer_solve_work *w = calloc(1, sizeof(*w));
	size_t n = x->n_sites + 1, arcs = 2 * x->n_links + 3 * n;

	if (!w)
		return NULL;
	w->x = x;
	w->steiner = ebb_steiner_work_new();
	w->arcs = calloc(arcs, sizeof(*w->arcs));
	w->means = calloc(arcs, sizeof(*w->means));
	w->best = calloc(2 * n + 1, sizeof(*w->best));
	w->terms = calloc(n, sizeof(*w->terms));
	w->node = calloc(n, sizeof(*w->node));
	w->closed = calloc(n, 1);
	w->ways = calloc(n, 1);
	w->dest = calloc(n, sizeof(*w->dest));
	w->needs = calloc(n, sizeof(*w->needs));
	if (!w->steiner || !w->arcs || !w->means || !w->best || !w->terms || !w->node || !w->closed ||
	    !w->ways || !w->dest || !w->needs)
		return NULL;
	struct ebb_xfer_solve_work *made = w;
	w = NULL;
	return made;
}

void ebb_xfer_solve_work_free(struct ebb_xfer_solve_work *w)
{
	if (!w)
		return;
	ebb_steiner_work_free(w->steiner);
	free(w->arcs);
	free(w->means);
	free(w->best);
	free(w->terms);
	free(w->node);
	free(w->closed);
	free(w->ways);
	free(w->dest);
	free(w->needs);
	free(w);
}

/* --- The graph of a group --- */

static bool allowed(const struct ebb_xfer_solve_ask *ask, uint32_t site)
{
	return ask->anywhere || !ask->group->allowed || ask->group->allowed[site];
}

/* Mark destinations, number the sites that take part, list the terminals. False: a destination lies outside. */
static bool number_sites(struct ebb_xfer_solve_work *w, size_t *ret_terms)
{
	const struct ebb_xfer_group *g = w->ask->group;
	size_t n = w->x->n_sites, terms = 0;

	memset(w->dest, 0, n * sizeof(*w->dest));
	memset(w->needs, 0, n * sizeof(*w->needs));
	memset(w->node, 0, n * sizeof(*w->node));
	for (size_t i = 0; i < g->n_dests; i++) {
		uint32_t d = g->dests[i].site;

		if (!allowed(w->ask, d))
			return false;
		w->dest[d] = true;
		w->needs[d] = ebb_xfer_needs(g, d);
	}
	for (size_t i = 0; i < g->n_replicas; i++)
		w->node[g->replicas[i].site] = 1;
	w->n_nodes = 0;
	for (uint32_t s = 0; s < n; s++) {
		bool in = allowed(w->ask, s) && (w->node[s] || w->dest[s] || w->x->sites[s].relay);

		w->node[s] = in ? (uint32_t)++w->n_nodes : 0;
	}
	for (size_t i = 0; i < g->n_dests; i++)
		if (w->needs[g->dests[i].site])
			w->terms[terms++] = w->node[g->dests[i].site];
	*ret_terms = terms;
	return true;
}

/* Can a replica that takes @restore hours be read before the group's last slot is over? */
static bool readable(const struct ebb_xfer_solve_work *w, int64_t restore)
{
	ebb_xfer_num start = 0;

	for (uint32_t s = 0; s <= w->ask->group->last_slot; s++) {
		if (start >= restore)
			return true;
		start += w->x->slots[s].hours;
	}
	return w->ask->any_time;
}

/* The lowest price of a link in the slots that the group may use; EBB_XFER_NEVER: closed. */
static int64_t link_price(const struct ebb_xfer_solve_work *w, const struct ebb_xfer_link *l)
{
	const struct ebb_xfer_solve_ask *ask = w->ask;
	int64_t least = EBB_XFER_NEVER;

	if (l->pool != EBB_XFER_NONE && ask->banned && ask->banned[l->pool])
		return EBB_XFER_NEVER;
	for (uint32_t s = w->first; s <= ask->group->last_slot; s++)
		if ((l->capacity[s] > 0 || ask->any_time) && (least < 0 || l->price[s] < least))
			least = l->price[s];
	if (least >= 0 && l->pool != EBB_XFER_NONE)
		least += ask->pool_price[l->pool];
	return least;
}

static size_t add(struct ebb_xfer_solve_work *w, size_t n, struct meaning m,
		  struct ebb_steiner_arc arc)
{
	w->means[n] = m;
	w->arcs[n] = arc;
	return n + 1;
}

/* Reading replicas and converting. */
static size_t site_arcs(struct ebb_xfer_solve_work *w, size_t n)
{
	const struct ebb_xfer_group *g = w->ask->group;
	uint32_t layer = (uint32_t)w->n_nodes;

	for (size_t i = 0; i < g->n_replicas; i++) {
		const struct ebb_xfer_replica *r = &g->replicas[i];
		const struct ebb_xfer_site *s = &w->x->sites[r->site];
		ebb_xfer_num cost = g->gb * r->per_gb + g->objects * r->per_object;

		if (w->needs[r->site])
			cost += g->objects * (s->get + s->put);
		if (w->node[r->site] && !(w->closed[r->site] & NO_PLAIN) && readable(w, r->restore))
			n = add(w, n, (struct meaning){READ, r->site},
				(struct ebb_steiner_arc){0, w->node[r->site], cost});
	}
	for (uint32_t s = 0; g->packed >= 0 && s < w->x->n_sites; s++) {
		const struct ebb_xfer_site *site = &w->x->sites[s];
		uint32_t v = w->node[s];

		if (v && site->compress != EBB_XFER_NEVER)
			n = add(w, n, (struct meaning){PACK, s},
				(struct ebb_steiner_arc){v, v + layer, g->gb * site->compress});
		if (v && site->decompress != EBB_XFER_NEVER)
			n = add(w, n, (struct meaning){UNPACK, s},
				(struct ebb_steiner_arc){v + layer, v, g->gb * site->decompress});
	}
	return n;
}

static size_t hop_arcs(struct ebb_xfer_solve_work *w, size_t n)
{
	const struct ebb_xfer_group *g = w->ask->group;
	uint32_t layer = (uint32_t)w->n_nodes;

	for (size_t i = 0; i < w->x->n_links; i++) {
		const struct ebb_xfer_link *l = &w->x->links[i];
		const struct ebb_xfer_site *to = &w->x->sites[l->to];
		uint32_t a = w->node[l->from], b = w->node[l->to];
		int64_t price = a && b && (w->dest[l->to] || to->relay) ? link_price(w, l) : EBB_XFER_NEVER;

		if (price == EBB_XFER_NEVER)
			continue;
		ebb_xfer_num each = g->objects * (w->x->sites[l->from].get + to->put);
		ebb_xfer_num per_gb = (ebb_xfer_num)price + (w->dest[l->to] ? 0 : to->relay_fee);
		if (!(w->closed[l->to] & NO_PLAIN))
			n = add(w, n, (struct meaning){HOP, (uint32_t)i},
				(struct ebb_steiner_arc){a, b, g->gb * per_gb + each});
		if (g->packed >= 0 && !(w->closed[l->to] & NO_PACKED))
			n = add(w, n, (struct meaning){PACKED_HOP, (uint32_t)i},
				(struct ebb_steiner_arc){a + layer, b + layer, g->packed * per_gb + each});
	}
	return n;
}

/* --- Branch and bound over sites that would get both forms --- */

/* A site that is reached twice, EBB_XFER_NONE when there is none. */
static uint32_t conflict(struct ebb_xfer_solve_work *w, const struct ebb_steiner_tree *t)
{
	memset(w->ways, 0, w->x->n_sites);
	for (size_t i = 0; i < t->n_arcs; i++) {
		const struct meaning *m = &w->means[t->arcs[i]];
		uint32_t site = m->kind == HOP || m->kind == PACKED_HOP ? w->x->links[m->at].to : m->at;

		if (m->kind == READ || m->kind == HOP)
			w->ways[site] |= NO_PLAIN;
		if (m->kind == PACKED_HOP)
			w->ways[site] |= NO_PACKED;
		if (w->ways[site] == (NO_PLAIN | NO_PACKED))
			return site;
	}
	return EBB_XFER_NONE;
}

static int branch(struct ebb_xfer_solve_work *w, size_t n_terms, struct ebb_err *err);

/* Close one way into @site, then the other. */
static int split(struct ebb_xfer_solve_work *w, uint32_t site, size_t n_terms, struct ebb_err *err)
{
	int r = 0;

	for (uint8_t way = NO_PACKED; r == 0 && way <= NO_PLAIN; way++) {
		w->closed[site] |= way;
		r = branch(w, n_terms, err);
		w->closed[site] &= (uint8_t)~way;
	}
	return r;
}

static int branch(struct ebb_xfer_solve_work *w, size_t n_terms, struct ebb_err *err)
{
	struct ebb_steiner_graph g = {
		.n = (uint32_t)(1 + w->n_nodes * (w->ask->group->packed >= 0 ? 2 : 1)),
		.arcs = w->arcs, .terms = w->terms, .n_terms = n_terms,
	};
	struct ebb_steiner_tree t;

	g.n_arcs = hop_arcs(w, site_arcs(w, 0));
	int r = ebb_steiner_solve(w->steiner, &g, &t, err);
	if (r < 0 || t.cost >= EBB_STEINER_FAR || t.bound >= w->cost)
		return r;
	uint32_t site = conflict(w, &t);
	if (site == EBB_XFER_NONE && t.cost < w->cost) {
		w->cost = t.cost;
		w->n_best = t.n_arcs;
		for (size_t i = 0; i < t.n_arcs; i++)
			w->best[i] = w->means[t.arcs[i]];
	}
	if (site == EBB_XFER_NONE || ++w->branches > MAX_BRANCHES) {
		w->bound = t.bound < w->bound ? t.bound : w->bound;
		return 0;
	}
	return split(w, site, n_terms, err);
}

/* --- From arcs to a plan --- */

static int describe(struct ebb_xfer_solve_work *w, struct ebb_arena *arena,
		    struct ebb_xfer_tree *ret)
{
	struct ebb_xfer_hop *hops = ebb_arena_calloc(arena, w->n_best + 1, sizeof(*hops));
	uint32_t *reads = ebb_arena_calloc(arena, w->n_best + 1, sizeof(*reads));
	uint32_t *copies = ebb_arena_calloc(arena, w->n_best + 1, sizeof(*copies));
	struct ebb_xfer_tree t = {.hops = hops, .reads = reads, .copies = copies};

	if (!hops || !reads || !copies)
		return -EBB_ENOMEM;
	for (size_t i = 0; i < w->n_best; i++) {
		const struct meaning *m = &w->best[i];

		if (m->kind == READ) {
			reads[t.n_reads++] = m->at;
			if (w->needs[m->at])
				copies[t.n_copies++] = m->at;
		} else if (m->kind == HOP || m->kind == PACKED_HOP) {
			hops[t.n_hops].link = m->at;
			hops[t.n_hops++].packed = m->kind == PACKED_HOP;
		}
	}
	*ret = t;
	return 0;
}

int ebb_xfer_solve(struct ebb_xfer_solve_work *w, const struct ebb_xfer_solve_ask *ask,
		   struct ebb_arena *arena, struct ebb_xfer_solved *ret, struct ebb_err *err)
{
	struct ebb_xfer_solved s = {0};
	size_t n_terms;
	int r;

	w->ask = ask;
	w->cost = w->bound = EBB_STEINER_FAR;
	w->branches = 0;
	w->n_best = 0;
	w->first = ask->any_time ? 0 : ebb_xfer_first_slot(w->x, ask->group);
	memset(w->closed, 0, w->x->n_sites);
	if (!number_sites(w, &n_terms)) {
		*ret = s;
		return 0;
	}
	if (n_terms == 0)
		w->cost = 0;
	else if ((r = branch(w, n_terms, err)) < 0)
		return r;
	if (w->cost >= EBB_STEINER_FAR && w->bound < EBB_STEINER_FAR) {
		/* out of branches without a plan: one that never compresses has no conflicts */
		memset(w->closed, NO_PACKED, w->x->n_sites);
		w->branches = 0;
		if ((r = branch(w, n_terms, err)) < 0)
			return r;
	}
	s.feasible = w->cost < EBB_STEINER_FAR;
	s.cost = w->cost;
	s.bound = w->bound < w->cost ? w->bound : w->cost;
	if (s.feasible && describe(w, arena, &s.tree) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	*ret = s;
	return 0;
}
