/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_solve.h"

#include <stdlib.h>
#include <string.h>

#include "policies/steiner.h"
#include "policies/xfer_prune.h"

/* Problems in which a site gets both forms are split at most so often for one group. */
#define MAX_BRANCHES 400

/* Entries of the table that the graph with times may need: 16 bytes each. */
#define MAX_TABLE ((size_t)1 << 23)

enum kind { READ, HOP, PACKED_HOP, PACK, UNPACK, WAIT };

/* What an arc stands for: a link, or a site, and when. */
struct meaning {
	uint8_t kind;
	uint32_t at;
	uint32_t slot;
};

enum { NO_PACKED = 1, NO_PLAIN = 2 };	/* ways into a site that are closed */
enum { CLOSED = 1, FORCED = 2 };	/* marks of fixes */

/* A link, beside others that end at the same site. */
struct arrival {
	uint32_t from, link;
	int64_t price;			/* at the pool prices that the workspace remembers */
};

struct ebb_xfer_solve_work {
	const struct ebb_xfer *x;
	struct ebb_steiner_work *steiner;
	struct ebb_xfer_prune *prune;
	struct ebb_steiner_arc *arcs;
	struct meaning *means;
	struct meaning *best;		/* arcs of the best tree so far */
	size_t room;			/* of the three */
	uint32_t *terms;
	uint32_t *node;			/* per site: number + 1 of its node, 0 when it takes no part */
	uint8_t *closed;		/* per site */
	uint8_t *ways;			/* per site: how the tree reaches it */
	uint8_t *fixed_hop[2];		/* per link: what fixes say of it, original and compressed */
	uint8_t *fixed_read;		/* per site */
	bool *forced;			/* per site: one way into it is fixed */
	uint32_t *arrival;		/* per site: slot */
	bool *dest, *needs;		/* per site */
	uint32_t *ends;			/* links by the site where they end: arrivals[ends[s]] to arrivals[ends[s + 1] - 1] */
	struct arrival *arrivals;
	int64_t *pool_price;		/* at which the arrivals are priced */
	bool priced, priced_any_time;
	ebb_xfer_num *get, *put;	/* per site that takes part: its requests, for all objects of the group */
	size_t n_best, n_nodes;
	/* one search */
	const struct ebb_xfer_solve_ask *ask;
	ebb_xfer_num cost, bound;
	int branches;
	uint32_t first, last;		/* slots in which something may travel */
	uint32_t times;			/* copies of the graph: one, or one per slot */
};

static void *zeroed(size_t n, size_t size)
{
	return calloc(n + 1, size);
}

static void sort_links(struct ebb_xfer_solve_work *w)
{
	const struct ebb_xfer *x = w->x;

	for (size_t i = 0; i < x->n_links; i++)
		w->ends[x->links[i].to + 1]++;
	for (size_t s = 0; s < x->n_sites; s++)
		w->ends[s + 1] += w->ends[s];
	for (uint32_t i = (uint32_t)x->n_links; i-- > 0;)	/* ends become starts as they are filled from behind */
		w->arrivals[--w->ends[x->links[i].to + 1]] = (struct arrival){x->links[i].from, i, 0};
	for (size_t s = 0; s < x->n_sites; s++)
		w->ends[s] = w->ends[s + 1];
	w->ends[x->n_sites] = (uint32_t)x->n_links;
}

struct ebb_xfer_solve_work *ebb_xfer_solve_work_new(const struct ebb_xfer *x)
{
	EBB_CLEANUP(ebb_xfer_solve_work_freep) struct ebb_xfer_solve_work *w = calloc(1, sizeof(*w));
	size_t n = x->n_sites;

