/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_bill.h"

#include <stdio.h>

/* A replica that takes time, or that stands in nobody's stead, is an archived one. */
static bool is_archived(const struct ebb_xfer_replica *r)
{
	return r && (r->restore > 0 || !r->satisfies);
}

static void add_thaw(const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t,
		     struct ebb_transfer_bill *b)
{
	const struct ebb_xfer_group part = ebb_xfer_part(g, t);

	for (size_t i = 0; i < t->n_reads; i++) {
		const struct ebb_xfer_replica *r = ebb_xfer_replica_at(g, t->reads[i]);

		if (!is_archived(r))
			continue;
		b->thaw_gb += part.gb;
		b->thaw_objects += part.objects;
		b->thaw_cost += part.gb * r->per_gb + part.objects * r->per_object;
		b->thaw_hours = r->restore > b->thaw_hours ? r->restore : b->thaw_hours;
	}
}

bool ebb_transfer_bill_sleeps(const struct ebb_xfer *x, const struct ebb_xfer_plan *p)
{
	for (size_t g = 0; p->trees && g < x->n_groups; g++)
		for (size_t i = 0; i < p->trees[g].n_reads; i++)
			if (is_archived(ebb_xfer_replica_at(&x->groups[g], p->trees[g].reads[i])))
				return true;
	return false;
}

static void add_tree(const struct ebb_xfer *x, const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t,
		     struct ebb_transfer_bill *b)
{
	const struct ebb_xfer_group part = ebb_xfer_part(g, t);

	for (size_t i = 0; i < t->n_hops; i++) {
		const struct ebb_xfer_hop *h = &t->hops[i];
		const struct ebb_xfer_link *l = &x->links[h->link];
		ebb_xfer_num wire = h->packed ? part.packed : part.gb;

		b->link_gb[h->link] += wire;
		if (l->pool != EBB_XFER_NONE)
			b->pool_gb[l->pool] += wire;
		if (!h->sent)
			b->link_cost[h->link] += wire * l->price[0];
		for (size_t s = 0; h->sent && s < x->n_slots; s++)
			b->link_cost[h->link] += h->sent[s] * l->price[s];
	}
}

int ebb_transfer_bill(const struct ebb_xfer *x, const struct ebb_xfer_plan *p, struct ebb_arena *arena,
		      struct ebb_transfer_bill *ret, struct ebb_err *err)
{
	struct ebb_transfer_bill b = {
		.link_gb = ebb_arena_calloc(arena, x->n_links + 1, sizeof(*b.link_gb)),
		.link_cost = ebb_arena_calloc(arena, x->n_links + 1, sizeof(*b.link_cost)),
		.pool_gb = ebb_arena_calloc(arena, x->n_pools + 1, sizeof(*b.pool_gb)),
		.pool_cost = ebb_arena_calloc(arena, x->n_pools + 1, sizeof(*b.pool_cost)),
	};

	if (!b.link_gb || !b.link_cost || !b.pool_gb || !b.pool_cost)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t g = 0; p->trees && g < x->n_groups; g++)
		for (const struct ebb_xfer_tree *t = &p->trees[g]; t; t = t->next) {
			add_tree(x, &x->groups[g], t, &b);
			add_thaw(&x->groups[g], t, &b);
		}
	for (size_t i = 0; i < x->n_pools; i++)
		b.pool_cost[i] = ebb_xfer_pool_charge(&x->pools[i], b.pool_gb[i]);
	*ret = b;
	return 0;
}

const char *ebb_transfer_bill_payer(const struct ebb_xfer *x, uint32_t site)
{
	return x->sites[site].provider[0] ? x->sites[site].provider : x->sites[site].id;
}

/* A GB over a link in its cheapest slot, its pool at the first tier; EBB_XFER_NEVER: no such link. */
static int64_t per_gb(const struct ebb_xfer *x, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < x->n_links; i++) {
		const struct ebb_xfer_link *l = &x->links[i];
		int64_t least = l->price[0];

		if (l->from != from || l->to != to)
			continue;
		for (size_t s = 1; s < x->n_slots; s++)
			least = l->price[s] < least ? l->price[s] : least;
		return least + (l->pool != EBB_XFER_NONE ? x->pools[l->pool].tiers[0].price : 0);
	}
	return EBB_XFER_NEVER;
}

/* The replica from which a GB straight to @to costs least; EBB_XFER_NONE: none has a link. */
static uint32_t straight(const struct ebb_xfer *x, const struct ebb_xfer_group *g, uint32_t to, int64_t *ret_price)
{
	uint32_t best = EBB_XFER_NONE;

	for (size_t i = 0; i < g->n_replicas; i++) {
		uint32_t from = g->replicas[i].site;
		int64_t price = !g->allowed || g->allowed[from] ? per_gb(x, from, to) : EBB_XFER_NEVER;

		if (price == EBB_XFER_NEVER || (best != EBB_XFER_NONE && price >= *ret_price))
			continue;
		best = from;
		*ret_price = price;
	}
	return best;
}

/* How many hops of @t start at @site. */
static size_t leaving(const struct ebb_xfer *x, const struct ebb_xfer_tree *t, uint32_t site)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_hops; i++)
		n += x->links[t->hops[i].link].from == site;
	return n;
}

const char *ebb_transfer_bill_why(const struct ebb_xfer *x, const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t,
				  const struct ebb_xfer_hop *h, char out[EBB_TRANSFER_BILL_WHY])
{
	const struct ebb_xfer_link *l = &x->links[h->link];
	char here[EBB_XFER_TEXT], there[EBB_XFER_TEXT], packed[EBB_XFER_TEXT], form[EBB_XFER_TEXT + 32] = "";
	int64_t direct = 0, price = per_gb(x, l->from, l->to);
	uint32_t from = straight(x, g, l->to, &direct);

	ebb_xfer_gb_text(price, here);
	ebb_xfer_gb_text(direct, there);
	if (h->packed && g->gb > 0)
		snprintf(form, sizeof(form), ", compressed to %.20s of it",
			 ebb_xfer_gb_text(ebb_xfer_scale(EBB_XFER_ONE, g->packed < g->gb ? g->packed : g->gb, g->gb), packed));
	if (!ebb_xfer_dest_at(g, l->to))
		snprintf(out, EBB_TRANSFER_BILL_WHY, "relay: %zu further hop%s from there%s", leaving(x, t, l->to),
			 leaving(x, t, l->to) == 1 ? "" : "s", form);
	else if (ebb_xfer_replica_at(g, l->from))
		snprintf(out, EBB_TRANSFER_BILL_WHY, "straight from a replica, %.20s USD a GB%s", here, form);
	else if (from == EBB_XFER_NONE)
		snprintf(out, EBB_TRANSFER_BILL_WHY, "no replica has a link to it%s", form);
	else
		snprintf(out, EBB_TRANSFER_BILL_WHY, "%.20s USD a GB; straight from %.60s it is %.20s%s%s", here, x->sites[from].id, there,
			 direct < price ? ", where time or room is short" : "", form);
	return out;
}
