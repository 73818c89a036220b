/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_read.h"

#include <stdlib.h>
#include <string.h>

#include "policies/xfer_field.h"

#define MAX_SITES 2000
#define MAX_SLOTS 1000

static int index_sites(struct ebb_xfer_field *r, const struct ebb_tree_node *doc)
{
	size_t n = r->x->n_sites;
	struct ebb_xfer_field_name *names = ebb_arena_calloc(r->arena, n + 1, sizeof(*names));

	if (!names)
		return ebb_xfer_field_memory(r);
	for (size_t i = 0; i < n; i++)
		names[i] = (struct ebb_xfer_field_name){r->site_ids[i], (uint32_t)i};
	qsort(names, n, sizeof(*names), ebb_xfer_field_by_name);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(names[i - 1].id, names[i].id))
			return ebb_tree_error(doc, r->err, "site '%s' stands twice", names[i].id);
	r->by_id = names;
	return 0;
}

/* --- Slots, sites, pools --- */

static int read_slots(struct ebb_xfer_field *r, const struct ebb_tree_node *doc)
{
	const struct ebb_tree_node *seq;
	size_t n, i = 0;
	int bad = ebb_xfer_field_list(r, doc, "slots", false, &seq, &n);

	if (bad < 0)
		return bad;
	if (n > MAX_SLOTS)
		return ebb_tree_error(seq, r->err, "there are more than %d slots", MAX_SLOTS);
	r->slots = ebb_arena_calloc(r->arena, n + 1, sizeof(*r->slots));
	if (!r->slots)
		return ebb_xfer_field_memory(r);
	r->slots[0] = (struct ebb_xfer_slot){"", INT64_MAX};
	r->x->slots = r->slots;
	r->x->n_slots = n ? n : 1;
	r->x->timed = n > 0;
	if (n == 0)
		return 0;
	EBB_TREE_EACH(e, seq) {
		const struct ebb_tree_node *hours = ebb_tree_need(e, "hours", r->err);
		struct ebb_xfer_slot *s = &r->slots[i++];

		if (!hours)
			return -EBB_ECONFIG;
		if ((bad = EBB_XFER_FIELD_KEYS(r, e, "id", "hours")) < 0 || (bad = ebb_xfer_field_id(r, e, &s->id)) < 0 ||
		    (bad = ebb_xfer_field_price(r, e, "hours", &s->hours)) < 0)
			return bad;
	}
	return 0;
}

static int read_site(struct ebb_xfer_field *r, const struct ebb_tree_node *e, struct ebb_xfer_site *s)
{
	int bad;

	s->compress = s->decompress = EBB_XFER_NEVER;
	if ((bad = EBB_XFER_FIELD_KEYS(r, e, "id", "provider", "jurisdiction", "relay", "get_usd", "put_usd",
			"relay_usd_per_gb", "compress_usd_per_gb", "decompress_usd_per_gb")) < 0 ||
	    (bad = ebb_xfer_field_id(r, e, &s->id)) < 0 || (bad = ebb_xfer_field_text(r, e, "provider", &s->provider)) < 0 ||
	    (bad = ebb_xfer_field_text(r, e, "jurisdiction", &s->jurisdiction)) < 0 ||
	    (bad = ebb_xfer_field_bool(r, e, "relay", &s->relay)) < 0 ||
	    (bad = ebb_xfer_field_price(r, e, "get_usd", &s->get)) < 0 || (bad = ebb_xfer_field_price(r, e, "put_usd", &s->put)) < 0 ||
	    (bad = ebb_xfer_field_price(r, e, "relay_usd_per_gb", &s->relay_fee)) < 0 ||
	    (bad = ebb_xfer_field_price(r, e, "compress_usd_per_gb", &s->compress)) < 0)
		return bad;
	return ebb_xfer_field_price(r, e, "decompress_usd_per_gb", &s->decompress);
}

