/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_relax.h"

#include <string.h>

const char *ebb_xfer_relax_name(enum ebb_xfer_relaxation r)
{
	static const char *const names[] = {"budget", "deadline", "residency"};

	return names[r];
}

/* @x without a constraint. NULL: no memory. */
static struct ebb_xfer *without(const struct ebb_xfer *x, enum ebb_xfer_relaxation what, struct ebb_arena *arena)
{
	struct ebb_xfer *y = (void *)ebb_arena_memdup(arena, (const void *)x, sizeof(*x));
	struct ebb_xfer_group *groups = ebb_arena_calloc(arena, x->n_groups + 1, sizeof(*groups));
	struct ebb_xfer_link *links = ebb_arena_calloc(arena, x->n_links + 1, sizeof(*links));
	ebb_xfer_num *endless = ebb_arena_calloc(arena, x->n_slots + 1, sizeof(*endless));

	if (!y || !groups || !links || !endless)
		return NULL;
	for (size_t s = 0; s < x->n_slots; s++)
		endless[s] = EBB_XFER_MAX;
	for (size_t l = 0; l < x->n_links; l++) {
		links[l] = x->links[l];
		links[l].capacity = what == EBB_XFER_RELAX_TIME ? endless : links[l].capacity;
	}
	for (size_t i = 0; i < x->n_groups; i++) {
		struct ebb_xfer_group *g = &groups[i];

		*g = x->groups[i];
		if (what == EBB_XFER_RELAX_RESIDENCY)
			g->allowed = NULL;
		if (what != EBB_XFER_RELAX_TIME || g->n_replicas == 0)
			continue;
		struct ebb_xfer_replica *r = (void *)ebb_arena_memdup(arena, (const void *)g->replicas, g->n_replicas * sizeof(*r));
		if (!r)
			return NULL;
		for (size_t k = 0; k < g->n_replicas; k++)
			r[k].restore = 0;
		g->replicas = r;
		g->last_slot = (uint32_t)x->n_slots - 1;
	}
	y->groups = groups;
	y->links = links;
	y->has_budget = x->has_budget && what != EBB_XFER_RELAX_BUDGET;
	return y;
}

int ebb_xfer_relax(const struct ebb_xfer *x, const struct ebb_xfer_plan *p, struct ebb_arena *arena,
		   struct ebb_xfer_relax *ret, struct ebb_err *err)
{
	struct ebb_xfer_relax relax = {.cheapest = -1};

	for (int i = 0; i < EBB_XFER_RELAXATIONS; i++) {
		struct ebb_xfer_plan one = {.status = EBB_XFER_INFEASIBLE};
		int r = 0;

		if (i == EBB_XFER_RELAX_BUDGET) {
			relax.helps[i] = p->reason == EBB_XFER_BUDGET;
			relax.cost[i] = p->bill.total;
		} else {
			const struct ebb_xfer *y = without(x, (enum ebb_xfer_relaxation)i, arena);

			r = y ? ebb_xfer_plan(y, arena, &one, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");
			if (r < 0 && r != -EBB_ENOTSUP)
				return r;
			relax.helps[i] = r == 0 && one.status != EBB_XFER_INFEASIBLE;
			relax.cost[i] = one.bill.total;
		}
		if (relax.helps[i] && (relax.cheapest < 0 || relax.cost[i] < relax.cost[relax.cheapest]))
			relax.cheapest = i;
	}
	if (err)
		*err = (struct ebb_err){0};
	*ret = relax;
	return 0;
}
