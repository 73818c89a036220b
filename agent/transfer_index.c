/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_index.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "agent/transfer_keys.h"
#include "core/place.h"
#include "core/sort.h"
#include "policies/residency.h"

/* Members sorted in memory at a time, 48 to 64 bytes each. */
#define ROOM ((size_t)128 * 1024)

#define TAGLESS (-2)
#define DIGEST (-1)

/* A class that objects of a store are in. */
struct class {
	uint16_t site;
	bool known;
	int64_t code;
	const struct ebb_price_class *price;
	__int128 reading;	/* what reading a GB costs, to compare classes of a store */
};

/* What the dataset of a key says of where it may go. */
struct bounds {
	const char *const *residency;
	bool nowhere;			/* not through this machine */
};

/* What decides on the terms of a content, and the terms. */
struct kind {
	uint64_t have, asleep;
	const char *const *residency;
	uint32_t part, choose;
	int packed;
	uint32_t terms;
	uint16_t class[EBB_XFER_BOOK_PLACES];	/* number + 1 at sites where it can be read */
};

struct ebb_transfer_index {
	struct ebb_app *app;
	struct ebb_snap *snap;
	struct ebb_index_store st[EBB_XFER_BOOK_PLACES];
	const struct ebb_target *targets;
	size_t ntargets;
	uint64_t dests;
	struct ebb_sort members;
	struct ebb_place *names, *records;
	struct class *classes;
	size_t nclasses;
	struct ebb_xfer_book_terms *terms;
	size_t nterms;
	struct bounds *bounds;
	size_t nbounds;
	struct kind *kinds;
	uint32_t *table;	/* kind + 1 by hash, open addressing, at most half full */
	size_t nkinds, table_size;
	struct ebb_arena arena;		/* of residencies that had to be made */
	/* the content at hand */
	struct ebb_transfer_member *v;
	struct ebb_transfer_missing *missing;
	size_t n, room, nmissing, missing_room;
	const struct ebb_transfer_member *source[EBB_XFER_BOOK_PLACES];
	uint64_t sourced;	/* sites that have one, by bit */
	struct ebb_transfer_left left;
	ebb_transfer_index_packed_fn *packed;	/* or NULL */
	void *packed_ctx;
	uint32_t parts;			/* 0: one */
	uint32_t copies;		/* 0: at every destination */
	uint32_t choose;		/* of the content at hand: how many of the destinations that need bytes get them; 0: all */
	uint64_t walked;		/* keys */
	uint64_t taken;			/* destinations at which a key of it is taken */
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

void ebb_transfer_index_free(struct ebb_transfer_index *t)
{
	if (!t)
		return;
	ebb_sort_release(&t->members);
	ebb_place_close(t->names);
	ebb_place_close(t->records);
	ebb_arena_release(&t->arena);
	free(t->bounds);
	free(t->kinds);
	free(t->table);
	free(t->classes);
	free(t->terms);
	free(t->v);
	free(t->missing);
	free(t);
}

/* --- All members --- */

#define DIFFER(a, b)                                                                               \
	if ((a) != (b))                                                                            \
		return (a) < (b) ? -1 : 1

static int cmp_content(const struct ebb_transfer_member *a, const struct ebb_transfer_member *b)
{
	DIFFER(a->size, b->size);
	DIFFER(a->parts, b->parts);
	return memcmp(a->id, b->id, sizeof(a->id));
}

/*
 * A member as it is sorted: what is moved and written most is small. The masks of destinations follow in as many bytes as these need,
 * first those that lack the key, then those where it is taken.
 */
struct packed {
	uint8_t id[EBB_DIGEST_LEN];
	int64_t size, parts;
	uint64_t place;
	uint16_t class, bounds;
	uint8_t site, flags;
	uint8_t masks[2 * sizeof(uint64_t)];
};

enum { WANTED = 1, ASKED = 2, READABLE = 4, SLEEPS = 8 };

_Static_assert(EBB_XFER_BOOK_PLACES <= 256, "a site fits into a byte");

static size_t mask_bytes(const struct ebb_transfer_index *t)
{
	return ((size_t)__builtin_popcountll(t->dests) + 7) / 8;
}

static size_t packed_size(const struct ebb_transfer_index *t)
{
	return (offsetof(struct packed, masks) + 2 * mask_bytes(t) + 7) / 8 * 8;
}

/* A mask of destinations, by their number among these. */
static void put_mask(const struct ebb_transfer_index *t, uint64_t mask, uint8_t *to)
{
	uint64_t out = 0;
	int i = 0;

	for (uint64_t left = mask ? t->dests : 0; left; left &= left - 1)
		out |= (uint64_t)((mask & left & -left) != 0) << i++;
	for (size_t k = 0; k < mask_bytes(t); k++)
		to[k] = (uint8_t)(out >> 8 * k);
}

static uint64_t get_mask(const struct ebb_transfer_index *t, const uint8_t *from)
{
	uint64_t in = 0, mask = 0;

	for (size_t k = 0; k < mask_bytes(t); k++)
		in |= (uint64_t)from[k] << 8 * k;
	for (uint64_t left = in ? t->dests : 0; left; left &= left - 1, in >>= 1)
		mask |= in & 1 ? left & -left : 0;
	return mask;
}

static struct packed pack(const struct ebb_transfer_index *t, const struct ebb_transfer_member *m)
{
	struct packed p;

