/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_plan.h"

#include "core/mem.h"
#include "policies/xfer_couple.h"
#include "policies/xfer_direct.h"
#include "policies/xfer_room.h"
#include "policies/xfer_round.h"
#include "policies/xfer_slots.h"
#include "policies/xfer_tiers.h"

/* Up to so many groups, what branch and bound over tiers leaves open is taken up by that over the programme. */
#define POOLED_GROUPS 200

static const char *const statuses[] = {"optimal", "feasible", "infeasible"};
static const char *const reasons[] = {"", "residency", "unreachable", "deadline", "budget"};

const char *ebb_xfer_plan_status(enum ebb_xfer_status s)
{
	return statuses[s];
}

const char *ebb_xfer_plan_reason(enum ebb_xfer_reason r)
{
	return reasons[r];
}

/* What every plan costs: further copies, early deletion. */
static ebb_xfer_num constants(const struct ebb_xfer *x)
{
	ebb_xfer_num sum = 0;

	for (size_t i = 0; i < x->n_groups; i++) {
		const struct ebb_xfer_group *g = &x->groups[i];

		sum += g->fixed;
		for (size_t j = 0; j < g->n_dests; j++) {
			const struct ebb_xfer_site *s = &x->sites[g->dests[j].site];

			sum += (ebb_xfer_num)(g->dests[j].copies - 1) * g->objects * (s->get + s->put);
		}
	}
	return sum;
}

/* Why one group cannot be delivered: does it help to forget time, or where it may go? */
static int explain(const struct ebb_xfer *x, size_t stuck, struct ebb_arena *arena,
		   enum ebb_xfer_reason *ret, struct ebb_err *err)
{
	struct ebb_xfer one = *x;
	struct ebb_xfer_tiers t;

	*ret = EBB_XFER_UNREACHABLE;
	one.groups = &x->groups[stuck];
	one.n_groups = 1;
	one.n_pools = x->n_pools;
	for (int i = 0; i < 2; i++) {
		const struct ebb_xfer_tiers_ask ask = {.any_time = true, .anywhere = i == 1, .max_solves = 1};
		int r = ebb_xfer_tiers_solve(&one, &ask, arena, &t, err);

		if (r < 0)
			return r;
		if (t.feasible) {
			*ret = i ? EBB_XFER_RESIDENCY : EBB_XFER_DEADLINE;
			return 0;
		}
	}
	return 0;
}

/* Among all that are stuck, the worst reason counts: unreachable, then residency, then deadline. */
static int infeasible(const struct ebb_xfer *x, struct ebb_arena *arena, struct ebb_xfer_plan *p,
		      struct ebb_err *err)
{
	const struct ebb_xfer_tiers_ask ask = {.max_solves = 1};
	static const int rank[] = {0, 2, 3, 1, 0};
	struct ebb_xfer one = *x;
	struct ebb_xfer_tiers t;

	one.n_groups = 1;
	p->status = EBB_XFER_INFEASIBLE;
	for (size_t g = 0; g < x->n_groups; g++) {
		enum ebb_xfer_reason why;

		one.groups = &x->groups[g];
		int r = ebb_xfer_tiers_solve(&one, &ask, arena, &t, err);
		if (r < 0)
			return r;
		if (t.feasible)
			continue;
		if ((r = explain(x, g, arena, &why, err)) < 0)
			return r;
		if (rank[why] > rank[p->reason]) {
			p->reason = why;
			p->stuck = &x->groups[g];
		}
	}
	return 0;
}

/* Do slots, rooms or restoring say anything? */
static bool is_timed(const struct ebb_xfer *x)
{
	bool any = false;

	for (size_t i = 0; i < x->n_links; i++)
		for (size_t s = 0; s < x->n_slots; s++)
			any |= x->links[i].capacity[s] < EBB_XFER_MAX || x->links[i].price[s] != x->links[i].price[0];
	for (size_t g = 0; g < x->n_groups; g++)
		for (size_t i = 0; i < x->groups[g].n_replicas; i++)
			any |= x->groups[g].replicas[i].restore > 0;
	return any;
}

static int undecided(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOTSUP,
			   "this instance could not be decided: its slots or gb_per_hour change the plan, no timetable was "
			   "found, and none was proven impossible; give it more slots, more room, or groups that may_split");
}

/* Status and bounds of a plan that was found; no plan costs less than @bound. */
static int judge(const struct ebb_xfer *x, ebb_xfer_num bound, struct ebb_xfer_plan *p,
		 struct ebb_err *err)
{
	int r = ebb_xfer_check(x, p->trees, &p->bill, err);

	if (r < 0)
		return r;
	/* costs in 10^-27: what rounding took from the shares of a split is no proof that it could be dearer */
	p->lower_bound = bound > p->bill.total && bound - p->bill.total < bound / 1000000000000000 ? p->bill.total : bound;
	p->status = ebb_xfer_couple_proven(bound, p->bill.total) ? EBB_XFER_OPTIMAL : EBB_XFER_FEASIBLE;
	p->minimum_exact = p->status == EBB_XFER_OPTIMAL;
	if (!x->has_budget || p->bill.total <= x->budget + EBB_XFER_TOLERANCE)
		return 0;
	if (bound > x->budget + EBB_XFER_TOLERANCE || p->minimum_exact) {
		p->status = EBB_XFER_INFEASIBLE;
		p->reason = EBB_XFER_BUDGET;
		return 0;
	}
	return ebb_err_set(err, EBB_ENOTSUP,
			   "whether the budget suffices is open: the best plan found is over it, the proven minimum is not");
}