static int read_sites(struct ebb_xfer_field *r, const struct ebb_tree_node *doc)
{
	const struct ebb_tree_node *seq;
	size_t n, i = 0;
	int bad = ebb_xfer_field_list(r, doc, "sites", true, &seq, &n);

	if (bad < 0)
		return bad;
	if (n == 0)
		return ebb_tree_error(seq, r->err, "there are no sites");
	if (n > MAX_SITES)
		return ebb_tree_error(seq, r->err, "there are more than %d sites", MAX_SITES);
	r->x->sites = r->sites = ebb_arena_calloc(r->arena, n, sizeof(*r->sites));
	r->site_ids = ebb_arena_calloc(r->arena, n, sizeof(*r->site_ids));
	r->linked = ebb_arena_calloc(r->arena, n, n);
	if (!r->sites || !r->site_ids || !r->linked)
		return ebb_xfer_field_memory(r);
	EBB_TREE_EACH(e, seq) {
		if ((bad = read_site(r, e, &r->sites[i])) < 0)
			return bad;
		r->site_ids[i] = r->sites[i].id;
		i++;
	}
	r->x->n_sites = n;
	return index_sites(r, seq);
}

/* Tiers rise, and the last one has no end. */
static int read_tiers(struct ebb_xfer_field *r, const struct ebb_tree_node *e, struct ebb_xfer_pool *p)
{
	const struct ebb_tree_node *seq;
	ebb_xfer_num before = 0;
	size_t i = 0;
	int bad = ebb_xfer_field_list(r, e, "tiers", true, &seq, &p->n_tiers);
	struct ebb_xfer_tier *t = ebb_arena_calloc(r->arena, p->n_tiers + 1, sizeof(*t));

	if (bad < 0)
		return bad;
	if (!t)
		return ebb_xfer_field_memory(r);
	p->tiers = t;
	EBB_TREE_EACH(row, seq) {
		if (!ebb_tree_need(row, "upto_gb", r->err) || !ebb_tree_need(row, "usd_per_gb", r->err))
			return -EBB_ECONFIG;
		t[i].upto = EBB_XFER_MAX;
		if ((bad = EBB_XFER_FIELD_KEYS(r, row, "upto_gb", "usd_per_gb")) < 0 ||
		    (bad = ebb_xfer_field_volume(r, row, "upto_gb", &t[i].upto)) < 0 ||
		    (bad = ebb_xfer_field_price(r, row, "usd_per_gb", &t[i].price)) < 0)
			return bad;
		if (t[i].upto <= before)
			return ebb_tree_error(row, r->err, "'upto_gb' must rise from tier to tier");
		before = t[i++].upto;
	}
	if (before != EBB_XFER_MAX)
		return ebb_tree_error(seq, r->err, "the last tier needs 'upto_gb: null'");
	return 0;
}

/* The note of a price; "" when there is none, or it is no text. */
static const char *note(const struct ebb_tree_node *e)
{
	const struct ebb_tree_node *n = ebb_tree_get(e, "note");
	const char *text = "";

	if (n && !ebb_tree_is_null(n))
		ebb_tree_text(n, &text, NULL);
	return text;
}

static int read_pools(struct ebb_xfer_field *r, const struct ebb_tree_node *doc)
{
	const struct ebb_tree_node *seq;
	size_t n, i = 0;
	int bad = ebb_xfer_field_list(r, doc, "pools", false, &seq, &n);

	if (bad < 0)
		return bad;
	if (n > EBB_XFER_POOLS)
		return ebb_tree_error(seq, r->err, "there are more than %d pools", EBB_XFER_POOLS);
	r->x->pools = r->pools = ebb_arena_calloc(r->arena, n + 1, sizeof(*r->pools));
	r->pool_ids = ebb_arena_calloc(r->arena, n + 1, sizeof(*r->pool_ids));
	if (!r->pools || !r->pool_ids)
		return ebb_xfer_field_memory(r);
	if (n == 0)
		return 0;
	EBB_TREE_EACH(e, seq) {
		struct ebb_xfer_pool *p = &r->pools[i];

		if ((bad = EBB_XFER_FIELD_KEYS(r, e, "id", "already_gb", "tiers")) < 0 || (bad = ebb_xfer_field_id(r, e, &p->id)) < 0 ||
		    (bad = ebb_xfer_field_volume(r, e, "already_gb", &p->already)) < 0 || (bad = read_tiers(r, e, p)) < 0)
			return bad;
		for (size_t j = 0; j < i; j++)
			if (!strcmp(r->pool_ids[j], p->id))
				return ebb_tree_error(e, r->err, "pool '%s' stands twice", p->id);
		for (size_t t = 0; t < p->n_tiers; t++)
			if (p->tiers[t].price && p->already > EBB_XFER_MAX / p->tiers[t].price)
				return ebb_tree_error(e, r->err, "'already_gb' is too large");
		p->note = note(e);
		r->pool_ids[i++] = p->id;
	}
	r->x->n_pools = n;
	return 0;
}