	memset(&p, 0, sizeof(p)); /* it goes to a file as it is */
	memcpy(p.id, m->id, sizeof(p.id));
	p.size = m->size;
	p.parts = m->parts;
	p.place = m->place;
	p.class = m->class;
	p.bounds = m->bounds;
	p.site = (uint8_t)m->site;
	p.flags = (uint8_t)((m->wanted ? WANTED : 0) | (m->asked ? ASKED : 0) | (m->readable ? READABLE : 0) | (m->sleeps ? SLEEPS : 0));
	put_mask(t, m->missing, p.masks);
	put_mask(t, m->taken, p.masks + mask_bytes(t));
	return p;
}

static void unpack(const struct ebb_transfer_index *t, const struct packed *p, struct ebb_transfer_member *ret)
{
	*ret = (struct ebb_transfer_member){
		.size = p->size, .parts = p->parts, .place = p->place, .site = p->site, .class = p->class, .bounds = p->bounds,
		.wanted = p->flags & WANTED, .asked = p->flags & ASKED, .readable = p->flags & READABLE, .sleeps = p->flags & SLEEPS,
		.missing = get_mask(t, p->masks), .taken = get_mask(t, p->masks + mask_bytes(t)),
	};
	memcpy(ret->id, p->id, sizeof(ret->id));
}

/* Half of what tells contents apart is random, so this decides nearly always. */
static uint64_t sort_key(const void *p)
{
	uint64_t half;

	memcpy(&half, ((const struct packed *)p)->id, sizeof(half));
	return half;
}

static int cmp_packed(const void *pa, const void *pb)
{
	const struct packed *a = pa, *b = pb;

	DIFFER(sort_key(a), sort_key(b));
	DIFFER(a->size, b->size);
	DIFFER(a->parts, b->parts);
	int c = memcmp(a->id, b->id, sizeof(a->id));
	if (c)
		return c;
	DIFFER(a->site, b->site);
	DIFFER(a->place, b->place);
	return 0;
}

/* What tells the content of a record from others. */
static void identify(const struct ebb_record *r, struct ebb_transfer_member *m)
{
	m->size = r->f[EBB_F_SIZE];
	if (r->known & EBB_KNOWN_DIGEST) {
		m->parts = DIGEST;
		memcpy(m->id, r->digest, sizeof(m->id));
	} else if (ebb_record_has(r, EBB_F_PARTS) && r->f[EBB_F_PARTS] >= 0) {
		m->parts = r->f[EBB_F_PARTS];
		memcpy(m->id, &r->f[EBB_F_ETAG_HI], 8);
		memcpy(m->id + 8, &r->f[EBB_F_ETAG_LO], 8);
	} else {
		m->parts = TAGLESS;
		memcpy(m->id, &m->place, sizeof(m->place));
		m->id[sizeof(m->place)] = (uint8_t)m->site;
	}
}

#define GB INT64_C(1000000000)

/* Whether its objects can be thawed at a price. */
static bool is_thawable(const struct ebb_price_class *c)
{
	bool any = false;

	for (int i = 0; i < EBB_PRICE_SPEEDS; i++)
		any |= ebb_price_known(&c->restore[i].request) || ebb_price_known(&c->restore[i].retrieval);
	return c->offline && any;
}

/* A GB read, or thawed in the cheapest way; 0 without a price. */
static __int128 reading(const struct ebb_price_class *c)
{
	__int128 least = -1;

	if (!c || !c->offline)
		return c ? ebb_price_flat(&c->item[EBB_PRICE_RETRIEVAL], GB, 1) : 0;
	for (int i = 0; i < EBB_PRICE_SPEEDS; i++) {
		const struct ebb_price_figure *f = &c->restore[i].retrieval;
		__int128 cost = ebb_price_flat(f, GB, 1);

		if (ebb_price_known(f) && (least < 0 || cost < least))
			least = cost;
	}
	return least;
}

/* The price of what the record is in, by its number. */
static int class_of(struct ebb_transfer_index *t, uint16_t site, const struct ebb_record *r, uint16_t *ret, struct ebb_err *err)
{
	const struct ebb_config_store *s = &t->app->config->stores[site];
	struct class c = {.site = site, .known = ebb_record_has(r, EBB_F_CLASS), .code = r->f[EBB_F_CLASS]};
	size_t i = 0;

	while (i < t->nclasses && (t->classes[i].site != site || t->classes[i].known != c.known || t->classes[i].code != c.code))
		i++;
	*ret = (uint16_t)i;
	if (i < t->nclasses)
		return 0;
	struct class *more = i < UINT16_MAX ? realloc(t->classes, (i + 1) * sizeof(*more)) : NULL;
	if (!more)
		return no_memory(err);
	const char *name = ebb_rules_class(t->app->config->rules, s->open.name, r);
	c.price = name ? ebb_price_find(t->app->config->prices, s->provider, s->region, name) : NULL;
	c.reading = reading(c.price);
	t->classes = more;
	more[t->nclasses++] = c;
	return 0;
}

static bool is_wanted(const struct ebb_transfer_index *t, uint32_t site, const char *key, size_t len)
{
	for (size_t i = 0; i < t->ntargets; i++)
		if (!strcmp(t->targets[i].store, t->st[site].name) && ebb_target_has(&t->targets[i], key, len))
			return true;
	return false;
}

/* Where a wanted key may go, by its number. */
static int bounds_of(struct ebb_transfer_index *t, const char *key, size_t len, uint16_t *ret, struct ebb_err *err)
{
	const struct ebb_rules *rules = t->app->config->rules;
	const struct ebb_rules_dataset *ds = ebb_rules_dataset(rules, key, len);
	struct bounds b = {.residency = ds ? ds->residency : NULL};
	size_t i = 0;

	/* every hop passes through this machine */
	b.nowhere = b.residency && ebb_residency_forbids(rules, EBB_ACTION_COPY, key, len, NULL);
	while (i < t->nbounds && (t->bounds[i].residency != b.residency || t->bounds[i].nowhere != b.nowhere))
		i++;
	*ret = (uint16_t)i;
	if (i < t->nbounds)
		return 0;
	struct bounds *more = i < UINT16_MAX ? realloc(t->bounds, (i + 1) * sizeof(*more)) : NULL;
	if (!more)
		return no_memory(err);
	t->bounds = more;
	more[t->nbounds++] = b;
	return 0;
}

/* What stands under the key of @m elsewhere. */
static void compare(const struct ebb_transfer_index *t, const struct ebb_transfer_keys_at *at, uint64_t wanted, struct ebb_transfer_member *m)
{
	uint64_t own = UINT64_C(1) << m->site;

	m->asked = !(wanted & (own - 1));
	m->missing = t->dests & ~at->here;
	for (uint64_t left = t->dests & at->here & ~own; left; left &= left - 1) {
		struct ebb_transfer_member other = {.site = (uint16_t)__builtin_ctzll(left)};

		identify(at->rec[other.site], &other);
		if (other.parts == TAGLESS || cmp_content(&other, m) != 0)
			m->taken |= left & -left;
	}
}

static int add_record(struct ebb_transfer_index *t, const struct ebb_transfer_keys_at *at, uint32_t site, uint64_t wanted, struct ebb_err *err)
{
	const struct ebb_record *r = at->rec[site];
	struct ebb_transfer_member m;
	int rc = 0;

	if (r->f[EBB_F_KIND] != EBB_KIND_FILE || !ebb_record_has(r, EBB_F_SIZE) || !ebb_record_has(r, EBB_F_MTIME))
		return 0;
	memset(&m, 0, sizeof(m));
	m.place = at->place[site];
	m.site = (uint16_t)site;
	m.wanted = wanted >> site & 1;
	identify(r, &m);
	if (m.wanted) {
		compare(t, at, wanted, &m);
		rc = bounds_of(t, at->key, at->len, &m.bounds, err);
	}
	if (rc < 0 || (rc = class_of(t, m.site, r, &m.class, err)) < 0)
		return rc;
	const struct ebb_price_class *c = t->classes[m.class].price;
	m.readable = !c || !c->offline;
	m.sleeps = c && is_thawable(c);
	struct packed p = pack(t, &m);
	return ebb_sort_add(&t->members, &p, err);
}

static int add_key(void *ctx, const struct ebb_transfer_keys_at *at, struct ebb_err *err)
{
	struct ebb_transfer_index *t = ctx;
	uint64_t wanted = 0;
	int r = 0;

	for (uint64_t left = at->here; left; left &= left - 1)
		wanted |= is_wanted(t, (uint32_t)__builtin_ctzll(left), at->key, at->len) ? left & -left : 0;
	for (uint64_t left = at->here; r == 0 && left; left &= left - 1)
		r = add_record(t, at, (uint32_t)__builtin_ctzll(left), wanted, err);
	return r == 0 && (++t->walked & 0xffff) == 0 ? ebb_app_cancelled(t->app, err) : r;
}

/* Whether the transfer cannot do without the store. */
static bool is_needed(const struct ebb_transfer_index *t, size_t site)
{
	bool needed = t->dests >> site & 1;

	for (size_t i = 0; i < t->ntargets; i++)
		needed |= !strcmp(t->targets[i].store, t->app->config->stores[site].open.name);
	return needed;
}

static int look_up(struct ebb_transfer_index *t, size_t site, struct ebb_err *err)
{
	const char *name = t->app->config->stores[site].open.name;
	struct ebb_index_store *st = &t->st[site];

	if (ebb_snap_store(t->snap, name, st, NULL) == 0 && st->generation && !st->building)
		return 0;
	if (is_needed(t, site))
		return ebb_err_set(err, EBB_ESTALE, "store '%s' %s: run ebb scan %s; what it has already need not be sent", name,
				   st->building ? "was not scanned to the end" : "was never scanned", name);
	*st = (struct ebb_index_store){0};
	return 0;
}

static int fill(struct ebb_transfer_index *t, struct ebb_err *err)
{
	const struct ebb_config *c = t->app->config;
	int r = ebb_sort_init(&t->members, t->app->index_dir, packed_size(t), ROOM, cmp_packed, err);

	ebb_sort_by_key(&t->members, sort_key);
	if (r < 0 || (r = ebb_place_open(t->snap, &t->names, err)) < 0 || (r = ebb_place_open(t->snap, &t->records, err)) < 0)
		return r;
	if (c->nstores > EBB_XFER_BOOK_PLACES)
		return ebb_err_set(err, EBB_ELIMIT, "a transfer is planned over at most %d stores", EBB_XFER_BOOK_PLACES);
	for (size_t i = 0; r >= 0 && i < c->nstores; i++)
		r = look_up(t, i, err);
	if (r == 0)
		r = ebb_transfer_keys_walk(t->snap, t->st, add_key, t, err);
	return r < 0 ? r : ebb_sort_finish(&t->members, err);
}

int ebb_transfer_index_open(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_target *targets, size_t ntargets,
			    uint64_t dests, struct ebb_transfer_index **ret, struct ebb_err *err)
{
	struct ebb_transfer_index *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return no_memory(err);
	t->app = app;
	t->snap = snap;
	t->targets = targets;
	t->ntargets = ntargets;
	t->dests = dests;
	ebb_arena_init(&t->arena, 0);
	r = fill(t, err);
	if (r < 0)
		ebb_transfer_index_free(t);
	else
		*ret = t;
	return r;
}

/* --- One content --- */

static int add_missing(struct ebb_transfer_index *t, uint32_t site, size_t member, struct ebb_err *err)
{
	if (t->nmissing == t->missing_room) {
		size_t room = t->missing_room ? 2 * t->missing_room : 16;
		struct ebb_transfer_missing *v = realloc(t->missing, room * sizeof(*v));

		if (!v)
			return no_memory(err);
		t->missing = v;
		t->missing_room = room;
	}
	t->missing[t->nmissing++] = (struct ebb_transfer_missing){site, member};
	return 0;
}

/* The destinations that lack the key of a member. */
static int miss_member(struct ebb_transfer_index *t, size_t i, struct ebb_err *err)
{
	const struct ebb_transfer_member *m = &t->v[i];
	int r = 0;

	if (!m->asked)
		return 0;
	t->left.present += __builtin_popcountll(t->dests & ~m->missing & ~m->taken & ~(UINT64_C(1) << m->site));
	t->left.taken += __builtin_popcountll(m->taken);
	t->taken |= m->taken;
	for (uint64_t left = m->missing; r == 0 && left; left &= left - 1)
		r = add_missing(t, (uint32_t)__builtin_ctzll(left), i, err);
	return r;
}

static int by_site(const void *pa, const void *pb)
{
	const struct ebb_transfer_missing *a = pa, *b = pb;

	DIFFER(a->site, b->site);
	DIFFER(a->member, b->member);
	return 0;
}

/* Jurisdictions that both allow; NULL allows any. */
static int meet(struct ebb_transfer_index *t, const char *const *a, const char *const **io, struct ebb_err *err)
{
	const char *const *b = *io;
	size_t n = 0, kept = 0;

	if (!a || a == b)
		return 0;
	if (!b) {
		*io = a;
		return 0;
	}
	while (b[n])
		n++;
	const char **both = ebb_arena_calloc(&t->arena, n + 1, sizeof(*both));
	if (!both)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		for (const char *const *j = a; *j; j++)
			if (strcmp(*j, b[i]) == 0)
				both[kept++] = b[i];
	*io = kept == n ? b : both;
	return 0;
}

static const char *const nowhere[] = {NULL};

/* The terms of a kind that was not seen before. */
static int add_kind(struct ebb_transfer_index *t, struct kind *k, struct ebb_err *err)
{
	struct ebb_xfer_book_terms *terms = realloc(t->terms, (t->nterms + 1) * sizeof(*terms));

	if (!terms)
		return no_memory(err);
	t->terms = terms;
	terms += t->nterms;
	*terms = (struct ebb_xfer_book_terms){.asleep = k->asleep, .choose = k->choose, .part = k->part, .residency = k->residency, .packed = k->packed};
	for (size_t i = 0; i < EBB_XFER_BOOK_PLACES; i++)
		terms->class[i] = k->class[i] ? t->classes[k->class[i] - 1].price : NULL;
	struct kind *kinds = realloc(t->kinds, (t->nkinds + 1) * sizeof(*kinds));
	if (!kinds)
		return no_memory(err);
	t->kinds = kinds;
	k->terms = (uint32_t)t->nterms++;
	kinds[t->nkinds++] = *k;
	return 0;
}

static bool same_kind(const struct kind *a, const struct kind *b)
{
	return a->have == b->have && a->asleep == b->asleep && a->residency == b->residency && a->part == b->part && a->choose == b->choose &&
	       a->packed == b->packed && !memcmp(a->class, b->class, sizeof(a->class));
}

static size_t hash_of(const struct kind *k)
{
	uint64_t h = k->have * UINT64_C(0x9e3779b97f4a7c15) ^ k->asleep ^ (uintptr_t)k->residency;

	h = (h ^ h >> 29 ^ ((uint64_t)k->part << 40 | (uint64_t)k->choose << 32 | (uint32_t)k->packed)) * UINT64_C(0xc2b2ae3d27d4eb4f);
	for (uint64_t left = k->have | k->asleep; left; left &= left - 1)
		h = (h ^ h >> 31 ^ k->class[__builtin_ctzll(left)]) * UINT64_C(0x165667b19e3779f9);
	return (size_t)(h ^ h >> 32);
}

/* Room for one more kind. */
static int grow_table(struct ebb_transfer_index *t, struct ebb_err *err)
{
	size_t size = t->table_size ? 2 * t->table_size : 256;

	if (2 * (t->nkinds + 1) <= t->table_size)
		return 0;
	uint32_t *table = calloc(size, sizeof(*table));
	if (!table)
		return no_memory(err);
	for (size_t i = 0; i < t->nkinds; i++) {
		size_t at = hash_of(&t->kinds[i]) & (size - 1);

		while (table[at])
			at = (at + 1) & (size - 1);
		table[at] = (uint32_t)i + 1;
	}
	free(t->table);
	t->table = table;
	t->table_size = size;
	return 0;
}

static int find_kind(struct ebb_transfer_index *t, struct kind *k, uint32_t *ret, struct ebb_err *err)
{
	int r = grow_table(t, err);
	size_t at = r < 0 ? 0 : hash_of(k) & (t->table_size - 1);

	if (r < 0)
		return r;
	while (t->table[at] && !same_kind(&t->kinds[t->table[at] - 1], k))
		at = (at + 1) & (t->table_size - 1);
	if (!t->table[at] && (r = add_kind(t, k, err)) == 0)
		t->table[at] = (uint32_t)t->nkinds;
	if (r == 0)
		*ret = t->kinds[t->table[at] - 1].terms;
	return r;
}

static int terms_of(struct ebb_transfer_index *t, const struct ebb_transfer_content *c, uint32_t *ret, struct ebb_err *err)
{
	struct kind k = {.have = c->have, .asleep = c->asleep, .choose = t->choose, .part = t->parts ? t->v[0].id[0] % t->parts : 0};
	bool asked = !t->packed;
	const char *key;
	size_t len;
	int r = 0;

	for (uint64_t left = c->have | c->asleep; left; left &= left - 1)
		k.class[__builtin_ctzll(left)] = (uint16_t)(t->source[__builtin_ctzll(left)]->class + 1);
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct ebb_transfer_member *m = &t->v[i];

		if (!m->wanted)
			continue;
		r = meet(t, t->bounds[m->bounds].residency, &k.residency, err);
		if (t->bounds[m->bounds].nowhere)
			k.residency = nowhere;	/* no place is left to go to */
		if (r == 0 && !asked && (r = ebb_place_key(t->names, &t->st[m->site], m->place, &key, &len, err)) == 0)
			k.packed = t->packed(t->packed_ctx, key, len);
		asked = true;
	}
	return r < 0 ? r : find_kind(t, &k, ret, err);
}

