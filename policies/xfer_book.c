/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_book.h"

#include <stdio.h>
#include <string.h>

#include "policies/cost_storage.h"

#define ATTO_PER_UNIT 1000000	/* 10^-18 to 10^-12 */
#define GB INT64_C(1000000000)
#define PRICE_MAX ((__int128)1000000 * EBB_XFER_ONE)

struct making {
	const struct ebb_xfer_book *b;
	struct ebb_arena *arena;
	struct ebb_xfer *x;
	struct ebb_xfer_site *sites;
	struct ebb_xfer_pool *pools;
	struct ebb_xfer_link *links;
	struct ebb_xfer_group *groups;
	/* of each pool: what it charges, and where */
	const struct ebb_price_figure *figure[EBB_XFER_POOLS];
	const struct ebb_xfer_book_place *at[EBB_XFER_POOLS];
	uint64_t wanted;	/* destinations, by bit */
	struct ebb_err *err;
};

static int no_memory(struct making *m)
{
	return ebb_err_set(m->err, EBB_ENOMEM, "out of memory");
}

/* @atto for every @per, for @times of them, in 10^-12 and rounded up. */
static int rate(struct making *m, __int128 atto, int64_t per, int64_t times, int64_t *ret)
{
	if (atto > EBB_PRICE_TOO_MUCH / GB)
		return ebb_err_set(m->err, EBB_ERANGE, "a price is beyond a million");
	__int128 over = (__int128)per * ATTO_PER_UNIT, p = (atto * times + over - 1) / over;

	if (p > PRICE_MAX)
		return ebb_err_set(m->err, EBB_ERANGE, "a price is beyond a million");
	*ret = (int64_t)p;
	return 0;
}

static int figure(struct making *m, const struct ebb_price_figure *f, int64_t times, int64_t *ret)
{
	*ret = 0;
	return ebb_price_known(f) ? rate(m, f->tiers[0].atto, f->per, times, ret) : 0;
}

/* The first tier of an item of a class, for @times units; 0 without a class or a price. */
static int item(struct making *m, const struct ebb_price_class *c, enum ebb_price_item which, int64_t times, int64_t *ret)
{
	*ret = 0;
	return c ? figure(m, &c->item[which], times, ret) : 0;
}

static const char *word(const char *s)
{
	return s ? s : "";
}

/* What is written to a place goes into; NULL: not known, or not priced. */
static const struct ebb_price_class *class_at(const struct ebb_xfer_book *b, const struct ebb_xfer_book_place *p)
{
	return p->class ? ebb_price_find(b->books, p->provider, p->region, p->class) : NULL;
}

/* What is kept for @days costs a GB; 0 without a price. */
static int keeping(struct making *m, const struct ebb_price_class *c, int64_t days, int64_t *ret)
{
	const struct ebb_price_figure *f = &c->item[EBB_PRICE_STORAGE];

	*ret = 0;
	return days && ebb_price_known(f) ? rate(m, f->tiers[0].atto * days, f->per * EBB_COST_MONTH_DAYS, GB, ret) : 0;
}

static int add_site(struct making *m, size_t i)
{
	const struct ebb_xfer_book_place *p = &m->b->places[i];
	const struct ebb_price_class *c = class_at(m->b, p);
	struct ebb_xfer_site *s = &m->sites[i];
	bool converts = p->converts && !(c && (c->offline || c->min_days)); /* what is deleted at once would cost as if it had stayed */
	int r = 0;

	*s = (struct ebb_xfer_site){
		.id = p->name, .provider = word(p->provider), .jurisdiction = word(p->jurisdiction), .relay = p->relay && !(c && c->offline),
		.compress = p->converts ? 0 : EBB_XFER_NEVER, .decompress = converts ? 0 : EBB_XFER_NEVER,
	};
	if (c)
		r = keeping(m, c, c->min_days, &s->relay_fee);
	if (r == 0)
		r = item(m, c, EBB_PRICE_GET, 1, &s->get);
	return r < 0 ? r : item(m, c, EBB_PRICE_PUT, 1, &s->put);
}

/* --- Ways --- */

static bool same_place(const struct ebb_xfer_book_place *a, const struct ebb_xfer_book_place *b)
{
	return !strcmp(word(a->provider), word(b->provider)) && !strcmp(word(a->region), word(b->region));
}

