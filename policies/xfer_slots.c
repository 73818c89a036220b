/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_slots.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

/* Where an amount is near a whole number of these, that is what a linear programme in floats has meant. */
#define GRAIN ((ebb_xfer_num)1000000)		/* 10^-6 GB */

int ebb_xfer_slots_init(struct ebb_xfer_slots *s, const struct ebb_xfer *x, struct ebb_arena *arena)
{
	s->x = x;
	s->room = ebb_arena_calloc(arena, ebb_mem_mul(x->n_links, x->n_slots) + 1, sizeof(*s->room));
	s->first = ebb_arena_calloc(arena, x->n_sites + 1, sizeof(*s->first));
	s->in = ebb_arena_calloc(arena, x->n_sites + 1, sizeof(*s->in));
	if (!s->room || !s->first || !s->in)
		return -EBB_ENOMEM;
	for (size_t i = 0; i < x->n_links; i++)
		memcpy(s->room + i * x->n_slots, x->links[i].capacity, x->n_slots * sizeof(*s->room));
	return 0;
}

static ebb_xfer_num wire(const struct ebb_xfer_group *g, const struct ebb_xfer_hop *h)
{
	return h->packed ? g->packed : g->gb;
}

/* --- Greedy --- */

/*
 * A hop behind another one begins when that has ended, or in its last slot, in which it streams: a sender has everything by
 * the end of first[site].
 */
static bool greedy(struct ebb_xfer_slots *l, const struct ebb_xfer_group *g, const struct ebb_xfer_hop *h,
		   ebb_xfer_num *sent)
{
	const struct ebb_xfer_link *link = &l->x->links[h->link];
	const ebb_xfer_num *room = l->room + (size_t)h->link * l->x->n_slots;
	ebb_xfer_num left = wire(g, h);
	uint32_t last = l->first[link->from];

	while (left > 0) {
		uint32_t best = EBB_XFER_NONE;

		for (uint32_t s = l->first[link->from]; s <= g->last_slot; s++)
			if (room[s] > 0 && !sent[s] && (best == EBB_XFER_NONE || link->price[s] < link->price[best]))
				best = s;
		if (best == EBB_XFER_NONE)
			return false;
		sent[best] = left < room[best] ? left : room[best];
		left -= sent[best];
		last = best > last ? best : last;
	}
	l->first[link->to] = last;
	return last <= g->last_slot;
}

/* --- Guided --- */

/* @share of @whole, to the grain where it is near. */
static ebb_xfer_num amount(double share, ebb_xfer_num whole)
{
	double v = share * (double)whole, near = (double)GRAIN * round(v / (double)GRAIN);

	if (share >= 1 - 1e-12)
		return whole;
	if (fabs(v - near) < 1e-3 * (double)GRAIN + 1e-13 * (double)whole)
		v = near;
	ebb_xfer_num n = v <= 0 ? 0 : (ebb_xfer_num)round(v);
	return n > whole ? whole : n;
}

/* What may have been sent by the end of @slot, given what the sender has got by then. */
static ebb_xfer_num have(const struct ebb_xfer_slots *l, const struct ebb_xfer_group *g,
			 const struct ebb_xfer_hop *h, uint32_t slot)
{
	uint32_t from = l->x->links[h->link].from;
	const struct ebb_xfer_hop *in = l->in[from];
	ebb_xfer_num got = 0, all = in ? wire(g, in) : 0, whole = wire(g, h);

	if (!in)
		return slot >= l->first[from] ? whole : 0;
	for (uint32_t s = 0; s <= slot; s++)
		got += in->sent[s];
	return got >= all ? whole : ebb_xfer_scale(whole, got, all);
}