	if (!w)
		return NULL;
	w->x = x;
	w->steiner = ebb_steiner_work_new();
	w->prune = ebb_xfer_prune_new(x);
	w->terms = zeroed(n, sizeof(*w->terms));
	w->node = zeroed(n, sizeof(*w->node));
	w->closed = zeroed(n, 1);
	w->ways = zeroed(n, 1);
	w->fixed_hop[0] = zeroed(x->n_links, 1);
	w->fixed_hop[1] = zeroed(x->n_links, 1);
	w->fixed_read = zeroed(n, 1);
	w->forced = zeroed(n, sizeof(*w->forced));
	w->arrival = zeroed(n, sizeof(*w->arrival));
	w->dest = zeroed(n, sizeof(*w->dest));
	w->needs = zeroed(n, sizeof(*w->needs));
	w->ends = zeroed(n + 1, sizeof(*w->ends));
	w->arrivals = zeroed(x->n_links, sizeof(*w->arrivals));
	w->pool_price = zeroed(x->n_pools, sizeof(*w->pool_price));
	w->get = zeroed(n, sizeof(*w->get));
	w->put = zeroed(n, sizeof(*w->put));
	if (w->ends && w->arrivals)
		sort_links(w);
	if (!w->ends || !w->arrivals || !w->pool_price || !w->get || !w->put || !w->steiner || !w->prune || !w->terms || !w->node || !w->closed || !w->ways || !w->fixed_hop[0] ||
	    !w->fixed_hop[1] || !w->fixed_read || !w->forced || !w->arrival || !w->dest || !w->needs)
		return NULL;
	struct ebb_xfer_solve_work *made = w;
	w = NULL;
	return made;
}

void ebb_xfer_solve_work_free(struct ebb_xfer_solve_work *w)
{
	if (!w)
		return;
	ebb_steiner_work_free(w->steiner);
	ebb_xfer_prune_free(w->prune);
	free(w->arcs);
	free(w->means);
	free(w->best);
	free(w->terms);
	free(w->node);
	free(w->closed);
	free(w->ways);
	free(w->fixed_hop[0]);
	free(w->fixed_hop[1]);
	free(w->fixed_read);
	free(w->forced);
	free(w->arrival);
	free(w->dest);
	free(w->needs);
	free(w->ends);
	free(w->arrivals);
	free(w->pool_price);
	free(w->get);
	free(w->put);
	free(w);
}

/* Room for all arcs of a graph. */
static int make_room(struct ebb_xfer_solve_work *w)
{
	size_t need = ebb_mem_mul(2 * w->x->n_links + 6 * (w->x->n_sites + 1), w->times);

	if (need <= w->room)
		return 0;
	struct ebb_steiner_arc *arcs = reallocarray(w->arcs, need, sizeof(*arcs));
	w->arcs = arcs ? arcs : w->arcs;
	struct meaning *means = reallocarray(w->means, need, sizeof(*means));
	w->means = means ? means : w->means;
	struct meaning *best = reallocarray(w->best, need, sizeof(*best));
	w->best = best ? best : w->best;
	if (!arcs || !means || !best)
		return -EBB_ENOMEM;
	w->room = need;
	return 0;
}

/* --- The graph of a group --- */

static bool allowed(const struct ebb_xfer_solve_ask *ask, uint32_t site)
{
	return ask->anywhere || !ask->group->allowed || ask->group->allowed[site];
}

/* Mark what is fixed; unmark with @on false. */
static void mark_fixes(struct ebb_xfer_solve_work *w, bool on)
{
	for (size_t i = 0; i < w->ask->n_fixes; i++) {
		const struct ebb_xfer_solve_fix *f = &w->ask->fixes[i];
		uint8_t *at = f->way == EBB_XFER_SOLVE_READ ? &w->fixed_read[f->site]
							    : &w->fixed_hop[f->way == EBB_XFER_SOLVE_PACKED][f->link];

		*at = (uint8_t)(on ? *at | (f->must ? FORCED : CLOSED) : 0);
		if (f->must)
			w->forced[f->site] = on;
	}
}

/* May a site be entered in a way with this mark? */
static bool open_way(const struct ebb_xfer_solve_work *w, uint32_t site, uint8_t mark)
{
	return !(mark & CLOSED) && (!w->forced[site] || mark & FORCED);
}

/* Relays that others stand in for, or NULL where that cannot be told: it takes one form, and no way that is fixed or closed to the group. */
static const uint32_t *dominators(struct ebb_xfer_solve_work *w)
{
	const struct ebb_xfer_solve_ask *ask = w->ask;

	if (ask->group->packed >= 0 || ask->banned || ask->n_fixes)
		return NULL;
	return ebb_xfer_prune_ask(w->prune, ask->pool_price, ask->room_price, ask->any_time);
}

