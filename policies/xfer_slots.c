/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_slots.h"

#include <string.h>

#include "core/mem.h"

struct lay {
	const struct ebb_xfer *x;
	const struct ebb_xfer_group *g;
	ebb_xfer_num *room;		/* per link and slot */
	uint32_t *first;		/* per site: first slot in which it has all of the group */
	struct ebb_xfer_hop *hops;	/* of the group */
};

/* The first slot that begins when the replica is restored. */
static uint32_t restored(const struct ebb_xfer *x, int64_t hours)
{
	ebb_xfer_num start = 0;
	uint32_t s = 0;

	for (; s < x->n_slots && start < hours; s++)
		start += x->slots[s].hours;
	return s;
}

/*
 * Where what waits for its sender may begin: a hop behind another one begins when that has ended, or in its last slot, in
 * which it streams. So a sender has everything by the end of first[site].
 */
static bool lay_hop(struct lay *l, struct ebb_xfer_hop *h, ebb_xfer_num *sent)
{
	const struct ebb_xfer_link *link = &l->x->links[h->link];
	ebb_xfer_num *room = l->room + (size_t)h->link * l->x->n_slots;
	ebb_xfer_num left = h->packed ? l->g->packed : l->g->gb;
	uint32_t last = l->first[link->from];

	while (left > 0) {
		uint32_t best = EBB_XFER_NONE;

		for (uint32_t s = l->first[link->from]; s <= l->g->last_slot; s++)
			if (room[s] > 0 && !sent[s] && (best == EBB_XFER_NONE || link->price[s] < link->price[best]))
				best = s;
		if (best == EBB_XFER_NONE)
			return false;
		sent[best] = left < room[best] ? left : room[best];
		room[best] -= room[best] < EBB_XFER_MAX ? sent[best] : 0;
		left -= sent[best];
		last = best > last ? best : last;
	}
	h->sent = sent;
	l->first[link->to] = last;
	return last <= l->g->last_slot;
}

static int lay_group(struct lay *l, const struct ebb_xfer_tree *t, struct ebb_arena *arena)
{
	for (size_t i = 0; i < t->n_reads; i++) {
		l->first[t->reads[i]] = restored(l->x, ebb_xfer_replica_at(l->g, t->reads[i])->restore);
		if (l->first[t->reads[i]] > l->g->last_slot)
			return 1;
	}
	for (size_t i = 0; i < t->n_hops; i++) {
		ebb_xfer_num *sent = ebb_arena_calloc(arena, l->x->n_slots, sizeof(*sent));

		if (!sent)
			return -EBB_ENOMEM;
		l->hops[i] = t->hops[i];
		if (!lay_hop(l, &l->hops[i], sent))
			return 1;
	}
	return 0;
}

int ebb_xfer_slots_lay(const struct ebb_xfer *x, const struct ebb_xfer_tree *trees,
		       struct ebb_arena *arena, const struct ebb_xfer_tree **ret, struct ebb_err *err)
{
	struct ebb_xfer_tree *laid = ebb_arena_calloc(arena, x->n_groups + 1, sizeof(*laid));
	struct lay l = {.x = x};
	int r = 0;

	l.room = ebb_arena_calloc(arena, ebb_mem_mul(x->n_links, x->n_slots) + 1, sizeof(*l.room));
	l.first = ebb_arena_calloc(arena, x->n_sites + 1, sizeof(*l.first));
	if (!laid || !l.room || !l.first)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < x->n_links; i++)
		memcpy(l.room + i * x->n_slots, x->links[i].capacity, x->n_slots * sizeof(*l.room));
	for (size_t g = 0; r == 0 && g < x->n_groups; g++) {
		l.g = &x->groups[g];
		l.hops = ebb_arena_calloc(arena, trees[g].n_hops + 1, sizeof(*l.hops));
		laid[g] = trees[g];
		laid[g].hops = l.hops;
		r = l.hops ? lay_group(&l, &trees[g], arena) : -EBB_ENOMEM;
	}
	if (r < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	*ret = laid;
	return r;
}