/* Volumes of a month count together where one figure charges for one region. */
static int pool_of(struct making *m, const struct ebb_price_figure *f, const struct ebb_xfer_book_place *at, uint32_t *ret)
{
	struct ebb_xfer_tier *tiers;
	size_t n = m->x->n_pools, free_part = f->tiers[0].from > 0;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (m->figure[i] == f && same_place(m->at[i], at)) {
			*ret = (uint32_t)i;
			return 0;
		}
	if (n == EBB_XFER_POOLS)
		return ebb_err_set(m->err, EBB_ENOTSUP, "there are more than %d tiered prices", EBB_XFER_POOLS);
	tiers = ebb_arena_calloc(m->arena, f->ntiers + 1, sizeof(*tiers));
	const char *id = ebb_arena_printf(m->arena, "%s%s%s from %s", word(at->provider), at->region ? ":" : "", word(at->region), f->unit);
	if (!tiers || !id)
		return no_memory(m);
	for (size_t i = 0; r == 0 && i < f->ntiers; i++) {
		r = rate(m, f->tiers[i].atto, f->per, GB, &tiers[i + free_part].price);
		if (i + free_part > 0)
			tiers[i + free_part - 1].upto = (ebb_xfer_num)f->tiers[i].from * (EBB_XFER_ONE / GB);
	}
	tiers[f->ntiers + free_part - 1].upto = EBB_XFER_MAX;
	m->figure[n] = f;
	m->at[n] = at;
	m->pools[n] = (struct ebb_xfer_pool){.id = id, .tiers = tiers, .n_tiers = f->ntiers + free_part, .note = f->source};
	m->x->n_pools++;
	*ret = (uint32_t)n;
	return r;
}

static const struct ebb_price_figure *way(const struct ebb_price_books *books, const struct ebb_xfer_book_place *from,
					  const struct ebb_xfer_book_place *to)
{
	/* the user's own sites: one provider without a name, as far as they lie in one place */
	return ebb_price_egress(books, from->provider, from->region, word(to->provider), to->region);
}

bool ebb_xfer_book_priced(const struct ebb_price_books *books, const struct ebb_xfer_book_place *from,
			  const struct ebb_xfer_book_place *to)
{
	return way(books, from, to) != NULL;
}

/* What a link carries in each slot. NULL: no memory. */
static const ebb_xfer_num *rooms(struct making *m, uint32_t from, uint32_t to)
{
	ebb_xfer_num *v = ebb_arena_calloc(m->arena, m->x->n_slots, sizeof(*v));

	for (size_t s = 0; v && s < m->x->n_slots; s++) {
		const int64_t *room = m->b->nslots ? m->b->slots[s].room : NULL;
		int64_t bytes = room ? room[from * m->b->nplaces + to] : -1;

		v[s] = bytes < 0 ? EBB_XFER_MAX : (ebb_xfer_num)bytes * (EBB_XFER_ONE / GB);
	}
	return v;
}

static int add_link(struct making *m, uint32_t from, uint32_t to)
{
	const struct ebb_xfer_book_place *a = &m->b->places[from];
	const struct ebb_price_figure *f = way(m->b->books, a, &m->b->places[to]);
	const struct ebb_price_class *c = class_at(m->b, a);
	struct ebb_xfer_link *l = &m->links[m->x->n_links];
	int64_t *price = ebb_arena_calloc(m->arena, m->x->n_slots, sizeof(*price));
	int r = 0;

	if (!f || (c && c->offline && (m->wanted >> from & 1)))
		return 0;
	*l = (struct ebb_xfer_link){.from = from, .to = to, .pool = EBB_XFER_NONE, .price = price, .capacity = rooms(m, from, to), .note = ""};
	if (!price || !l->capacity)
		return no_memory(m);
	if (f->ntiers > 1 || f->tiers[0].from > 0)
		r = pool_of(m, f, a, &l->pool);
	else
		r = rate(m, f->tiers[0].atto, f->per, GB, price);
	for (size_t s = 1; s < m->x->n_slots; s++)
		price[s] = price[0];
	m->x->n_links++;
	return r;
}

/* --- Groups --- */

static bool is_in(const char *const *list, const char *jurisdiction)
{
	for (; jurisdiction && *list; list++)
		if (strcmp(*list, jurisdiction) == 0)
			return true;
	return false;
}

/* Thawing an archived object, and its copy in the meantime. Returns 1 when it is not offered at that speed. */
static int thaw(struct making *m, const struct ebb_price_class *c, struct ebb_xfer_replica *v)
{
	const struct ebb_price_restore *t = &c->restore[m->b->speed];
	int64_t copies = 0;
	int r;

	if (!ebb_price_known(&t->request) && !ebb_price_known(&t->retrieval))
		return 1;
	v->satisfies = false;
	v->restore = t->hours * EBB_XFER_ONE;
	r = figure(m, &t->retrieval, GB, &v->per_gb);
	if (r == 0)
		r = figure(m, &t->request, 1, &v->per_object);
	if (r == 0)
		r = keeping(m, c->standard, m->b->days, &copies);
	v->per_gb += copies;
	return r;
}

/* What reading costs beyond a request at the place's own class. */
static int add_replica(struct making *m, const struct ebb_xfer_book_terms *terms, uint32_t at, struct ebb_xfer_group *g, struct ebb_xfer_replica *v)
{
	const struct ebb_price_class *c = terms->class[at];
	int64_t get = 0;
	int r;

	*v = (struct ebb_xfer_replica){.site = at, .satisfies = true};
	if (terms->asleep >> at & 1)
		r = c ? thaw(m, c, v) : 1;
	else
		r = item(m, c, EBB_PRICE_RETRIEVAL, GB, &v->per_gb);
	if (r != 0)
		return r < 0 ? r : 0;
	r = item(m, c, EBB_PRICE_GET, 1, &get);
	v->per_object += get > m->sites[at].get ? get - m->sites[at].get : 0;
	g->n_replicas++;
	return r;
}

