/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_prune.h"

#include <stdlib.h>
#include <string.h>

#define CLOSED INT64_MAX

struct ebb_xfer_prune {
	const struct ebb_xfer *x;
	bool asked, any_time, has_room;	/* the question that `by` answers */
	int64_t *pool, *room;
	int64_t *out, *in;		/* price from site a to b in slot s: out[(a * n + b) * slots + s], in the same by b first */
	uint32_t *by;
};

struct ebb_xfer_prune *ebb_xfer_prune_new(const struct ebb_xfer *x)
{
	struct ebb_xfer_prune *p = calloc(1, sizeof(*p));
	size_t cells = ebb_mem_mul(ebb_mem_mul(x->n_sites, x->n_sites), x->n_slots);

	if (!p)
		return NULL;
	p->x = x;
	p->pool = calloc(x->n_pools + 1, sizeof(*p->pool));
	p->room = calloc(ebb_mem_add(ebb_mem_mul(x->n_links, x->n_slots), 1), sizeof(*p->room));
	p->out = calloc(ebb_mem_add(cells, 1), sizeof(*p->out));
	p->in = calloc(ebb_mem_add(cells, 1), sizeof(*p->in));
	p->by = calloc(x->n_sites + 1, sizeof(*p->by));
	if (p->pool && p->room && p->out && p->in && p->by)
		return p;
	ebb_xfer_prune_free(p);
	return NULL;
}

void ebb_xfer_prune_free(struct ebb_xfer_prune *p)
{
	if (!p)
		return;
	free(p->pool);
	free(p->room);
	free(p->out);
	free(p->in);
	free(p->by);
	free(p);
}

static bool same(const struct ebb_xfer_prune *p, const int64_t *pool_price, const int64_t *room_price, bool any_time)
{
	size_t rooms = p->x->n_links * p->x->n_slots;

	return p->asked && p->any_time == any_time && p->has_room == (room_price != NULL) &&
	       (!p->x->n_pools || memcmp(p->pool, pool_price, p->x->n_pools * sizeof(*pool_price)) == 0) &&
	       (!room_price || memcmp(p->room, room_price, rooms * sizeof(*room_price)) == 0);
}

/* All prices, of parallel links the lowest. */
static void fill(struct ebb_xfer_prune *p)
{
	const struct ebb_xfer *x = p->x;
	size_t n = x->n_sites, slots = x->n_slots;

	for (size_t i = 0; i < n * n * slots; i++)
		p->out[i] = p->in[i] = CLOSED;
	for (size_t i = 0; i < x->n_links; i++) {
		const struct ebb_xfer_link *l = &x->links[i];

		for (size_t s = 0; s < slots; s++) {
			int64_t price = l->price[s] + (l->pool == EBB_XFER_NONE ? 0 : p->pool[l->pool]) +
					(p->has_room ? p->room[i * slots + s] : 0);
			int64_t *out = &p->out[(l->from * n + l->to) * slots + s], *in = &p->in[(l->to * n + l->from) * slots + s];

			if (l->capacity[s] <= 0 && !p->any_time)
				continue;
			*out = price < *out ? price : *out;
			*in = *out;
		}
	}
}

static bool no_more(int64_t a, int64_t b, bool *io_less)
{
	*io_less |= a < b;
	return a <= b;
}

/* What the sites themselves charge. Conversions do not count: there is one form. */
static bool is_as_cheap(const struct ebb_xfer *x, uint32_t u, uint32_t v, bool *io_less)
{
	const struct ebb_xfer_site *a = &x->sites[u], *b = &x->sites[v];

	return a->relay && no_more(a->get, b->get, io_less) && no_more(a->put, b->put, io_less) &&
	       no_more(a->relay_fee, b->relay_fee, io_less);
}

/* Rows of prices with everybody else. */
static bool rows_no_more(const struct ebb_xfer_prune *p, const int64_t *rows, uint32_t u, uint32_t v, bool *io_less)
{
	size_t n = p->x->n_sites, slots = p->x->n_slots;
	const int64_t *a = rows + u * n * slots, *b = rows + v * n * slots;

	for (size_t c = 0; c < n; c++)
		for (size_t s = 0; c != u && c != v && s < slots; s++)
			if (!no_more(a[c * slots + s], b[c * slots + s], io_less))
				return false;
	return true;
}

static uint32_t dominator(const struct ebb_xfer_prune *p, uint32_t v)
{
	for (uint32_t u = 0; u < p->x->n_sites; u++) {
		bool less = false;

		if (u != v && is_as_cheap(p->x, u, v, &less) && rows_no_more(p, p->out, u, v, &less) &&
		    rows_no_more(p, p->in, u, v, &less) && (less || u < v))
			return u;
	}
	return EBB_XFER_NONE;
}

const uint32_t *ebb_xfer_prune_ask(struct ebb_xfer_prune *p, const int64_t *pool_price, const int64_t *room_price, bool any_time)
{
	if (same(p, pool_price, room_price, any_time))
		return p->by;
	p->asked = true;
	p->any_time = any_time;
	p->has_room = room_price != NULL;
	if (p->x->n_pools)
		memcpy(p->pool, pool_price, p->x->n_pools * sizeof(*pool_price));
	if (room_price)
		memcpy(p->room, room_price, p->x->n_links * p->x->n_slots * sizeof(*room_price));
	fill(p);
	for (uint32_t v = 0; v < p->x->n_sites; v++)
		p->by[v] = dominator(p, v);
	return p->by;
}