/* Mark destinations, number the sites that take part. False: a destination lies outside. */
static bool number_sites(struct ebb_xfer_solve_work *w)
{
	const struct ebb_xfer_group *g = w->ask->group;
	const uint32_t *by = dominators(w);
	size_t n = w->x->n_sites;

	memset(w->dest, 0, n * sizeof(*w->dest));
	memset(w->needs, 0, n * sizeof(*w->needs));
	memset(w->node, 0, n * sizeof(*w->node));
	for (size_t i = 0; i < g->n_dests; i++) {
		uint32_t d = g->dests[i].site;

		if (!allowed(w->ask, d) && !g->choose)
			return false;
		if (!allowed(w->ask, d))
			continue;
		w->dest[d] = true;
		w->needs[d] = ebb_xfer_needs(g, d);
	}
	for (size_t i = 0; i < g->n_replicas; i++)
		w->node[g->replicas[i].site] = 1;
	w->n_nodes = 0;
	for (uint32_t s = 0; s < n; s++) {
		bool spare = by && by[s] != EBB_XFER_NONE && allowed(w->ask, by[s]);
		bool in = allowed(w->ask, s) && (w->node[s] || w->dest[s] || (w->x->sites[s].relay && !spare));

		w->node[s] = in ? (uint32_t)++w->n_nodes : 0;
		w->get[s] = in ? g->objects * w->x->sites[s].get : 0;
		w->put[s] = in ? g->objects * w->x->sites[s].put : 0;
	}
	return true;
}

static uint32_t forms(const struct ebb_xfer_solve_work *w)
{
	return w->ask->group->packed >= 0 ? 2 : 1;
}

/* The node of a site in one form at one time. */
static uint32_t node_at(const struct ebb_xfer_solve_work *w, uint32_t site, uint32_t packed, uint32_t time)
{
	return w->node[site] + (uint32_t)w->n_nodes * (packed + forms(w) * time);
}

/*
 * The terminals: what needs bytes has the original in the end; a site that is to be entered has it in either form, which a
 * node of its own behind both stands for. These come first, since they are no choice. False: a fixed site takes no part, or there are
 * too few to choose from.
 */
static bool list_terminals(struct ebb_xfer_solve_work *w, struct ebb_steiner_graph *g)
{
	size_t n = 0, wanted = ebb_xfer_wanted(w->ask->group), sure = 0, open = 0;

	g->n = 1 + (uint32_t)w->n_nodes * forms(w) * w->times;
	for (uint32_t s = 0; s < w->x->n_sites; s++) {
		open += w->needs[s] && !w->forced[s];
		sure += w->needs[s] && w->forced[s];
		if (w->forced[s] && !w->node[s])
			return false;
		if (w->forced[s])
			w->terms[n++] = w->needs[s] ? node_at(w, s, 0, w->times - 1) : g->n++;
	}
	if (sure + open < wanted)
		return false;
	g->n_fixed = n;
	for (uint32_t s = 0; s < w->x->n_sites && sure < wanted; s++)
		if (w->needs[s] && !w->forced[s])
			w->terms[n++] = node_at(w, s, 0, w->times - 1);
	g->pick = sure < wanted && wanted - sure < open ? wanted - sure : 0;
	g->n_terms = n;
	return true;
}

/* The price of a link in a slot; EBB_XFER_NEVER: closed. */
static int64_t slot_price(const struct ebb_xfer_solve_work *w, size_t link, uint32_t s)
{
	const struct ebb_xfer_solve_ask *ask = w->ask;
	const struct ebb_xfer_link *l = &w->x->links[link];
	int64_t price = ask->room_only ? 0 : l->price[s];

	if (l->capacity[s] <= 0 && !ask->any_time)
		return EBB_XFER_NEVER;
	if (l->pool != EBB_XFER_NONE) {
		if (ask->banned && ask->banned[l->pool])
			return EBB_XFER_NEVER;
		price += ask->pool_price[l->pool];
	}
	return price + (ask->room_price ? ask->room_price[link * w->x->n_slots + s] : 0);
}

/* The lowest price of a link in the slots that the group may use; EBB_XFER_NEVER: closed. */
static int64_t least_price(const struct ebb_xfer_solve_work *w, size_t link)
{
	int64_t least = EBB_XFER_NEVER;

	for (uint32_t s = w->first; s <= w->last; s++) {
		int64_t price = slot_price(w, link, s);

		if (price >= 0 && (least < 0 || price < least))
			least = price;
	}
	return least;
}

