/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups of an instance. */
#include <stdlib.h>
#include <string.h>

#include "policies/xfer_field.h"

static int read_replicas(struct ebb_xfer_field *r, const struct ebb_tree_node *e, struct ebb_xfer_group *g)
{
	const struct ebb_tree_node *seq;
	int bad = ebb_xfer_field_list(r, e, "replicas", true, &seq, &g->n_replicas);
	struct ebb_xfer_replica *a = ebb_arena_calloc(r->arena, g->n_replicas + 1, sizeof(*a));
	size_t i = 0;

	if (bad < 0)
		return bad;
	if (!a)
		return ebb_xfer_field_memory(r);
	g->replicas = a;
	EBB_TREE_EACH(row, seq) {
		struct ebb_xfer_replica *c = &a[i];

		c->satisfies = true;
		if ((bad = EBB_XFER_FIELD_KEYS(r, row, "site", "satisfies", "retrieval_usd_per_gb",
				"retrieval_usd_per_object", "restore_hours")) < 0 ||
		    (bad = ebb_xfer_field_site(r, row, "site", &c->site)) < 0 ||
		    (bad = ebb_xfer_field_bool(r, row, "satisfies", &c->satisfies)) < 0 ||
		    (bad = ebb_xfer_field_price(r, row, "retrieval_usd_per_gb", &c->per_gb)) < 0 ||
		    (bad = ebb_xfer_field_price(r, row, "retrieval_usd_per_object", &c->per_object)) < 0 ||
		    (bad = ebb_xfer_field_price(r, row, "restore_hours", &c->restore)) < 0)
			return bad;
		for (size_t j = 0; j < i; j++)
			if (a[j].site == c->site)
				return ebb_tree_error(row, r->err, "a replica at '%s' stands twice",
						      r->site_ids[c->site]);
		i++;
	}
	return 0;
}

static int read_dests(struct ebb_xfer_field *r, const struct ebb_tree_node *e, struct ebb_xfer_group *g)
{
	const struct ebb_tree_node *seq;
	int bad = ebb_xfer_field_list(r, e, "destinations", true, &seq, &g->n_dests);
	struct ebb_xfer_dest *a = ebb_arena_calloc(r->arena, g->n_dests + 1, sizeof(*a));
	size_t i = 0;

	if (bad < 0)
		return bad;
	if (!a)
		return ebb_xfer_field_memory(r);
	g->dests = a;
	EBB_TREE_EACH(row, seq) {
		struct ebb_xfer_dest *d = &a[i];

		d->copies = 1;
		if ((bad = EBB_XFER_FIELD_KEYS(r, row, "site", "copies")) < 0 || (bad = ebb_xfer_field_site(r, row, "site", &d->site)) < 0 ||
		    (bad = ebb_xfer_field_count(r, row, "copies", 1, &d->copies)) < 0)
			return bad;
		for (size_t j = 0; j < i; j++)
			if (a[j].site == d->site)
				return ebb_tree_error(row, r->err, "destination '%s' stands twice",
						      r->site_ids[d->site]);
		i++;
	}
	return 0;
}

static int read_allowed(struct ebb_xfer_field *r, const struct ebb_tree_node *e, struct ebb_xfer_group *g)
{
	const struct ebb_tree_node *seq = ebb_tree_get(e, "allowed_jurisdictions");
	bool *in = seq ? ebb_arena_calloc(r->arena, r->x->n_sites, sizeof(*in)) : NULL;

	if (!seq || ebb_tree_is_null(seq))
		return 0;
	if (!in)
		return ebb_xfer_field_memory(r);
	int bad = ebb_tree_expect(seq, EBB_TREE_SEQ, r->err);
	if (bad < 0)
		return bad;
	EBB_TREE_EACH(n, seq) {
		const char *word;

		if ((bad = ebb_tree_text(n, &word, r->err)) < 0)
			return bad;
		for (size_t i = 0; i < r->x->n_sites; i++)
			in[i] |= *word && !strcmp(r->sites[i].jurisdiction, word);
	}
	g->allowed = in;
	return 0;
}