/* What is read at each site: what is awake, then what costs least, then what comes first. */
static void choose_sources(struct ebb_transfer_index *t, struct ebb_transfer_content *c)
{
	for (; t->sourced; t->sourced &= t->sourced - 1)
		t->source[__builtin_ctzll(t->sourced)] = NULL;
	for (size_t i = 0; i < t->n; i++) {
		const struct ebb_transfer_member *m = &t->v[i], **best = &t->source[m->site];

		if (!m->readable && !m->sleeps)
			continue;
		if (!*best || m->readable > (*best)->readable ||
		    (m->readable == (*best)->readable && t->classes[m->class].reading < t->classes[(*best)->class].reading))
			*best = m;
		t->sourced |= UINT64_C(1) << m->site;
	}
	for (uint64_t left = t->sourced; left; left &= left - 1)
		*(t->source[__builtin_ctzll(left)]->readable ? &c->have : &c->asleep) |= left & -left;
	c->source = t->source;
}

/* Which destinations come into question where not all have to: what is missing at the others is forgotten. */
static void narrow(struct ebb_transfer_index *t, uint64_t have)
{
	uint64_t lack = 0, keep = 0;
	size_t n = 0;

	for (size_t i = 0; i < t->nmissing; i++)
		lack |= UINT64_C(1) << t->missing[i].site;
	int need = (int)t->copies - __builtin_popcountll(t->dests & ~lack & ~t->taken);
	uint64_t near = lack & have & ~t->taken, far = lack & ~have & ~t->taken;
	for (; near && need > 0; near &= near - 1, need--)
		keep |= near & -near;
	int choices = __builtin_popcountll(far);
	t->left.scarce += need > choices;
	if (need > 0)
		keep |= far;
	t->choose = need > 0 && need < choices ? (uint32_t)need : 0;
	for (size_t i = 0; i < t->nmissing; i++)
		if (keep >> t->missing[i].site & 1)
			t->missing[n++] = t->missing[i];
	t->nmissing = n;
}