static size_t add(struct ebb_xfer_solve_work *w, size_t n, struct meaning m,
		  struct ebb_steiner_arc arc)
{
	w->means[n] = m;
	if (w->ask->room_only && m.kind != HOP && m.kind != PACKED_HOP)
		arc.cost = 0;
	w->arcs[n] = arc;
	return n + 1;
}

static ebb_xfer_num read_cost(const struct ebb_xfer_solve_work *w, uint32_t site)
{
	const struct ebb_xfer_group *g = w->ask->group;
	const struct ebb_xfer_replica *r = ebb_xfer_replica_at(g, site);
	const struct ebb_xfer_site *s = &w->x->sites[site];
	ebb_xfer_num copy = w->needs[site] ? g->objects * (s->get + s->put) : 0;

	return g->gb * r->per_gb + g->objects * r->per_object + copy;
}

/* A hop at a price per GB. */
static ebb_xfer_num hop_cost(const struct ebb_xfer_solve_work *w, size_t link, bool packed, int64_t price)
{
	const struct ebb_xfer_group *g = w->ask->group;
	const struct ebb_xfer_link *l = &w->x->links[link];
	const struct ebb_xfer_site *to = &w->x->sites[l->to];
	ebb_xfer_num wire = packed ? g->packed : g->gb;

	if (w->ask->room_only)
		return wire * price;
	return wire * ((ebb_xfer_num)price + (w->dest[l->to] ? 0 : to->relay_fee)) +
	       g->objects * (w->x->sites[l->from].get + to->put);
}

/* Price all links at once for the many groups that are asked about at the same prices; false: each is priced where it is looked at. */
static bool price_arrivals(struct ebb_xfer_solve_work *w)
{
	const struct ebb_xfer_solve_ask *ask = w->ask;
	size_t pools = w->x->n_pools * sizeof(*w->pool_price);

	if (w->x->n_slots > 1 || ask->banned || ask->room_price || ask->room_only || w->last > 0)
		return false;
	if (w->priced && w->priced_any_time == ask->any_time && (!pools || memcmp(w->pool_price, ask->pool_price, pools) == 0))
		return true;
	for (size_t i = 0; i < w->x->n_links; i++)
		w->arrivals[i].price = slot_price(w, w->arrivals[i].link, 0);
	if (pools)
		memcpy(w->pool_price, ask->pool_price, pools);
	w->priced_any_time = ask->any_time;
	w->priced = true;
	return true;
}

/* Converting into the form @f. */
static size_t convert_arc(struct ebb_xfer_solve_work *w, size_t n, uint32_t s, uint32_t f, uint32_t time)
{
	int64_t price = f ? w->x->sites[s].compress : w->x->sites[s].decompress;

	if (price == EBB_XFER_NEVER)
		return n;
	return add(w, n, (struct meaning){f ? PACK : UNPACK, s, w->first + time},
		   (struct ebb_steiner_arc){node_at(w, s, !f, time), node_at(w, s, f, time), w->ask->group->gb * price});
}

static size_t read_arc(struct ebb_xfer_solve_work *w, size_t n, uint32_t s, uint32_t time)
{
	const struct ebb_xfer_replica *r = ebb_xfer_replica_at(w->ask->group, s);
	uint32_t slot = !r || w->ask->any_time ? 0 : ebb_xfer_restored(w->x, r->restore);

	if (!r || w->closed[s] & NO_PLAIN || slot > w->last || !open_way(w, s, w->fixed_read[s]) || (w->times > 1 && slot != w->first + time))
		return n;
	return add(w, n, (struct meaning){READ, s, slot}, (struct ebb_steiner_arc){0, node_at(w, s, 0, time), read_cost(w, s)});
}

