/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_rows.h"

#include <stdlib.h>
#include <string.h>

#include "compress/codec.h"

/* Contents that are in hand at a time. */
#define CHUNK 256

#define NANO ((ebb_xfer_num)1000000 * 1000000000)	/* 10^-24 to 10^-9 */

/* An action that waits for its number. */
struct hop {
	struct hop *next;
	struct hop *after;		/* makes its object; NULL: it is there */
	const struct hop *root;		/* first of the chain, whose object the content comes from */
	const struct ebb_record *own;	/* the object that is meant, whose key it gets; NULL: that of the root */
	uint32_t own_site;
	unsigned depth;
	uint32_t from, to;		/* sites */
	struct ebb_record obj;		/* key NUL-terminated */
	const char *to_key;
	bool relay;
	bool drop;			/* no hop: what stands at `from` goes, when all that read it are done */
	enum ebb_planrow_form form;
	int64_t wire;			/* bytes over the link */
	int64_t cost;			/* nano-units */
	const char *why;
	int64_t n;			/* once it is written */
};

struct writing {
	const struct ebb_transfer_rows *t;
	struct ebb_planfile_writer *out;
	struct ebb_planhead_sum sum;
	uint64_t used;
	struct ebb_arena arena;		/* of the chunk */
	struct hop *first, **last;
	unsigned depth;			/* the greatest of the chunk */
	size_t contents;
	int64_t n;
	struct hop *arrived[EBB_XFER_BOOK_PLACES];	/* of the content: what brought it to a site */
	struct hop *coded[EBB_XFER_BOOK_PLACES];	/* the same, compressed */
	uint64_t thawed;				/* sites whose replica was thawed for it, by bit */
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* As ebb_xfer_sum orders them; @c must have been added. */
int64_t ebb_transfer_rows_group(const struct ebb_xfer_sum_row *rows, size_t n, const struct ebb_transfer_content *c)
{
	uint32_t size_class = c->size ? 1 + (uint32_t)(63 - __builtin_clzll((unsigned long long)c->size)) / 2 : 0;

	for (size_t i = 0; c->want && i < n; i++)
		if (rows[i].have == c->have && rows[i].want == c->want && rows[i].terms == c->terms && rows[i].size_class == size_class)
			return (int64_t)i;
	return -1;
}

/* --- What an action costs --- */

/* Reading a replica: each time, but what is thawed once only. */
static ebb_xfer_num reading(struct writing *w, const struct ebb_xfer_group *g, uint32_t site, int64_t size)
{
	const struct ebb_xfer_replica *r = w->arrived[site] ? NULL : ebb_xfer_replica_at(g, site);
	bool again = r && !r->satisfies && w->thawed >> site & 1;

	if (!r || again)
		return 0;
	w->thawed |= (uint64_t)!r->satisfies << site;
	return (ebb_xfer_num)size * 1000 * r->per_gb + (ebb_xfer_num)r->per_object * EBB_XFER_ONE;
}

static int64_t rounded(ebb_xfer_num cost)
{
	return (int64_t)((cost + NANO / 2) / NANO);
}

/* The link's bytes and its share of the pool, one request at either end, and retrieval at a replica. Rounded once. */
static int64_t cost_of(struct writing *w, const struct ebb_xfer_group *g, const struct ebb_xfer_hop *h, int64_t wire, int64_t size)
{
	const struct ebb_transfer_rows *t = w->t;
	const struct ebb_xfer_link *l = &t->x->links[h->link];
	ebb_xfer_num gb = (ebb_xfer_num)wire * 1000, sum = gb * l->price[0] + reading(w, g, l->from, size);

	if (l->pool != EBB_XFER_NONE && t->bill->pool_gb[l->pool] > 0)
		sum += ebb_xfer_scale(t->bill->pool_cost[l->pool], gb, t->bill->pool_gb[l->pool]);
	sum += (ebb_xfer_num)(t->x->sites[l->from].get + t->x->sites[l->to].put) * EBB_XFER_ONE;
	if (!ebb_xfer_dest_at(g, l->to))
		sum += gb * t->x->sites[l->to].relay_fee;
	return rounded(sum);
}

static bool is_priced(const struct ebb_config_store *s)
{
	return !s->provider || s->price;
}

/* --- Writing --- */

static int put(struct writing *w, struct hop *h, struct ebb_err *err)
{
	const struct ebb_config *c = w->t->app->config;
	const struct ebb_config_store *from = &c->stores[h->from], *to = &c->stores[h->to];
	struct ebb_planrow row = {
		.rule = "transfer", .store = from->open.name, .action = EBB_ACTION_COPY, .obj = h->obj, .to_store = to->open.name,
		.to_key = h->to_key, .relay = h->relay && !w->t->only, .priced = is_priced(from) && is_priced(to), .payback_days = -1,
		.wire = h->from == h->to ? 0 : h->wire, .why = h->why, .form = h->form, .awaits = h->after && !h->after->n,
		.codec = h->form == EBB_PLANROW_ENCODE || h->form == EBB_PLANROW_DECODE ? ebb_codec_zstd.name : NULL,
	};
	struct ebb_planhead_sum sum = {.objects = 1, .bytes = h->obj.f[EBB_F_SIZE], .wire = row.wire};

	if (w->t->only && !(w->t->only >> h->from & 1))
		return 0; /* of another site's plan */

	if (row.priced)
		row.one_off = sum.one_off = h->cost;
	else
		sum.unpriced = 1;
	if (ebb_record_has(&h->obj, EBB_F_CLASS) && !h->after)
		row.class = ebb_rules_class(c->rules, row.store, &h->obj);
	uint32_t own_site = h->own ? h->own_site : h->root->from;
	const struct ebb_record *own = h->own ? h->own : &h->root->obj;
	if (h->drop) {
		row.action = EBB_ACTION_DELETE;
		row.to_store = row.to_key = NULL;
		row.purge = row.awaits = true;
		row.after = h->after->n;
	} else if (h->after || own_site != h->from || strcmp(own->key, h->obj.key) != 0) {
		row.after = h->after ? h->after->n : 0;
		row.with_store = c->stores[own_site].open.name;
		row.with = *own;
		w->used |= UINT64_C(1) << own_site;
	}
	w->used |= UINT64_C(1) << h->from | UINT64_C(1) << h->to;
	ebb_planhead_add(&w->sum, &sum);
	h->n = ++w->n;
	return ebb_planfile_put(w->out, &row, err);
}

static int flush(struct writing *w, struct ebb_err *err)
{
	int r = 0;

	for (unsigned depth = 0; depth <= w->depth; depth++)
		for (struct hop *h = w->first; r == 0 && h; h = h->next)
			if (h->depth == depth)
				r = put(w, h, err);
	ebb_arena_release(&w->arena);
	ebb_arena_init(&w->arena, 0);
	w->first = NULL;
	w->last = &w->first;
	w->depth = 0;
	w->contents = 0;
	return r;
}

/* --- A content --- */

/* What compressing leaves of so many bytes, by the group's estimate. */
static int64_t coded_size(const struct ebb_xfer_group *g, int64_t size)
{
	return g->packed < 0 || g->gb == 0 ? size : (int64_t)ebb_xfer_scale(size, g->packed, g->gb);
}

/* A hop from what stands at @obj, or from what @after makes. NULL: no memory. */
static struct hop *add_hop(struct writing *w, struct hop *after, const struct ebb_record *obj, uint32_t from, uint32_t to,
			   const char *to_key)
{
	struct hop *h = ebb_arena_calloc(&w->arena, 1, sizeof(*h));

	if (!h)
		return NULL;
	*h = (struct hop){.wire = after ? after->root->obj.f[EBB_F_SIZE] : obj->f[EBB_F_SIZE], .after = after, .depth = after ? after->depth + 1 : 0, .from = from, .to = to, .to_key = to_key};
	h->root = after ? after->root : h;
	h->obj = after ? after->root->obj : *obj;
	if (after) { /* its identity is known once it is made */
		h->obj.key = after->to_key;
		h->obj.key_len = (uint32_t)strlen(after->to_key);
		h->obj.known = h->obj.known & (EBB_KNOWN(EBB_F_KIND) | EBB_KNOWN(EBB_F_SIZE) | EBB_KNOWN(EBB_F_MTIME));
		for (int f = 0; f < EBB_F_COUNT; f++)
			if (!ebb_record_has(&h->obj, (enum ebb_field)f))
				h->obj.f[f] = 0;
	}
	*w->last = h;
	w->last = &h->next;
	w->depth = h->depth > w->depth ? h->depth : w->depth;
	return h;
}

static struct ebb_record *record_of(struct writing *w, const struct ebb_transfer_content *c, size_t member, struct ebb_err *err)
{
	struct ebb_record *rec = ebb_arena_alloc(&w->arena, sizeof(*rec));