/* Of so many destinations at most, since all choices are looked at. */
static int read_choose(struct ebb_xfer_field *r, const struct ebb_tree_node *e, struct ebb_xfer_group *g)
{
	const struct ebb_tree_node *n = ebb_tree_get(e, "choose");
	int64_t choose = 0;
	int bad = ebb_xfer_field_count(r, e, "choose", 1, &choose);

	if (bad < 0 || choose == 0)
		return bad;
	if (choose > (int64_t)g->n_dests || g->n_dests > EBB_XFER_CHOICES)
		return ebb_tree_error(n, r->err, "'choose' is a number of destinations, out of at most %d", EBB_XFER_CHOICES);
	for (size_t i = 0; i < g->n_dests; i++)
		if (g->dests[i].copies > 1)
			return ebb_tree_error(n, r->err, "'choose' and further 'copies' at a destination do not go together");
	g->choose = (uint32_t)choose;
	return 0;
}

static int read_rest(struct ebb_xfer_field *r, const struct ebb_tree_node *e, struct ebb_xfer_group *g)
{
	const struct ebb_tree_node *ratio = ebb_tree_get(e, "compress_ratio");
	const struct ebb_tree_node *after = ebb_tree_get(e, "delete_after"), *slot = ebb_tree_get(e, "last_slot");
	int64_t part = -1, early = 0, last = (int64_t)r->x->n_slots - 1;
	uint32_t site;
	int bad;

	if ((bad = ebb_xfer_field_price(r, e, "compress_ratio", &part)) < 0 || (slot && !ebb_tree_is_null(slot) && (bad = ebb_xfer_field_count(r, e, "last_slot", 0, &last)) < 0))
		return bad;
	if (part == 0)
		return ebb_tree_error(ratio, r->err, "'compress_ratio' must be more than 0");
	if (last >= (int64_t)r->x->n_slots)
		return ebb_tree_error(ebb_tree_get(e, "last_slot"), r->err, "'last_slot' is %lld, the last is %zu",
				      (long long)last, r->x->n_slots - 1);
	if (after && !ebb_tree_is_null(after) &&
	    ((bad = EBB_XFER_FIELD_KEYS(r, after, "site", "early_delete_usd")) < 0 ||
	     (bad = ebb_xfer_field_site(r, after, "site", &site)) < 0 ||
	     (bad = ebb_xfer_field_price(r, after, "early_delete_usd", &early)) < 0))
		return bad;
	g->last_slot = (uint32_t)last;
	g->fixed = (ebb_xfer_num)early * EBB_XFER_ONE;
	g->packed = -1;
	if (part > 0 && (__builtin_mul_overflow(g->gb, part, &g->packed) || g->packed > EBB_XFER_MAX))
		return ebb_tree_error(ratio, r->err, "'compress_ratio' is too large");
	if (part > 0)
		g->packed = (g->packed + EBB_XFER_ONE / 2) / EBB_XFER_ONE;
	return 0;
}

/* No sum of costs may overflow: what all could cost at the dearest price @max, at every site. */
static int check_size(struct ebb_xfer_field *r, const struct ebb_tree_node *e,
		      const struct ebb_xfer_group *g, ebb_xfer_num max)
{
	ebb_xfer_num most = g->packed > g->gb ? g->packed : g->gb;
	ebb_xfer_num sites = 8 * ((ebb_xfer_num)r->x->n_sites + 1);

	/* at most five prices a GB, three an object, at each site */
	for (size_t i = 0; i < g->n_dests; i++)
		sites += 2 * (ebb_xfer_num)g->dests[i].copies;
	if (__builtin_add_overflow(most, g->objects, &most) || __builtin_mul_overflow(most, sites, &most) ||
	    __builtin_mul_overflow(most, max, &most) || __builtin_add_overflow(most, g->fixed, &most) ||
	    __builtin_add_overflow(r->worst, most, &r->worst) || r->worst > EBB_XFER_MAX)
		return ebb_tree_error(e, r->err, "the amounts of group '%s' are too large to be added up", g->id);
	return 0;
}