/* Hops to @s in the form @f. */
static size_t hop_arcs(struct ebb_xfer_solve_work *w, size_t n, uint32_t s, uint32_t f, uint32_t time, bool priced)
{
	const struct ebb_xfer_site *site = &w->x->sites[s];
	bool only_room = w->ask->room_only;
	ebb_xfer_num wire = f ? w->ask->group->packed : w->ask->group->gb;
	ebb_xfer_num entry = only_room ? 0 : w->put[s] + (w->dest[s] ? 0 : wire * site->relay_fee);
	uint32_t to = node_at(w, s, f, time), slot = w->first + time;

	if ((!w->dest[s] && !site->relay) || w->closed[s] & (f ? NO_PACKED : NO_PLAIN))
		return n;
	for (const struct arrival *a = &w->arrivals[w->ends[s]], *end = &w->arrivals[w->ends[s + 1]]; a < end; a++) {
		if (!w->node[a->from] || !open_way(w, s, w->fixed_hop[f][a->link]))
			continue;
		int64_t price = priced ? a->price : w->times == 1 ? least_price(w, a->link) : slot_price(w, a->link, slot);
		if (price == EBB_XFER_NEVER)
			continue;
		w->means[n] = (struct meaning){f ? PACKED_HOP : HOP, a->link, slot};
		w->arcs[n++] = (struct ebb_steiner_arc){node_at(w, a->from, f, time), to, wire * price + entry + (only_room ? 0 : w->get[a->from])};
	}
	return n;
}

/* What leads to the node of a site in one form at one time. */
static size_t arcs_to(struct ebb_xfer_solve_work *w, size_t n, uint32_t s, uint32_t f, uint32_t time, bool priced)
{
	if (time)
		n = add(w, n, (struct meaning){WAIT, s, w->first + time - 1},
			(struct ebb_steiner_arc){node_at(w, s, f, time - 1), node_at(w, s, f, time), 0});
	if (!f)
		n = read_arc(w, n, s, time);
	if (w->ask->group->packed >= 0)
		n = convert_arc(w, n, s, f, time);
	return hop_arcs(w, n, s, f, time, priced);
}

/* Waiting, at the end, for the terminals of forced sites. */
static size_t sink_arcs(struct ebb_xfer_solve_work *w, size_t n)
{
	uint32_t end = 1 + (uint32_t)w->n_nodes * forms(w) * w->times;

	for (uint32_t s = 0; s < w->x->n_sites; s++) {
		if (!w->forced[s] || w->needs[s])
			continue;
		for (uint32_t f = 0; w->node[s] && f < forms(w); f++)
			n = add(w, n, (struct meaning){WAIT, s, w->last}, (struct ebb_steiner_arc){node_at(w, s, f, w->times - 1), end, 0});
		end++;
	}
	return n;
}

/* In the order of where they lead, as the search wants them. */
static size_t all_arcs(struct ebb_xfer_solve_work *w)
{
	bool priced = price_arrivals(w);
	size_t n = 0;

	for (uint32_t t = 0; t < w->times; t++)
		for (uint32_t f = 0; f < forms(w); f++)
			for (uint32_t s = 0; s < w->x->n_sites; s++)
				if (w->node[s])
					n = arcs_to(w, n, s, f, t, priced);
	return sink_arcs(w, n);
}

/* --- Branch and bound over sites that would get both forms --- */

/* A site that is reached twice, EBB_XFER_NONE when there is none. */
static uint32_t conflict(struct ebb_xfer_solve_work *w, const struct ebb_steiner_tree *t)
{
	memset(w->ways, 0, w->x->n_sites);
	for (size_t i = 0; i < t->n_arcs; i++) {
		const struct meaning *m = &w->means[t->arcs[i]];
		uint32_t site = m->kind == HOP || m->kind == PACKED_HOP ? w->x->links[m->at].to : m->at;

		if (m->kind == READ || m->kind == HOP)
			w->ways[site] |= NO_PLAIN;
		if (m->kind == PACKED_HOP)
			w->ways[site] |= NO_PACKED;
		if (w->ways[site] == (NO_PLAIN | NO_PACKED))
			return site;
	}
	return EBB_XFER_NONE;
}

static int branch(struct ebb_xfer_solve_work *w, struct ebb_err *err);

/* Close one way into @site, then the other. */
static int split(struct ebb_xfer_solve_work *w, uint32_t site, struct ebb_err *err)
{
	int r = 0;

	for (uint8_t way = NO_PACKED; r == 0 && way <= NO_PLAIN; way++) {
		w->closed[site] |= way;
		r = branch(w, err);
		w->closed[site] &= (uint8_t)~way;
	}
	return r;
}

