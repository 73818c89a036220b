/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plans against a mixed integer programme that GLPK solves: the whole model in arcs (who sends what to whom in which form and slot),
 * written from the format's rules, sharing nothing with the planner. Random instances with every feature: the same feasibility, the
 * same cost where the plan is called optimal, else a bound that is none above.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "policies/xfer_plan.h"
#include "tests/support/seed.h"
#include "tests/support/xfer_draw.h"

#ifdef EBB_WITHOUT_GLPK

int main(void)
{
	puts("skipped: built without GLPK");
	return 77;
}

#else

#include <glpk.h>

enum { SITES = EBB_XFER_DRAW_SITES, LINKS = SITES * SITES, SLOTS = EBB_XFER_DRAW_SLOTS, TERMS = 4096 };

static const struct ebb_xfer *x;
static glp_prob *lp;

/* --- Writing rows --- */

static int term_at[TERMS + 1];
static double term_value[TERMS + 1];
static int n_terms;

static double gb(ebb_xfer_num v)
{
	return (double)v / 1e12;
}

static int column(double cost, double most, bool whole)
{
	int c = glp_add_cols(lp, 1);

	glp_set_obj_coef(lp, c, cost);
	if (most > 0)
		glp_set_col_bnds(lp, c, GLP_DB, 0, most);
	else
		glp_set_col_bnds(lp, c, GLP_FX, 0, 0);
	if (whole && most > 0)
		glp_set_col_kind(lp, c, GLP_BV);
	return c;
}

static void term(int col, double value)
{
	for (int i = 1; i <= n_terms; i++)
		if (term_at[i] == col) {
			term_value[i] += value;
			return;
		}
	term_at[++n_terms] = col;
	term_value[n_terms] = value;
}

/* GLP_LO: at least, GLP_UP: at most, GLP_FX: equal. */
static void row(int kind, double bound)
{
	int r = glp_add_rows(lp, 1);

	glp_set_row_bnds(lp, r, kind, bound, bound);
	glp_set_mat_row(lp, r, n_terms, term_at, term_value);
	n_terms = 0;
}

/* --- The variables of one group --- */

static struct {
	int hop[LINKS][2];		/* whether, or how much of it; 0: cannot be */
	int sent[LINKS][2][SLOTS];
	int flow[LINKS];
	int read[SITES];		/* 0: cannot be */
	int pack[SITES], unpack[SITES];
} v[EBB_XFER_DRAW_GROUPS];

static bool inside(const struct ebb_xfer_group *g, uint32_t s)
{
	return !g->allowed || g->allowed[s];
}

static double wire(const struct ebb_xfer_group *g, int form)
{
	return gb(form ? g->packed : g->gb);
}

static void hop_columns(size_t i, uint32_t l)
{
	const struct ebb_xfer_group *g = &x->groups[i];
	const struct ebb_xfer_link *k = &x->links[l];
	const struct ebb_xfer_site *to = &x->sites[k->to];
	bool dest = ebb_xfer_dest_at(g, k->to);

	v[i].flow[l] = column(0, SITES, false);
	for (int f = 0; f < 2; f++) {
		bool can = inside(g, k->from) && inside(g, k->to) && (dest || to->relay) && (f == 0 || g->packed >= 0);
		double cost = gb(g->objects) * gb(x->sites[k->from].get + to->put);

		v[i].hop[l][f] = 0;
		if (!can)
			continue;
		if (!dest)
			cost += wire(g, f) * gb(to->relay_fee);
		v[i].hop[l][f] = column(cost, 1, !g->may_split);
		for (size_t s = 0; s < x->n_slots; s++)
			v[i].sent[l][f][s] =
				column(wire(g, f) * gb(k->price[s]), s <= g->last_slot && k->capacity[s] > 0 ? 1 : 0, false);
	}
}