static bool guided(struct ebb_xfer_slots *l, const struct ebb_xfer_group *g, const struct ebb_xfer_hop *h,
		   const double *share, ebb_xfer_num *sent)
{
	const ebb_xfer_num *room = l->room + (size_t)h->link * l->x->n_slots;
	ebb_xfer_num whole = wire(g, h), done = 0;

	for (uint32_t s = 0; s <= g->last_slot; s++) {
		ebb_xfer_num want = amount(share[s], whole), can = have(l, g, h, s);

		want = (want < can ? want : can) - done;
		want = want < room[s] ? want : room[s];
		sent[s] = want > 0 ? want : 0;
		done += sent[s];
	}
	/* what rounding left over, as late as there is room, so that the sender has it */
	for (uint32_t s = g->last_slot + 1; done < whole && s-- > 0;) {
		ebb_xfer_num more = whole - done, by = done;

		more = more < room[s] - sent[s] ? more : room[s] - sent[s];
		for (uint32_t t = g->last_slot; t >= s && more > 0; t--) {
			ebb_xfer_num slack = have(l, g, h, t) - by;

			more = more < slack ? more : slack;
			by -= sent[t];
			if (t == 0)
				break;
		}
		sent[s] += more > 0 ? more : 0;
		done += more > 0 ? more : 0;
	}
	return done == whole;
}

/* --- Trees --- */

static int lay_hops(struct ebb_xfer_slots *l, const struct ebb_xfer_group *g, struct ebb_xfer_hop *hops,
		    size_t n, const double *guide, struct ebb_arena *arena)
{
	for (size_t i = 0; i < n; i++) {
		const struct ebb_xfer_link *link = &l->x->links[hops[i].link];
		ebb_xfer_num *sent = ebb_arena_calloc(arena, l->x->n_slots, sizeof(*sent));

		if (!sent)
			return -EBB_ENOMEM;
		hops[i].sent = sent;
		l->in[link->to] = &hops[i];
		if (!(guide ? guided(l, g, &hops[i], guide + i * l->x->n_slots, sent) : greedy(l, g, &hops[i], sent)))
			return 1;
	}
	return 0;
}

int ebb_xfer_slots_add(struct ebb_xfer_slots *l, const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t,
		       const double *guide, struct ebb_arena *arena, struct ebb_xfer_tree *ret)
{
	struct ebb_xfer_hop *hops = ebb_arena_calloc(arena, t->n_hops + 1, sizeof(*hops));
	const struct ebb_xfer_group part = ebb_xfer_part(g, t);

	if (!hops)
		return -EBB_ENOMEM;
	memset(l->in, 0, l->x->n_sites * sizeof(*l->in));
	for (size_t i = 0; i < t->n_reads; i++) {
		l->first[t->reads[i]] = ebb_xfer_restored(l->x, ebb_xfer_replica_at(g, t->reads[i])->restore);
		if (l->first[t->reads[i]] > g->last_slot)
			return 1;
	}
	if (t->n_hops)
		memcpy(hops, t->hops, t->n_hops * sizeof(*hops));
	int r = lay_hops(l, &part, hops, t->n_hops, guide, arena);
	if (r)
		return r;
	for (size_t i = 0; i < t->n_hops; i++)
		for (uint32_t s = 0; s <= g->last_slot; s++) {
			ebb_xfer_num *room = &l->room[(size_t)hops[i].link * l->x->n_slots + s];

			*room -= *room < EBB_XFER_MAX ? hops[i].sent[s] : 0;
		}
	*ret = *t;
	ret->hops = hops;
	return 0;
}

int ebb_xfer_slots_lay(const struct ebb_xfer *x, const struct ebb_xfer_tree *trees,
		       struct ebb_arena *arena, const struct ebb_xfer_tree **ret, struct ebb_err *err)
{
	struct ebb_xfer_tree *laid = ebb_arena_calloc(arena, x->n_groups + 1, sizeof(*laid));
	struct ebb_xfer_slots l;
	int r = laid ? ebb_xfer_slots_init(&l, x, arena) : -EBB_ENOMEM;

	for (size_t g = 0; r == 0 && g < x->n_groups; g++)
		r = ebb_xfer_slots_add(&l, &x->groups[g], &trees[g], NULL, arena, &laid[g]);
	if (r < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	*ret = laid;
	return r;
}