	if (!rec) {
		no_memory(err);
		return NULL;
	}
	return ebb_transfer_index_record(w->t->index, &c->v[member], &w->arena, rec, err) < 0 ? NULL : rec;
}

/* Where a content comes to a site. */
struct landing {
	const char *key;
	const struct ebb_record *own;	/* the object that has the key where it is asked for; NULL: it is a relay */
	uint32_t own_site;
};

/* Under the first key that is missing there; at a relay under one out of sight. */
static int land(struct writing *w, const struct ebb_transfer_content *c, uint32_t site, struct landing *ret, struct ebb_err *err)
{
	size_t i = 0;

	while (i < c->nmissing && c->missing[i].site != site)
		i++;
	bool relay = i == c->nmissing;
	size_t member = c->missing[relay ? 0 : i].member;
	const struct ebb_record *rec = record_of(w, c, member, err);
	if (!rec)
		return -EBB_ENOMEM;
	*ret = (struct landing){rec->key, rec, c->v[member].site};
	if (relay) {
		ret->key = ebb_arena_printf(&w->arena, "%s%s", EBB_TRANSFER_ROWS_RELAY, rec->key);
		ret->own = NULL;
	}
	return ret->key ? 0 : no_memory(err);
}

/* One action: from what came to @from, else from what stands there. */
static int go(struct writing *w, const struct ebb_transfer_content *c, uint32_t from, uint32_t to, const char *to_key,
	      struct hop **ret, struct ebb_err *err)
{
	const struct ebb_transfer_member *m = w->arrived[from] ? NULL : c->source[from];
	struct ebb_record rec = {0};
	int r = 0;