static void site_columns(size_t i, uint32_t s)
{
	const struct ebb_xfer_group *g = &x->groups[i];
	const struct ebb_xfer_replica *r = ebb_xfer_replica_at(g, s);
	const struct ebb_xfer_site *site = &x->sites[s];
	double cost;

	v[i].read[s] = 0;
	if (r && inside(g, s) && ebb_xfer_restored(x, r->restore) <= g->last_slot) {
		cost = gb(g->gb) * gb(r->per_gb) + gb(g->objects) * gb(r->per_object);
		if (ebb_xfer_needs(g, s))
			cost += gb(g->objects) * gb(site->get + site->put);
		v[i].read[s] = column(cost, 1, !g->may_split);
	}
	v[i].pack[s] = column(gb(g->gb) * gb(site->compress), site->compress >= 0 && g->packed >= 0, true);
	v[i].unpack[s] = column(gb(g->gb) * gb(site->decompress), site->decompress >= 0 && g->packed >= 0, true);
}

/* What has reached @s in the forms of @mask (1 original, 2 compressed), by the end of slot @by (n_slots: ever). */
static void arrived(size_t i, uint32_t s, int mask, size_t by, double value)
{
	const struct ebb_xfer_replica *r = ebb_xfer_replica_at(&x->groups[i], s);

	if (mask & 1 && v[i].read[s] && (by == x->n_slots || by >= ebb_xfer_restored(x, r->restore)))
		term(v[i].read[s], value);
	for (uint32_t l = 0; l < x->n_links; l++)
		for (int f = 0; f < 2; f++) {
			if (x->links[l].to != s || !v[i].hop[l][f] || !(mask & (1 << f)))
				continue;
			for (size_t t = 0; by < x->n_slots && t <= by; t++)
				term(v[i].sent[l][f][t], value);
			if (by == x->n_slots)
				term(v[i].hop[l][f], value);
		}
}

/* --- The rules --- */

static void rules_of_hop(size_t i, uint32_t l, int f)
{
	uint32_t from = x->links[l].from;

	for (size_t s = 0; s < x->n_slots; s++)
		term(v[i].sent[l][f][s], 1);
	term(v[i].hop[l][f], -1);
	row(GLP_FX, 0);
	if (x->groups[i].may_split)
		return;
	/* the sender has it in this form */
	term(v[i].hop[l][f], 1);
	term(f ? v[i].pack[from] : v[i].unpack[from], -1);
	arrived(i, from, f ? 2 : 1, x->n_slots, -1);
	row(GLP_UP, 0);
	term(v[i].flow[l], -1);
	term(v[i].hop[l][f], 1);
	row(GLP_UP, 0);
	for (size_t s = 0; s < x->n_slots; s++) {
		for (size_t t = 0; t <= s; t++)
			term(v[i].sent[l][f][t], 1);
		arrived(i, from, 3, s, -1);
		row(GLP_UP, 0);
	}
}

/* One tree: a site gets it once; what flows through it comes from a replica. */
static void rules_of_site(size_t i, uint32_t s)
{
	const struct ebb_xfer_group *g = &x->groups[i];
	bool needs = ebb_xfer_needs(g, s);

	arrived(i, s, 3, x->n_slots, 1);
	row(needs ? GLP_FX : GLP_UP, 1);
	if (needs) {
		term(v[i].unpack[s], 1);
		arrived(i, s, 2, x->n_slots, -1);
		row(GLP_LO, 0);
	}
	term(v[i].pack[s], 1);
	arrived(i, s, 1, x->n_slots, -1);
	row(GLP_UP, 0);
	term(v[i].unpack[s], 1);
	arrived(i, s, 2, x->n_slots, -1);
	row(GLP_UP, 0);
	for (uint32_t l = 0; l < x->n_links; l++) {
		if (x->links[l].to == s)
			term(v[i].flow[l], 1);
		if (x->links[l].from == s)
			term(v[i].flow[l], -1);
	}
	arrived(i, s, 2 | 1, x->n_slots, -1);
	if (v[i].read[s])
		term(v[i].read[s], SITES + 1);
	row(GLP_LO, 0);
	for (uint32_t l = 0; l < x->n_links; l++) {
		if (x->links[l].to != s)
			continue;
		term(v[i].flow[l], 1);
		for (int f = 0; f < 2; f++)
			if (v[i].hop[l][f])
				term(v[i].hop[l][f], -SITES);
		row(GLP_UP, 0);
	}
}