static int branch(struct ebb_xfer_solve_work *w, struct ebb_err *err)
{
	struct ebb_steiner_graph g = {.arcs = w->arcs, .terms = w->terms};
	struct ebb_steiner_tree t;

	if (!list_terminals(w, &g))
		return 0;
	g.n_arcs = all_arcs(w);
	int r = ebb_steiner_solve(w->steiner, &g, &t, err);
	if (r < 0 || t.cost >= EBB_STEINER_FAR || t.bound >= w->cost)
		return r;
	uint32_t site = conflict(w, &t);
	if (site == EBB_XFER_NONE && t.cost < w->cost) {
		w->cost = t.cost;
		w->n_best = t.n_arcs;
		for (size_t i = 0; i < t.n_arcs; i++)
			w->best[i] = w->means[t.arcs[i]];
	}
	if (site == EBB_XFER_NONE || ++w->branches > MAX_BRANCHES) {
		w->bound = t.bound < w->bound ? t.bound : w->bound;
		return 0;
	}
	return split(w, site, err);
}

/* The cheapest tree in the graph of so many times. */
static int search(struct ebb_xfer_solve_work *w, uint32_t times, struct ebb_err *err)
{
	int r;

	w->cost = w->bound = EBB_STEINER_FAR;
	w->branches = 0;
	w->n_best = 0;
	w->times = times;
	memset(w->closed, 0, w->x->n_sites);
	if (make_room(w) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if ((r = branch(w, err)) < 0)
		return r;
	if (w->cost >= EBB_STEINER_FAR && w->bound < EBB_STEINER_FAR) {
		/* out of branches without a plan: one that never compresses has no conflicts */
		memset(w->closed, NO_PACKED, w->x->n_sites);
		w->branches = 0;
		r = branch(w, err);
	}
	return r;
}

/* --- Time --- */

static bool is_hop(const struct meaning *m)
{
	return m->kind == HOP || m->kind == PACKED_HOP;
}

/*
 * Give every hop of the best tree a slot: the earliest cheapest one from the slot in which its sender has the group. False:
 * some hop has none; with @strict, none at the price of its cheapest slot.
 */
static bool lay(struct ebb_xfer_solve_work *w, bool strict)
{
	for (size_t i = 0; i < w->n_best; i++) {
		struct meaning *m = &w->best[i];
		uint32_t best = EBB_XFER_NONE;
		int64_t least = EBB_XFER_NEVER;

		if (m->kind == READ)
			w->arrival[m->at] = m->slot;
		if (!is_hop(m))
			continue;
		const struct ebb_xfer_link *l = &w->x->links[m->at];
		for (uint32_t s = w->arrival[l->from]; s <= w->last; s++) {
			int64_t price = slot_price(w, m->at, s);

			if (price >= 0 && (least < 0 || price < least)) {
				least = price;
				best = s;
			}
		}
		int64_t hoped = best == EBB_XFER_NONE ? 0 : least_price(w, m->at);
		if (best == EBB_XFER_NONE || (strict && least != hoped))
			return false;
		w->cost += hop_cost(w, m->at, m->kind == PACKED_HOP, least) -
			   hop_cost(w, m->at, m->kind == PACKED_HOP, hoped);
		m->slot = w->arrival[l->to] = best;
	}
	return true;
}

/*
 * In a graph with times a site may be reached twice for nothing, now and later: the first time counts. What is left is put
 * in order of time, so that senders stand before receivers.
 */
static void tidy(struct ebb_xfer_solve_work *w)
{
	size_t n = 0;

	memset(w->arrival, 0xff, w->x->n_sites * sizeof(*w->arrival));
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < w->n_best; i++) {
			struct meaning m = w->best[i];
			uint32_t site = is_hop(&m) ? w->x->links[m.at].to : m.at;

			if (m.kind != READ && !is_hop(&m))
				continue;
			if (pass == 0)
				w->arrival[site] = m.slot < w->arrival[site] ? m.slot : w->arrival[site];
			else if (m.slot > w->arrival[site] || w->ways[site])
				w->best[i].kind = WAIT;
			if (pass == 0)
				w->ways[site] = 0;
			else if (w->best[i].kind != WAIT)
				w->ways[site] = 1;
		}
	for (uint32_t s = w->first; s <= w->last; s++)
		for (size_t i = n; i < w->n_best; i++)
			if (w->best[i].slot == s) {
				struct meaning m = w->best[i];

				memmove(&w->best[n + 1], &w->best[n], (i - n) * sizeof(m));
				w->best[n++] = m;
			}
}