static int add_replicas(struct making *m, const struct ebb_xfer_sum_row *row, struct ebb_xfer_group *g)
{
	const struct ebb_xfer_book_terms *terms = &m->b->terms[row->terms];
	struct ebb_xfer_replica *v = ebb_arena_calloc(m->arena, m->b->nplaces, sizeof(*v));
	int r = v ? 0 : no_memory(m);

	for (uint32_t i = 0; r == 0 && i < m->b->nplaces; i++)
		if ((row->have | terms->asleep) >> i & 1)
			r = add_replica(m, terms, i, g, &v[g->n_replicas]);
	g->replicas = v;
	return r;
}

static int add_group(struct making *m, size_t i)
{
	const struct ebb_xfer_sum_row *row = &m->b->rows[i];
	const struct ebb_xfer_book_terms *terms = &m->b->terms[row->terms];
	struct ebb_xfer_group *g = &m->groups[i];
	struct ebb_xfer_dest *dests = ebb_arena_calloc(m->arena, m->b->nplaces, sizeof(*dests));
	bool *allowed = ebb_arena_calloc(m->arena, m->b->nplaces, sizeof(*allowed));

	*g = (struct ebb_xfer_group){
		.id = ebb_arena_printf(m->arena, "%zu", i + 1), .gb = (ebb_xfer_num)row->bytes * (EBB_XFER_ONE / GB), .packed = -1,
		.objects = (ebb_xfer_num)row->objects * EBB_XFER_ONE, .dests = dests, .choose = terms->choose, .last_slot = (uint32_t)m->x->n_slots - 1,
		.allowed = terms->residency ? allowed : NULL,
	};
	if (!dests || !allowed || !g->id)
		return no_memory(m);
	if (terms->packed)
		g->packed = g->gb / 1000 * terms->packed;
	for (uint32_t s = 0; s < m->b->nplaces; s++) {
		allowed[s] = terms->residency && is_in(terms->residency, m->b->places[s].jurisdiction);
		if (row->want >> s & 1)
			dests[g->n_dests++] = (struct ebb_xfer_dest){.site = s, .copies = 1};
	}
	return add_replicas(m, row, g);
}

static int make(struct making *m)
{
	size_t n = m->b->nplaces;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_site(m, i);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		for (uint32_t k = 0; r == 0 && k < n; k++)
			r = i == k ? 0 : add_link(m, i, k);
	for (size_t i = 0; r == 0 && i < m->b->nrows; i++)
		r = add_group(m, i);
	return r;
}

static int make_slots(struct making *m)
{
	struct ebb_xfer_slot *v = ebb_arena_calloc(m->arena, m->b->nslots, sizeof(*v));

	if (!v)
		return no_memory(m);
	for (size_t i = 0; i < m->b->nslots; i++) {
		const struct ebb_xfer_book_slot *s = &m->b->slots[i];

		v[i].id = s->id;
		v[i].hours = s->seconds == EBB_XFER_BOOK_ENDLESS ? INT64_MAX : (int64_t)(((ebb_xfer_num)s->seconds * EBB_XFER_ONE + 3599) / 3600);
	}
	m->x->slots = v;
	m->x->n_slots = m->b->nslots;
	m->x->timed = true;
	return 0;
}

int ebb_xfer_book(const struct ebb_xfer_book *b, struct ebb_arena *arena, const struct ebb_xfer **ret, struct ebb_err *err)
{
	static const struct ebb_xfer_slot always = {"", INT64_MAX};
	const char *currency = ebb_price_currency(b->books);
	size_t n = b->nplaces;
	int r = 0;
	struct making m = {
		.b = b, .arena = arena, .err = err,
		.x = ebb_arena_calloc(arena, 1, sizeof(*m.x)), .sites = ebb_arena_calloc(arena, n, sizeof(*m.sites)),
		.pools = ebb_arena_calloc(arena, EBB_XFER_POOLS, sizeof(*m.pools)),
		.links = ebb_arena_calloc(arena, n * n + 1, sizeof(*m.links)),
		.groups = ebb_arena_calloc(arena, b->nrows + 1, sizeof(*m.groups)),
	};

	if (*currency && strcmp(currency, "USD") != 0)
		return ebb_err_set(err, EBB_ENOTSUP, "transfers are planned in USD, and the first price book is in %s", currency);
	if (!m.x || !m.sites || !m.pools || !m.links || !m.groups)
		return no_memory(&m);
	*m.x = (struct ebb_xfer){
		.id = "index", .title = "from the index", .slots = &always, .sites = m.sites, .pools = m.pools, .links = m.links,
		.groups = m.groups, .n_slots = 1, .n_sites = n, .n_groups = b->nrows, .has_budget = b->budget >= 0, .budget = b->budget,
	};
	if (b->nslots)
		r = make_slots(&m);
	for (size_t i = 0; i < b->nrows; i++)
		m.wanted |= b->rows[i].want;
	if (r == 0)
		r = make(&m);
	if (r == 0)
		*ret = m.x;
	return r;
}