/* No plan, because of time or room. */
static int no_time(struct ebb_xfer_plan *p)
{
	p->trees = NULL;
	p->status = EBB_XFER_INFEASIBLE;
	p->reason = EBB_XFER_DEADLINE;
	return 0;
}

/* Without a solver: group after group through what room there is left, with the bound that forgets about room. */
static int plan_greedily(const struct ebb_xfer *x, ebb_xfer_num bound, struct ebb_arena *arena,
			 struct ebb_xfer_plan *p, struct ebb_err *err)
{
	int r = ebb_xfer_round(x, NULL, 0, arena, &p->trees, err);

	p->method = "group after group";
	return r > 0 ? undecided(err) : r < 0 ? r : judge(x, bound, p, err);
}

/* Without a solver: all trees of small instances. @laid: p has a plan, which costs @cost. */
static int plan_listed(const struct ebb_xfer *x, bool laid, ebb_xfer_num cost, ebb_xfer_num bound,
		       struct ebb_arena *arena, struct ebb_xfer_plan *p, struct ebb_err *err)
{
	struct ebb_xfer_room room;
	int r = ebb_xfer_room_solve(x, arena, &room, err);

	if (r < 0)
		return r;
	if (r && !laid)
		return plan_greedily(x, bound, arena, p, err);
	if (r || (room.feasible && laid && cost < room.cost))
		return judge(x, r || room.bound < bound ? bound : room.bound, p, err);
	if (!room.feasible)
		return no_time(p);
	p->method = "all trees, laid into slots";
	p->trees = room.trees;
	return judge(x, room.bound > bound ? room.bound : bound, p, err);
}

/* All groups coupled by time, room and pools, from @t, which forgets about the former and may have left a gap. */
static int plan_coupled(const struct ebb_xfer *x, const struct ebb_xfer_tiers *t, struct ebb_arena *arena,
			struct ebb_xfer_plan *p, struct ebb_err *err)
{
	ebb_xfer_num fixed = constants(x), bound = t->bound + fixed;
	struct ebb_xfer_bill b = {0};
	struct ebb_xfer_couple c;
	int laid = ebb_xfer_slots_lay(x, t->trees, arena, &p->trees, err);

	p->method = "cheapest trees, laid into slots";
	if (laid == 0)
		laid = ebb_xfer_check(x, p->trees, &b, err);
	if (laid < 0 || (laid == 0 && ebb_xfer_couple_proven(bound, b.total)))
		return laid < 0 ? laid : judge(x, bound, p, err);
	const struct ebb_xfer_couple_ask ask = {
		.constant = fixed, .start = laid == 0 ? p->trees : NULL, .start_cost = b.total,
	};
	int r = ebb_xfer_couple_solve(x, &ask, arena, &c, err);
	if (r)
		return r < 0 ? r : plan_listed(x, laid == 0, b.total, bound, arena, p, err);
	p->short_by = c.short_by;
	p->room_price = c.room_price;
	p->pool_price = c.pool_price;
	p->nodes += c.cases;
	p->method = "column generation, branch and bound";
	if (c.infeasible)
		return no_time(p);
	if (!c.feasible)
		return undecided(err);
	p->trees = c.trees;
	return judge(x, c.bound > bound ? c.bound : bound, p, err);
}

int ebb_xfer_plan(const struct ebb_xfer *x, struct ebb_arena *arena, struct ebb_xfer_plan *ret,
		  struct ebb_err *err)
{
	const struct ebb_xfer_tiers_ask ask = {0};
	struct ebb_xfer_plan p = {.method = "cheapest trees"};
	struct ebb_xfer_tiers t;
	int r = ebb_xfer_tiers_solve(x, &ask, arena, &t, err);

	if (r < 0)
		return r;
	p.nodes = t.nodes;
	if ((r = ebb_xfer_direct(x, EBB_XFER_DIRECT_FIRST, arena, &p.direct_first, err)) < 0 ||
	    (r = ebb_xfer_direct(x, EBB_XFER_DIRECT_CHEAPEST, arena, &p.direct_cheapest, err)) < 0)
		return r;
	p.trees = t.trees;
	if (!t.feasible) {
		p.trees = NULL;
		r = infeasible(x, arena, &p, err);
	} else if (is_timed(x) || (t.bound < t.cost && x->n_groups <= POOLED_GROUPS)) {
		r = plan_coupled(x, &t, arena, &p, err);
	} else {
		p.method = x->n_pools ? "cheapest trees, branch and bound over tiers" : p.method;
		r = judge(x, t.bound + constants(x), &p, err);
	}
	if (r == 0)
		*ret = p;
	return r;
}
