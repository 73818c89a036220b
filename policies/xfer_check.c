/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* What is known of a site, for one group. */
struct at {
	bool read, copied;
	uint32_t in;		/* number of the incoming hop + 1, or 0 */
	bool packs, unpacks;	/* already paid */
	bool mark;		/* on the way up from a hop */
};

struct check {
	const struct ebb_xfer *x;
	const struct ebb_xfer_group *g;
	const struct ebb_xfer_tree *t;
	struct at *at;			/* per site */
	ebb_xfer_num *used;		/* per link and slot, all groups */
	ebb_xfer_num *pooled;		/* per pool */
	struct ebb_xfer_bill *bill;
	struct ebb_err *err;
};

static int __attribute__((format(printf, 2, 3))) bad(struct check *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ebb_err_set(c->err, EBB_EMISMATCH, "group '%s': %s", c->g->id, text);
}

static const char *name(const struct check *c, uint32_t site)
{
	return c->x->sites[site].id;
}

static ebb_xfer_num wire(const struct check *c, const struct ebb_xfer_hop *h)
{
	return h->packed ? c->g->packed : c->g->gb;
}

static bool allowed(const struct check *c, uint32_t site)
{
	return !c->g->allowed || c->g->allowed[site];
}

/* --- Who has it --- */

static int check_reads(struct check *c)
{
	for (size_t i = 0; i < c->t->n_reads; i++) {
		uint32_t s = c->t->reads[i];
		const struct ebb_xfer_replica *r = s < c->x->n_sites ? ebb_xfer_replica_at(c->g, s) : NULL;

		if (!r)
			return bad(c, "it reads a replica that is not there");
		if (c->at[s].read)
			return bad(c, "it reads the replica at '%s' twice", name(c, s));
		if (ebb_xfer_restored(c->x, r->restore) > c->g->last_slot)
			return bad(c, "the replica at '%s' cannot be read in time", name(c, s));
		c->at[s].read = true;
		c->bill->retrieval += c->g->gb * r->per_gb + c->g->objects * r->per_object;
	}
	for (size_t i = 0; i < c->t->n_copies; i++) {
		uint32_t s = c->t->copies[i];

		if (s >= c->x->n_sites || !c->at[s].read || c->at[s].copied || !ebb_xfer_needs(c->g, s))
			return bad(c, "a local copy without need or source");
		c->at[s].copied = true;
		c->bill->requests += c->g->objects * (c->x->sites[s].get + c->x->sites[s].put);
	}
	return 0;
}

/* A hop alone: may it be, and does its site get the group only once? */
static int check_hop(struct check *c, size_t i)
{
	const struct ebb_xfer_hop *h = &c->t->hops[i];

	if (h->link >= c->x->n_links)
		return bad(c, "a hop over a link that is not there");
	const struct ebb_xfer_link *l = &c->x->links[h->link];
	if (!allowed(c, l->from) || !allowed(c, l->to))
		return bad(c, "the hop from '%s' to '%s' leaves the allowed jurisdictions", name(c, l->from),
			   name(c, l->to));
	if (!ebb_xfer_dest_at(c->g, l->to) && !c->x->sites[l->to].relay)
		return bad(c, "'%s' is neither a destination nor a relay", name(c, l->to));
	if (h->packed && c->g->packed < 0)
		return bad(c, "it cannot be compressed");
	if (c->at[l->to].in || c->at[l->to].read)
		return bad(c, "'%s' gets it twice", name(c, l->to));
	c->at[l->to].in = (uint32_t)i + 1;
	return 0;
}

/* Every hop starts where the group is, and going up from it ends at a replica: no cycles. */
static int check_source(struct check *c, size_t i)
{
	uint32_t s = c->x->links[c->t->hops[i].link].from;
	size_t steps = 0;

	while (c->at[s].in && steps++ < c->x->n_sites)
		s = c->x->links[c->t->hops[c->at[s].in - 1].link].from;
	if (!c->at[s].read)
		return bad(c, "the hop from '%s' has no source",
			   name(c, c->x->links[c->t->hops[i].link].from));
	return 0;
}

/* --- Conversions --- */

/* The site has the original form only, or the compressed form only, and needs the other. */
static int convert(struct check *c, uint32_t site, bool pack)
{
	bool *done = pack ? &c->at[site].packs : &c->at[site].unpacks;
	int64_t price = pack ? c->x->sites[site].compress : c->x->sites[site].decompress;

	if (*done)
		return 0;
	if (price == EBB_XFER_NEVER)
		return bad(c, "'%s' cannot %s", name(c, site), pack ? "compress" : "decompress");
	*done = true;
	c->bill->codec += c->g->gb * price;
	return 0;
}

static bool arrived_packed(const struct check *c, uint32_t site)
{
	return c->at[site].in && c->t->hops[c->at[site].in - 1].packed;
}

