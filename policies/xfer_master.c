/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_master.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policies/xfer_lp.h"

/* A point of a pool's charge. */
struct ebb_xfer_master_corner {
	uint32_t pool;
	double volume, charge;
	int at;
};

static double gb(ebb_xfer_num v)
{
	return (double)v / (double)EBB_XFER_ONE;
}

static double usd(ebb_xfer_num v)
{
	return (double)v / (double)EBB_XFER_ONE / (double)EBB_XFER_ONE;
}

/* Prices at which even everything over every site costs less than costs can be. */
static double price_limit(const struct ebb_xfer *x)
{
	double all = 1;

	for (size_t g = 0; g < x->n_groups; g++)
		all += (double)(x->groups[g].gb + (x->groups[g].packed > 0 ? x->groups[g].packed : 0));
	return fmin(1e18, (double)EBB_XFER_MAX / 64 / (all * (double)(x->n_sites + 1)));
}

int ebb_xfer_master_init(struct ebb_xfer_master *m, const struct ebb_xfer *x)
{
	size_t rooms = x->n_links * x->n_slots + 1, corners = 1;

	for (size_t p = 0; p < x->n_pools; p++)
		corners += x->pools[p].n_tiers + 2;
	*m = (struct ebb_xfer_master){.x = x, .limit = price_limit(x)};
	m->group_dual = calloc(x->n_groups + 1, sizeof(*m->group_dual));
	m->room_price = calloc(rooms, sizeof(*m->room_price));
	m->pool_price = calloc(x->n_pools + 1, sizeof(*m->pool_price));
	m->pool_charge = calloc(x->n_pools + 1, sizeof(*m->pool_charge));
	m->group_row = calloc(x->n_groups + 1, sizeof(*m->group_row));
	m->room_row = calloc(rooms, sizeof(*m->room_row));
	m->pool_row = calloc(x->n_pools + 1, sizeof(*m->pool_row));
	m->used = calloc(rooms, sizeof(*m->used));
	m->pooled = calloc(x->n_pools + 1, sizeof(*m->pooled));
	m->overs = calloc(rooms + x->n_pools, sizeof(*m->overs));
	m->corners = calloc(corners, sizeof(*m->corners));
	if (m->group_dual && m->room_price && m->pool_price && m->pool_charge && m->group_row &&
	    m->room_row && m->pool_row && m->used && m->pooled && m->overs && m->corners && ebb_xfer_lp_built())
		return 0;
	ebb_xfer_master_release(m);
	return -EBB_ENOMEM;
}

void ebb_xfer_master_release(struct ebb_xfer_master *m)
{
	ebb_xfer_lp_free(m->lp);
	free(m->group_dual);
	free(m->room_price);
	free(m->pool_price);
	free(m->pool_charge);
	free(m->group_row);
	free(m->room_row);
	free(m->pool_row);
	free(m->used);
	free(m->pooled);
	free(m->overs);
	free(m->corners);
	free(m->columns);
	free(m->entries);
	*m = (struct ebb_xfer_master){0};
}

static int want_entries(struct ebb_xfer_master *m, size_t n)
{
	if (n <= m->entry_room)
		return 0;
	struct ebb_xfer_lp_entry *more = reallocarray(m->entries, 2 * n, sizeof(*more));
	if (!more)
		return -EBB_ENOMEM;
	m->entries = more;
	m->entry_room = 2 * n;
	return 0;
}

/* --- Rows --- */

static int add_over(struct ebb_xfer_master *m, int row)
{
	const struct ebb_xfer_lp_entry e = {row, -1};
	int at = ebb_xfer_lp_col(m->lp, m->goal == EBB_XFER_MASTER_FIT ? 1 : m->penalty, 1, &e);

	if (row < 0 || at < 0)
		return -EBB_ENOMEM;
	m->overs[m->n_overs++] = at;
	return 0;
}

static int add_corner(struct ebb_xfer_master *m, uint32_t p, ebb_xfer_num volume, int sum)
{
	struct ebb_xfer_master_corner *c = &m->corners[m->n_corners++];
	const struct ebb_xfer_lp_entry e[] = {{m->pool_row[p], -gb(volume)}, {sum, 1}};

	*c = (struct ebb_xfer_master_corner){p, gb(volume), usd(ebb_xfer_pool_charge(&m->x->pools[p], volume)), 0};
	c->at = ebb_xfer_lp_col(m->lp, c->charge, 2, e);
	return c->at < 0 ? -EBB_ENOMEM : 0;
}

