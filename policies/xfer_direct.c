/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_direct.h"

#include <stdlib.h>

#include "core/mem.h"

struct direct {
	const struct ebb_xfer *x;
	const uint32_t *link;	/* sites x sites: number + 1, or 0 */
	ebb_xfer_num *pooled;	/* per pool */
};

/* Least price of a link over the slots. */
static int64_t price(const struct ebb_xfer *x, const struct ebb_xfer_link *l)
{
	int64_t least = l->price[0];

	for (size_t s = 1; s < x->n_slots; s++)
		least = l->price[s] < least ? l->price[s] : least;
	return least;
}

static bool allowed(const struct ebb_xfer_group *g, uint32_t site)
{
	return !g->allowed || g->allowed[site];
}

/*
 * Copies of @g from replica @r: their cost but for pools, whose volume is added to d->pooled when @book, else charged as if
 * nothing else used them. Negative: there is no way.
 */
static ebb_xfer_num star(const struct direct *d, const struct ebb_xfer_group *g,
			 const struct ebb_xfer_replica *r, bool book)
{
	const struct ebb_xfer *x = d->x;
	ebb_xfer_num cost = g->gb * r->per_gb + g->objects * r->per_object;

	for (size_t i = 0; i < g->n_dests; i++) {
		uint32_t to = g->dests[i].site;

		if (!allowed(g, to))
			return -1;
		if (!ebb_xfer_needs(g, to))
			continue;
		cost += g->objects * (x->sites[r->site].get + x->sites[to].put);
		if (to == r->site)
			continue;
		uint32_t at = d->link[(size_t)r->site * x->n_sites + to];
		if (!at || !allowed(g, r->site))
			return -1;
		const struct ebb_xfer_link *l = &x->links[at - 1];
		cost += g->gb * price(x, l);
		if (l->pool != EBB_XFER_NONE && book)
			d->pooled[l->pool] += g->gb;
		else if (l->pool != EBB_XFER_NONE)
			cost += g->gb * x->pools[l->pool].tiers[0].price;
	}
	return cost;
}

static const struct ebb_xfer_replica *pick(const struct direct *d, const struct ebb_xfer_group *g,
					   enum ebb_xfer_direct_from from)
{
	const struct ebb_xfer_replica *found = NULL;
	ebb_xfer_num least = 0;

	for (size_t i = 0; i < g->n_replicas; i++) {
		ebb_xfer_num cost = star(d, g, &g->replicas[i], false);

		if (cost >= 0 && (!found || cost < least)) {
			found = &g->replicas[i];
			least = cost;
		}
		if (from == EBB_XFER_DIRECT_FIRST)
			break;
	}
	return found;
}

static ebb_xfer_num constant(const struct ebb_xfer *x, const struct ebb_xfer_group *g)
{
	ebb_xfer_num sum = g->fixed;

	for (size_t i = 0; i < g->n_dests; i++) {
		const struct ebb_xfer_site *s = &x->sites[g->dests[i].site];

		sum += (ebb_xfer_num)(g->dests[i].copies - 1) * g->objects * (s->get + s->put);
	}
	return sum;
}

static bool needy(const struct ebb_xfer_group *g)
{
	bool any = false;

	for (size_t i = 0; i < g->n_dests; i++)
		any |= ebb_xfer_needs(g, g->dests[i].site);
	return any;
}

int ebb_xfer_direct(const struct ebb_xfer *x, enum ebb_xfer_direct_from from,
		    struct ebb_arena *arena, ebb_xfer_num *ret, struct ebb_err *err)
{
	uint32_t *link = ebb_arena_calloc(arena, ebb_mem_mul(x->n_sites, x->n_sites), sizeof(*link));
	ebb_xfer_num *pooled = ebb_arena_calloc(arena, x->n_pools + 1, sizeof(*pooled)), sum = 0;
	struct direct d = {.x = x, .link = link, .pooled = pooled};

	if (!link || !pooled)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < x->n_links; i++)
		link[(size_t)x->links[i].from * x->n_sites + x->links[i].to] = (uint32_t)i + 1;
	for (size_t i = 0; i < x->n_groups; i++) {
		const struct ebb_xfer_group *g = &x->groups[i];
		const struct ebb_xfer_replica *r = needy(g) ? pick(&d, g, from) : NULL;

		if (needy(g) && !r) {
			*ret = -1;
			return 0;
		}
		sum += constant(x, g) + (r ? star(&d, g, r, true) : 0);
	}
	for (size_t i = 0; i < x->n_pools; i++)
		sum += ebb_xfer_pool_charge(&x->pools[i], pooled[i]);
	*ret = sum;
	return 0;
}