/* Of destinations to choose from, enough must have the original: of those with the compressed form the cheapest are decompressed. */
static int check_choice(struct check *c)
{
	size_t left = ebb_xfer_wanted(c->g);

	for (size_t i = 0; i < c->g->n_dests; i++) {
		uint32_t d = c->g->dests[i].site;
		bool has = c->at[d].copied || (c->at[d].in && (!arrived_packed(c, d) || c->at[d].unpacks));

		left -= left && has && allowed(c, d) && ebb_xfer_needs(c->g, d);
	}
	for (; left; left--) {
		uint32_t best = EBB_XFER_NONE;

		for (size_t i = 0; i < c->g->n_dests; i++) {
			uint32_t d = c->g->dests[i].site;
			int64_t price = c->x->sites[d].decompress;

			if (ebb_xfer_needs(c->g, d) && arrived_packed(c, d) && !c->at[d].unpacks && price != EBB_XFER_NEVER &&
			    (best == EBB_XFER_NONE || price < c->x->sites[best].decompress))
				best = d;
		}
		if (best == EBB_XFER_NONE)
			return bad(c, "it comes to too few of its destinations");
		convert(c, best, false);
	}
	return 0;
}

static int check_forms(struct check *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->t->n_hops; i++) {
		const struct ebb_xfer_hop *h = &c->t->hops[i];
		uint32_t from = c->x->links[h->link].from;

		if (h->packed != arrived_packed(c, from))
			r = convert(c, from, h->packed);
	}
	if (r == 0 && c->g->choose)
		return check_choice(c);
	for (size_t i = 0; r == 0 && i < c->g->n_dests; i++) {
		uint32_t d = c->g->dests[i].site;

		if (!allowed(c, d))
			return bad(c, "destination '%s' lies outside the allowed jurisdictions", name(c, d));
		if (!ebb_xfer_needs(c->g, d))
			continue;
		if (!c->at[d].in && !c->at[d].copied)
			return bad(c, "nothing reaches '%s'", name(c, d));
		if (arrived_packed(c, d))
			r = convert(c, d, false);
	}
	return r;
}

/* --- Time and money of hops --- */

/* Sum of what a hop has sent by the end of @slot. */
static ebb_xfer_num sent_by(const struct check *c, const struct ebb_xfer_hop *h, uint32_t slot)
{
	ebb_xfer_num sum = 0;

	if (!h->sent)
		return wire(c, h);
	for (uint32_t s = 0; s <= slot; s++)
		sum += h->sent[s];
	return sum;
}

/* @a * @b <= @c * @d, all at least 0, in 256 bits. */
static bool product_le(ebb_xfer_num a, ebb_xfer_num b, ebb_xfer_num c, ebb_xfer_num d)
{
	unsigned __int128 v[2][2], x[2] = {(unsigned __int128)a, (unsigned __int128)c};
	unsigned __int128 y[2] = {(unsigned __int128)b, (unsigned __int128)d};

	for (int i = 0; i < 2; i++) {
		unsigned __int128 x0 = (uint64_t)x[i], x1 = x[i] >> 64, y0 = (uint64_t)y[i], y1 = y[i] >> 64;
		unsigned __int128 low = x0 * y0, mid = x1 * y0 + (low >> 64), mid2 = x0 * y1 + (uint64_t)mid;

		v[i][0] = mid2 << 64 | (uint64_t)low;
		v[i][1] = x1 * y1 + (mid >> 64) + (mid2 >> 64);
	}
	return v[0][1] != v[1][1] ? v[0][1] < v[1][1] : v[0][0] <= v[1][0];
}

/* Of what part of the group the sender has by the end of @slot, no more has been sent on. */
static int check_flow(struct check *c, const struct ebb_xfer_hop *h, uint32_t slot)
{
	uint32_t from = c->x->links[h->link].from;
	ebb_xfer_num sent = sent_by(c, h, slot);
	const struct ebb_xfer_hop *in = c->at[from].in ? &c->t->hops[c->at[from].in - 1] : NULL;

	if (in && !product_le(sent, wire(c, in), sent_by(c, in, slot), wire(c, h)))
		return bad(c, "'%s' sends on what it has not got", name(c, from));
	if (in)
		return 0;
	if (sent && slot < ebb_xfer_restored(c->x, ebb_xfer_replica_at(c->g, from)->restore))
		return bad(c, "'%s' is read before it is restored", name(c, from));
	return 0;
}