	if (!w->arrived[from] && !m)
		return ebb_err_set(err, EBB_EINVAL, "a hop starts where nothing is");
	if (m)
		r = ebb_transfer_index_record(w->t->index, m, &w->arena, &rec, err);
	if (r < 0)
		return r;
	*ret = add_hop(w, w->arrived[from], &rec, from, to, to_key);
	return *ret ? 0 : no_memory(err);
}

/* A hop of the tree: compressed at its start unless it came so, and kept so at its end under a key out of sight. */
static int cross(struct writing *w, const struct ebb_transfer_content *c, const struct ebb_xfer_hop *xh, struct hop **ret,
		 struct ebb_err *err)
{
	const struct ebb_xfer_link *l = &w->t->x->links[xh->link];
	struct landing at;
	int r = land(w, c, l->to, &at, err);

	if (r < 0)
		return r;
	if (!xh->packed) {
		r = go(w, c, l->from, l->to, at.key, ret, err);
		if (r < 0)
			return r;
		(*ret)->relay = !at.own;
		(*ret)->own = at.own;
		(*ret)->own_site = at.own_site;
		w->arrived[l->to] = *ret;
		return 0;
	}
	const struct ebb_record *rec = record_of(w, c, c->missing[0].member, err);
	const char *key = rec ? ebb_arena_printf(&w->arena, "%s%s", EBB_TRANSFER_ROWS_CODED, rec->key) : NULL;
	if (!key)
		return no_memory(err);
	if (w->coded[l->from]) {
		*ret = add_hop(w, w->coded[l->from], NULL, l->from, l->to, key);
		if (*ret)
			(*ret)->form = EBB_PLANROW_CODED;
	} else if ((r = go(w, c, l->from, l->to, key, ret, err)) == 0) {
		(*ret)->form = EBB_PLANROW_ENCODE;
	}
	if (r < 0 || !*ret)
		return r < 0 ? r : no_memory(err);
	(*ret)->relay = true;
	w->coded[l->to] = *ret;
	return 0;
}

/* What came compressed to a site becomes what is wanted there. */
static int decode_at(struct writing *w, const struct ebb_transfer_content *c, uint32_t site, struct ebb_err *err)
{
	struct landing at;
	int r = land(w, c, site, &at, err);
	struct hop *h = r < 0 ? NULL : add_hop(w, w->coded[site], NULL, site, site, at.key);

	if (!h)
		return r < 0 ? r : no_memory(err);
	h->form = EBB_PLANROW_DECODE;
	h->relay = !at.own;
	h->own = at.own;
	h->own_site = at.own_site;
	h->why = "it came compressed";
	w->arrived[site] = h;
	return 0;
}

/* What sleeps at a destination becomes the first key that is missing there. */
static int copy_at(struct writing *w, const struct ebb_transfer_content *c, const struct ebb_xfer_group *g, uint32_t site, struct ebb_err *err)
{
	const struct ebb_xfer_site *s = &w->t->x->sites[site];
	ebb_xfer_num cost = reading(w, g, site, c->size) + (ebb_xfer_num)(s->get + s->put) * EBB_XFER_ONE;
	struct hop *h = NULL;
	struct landing at;
	int r = land(w, c, site, &at, err);

	if (r < 0 || (r = go(w, c, site, site, at.key, &h, err)) < 0)
		return r;
	h->own = at.own;
	h->own_site = at.own_site;
	h->cost = rounded(cost);
	h->why = "its archived copy is read and written again in place";
	w->arrived[site] = h;
	return 0;
}

static int add_tree(struct writing *w, const struct ebb_transfer_content *c, size_t group, struct ebb_err *err)
{
	const struct ebb_xfer_group *g = &w->t->x->groups[group];
	const struct ebb_xfer_tree *tree = &w->t->plan->trees[group];
	char why[EBB_TRANSFER_BILL_WHY];
	int r = 0;

	for (size_t i = 0; r == 0 && i < tree->n_copies; i++)
		r = copy_at(w, c, g, tree->copies[i], err);
	for (size_t i = 0; r == 0 && i < tree->n_hops; i++) {
		const struct ebb_xfer_hop *xh = &tree->hops[i];
		uint32_t from = w->t->x->links[xh->link].from;
		struct hop *h = NULL;

		if (!xh->packed && w->coded[from] && !w->arrived[from])
			r = decode_at(w, c, from, err);
		if (r < 0 || (r = cross(w, c, xh, &h, err)) < 0)
			break;
		h->wire = xh->packed ? coded_size(g, c->size) : c->size;
		h->cost = cost_of(w, g, xh, h->wire, c->size);
		h->why = ebb_arena_strdup(&w->arena, ebb_transfer_bill_why(w->t->x, g, tree, xh, why));
		r = h->why ? 0 : no_memory(err);
	}
	for (uint32_t s = 0; r == 0 && s < w->t->x->n_sites; s++)
		if ((c->want >> s & 1) && w->coded[s] && !w->arrived[s])
			r = decode_at(w, c, s, err);
	return r;
}

/* Sites with plans of their own clear up after themselves: what came on its way to others goes behind its last reader. */
static int add_drops(struct writing *w, struct hop *first, struct ebb_err *err)
{
	unsigned depth = 0;

	for (struct hop *h = first; h; h = h->next)
		depth = h->depth > depth ? h->depth : depth;
	for (struct hop *h = first, *end = NULL; h && h != end; h = h->next) {
		struct hop *last = NULL, *drop;

		for (struct hop *reader = first; reader; reader = reader->next)
			if (reader->after == h && !reader->drop && (!last || reader->depth >= last->depth))
				last = reader;
		if (!h->relay || !last)
			continue;
		drop = add_hop(w, h, NULL, h->to, h->to, NULL);
		if (!drop)
			return no_memory(err);
		drop->after = last;
		drop->depth = depth + 1;
		drop->drop = true;
		drop->why = "it was on its way";
		end = end ? end : drop;
		w->depth = drop->depth > w->depth ? drop->depth : w->depth;
	}
	return 0;
}

/* Whether what is written to a store cannot be read at once. */
static bool is_archive(const struct writing *w, uint32_t site)
{
	const struct ebb_config *c = w->t->app->config;
	const struct ebb_config_store *s = &c->stores[site];
	const struct ebb_price_class *class = s->class ? ebb_price_find(c->prices, s->provider, s->region, s->class) : NULL;

	return class && class->offline;
}

/* One more copy of what came to a site, from where it came. */
static int send_again(struct writing *w, const struct hop *came, const char *key, struct hop **ret, struct ebb_err *err)
{
	*ret = add_hop(w, came->after, &came->obj, came->from, came->to, key);
	if (!*ret)
		return no_memory(err);
	(*ret)->wire = came->wire;
	(*ret)->form = came->form;
	return 0;
}

/* The further keys at each destination, within it; what sleeps there at once is sent once more. */
static int add_locals(struct writing *w, const struct ebb_transfer_content *c, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->nmissing; i++) {
		uint32_t d = c->missing[i].site;
		bool first = i == 0 || c->missing[i - 1].site != d, came_here = c->want >> d & 1;
		struct hop *h = NULL;

		if (came_here && (first || !w->arrived[d]))
			continue; /* it came under this key, or it was not chosen */
		const struct ebb_record *rec = record_of(w, c, c->missing[i].member, err);
		const struct hop *came = rec && is_archive(w, d) ? w->arrived[d] : NULL;
		r = !rec ? -EBB_ENOMEM : came ? send_again(w, came, rec->key, &h, err) : go(w, c, d, d, rec->key, &h, err);
		if (r < 0)
			break;
		h->own = rec;
		h->own_site = c->v[c->missing[i].member].site;
		h->cost = came ? came->cost : rounded((ebb_xfer_num)w->t->x->sites[d].put * EBB_XFER_ONE);
		h->why = came ? "what came there sleeps in an archive" : "the same content is there already";
	}
	return r;
}