/* Its volume is at most a mixture of corners, which are charged; so it has never too little. */
static int add_pool(struct ebb_xfer_master *m, uint32_t p, ebb_xfer_num lo, ebb_xfer_num hi)
{
	const struct ebb_xfer_pool *pool = &m->x->pools[p];
	int sum, r;

	m->pool_row[p] = ebb_xfer_lp_row(m->lp, false, 0, 0, NULL);
	sum = ebb_xfer_lp_row(m->lp, true, 1, 0, NULL);
	if (m->pool_row[p] < 0 || sum < 0)
		return -EBB_ENOMEM;
	if ((r = add_corner(m, p, lo, sum)) < 0 || (r = add_over(m, m->pool_row[p])) < 0)
		return r;
	for (size_t i = 0; i + 1 < pool->n_tiers; i++) {
		ebb_xfer_num end = pool->tiers[i].upto - pool->already;

		if (end > lo && end < hi && (r = add_corner(m, p, end, sum)) < 0)
			return r;
	}
	return hi > lo ? add_corner(m, p, hi, sum) : 0;
}

int ebb_xfer_master_begin(struct ebb_xfer_master *m, const ebb_xfer_num *lo, const ebb_xfer_num *hi)
{
	const struct ebb_xfer *x = m->x;
	int r = 0;

	ebb_xfer_lp_free(m->lp);
	m->lp = ebb_xfer_lp_new();
	if (!m->lp)
		return -EBB_ENOMEM;
	m->n_columns = m->n_overs = m->n_corners = 0;
	m->goal = EBB_XFER_MASTER_COST;
	for (size_t i = 0; i < x->n_links * x->n_slots; i++)
		m->room_row[i] = -1;
	for (size_t g = 0; g < x->n_groups; g++) {
		m->group_row[g] = ebb_xfer_lp_row(m->lp, true, 1, 0, NULL);
		if (m->group_row[g] < 0)
			return -EBB_ENOMEM;
	}
	for (uint32_t p = 0; r == 0 && p < x->n_pools; p++)
		r = add_pool(m, p, lo[p], hi[p]);
	return r;
}

/* --- Columns --- */

static double wire(const struct ebb_xfer_master *m, const struct ebb_xfer_column *c, size_t hop)
{
	const struct ebb_xfer_group *g = &m->x->groups[c->group];

	return gb(c->tree.hops[hop].packed ? g->packed : g->gb);
}

static size_t room_at(const struct ebb_xfer_master *m, const struct ebb_xfer_column *c, size_t hop)
{
	return (size_t)c->tree.hops[hop].link * m->x->n_slots + c->slots[hop];
}

int ebb_xfer_master_add(struct ebb_xfer_master *m, struct ebb_xfer_column *c)
{
	const struct ebb_xfer *x = m->x;
	size_t n = 0;

	if (want_entries(m, 2 * c->tree.n_hops + 1) < 0)
		return -EBB_ENOMEM;
	if (m->n_columns == m->room) {
		struct ebb_xfer_column **more = reallocarray(m->columns, 2 * m->room + 64, sizeof(*more));

		if (!more)
			return -EBB_ENOMEM;
		m->columns = more;
		m->room = 2 * m->room + 64;
	}
	m->entries[n++] = (struct ebb_xfer_lp_entry){m->group_row[c->group], 1};
	for (size_t h = 0; h < c->tree.n_hops; h++) {
		uint32_t p = x->links[c->tree.hops[h].link].pool;
		int row = m->room_row[room_at(m, c, h)];

		if (row >= 0)
			m->entries[n++] = (struct ebb_xfer_lp_entry){row, wire(m, c, h)};
		if (p != EBB_XFER_NONE)
			m->pooled[p] += wire(m, c, h);
	}
	for (size_t h = 0; h < c->tree.n_hops; h++) {
		uint32_t p = x->links[c->tree.hops[h].link].pool;

		if (p == EBB_XFER_NONE || m->pooled[p] <= 0)
			continue;
		m->entries[n++] = (struct ebb_xfer_lp_entry){m->pool_row[p], m->pooled[p]};
		m->pooled[p] = 0;
	}
	c->at = ebb_xfer_lp_col(m->lp, m->goal == EBB_XFER_MASTER_FIT ? 0 : usd(c->cost), n, m->entries);
	m->columns[m->n_columns++] = c;
	return c->at < 0 ? -EBB_ENOMEM : 0;
}

/* --- Solving --- */