/* --- Links --- */

/* The value of slot @i, of a member that is one number for all or a list with one per slot. NULL: there is none. */
static const struct ebb_tree_node *per_slot(const struct ebb_tree_node *n, size_t i)
{
	if (n->kind != EBB_TREE_SEQ)
		return n;
	n = n->first;
	for (; i > 0 && n; i--)
		n = n->next;
	return n;
}

static int slot_values(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
		       ebb_xfer_num max, ebb_xfer_num *ret)
{
	const struct ebb_tree_node *n = ebb_tree_get(map, key);

	if (!n || ebb_tree_is_null(n))
		return 0;
	if (n->kind == EBB_TREE_MAP)
		return ebb_tree_error(n, r->err, "'%s' must be a number, or a list with one per slot", key);
	if (n->kind == EBB_TREE_SEQ && n->n_children != r->x->n_slots)
		return ebb_tree_error(n, r->err, "'%s' has %zu elements for %zu slots", key, n->n_children,
				      r->x->n_slots);
	for (size_t i = 0; i < r->x->n_slots; i++) {
		const struct ebb_tree_node *one = per_slot(n, i);
		int bad = ebb_tree_is_null(one) ? 0 : ebb_xfer_field_number(r, one, max, &ret[i]);

		if (bad < 0)
			return bad;
	}
	return 0;
}

static int link_slots(struct ebb_xfer_field *r, const struct ebb_tree_node *e, struct ebb_xfer_link *l)
{
	size_t n = r->x->n_slots;
	int64_t *prices = ebb_arena_calloc(r->arena, n, sizeof(*prices));
	ebb_xfer_num *room = ebb_arena_calloc(r->arena, n, sizeof(*room));
	ebb_xfer_num *v = ebb_arena_calloc(r->arena, n, sizeof(*v));

	if (!prices || !room || !v)
		return ebb_xfer_field_memory(r);
	int bad = slot_values(r, e, "usd_per_gb", (ebb_xfer_num)EBB_XFER_ONE * 1000000, v);
	for (size_t i = 0; i < n; i++) {
		prices[i] = (int64_t)v[i];
		room[i] = -1;
	}
	if (bad == 0)
		bad = slot_values(r, e, "gb_per_hour", (ebb_xfer_num)EBB_XFER_ONE * 1000000000, room);
	for (size_t i = 0; bad == 0 && i < n; i++) {
		bool endless = room[i] < 0 || (room[i] > 0 && !r->x->timed);

		room[i] = endless ? EBB_XFER_MAX : room[i] * r->slots[i].hours / EBB_XFER_ONE;
	}
	l->price = prices;
	l->capacity = room;
	return bad;
}

static int link_pool(struct ebb_xfer_field *r, const struct ebb_tree_node *e, uint32_t *ret)
{
	const struct ebb_tree_node *n = ebb_tree_get(e, "pool");
	const char *id;

	*ret = EBB_XFER_NONE;
	if (!n || ebb_tree_is_null(n))
		return 0;
	int bad = ebb_tree_text(n, &id, r->err);
	if (bad < 0)
		return bad;
	for (size_t i = 0; i < r->x->n_pools; i++)
		if (!strcmp(r->pool_ids[i], id)) {
			*ret = (uint32_t)i;
			return 0;
		}
	return ebb_xfer_field_unknown(r, n, "pool", id, r->pool_ids, r->x->n_pools);
}