static int on_content(void *ctx, const struct ebb_transfer_content *c, struct ebb_err *err)
{
	struct writing *w = ctx;
	int64_t group = ebb_transfer_rows_group(w->t->rows, w->t->nrows, c);
	int r = 0;

	struct hop **begin = w->last;

	memset(w->arrived, 0, sizeof(w->arrived));
	memset(w->coded, 0, sizeof(w->coded));
	w->thawed = 0;
	if (group >= 0)
		r = add_tree(w, c, (size_t)group, err);
	if (r == 0)
		r = add_locals(w, c, err);
	if (r == 0 && w->t->only)
		r = add_drops(w, *begin, err);
	if (r == 0 && ++w->contents == CHUNK)
		r = flush(w, err);
	return r;
}

int ebb_transfer_rows(const struct ebb_transfer_rows *t, struct ebb_planfile_writer *out, struct ebb_planhead_sum *ret,
		      uint64_t *ret_used, struct ebb_err *err)
{
	struct writing w = {.t = t, .out = out};

	w.last = &w.first;
	ebb_arena_init(&w.arena, 0);
	int r = ebb_transfer_index_each(t->index, on_content, &w, err);
	if (r == 0)
		r = flush(&w, err);
	ebb_arena_release(&w.arena);
	*ret = w.sum;
	*ret_used = w.used;
	return r;
}
