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
 * One copy of @g from replica @r to a destination that needs it, without the reading: its cost but for pools, whose volume is added to
 * d->pooled when @book, else charged as if nothing else used them. Negative: there is no way.
 */
static ebb_xfer_num leg(const struct direct *d, const struct ebb_xfer_group *g, const struct ebb_xfer_replica *r, uint32_t to, bool book)
{
	const struct ebb_xfer *x = d->x;
	ebb_xfer_num cost = g->objects * (x->sites[r->site].get + x->sites[to].put);

	if (!allowed(g, to))
		return -1;
	if (to == r->site)
		return cost;
	uint32_t at = d->link[(size_t)r->site * x->n_sites + to];
	if (!at || !allowed(g, r->site))
		return -1;
	const struct ebb_xfer_link *l = &x->links[at - 1];
	cost += g->gb * price(x, l);
	if (l->pool != EBB_XFER_NONE && book)
		d->pooled[l->pool] += g->gb;
	else if (l->pool != EBB_XFER_NONE)
		cost += g->gb * x->pools[l->pool].tiers[0].price;
	return cost;
}

/* The cheapest destination that is not among @used, by bit; EBB_XFER_NONE: none is left. */
static uint32_t nearest(const struct direct *d, const struct ebb_xfer_group *g, const struct ebb_xfer_replica *r, uint32_t used)
{
	uint32_t found = EBB_XFER_NONE;
	ebb_xfer_num least = 0;

	for (uint32_t i = 0; i < g->n_dests; i++) {
		bool open = !(used >> i & 1) && ebb_xfer_needs(g, g->dests[i].site);
		ebb_xfer_num cost = open ? leg(d, g, r, g->dests[i].site, false) : -1;

		if (cost >= 0 && (found == EBB_XFER_NONE || cost < least)) {
			found = i;
			least = cost;
		}
	}
	return found;
}

/* All copies of @g from one replica, as leg(). */
static ebb_xfer_num star(const struct direct *d, const struct ebb_xfer_group *g, const struct ebb_xfer_replica *r, bool book)
{
	ebb_xfer_num cost = g->gb * r->per_gb + g->objects * r->per_object, one = 0;
	size_t left = g->choose ? ebb_xfer_wanted(g) : 0;
	bool own = ebb_xfer_needs(g, r->site) && allowed(g, r->site);	/* what is read there is there */

	for (uint32_t used = 0, i; left > 0; left--, used |= 1u << i, own = false) {
		i = own ? (uint32_t)(ebb_xfer_dest_at(g, r->site) - g->dests) : nearest(d, g, r, used);
		if (i == EBB_XFER_NONE)
			return -1;
		cost += leg(d, g, r, g->dests[i].site, book);
	}
	for (size_t i = 0; !g->choose && i < g->n_dests; i++) {
		uint32_t to = g->dests[i].site;

		one = ebb_xfer_needs(g, to) ? leg(d, g, r, to, book) : allowed(g, to) ? 0 : -1;
		if (one < 0)
			return -1;
		cost += one;
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