/* The dearest of all prices. */
static ebb_xfer_num dearest(const struct ebb_xfer_field *r)
{
	ebb_xfer_num max = 1;

	for (size_t i = 0; i < r->x->n_sites; i++) {
		const struct ebb_xfer_site *s = &r->sites[i];
		const int64_t p[] = {s->get, s->put, s->relay_fee, s->compress, s->decompress};

		for (size_t j = 0; j < EBB_ARRAY_LEN(p); j++)
			max = p[j] > max ? p[j] : max;
	}
	for (size_t i = 0; i < r->x->n_links; i++)
		for (size_t s = 0; s < r->x->n_slots; s++)
			max = r->links[i].price[s] > max ? r->links[i].price[s] : max;
	for (size_t i = 0; i < r->x->n_pools; i++)
		for (size_t t = 0; t < r->pools[i].n_tiers; t++)
			max = r->pools[i].tiers[t].price > max ? r->pools[i].tiers[t].price : max;
	return max;
}

static int read_group(struct ebb_xfer_field *r, const struct ebb_tree_node *e, ebb_xfer_num max,
		      struct ebb_xfer_group *g)
{
	int64_t objects = 0;
	int bad;

	if (!ebb_tree_need(e, "gb", r->err) || !ebb_tree_need(e, "objects", r->err))
		return -EBB_ECONFIG;
	if ((bad = EBB_XFER_FIELD_KEYS(r, e, "id", "gb", "objects", "replicas", "destinations", "compress_ratio",
			"allowed_jurisdictions", "may_split", "last_slot", "delete_after", "choose")) < 0 ||
	    (bad = ebb_xfer_field_id(r, e, &g->id)) < 0 || (bad = ebb_xfer_field_volume(r, e, "gb", &g->gb)) < 0 ||
	    (bad = ebb_xfer_field_count(r, e, "objects", 0, &objects)) < 0 || (bad = read_replicas(r, e, g)) < 0 ||
	    (bad = read_dests(r, e, g)) < 0 || (bad = read_allowed(r, e, g)) < 0 ||
	    (bad = read_choose(r, e, g)) < 0 || (bad = ebb_xfer_field_bool(r, e, "may_split", &g->may_split)) < 0 || (bad = read_rest(r, e, g)) < 0)
		return bad;
	g->objects = (ebb_xfer_num)objects * EBB_XFER_ONE;
	for (size_t i = 0; i < g->n_replicas; i++) {
		max = g->replicas[i].per_gb > max ? g->replicas[i].per_gb : max;
		max = g->replicas[i].per_object > max ? g->replicas[i].per_object : max;
	}
	if (g->may_split && g->n_dests > 1)
		return ebb_tree_error(ebb_tree_get(e, "may_split"), r->err,
				      "'may_split' is for groups with one destination");
	if (g->may_split && g->packed >= 0)
		return ebb_tree_error(ebb_tree_get(e, "may_split"), r->err,
				      "'may_split' and 'compress_ratio' do not go together");
	return check_size(r, e, g, max);
}

int ebb_xfer_field_group(struct ebb_xfer_field *r, const struct ebb_tree_node *doc)
{
	const struct ebb_tree_node *seq;
	size_t n, i = 0;
	int bad = ebb_xfer_field_list(r, doc, "groups", true, &seq, &n);
	ebb_xfer_num max = dearest(r);

	if (bad < 0)
		return bad;
	if (n > 1000000)
		return ebb_tree_error(seq, r->err, "there are more than a million groups");
	r->x->groups = r->groups = ebb_arena_calloc(r->arena, n + 1, sizeof(*r->groups));
	struct ebb_xfer_field_name *names = ebb_arena_calloc(r->arena, n + 1, sizeof(*names));
	if (!r->groups || !names)
		return ebb_xfer_field_memory(r);
	EBB_TREE_EACH(e, seq) {
		if ((bad = read_group(r, e, max, &r->groups[i])) < 0)
			return bad;
		names[i].id = r->groups[i].id;
		i++;
	}
	r->x->n_groups = n;
	qsort(names, n, sizeof(*names), ebb_xfer_field_by_name);
	for (i = 1; i < n; i++)
		if (!strcmp(names[i - 1].id, names[i].id))
			return ebb_tree_error(seq, r->err, "group '%s' stands twice", names[i].id);
	return 0;
}