static void set_goal(struct ebb_xfer_master *m, enum ebb_xfer_master_goal goal, double penalty)
{
	bool fit = goal == EBB_XFER_MASTER_FIT;

	if (goal == m->goal && penalty == m->penalty)
		return;
	m->goal = goal;
	m->penalty = penalty;
	for (size_t i = 0; i < m->n_columns; i++)
		ebb_xfer_lp_cost(m->lp, m->columns[i]->at, fit ? 0 : usd(m->columns[i]->cost));
	for (size_t i = 0; i < m->n_corners; i++)
		ebb_xfer_lp_cost(m->lp, m->corners[i].at, fit ? 0 : m->corners[i].charge);
	for (size_t i = 0; i < m->n_overs; i++)
		ebb_xfer_lp_cost(m->lp, m->overs[i], fit ? 1 : penalty);
}

/* Make a row of the room of a link in a slot, with all columns that use it. */
static int add_room(struct ebb_xfer_master *m, size_t at)
{
	const struct ebb_xfer_link *l = &m->x->links[at / m->x->n_slots];
	size_t n = 0;

	if (want_entries(m, m->n_columns + 1) < 0)
		return -EBB_ENOMEM;
	for (size_t i = 0; i < m->n_columns; i++)
		for (size_t h = 0; h < m->columns[i]->tree.n_hops; h++)
			if (room_at(m, m->columns[i], h) == at)
				m->entries[n++] =
					(struct ebb_xfer_lp_entry){m->columns[i]->at, wire(m, m->columns[i], h)};
	m->room_row[at] = ebb_xfer_lp_row(m->lp, false, gb(l->capacity[at % m->x->n_slots]), n, m->entries);
	return add_over(m, m->room_row[at]);
}

/* Read the shares; returns how many rooms became rows because they are overdrawn. */
static int take_shares(struct ebb_xfer_master *m)
{
	size_t rooms = m->x->n_links * m->x->n_slots;
	int added = 0;

	memset(m->used, 0, rooms * sizeof(*m->used));
	for (size_t i = 0; i < m->n_columns; i++) {
		struct ebb_xfer_column *c = m->columns[i];

		c->share = ebb_xfer_lp_value(m->lp, c->at);
		for (size_t h = 0; c->share > 0 && h < c->tree.n_hops; h++)
			m->used[room_at(m, c, h)] += c->share * wire(m, c, h);
	}
	for (size_t i = 0; i < rooms; i++) {
		ebb_xfer_num cap = m->x->links[i / m->x->n_slots].capacity[i % m->x->n_slots];

		if (m->room_row[i] >= 0 || cap >= EBB_XFER_MAX || m->used[i] <= gb(cap) * (1 + 1e-9) + 1e-9)
			continue;
		if (add_room(m, i) < 0)
			return -EBB_ENOMEM;
		added++;
	}
	return added;
}

/* What a row's dual says as a price: rows are "at most", so more of one never costs. */
static int64_t price(const struct ebb_xfer_master *m, int row)
{
	double v = row < 0 ? 0 : -ebb_xfer_lp_dual(m->lp, row) * (double)EBB_XFER_ONE;

	return v <= 0 ? 0 : (int64_t)fmin(round(v), m->limit);
}

static void take_prices(struct ebb_xfer_master *m)
{
	const struct ebb_xfer *x = m->x;

	m->objective = ebb_xfer_lp_objective(m->lp);
	m->over = 0;
	for (size_t i = 0; i < m->n_overs; i++)
		m->over += ebb_xfer_lp_value(m->lp, m->overs[i]);
	for (size_t g = 0; g < x->n_groups; g++)
		m->group_dual[g] = ebb_xfer_lp_dual(m->lp, m->group_row[g]);
	for (size_t i = 0; i < x->n_links * x->n_slots; i++)
		m->room_price[i] = price(m, m->room_row[i]);
	for (size_t p = 0; p < x->n_pools; p++) {
		m->pool_price[p] = price(m, m->pool_row[p]);
		m->pool_charge[p] = 0;
	}
	for (size_t i = 0; i < m->n_corners; i++)
		m->pool_charge[m->corners[i].pool] += m->corners[i].charge * ebb_xfer_lp_value(m->lp, m->corners[i].at);
}

int ebb_xfer_master_solve(struct ebb_xfer_master *m, enum ebb_xfer_master_goal goal, double penalty)
{
	int added;

	set_goal(m, goal, penalty);
	do {
		if (!ebb_xfer_lp_solve(m->lp))
			return 1;
		if ((added = take_shares(m)) < 0)
			return added;
	} while (added);
	take_prices(m);
	return 0;
}