/* Fractions of a group with one destination: a flow, whose cumulated sums never run ahead. */
static void rules_of_split(size_t i, uint32_t s)
{
	arrived(i, s, 1, x->n_slots, 1);
	row(ebb_xfer_needs(&x->groups[i], s) ? GLP_FX : GLP_UP, 1);
	/* it ends where it is wanted: no cycle may feed itself */
	for (uint32_t l = 0; l < x->n_links; l++)
		if (x->links[l].from == s && v[i].hop[l][0] && ebb_xfer_dest_at(&x->groups[i], s))
			glp_set_col_bnds(lp, v[i].hop[l][0], GLP_FX, 0, 0);
	for (size_t t = 0; t < x->n_slots; t++) {
		for (uint32_t l = 0; l < x->n_links; l++)
			for (size_t u = 0; x->links[l].from == s && v[i].hop[l][0] && u <= t; u++)
				term(v[i].sent[l][0][u], 1);
		arrived(i, s, 1, t, -1);
		row(GLP_UP, 0);
	}
}

static bool group_rules(size_t i, double *constant)
{
	const struct ebb_xfer_group *g = &x->groups[i];

	for (size_t d = 0; d < g->n_dests; d++) {
		const struct ebb_xfer_site *s = &x->sites[g->dests[d].site];

		if (!inside(g, g->dests[d].site))
			return false;
		*constant += (double)(g->dests[d].copies - 1) * gb(g->objects) * gb(s->get + s->put);
	}
	*constant += (double)g->fixed / 1e24;
	for (uint32_t l = 0; l < x->n_links; l++)
		hop_columns(i, l);
	for (uint32_t s = 0; s < x->n_sites; s++)
		site_columns(i, s);
	for (uint32_t l = 0; l < x->n_links; l++)
		for (int f = 0; f < 2; f++)
			if (v[i].hop[l][f])
				rules_of_hop(i, l, f);
	for (uint32_t s = 0; s < x->n_sites; s++) {
		if (g->may_split)
			rules_of_split(i, s);
		else
			rules_of_site(i, s);
	}
	return true;
}

static void room_rules(void)
{
	for (uint32_t l = 0; l < x->n_links; l++)
		for (size_t s = 0; s < x->n_slots; s++) {
			if (x->links[l].capacity[s] >= EBB_XFER_MAX)
				continue;
			for (size_t i = 0; i < x->n_groups; i++)
				for (int f = 0; f < 2; f++)
					if (v[i].hop[l][f])
						term(v[i].sent[l][f][s], wire(&x->groups[i], f));
			row(GLP_UP, gb(x->links[l].capacity[s]));
		}
}

/* A tier is used only when those below are full. */
static void pool_rules(uint32_t p)
{
	const struct ebb_xfer_pool *pool = &x->pools[p];
	int part[8], full[8];
	double length[8], from = gb(pool->already);

	for (size_t t = 0; t < pool->n_tiers; t++) {
		double end = pool->tiers[t].upto == EBB_XFER_MAX ? from + 10000 : gb(pool->tiers[t].upto);

		length[t] = end > from ? end - from : 0;
		from = end > from ? end : from;
		part[t] = column(gb(pool->tiers[t].price), length[t], false);
		full[t] = column(0, 1, true);
	}
	for (size_t t = 0; t < pool->n_tiers; t++) {
		term(part[t], 1);
		term(full[t], -length[t]);
		row(GLP_LO, 0);
		if (t + 1 == pool->n_tiers)
			break;
		term(part[t + 1], 1);
		term(full[t], -length[t + 1]);
		row(GLP_UP, 0);
	}
	for (size_t t = 0; t < pool->n_tiers; t++)
		term(part[t], -1);
	for (uint32_t l = 0; l < x->n_links; l++)
		for (size_t i = 0; x->links[l].pool == p && i < x->n_groups; i++)
			for (int f = 0; f < 2; f++)
				if (v[i].hop[l][f])
					term(v[i].hop[l][f], wire(&x->groups[i], f));
	row(GLP_FX, 0);
}