static int read_links(struct ebb_xfer_field *r, const struct ebb_tree_node *doc)
{
	const struct ebb_tree_node *seq;
	size_t n, i = 0;
	int bad = ebb_xfer_field_list(r, doc, "links", false, &seq, &n);

	if (bad < 0)
		return bad;
	r->x->links = r->links = ebb_arena_calloc(r->arena, n + 1, sizeof(*r->links));
	if (!r->links)
		return ebb_xfer_field_memory(r);
	if (n == 0)
		return 0;
	EBB_TREE_EACH(e, seq) {
		struct ebb_xfer_link *l = &r->links[i++];

		if ((bad = EBB_XFER_FIELD_KEYS(r, e, "from", "to", "usd_per_gb", "pool", "gb_per_hour")) < 0 ||
		    (bad = ebb_xfer_field_site(r, e, "from", &l->from)) < 0 || (bad = ebb_xfer_field_site(r, e, "to", &l->to)) < 0 ||
		    (bad = link_pool(r, e, &l->pool)) < 0 || (bad = link_slots(r, e, l)) < 0)
			return bad;
		l->note = note(e);
		bool *seen = &r->linked[(size_t)l->from * r->x->n_sites + l->to];
		if (l->from == l->to || *seen)
			return ebb_tree_error(e, r->err, "the link from '%s' to '%s' %s", r->site_ids[l->from],
					      r->site_ids[l->to],
					      *seen ? "stands twice" : "ends where it begins");
		*seen = true;
	}
	r->x->n_links = n;
	return 0;
}

/* --- The document --- */

/* A member that must read @word, when it is there or @needed. */
static int constant(struct ebb_xfer_field *r, const struct ebb_tree_node *doc, const char *key,
		    const char *word, bool needed)
{
	const struct ebb_tree_node *n = needed ? ebb_tree_need(doc, key, r->err) : ebb_tree_get(doc, key);
	const char *got;

	if (!n)
		return needed ? -EBB_ECONFIG : 0;
	int bad = ebb_tree_text(n, &got, r->err);
	if (bad == 0 && strcmp(got, word))
		return ebb_tree_error(n, r->err, "'%s' must be %s", key, word);
	return bad;
}

static int read_head(struct ebb_xfer_field *r, const struct ebb_tree_node *doc)
{
	const struct ebb_tree_node *budget = ebb_tree_get(doc, "budget_usd");
	int bad = ebb_tree_expect(doc, EBB_TREE_MAP, r->err);

	if (bad < 0 || (bad = EBB_XFER_FIELD_KEYS(r, doc, "format", "version", "id", "title", "currency", "size_unit", "slots",
				   "sites", "pools", "links", "groups", "budget_usd")) < 0 ||
	    (bad = constant(r, doc, "format", "xfer-plan", true)) < 0 ||
	    (bad = constant(r, doc, "version", "1", true)) < 0 ||
	    (bad = constant(r, doc, "currency", "USD", false)) < 0 ||
	    (bad = constant(r, doc, "size_unit", "GB", false)) < 0 ||
	    (bad = ebb_xfer_field_text(r, doc, "id", &r->x->id)) < 0 || (bad = ebb_xfer_field_text(r, doc, "title", &r->x->title)) < 0)
		return bad;
	if (!budget || ebb_tree_is_null(budget))
		return 0;
	r->x->has_budget = true;
	bad = ebb_xfer_field_number(r, budget, (ebb_xfer_num)EBB_XFER_ONE * 1000000000, &r->x->budget);
	r->x->budget *= EBB_XFER_ONE;
	return bad;
}

int ebb_xfer_read(struct ebb_arena *arena, const struct ebb_tree_node *doc,
		  const struct ebb_xfer **ret, struct ebb_err *err)
{
	struct ebb_xfer_field r = {.arena = arena, .err = err};
	int bad;

	r.x = ebb_arena_alloc(arena, sizeof(*r.x));
	if (!r.x)
		return ebb_xfer_field_memory(&r);
	if ((bad = read_head(&r, doc)) < 0 || (bad = read_slots(&r, doc)) < 0 ||
	    (bad = read_pools(&r, doc)) < 0 || (bad = read_sites(&r, doc)) < 0 ||
	    (bad = read_links(&r, doc)) < 0 || (bad = ebb_xfer_field_group(&r, doc)) < 0)
		return bad;
	*ret = r.x;
	return 0;
}