static int show(struct ebb_transfer_index *t, ebb_transfer_index_fn *fn, void *ctx, struct ebb_err *err)
{
	struct ebb_transfer_content c = {.size = t->v[0].size, .v = t->v, .n = t->n};
	int r = 0;

	t->nmissing = 0;
	t->taken = 0;
	t->choose = 0;
	for (size_t i = 0; r == 0 && i < t->n; i++)
		if (t->v[i].wanted)
			r = miss_member(t, i, err);
	if (r < 0 || t->nmissing == 0)
		return r;
	choose_sources(t, &c);
	if (t->copies)
		narrow(t, c.have);
	if (t->nmissing == 0)
		return 0;
	if (!c.have && !c.asleep) {
		t->left.archived += (int64_t)t->nmissing;
		return 0;
	}
	qsort(t->missing, t->nmissing, sizeof(*t->missing), by_site);
	for (size_t i = 0; i < t->nmissing; i++)
		c.want |= UINT64_C(1) << t->missing[i].site;
	c.want &= ~c.have;
	c.missing = t->missing;
	c.nmissing = t->nmissing;
	r = terms_of(t, &c, &c.terms, err);
	return r < 0 ? r : fn(ctx, &c, err);
}

/* Room for one more member. */
static int grow_members(struct ebb_transfer_index *t, struct ebb_err *err)
{
	size_t room = t->room ? 2 * t->room : 64;

	if (t->n < t->room)
		return 0;
	struct ebb_transfer_member *v = realloc(t->v, room * sizeof(*v));
	if (!v)
		return no_memory(err);
	t->v = v;
	t->room = room;
	return 0;
}