/* The least cost in USD; -1: there is no plan; -2: GLPK gave up. */
static double judge(void)
{
	double cost = 0;
	bool can = true;
	glp_iocp how;

	lp = glp_create_prob();
	for (size_t i = 0; can && i < x->n_groups; i++)
		can = group_rules(i, &cost);
	n_terms = 0;
	if (can) {
		room_rules();
		for (uint32_t p = 0; p < x->n_pools; p++)
			pool_rules(p);
		glp_init_iocp(&how);
		how.msg_lev = GLP_MSG_OFF;
		how.presolve = GLP_ON;
		how.tm_lim = 20000;
		int r = glp_intopt(lp, &how);
		int status = glp_mip_status(lp);
		if (r == GLP_ENOPFS || status == GLP_NOFEAS)
			cost = -1;
		else if (r || status != GLP_OPT)
			cost = -2;
		else
			cost += fmax(0, glp_mip_obj_val(lp));
	}
	glp_delete_prob(lp);
	return can ? cost : -1;
}

int main(void)
{
	static const struct ebb_xfer_draw kinds[] = {
		{4, 3, 2, 3, true, true}, {5, 2, 0, 3, false, true}, {3, 6, 2, 2, true, true}, {5, 4, 3, 1, true, false},
		{6, 5, 1, 3, false, true},
	};
	const char *more = getenv("ROUNDS");
	int rounds = more ? atoi(more) : 300, counts[3] = {0}, open = 0, split = 0;
	struct ebb_prng rnd = ebb_seed_start();

	glp_term_out(GLP_OFF);
	for (int i = 0; i < rounds; i++) {
		EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
		struct ebb_xfer_plan p;
		struct ebb_err err = {0};

		ebb_arena_init(&arena, 0);
		x = ebb_xfer_draw(&kinds[i % 5], &rnd);
		if (getenv("SHOW") && atoi(getenv("SHOW")) == i)
			ebb_xfer_draw_print(stdout);
		double best = judge();
		if (best == -2)
			continue;
		int r = ebb_xfer_plan(x, &arena, &p, &err);
		EBB_SEED_CHECK(r == 0 || r == -EBB_ENOTSUP, "round %d: %s", i, err.msg);
		open += r < 0;
		if (r < 0)
			continue;
		EBB_SEED_CHECK((p.status == EBB_XFER_INFEASIBLE) == (best < 0), "round %d: %s, and GLPK says %g", i,
			       ebb_xfer_plan_status(p.status), best);
		counts[p.status]++;
		if (p.status == EBB_XFER_FEASIBLE && getenv("SHOW"))
			printf("round %d: a gap\n", i);
		if (best < 0)
			continue;
		double cost = (double)p.bill.total / 1e24, low = (double)p.lower_bound / 1e24, near = 1e-5 * (1 + best);
		EBB_SEED_CHECK(cost > best - near && low < best + near, "round %d: %g to %g, GLPK says %g", i, low, cost, best);
		EBB_SEED_CHECK(p.status != EBB_XFER_OPTIMAL || cost < best + near, "round %d: optimal %.9g, GLPK says %.9g", i,
			       cost, best);
		for (size_t g = 0; g < x->n_groups; g++)
			split += p.trees[g].next != NULL;
	}
	glp_free_env();
	printf("%d proven, %d with a gap, %d infeasible, %d undecided; %d groups are split\n", counts[EBB_XFER_OPTIMAL],
	       counts[EBB_XFER_FEASIBLE], counts[EBB_XFER_INFEASIBLE], open, split);
	return 0;
}

#endif