static int check_time(struct check *c, const struct ebb_xfer_hop *h)
{
	ebb_xfer_num sum = 0;

	for (uint32_t s = 0; s < c->x->n_slots; s++) {
		ebb_xfer_num v = h->sent ? h->sent[s] : s == 0 ? wire(c, h) : 0;
		int r;

		if (v < 0 || (v && s > c->g->last_slot))
			return bad(c, "bytes travel outside its slots");
		if ((r = check_flow(c, h, s)) < 0)
			return r;
		sum += v;
		c->bill->links += v * c->x->links[h->link].price[s];
		c->used[(size_t)h->link * c->x->n_slots + s] += v;
	}
	if (sum != wire(c, h))
		return bad(c, "a hop does not send all");
	return 0;
}

static int bill_hop(struct check *c, const struct ebb_xfer_hop *h)
{
	const struct ebb_xfer_link *l = &c->x->links[h->link];
	ebb_xfer_num w = wire(c, h);

	c->bill->requests += c->g->objects * (c->x->sites[l->from].get + c->x->sites[l->to].put);
	if (!ebb_xfer_dest_at(c->g, l->to))
		c->bill->relays += w * c->x->sites[l->to].relay_fee;
	if (l->pool != EBB_XFER_NONE)
		c->pooled[l->pool] += w;
	return check_time(c, h);
}

/* One tree, for all of a group or a part of it. */
static int check_tree(struct check *c)
{
	int r = check_reads(c);

	for (size_t i = 0; r == 0 && i < c->t->n_hops; i++)
		r = check_hop(c, i);
	for (size_t i = 0; r == 0 && i < c->t->n_hops; i++)
		r = check_source(c, i);
	if (r == 0)
		r = check_forms(c);
	for (size_t i = 0; r == 0 && i < c->t->n_hops; i++)
		r = bill_hop(c, &c->t->hops[i]);
	return r;
}

/* All parts of @g together are the group. */
static int check_parts(struct check *c, const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t)
{
	bool whole = t->gb == 0 && !t->next;
	ebb_xfer_num sum = whole ? g->gb : 0;
	int r = 0;

	if (!whole && (!g->may_split || g->n_dests != 1))
		return bad(c, "it may not be split");
	for (; r == 0 && t; t = t->next) {
		struct ebb_xfer_group part = *g;

		if (!whole && (t->gb <= 0 || t->gb > g->gb))
			return bad(c, "a part of it has no size");
		sum += t->gb;
		part = ebb_xfer_part(g, t);
		c->g = &part;
		c->t = t;
		memset(c->at, 0, c->x->n_sites * sizeof(*c->at));
		r = check_tree(c);
		c->g = g;
	}
	return r == 0 && sum != g->gb ? bad(c, "its parts are not all of it") : r;
}

static int check_group(struct check *c, const struct ebb_xfer_tree *t)
{
	int r = check_parts(c, c->g, t);

	for (size_t i = 0; i < c->g->n_dests; i++) {
		const struct ebb_xfer_dest *d = &c->g->dests[i];
		const struct ebb_xfer_site *s = &c->x->sites[d->site];

		c->bill->copies += (ebb_xfer_num)(d->copies - 1) * c->g->objects * (s->get + s->put);
	}
	c->bill->fixed += c->g->fixed;
	return r;
}

static int check_rooms(const struct check *c)
{
	for (size_t i = 0; i < c->x->n_links; i++)
		for (size_t s = 0; s < c->x->n_slots; s++)
			if (c->used[i * c->x->n_slots + s] > c->x->links[i].capacity[s])
				return ebb_err_set(c->err, EBB_EMISMATCH,
						   "the link from '%s' to '%s' carries more than it can",
						   name(c, c->x->links[i].from), name(c, c->x->links[i].to));
	return 0;
}

int ebb_xfer_check(const struct ebb_xfer *x, const struct ebb_xfer_tree *trees,
		   struct ebb_xfer_bill *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) struct at *at = calloc(x->n_sites + 1, sizeof(*at));
	EBB_CLEANUP(ebb_mem_freep) ebb_xfer_num *used =
		calloc(ebb_mem_mul(x->n_links, x->n_slots) + 1, sizeof(*used));
	EBB_CLEANUP(ebb_mem_freep) ebb_xfer_num *pooled = calloc(x->n_pools + 1, sizeof(*pooled));
	struct ebb_xfer_bill b = {0};
	struct check c = {.x = x, .at = at, .used = used, .pooled = pooled, .bill = &b, .err = err};
	int r = 0;

	if (!at || !used || !pooled)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < x->n_groups; i++) {
		c.g = &x->groups[i];
		r = check_group(&c, &trees[i]);
	}
	if (r == 0)
		r = check_rooms(&c);
	if (r < 0)
		return r;
	for (size_t i = 0; i < x->n_pools; i++)
		b.pools += ebb_xfer_pool_charge(&x->pools[i], pooled[i]);
	b.total = b.links + b.pools + b.requests + b.relays + b.retrieval + b.codec + b.copies + b.fixed;
	*ret = b;
	return 0;
}