int ebb_transfer_index_each(struct ebb_transfer_index *t, ebb_transfer_index_fn *fn, void *ctx, struct ebb_err *err)
{
	int r = ebb_sort_rewind(&t->members, err);
	bool wanted = false;
	struct packed p;

	t->left = (struct ebb_transfer_left){0};
	t->n = 0;
	while (r >= 0 && (r = grow_members(t, err)) == 0 && (r = ebb_sort_take(&t->members, &p, err)) == 1) {
		struct ebb_transfer_member *m = &t->v[t->n];

		unpack(t, &p, m);
		if (t->n && cmp_content(m, t->v) != 0) {
			if ((wanted && (r = show(t, fn, ctx, err)) < 0) || (r = ebb_app_cancelled(t->app, err)) < 0)
				return r;
			t->v[0] = *m;	/* the first of the next content */
			t->n = 0;
			wanted = false;
		}
		wanted |= t->v[t->n++].wanted;
	}
	return r == 0 && wanted ? show(t, fn, ctx, err) : r;
}

void ebb_transfer_index_set_packed(struct ebb_transfer_index *t, ebb_transfer_index_packed_fn *fn, void *ctx)
{
	t->packed = fn;
	t->packed_ctx = ctx;
}

void ebb_transfer_index_set_copies(struct ebb_transfer_index *t, uint32_t copies)
{
	t->copies = copies;
}

void ebb_transfer_index_set_parts(struct ebb_transfer_index *t, uint32_t parts)
{
	t->parts = parts;
}

const struct ebb_xfer_book_terms *ebb_transfer_index_terms(const struct ebb_transfer_index *t)
{
	return t->terms;
}

const struct ebb_transfer_left *ebb_transfer_index_left(const struct ebb_transfer_index *t)
{
	return &t->left;
}

const struct ebb_index_store *ebb_transfer_index_store(const struct ebb_transfer_index *t, uint32_t site)
{
	return &t->st[site];
}

int ebb_transfer_index_record(struct ebb_transfer_index *t, const struct ebb_transfer_member *m, struct ebb_arena *arena,
			      struct ebb_record *ret, struct ebb_err *err)
{
	int r = ebb_place_record(t->records, &t->st[m->site], m->place, ret, err);

	if (r < 0)
		return r;
	ret->key = ebb_arena_memdup(arena, ret->key, ret->key_len);
	return ret->key ? 0 : no_memory(err);
}