static int solve(struct ebb_xfer_solve_work *w, struct ebb_err *err)
{
	uint32_t slots = w->last >= w->first ? w->last - w->first + 1 : 1;
	int r = search(w, 1, err);

	if (r < 0 || w->cost >= EBB_STEINER_FAR || w->ask->any_time || slots == 1 || lay(w, true))
		return r;
	ebb_xfer_num bound = w->bound;
	struct ebb_steiner_graph g;
	if (!list_terminals(w, &g) || g.n_terms > 20 || ((size_t)g.n * slots << g.n_terms) > MAX_TABLE) {
		if (lay(w, false))
			return 0;
	}
	if ((r = search(w, slots, err)) < 0)
		return r;
	w->bound = w->bound > bound ? w->bound : bound;
	tidy(w);
	return 0;
}

/* --- From arcs to a plan --- */

/* What an arc costs at list prices; what is converted is paid once per site. */
static ebb_xfer_num list_cost(struct ebb_xfer_solve_work *w, const struct meaning *m)
{
	const struct ebb_xfer_site *s = m->kind == PACK || m->kind == UNPACK ? &w->x->sites[m->at] : NULL;
	uint8_t bit = (uint8_t)(m->kind == PACK ? NO_PACKED : NO_PLAIN);

	if (m->kind == READ)
		return read_cost(w, m->at);
	if (is_hop(m))
		return hop_cost(w, m->at, m->kind == PACKED_HOP, w->x->links[m->at].price[m->slot]);
	if (!s || w->ways[m->at] & bit)
		return 0;
	w->ways[m->at] |= bit;
	return w->ask->group->gb * (m->kind == PACK ? s->compress : s->decompress);
}

static int describe(struct ebb_xfer_solve_work *w, struct ebb_arena *arena, struct ebb_xfer_solved *ret)
{
	struct ebb_xfer_hop *hops = ebb_arena_calloc(arena, w->n_best + 1, sizeof(*hops));
	uint32_t *slots = ebb_arena_calloc(arena, w->n_best + 1, sizeof(*slots));
	uint32_t *reads = ebb_arena_calloc(arena, w->n_best + 1, sizeof(*reads));
	uint32_t *copies = ebb_arena_calloc(arena, w->n_best + 1, sizeof(*copies));
	struct ebb_xfer_tree t = {.hops = hops, .reads = reads, .copies = copies};
	const struct ebb_xfer_solve_ask *ask = w->ask;
	struct ebb_xfer_solve_ask list = *ask;

	if (!hops || !slots || !reads || !copies)
		return -EBB_ENOMEM;
	list.room_only = false;
	w->ask = &list;
	memset(w->ways, 0, w->x->n_sites);
	for (size_t i = 0; i < w->n_best; i++) {
		const struct meaning *m = &w->best[i];

		ret->list_cost += list_cost(w, m);
		if (m->kind == READ) {
			reads[t.n_reads++] = m->at;
			if (w->needs[m->at])
				copies[t.n_copies++] = m->at;
		} else if (is_hop(m)) {
			slots[t.n_hops] = m->slot;
			hops[t.n_hops].link = m->at;
			hops[t.n_hops++].packed = m->kind == PACKED_HOP;
		}
	}
	w->ask = ask;
	ret->tree = t;
	ret->slots = slots;
	return 0;
}

int ebb_xfer_solve(struct ebb_xfer_solve_work *w, const struct ebb_xfer_solve_ask *ask,
		   struct ebb_arena *arena, struct ebb_xfer_solved *ret, struct ebb_err *err)
{
	struct ebb_xfer_solved s = {0};
	struct ebb_steiner_graph g;
	int r = 0;

	w->ask = ask;
	w->times = 1;
	w->n_best = 0;
	w->cost = w->bound = EBB_STEINER_FAR;
	w->first = ask->any_time ? 0 : ebb_xfer_first_slot(w->x, ask->group);
	w->last = ask->group->last_slot;
	mark_fixes(w, true);
	if (number_sites(w)) {
		if (list_terminals(w, &g) && g.n_terms == 0)
			w->cost = w->bound = 0;
		else
			r = solve(w, err);
	}
	mark_fixes(w, false);
	if (r < 0)
		return r;
	s.feasible = w->cost < EBB_STEINER_FAR;
	s.cost = w->cost;
	s.bound = w->bound < w->cost ? w->bound : w->cost;
	if (s.feasible && describe(w, arena, &s) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	*ret = s;
	return 0;
}
