/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_index.h"

#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/place.h"
#include "core/sort.h"
#include "policies/residency.h"

/* Members sorted in memory at a time, 56 bytes each. */
#define ROOM ((size_t)256 * 1024)

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

struct ebb_transfer_index {
	struct ebb_app *app;
	struct ebb_snap *snap;
	struct ebb_index_store st[EBB_XFER_BOOK_PLACES];
	const struct ebb_target *targets;
	size_t ntargets;
	uint64_t dests;
	struct ebb_sort members;
	struct ebb_place *names, *records;
	struct ebb_block_iter *it;
	struct class *classes;
	size_t nclasses;
	struct ebb_xfer_book_terms *terms;
	size_t nterms;
	struct ebb_arena arena;		/* of residencies that had to be made */
	/* the content at hand */
	struct ebb_transfer_member *v;
	struct ebb_transfer_missing *missing;
	size_t n, room, nmissing, missing_room;
	const struct ebb_transfer_member *source[EBB_XFER_BOOK_PLACES];
	struct ebb_transfer_left left;
	ebb_transfer_index_packed_fn *packed;	/* or NULL */
	void *packed_ctx;
	uint32_t parts;			/* 0: one */
	uint32_t copies;		/* 0: at every destination */
	uint32_t choose;		/* of the content at hand: how many of the destinations that need bytes get them; 0: all */
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
	free(t->it);
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

static int cmp_member(const void *pa, const void *pb)
{
	const struct ebb_transfer_member *a = pa, *b = pb;
	int c = cmp_content(a, b);

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

static bool is_wanted(const struct ebb_transfer_index *t, const char *store, const struct ebb_record *r)
{
	for (size_t i = 0; i < t->ntargets; i++)
		if (!strcmp(t->targets[i].store, store) && ebb_target_has(&t->targets[i], r->key, r->key_len))
			return true;
	return false;
}

static int add_record(struct ebb_transfer_index *t, uint16_t site, uint64_t place, const struct ebb_record *r, struct ebb_err *err)
{
	struct ebb_transfer_member m;

	if (r->f[EBB_F_KIND] != EBB_KIND_FILE || !ebb_record_has(r, EBB_F_SIZE) || !ebb_record_has(r, EBB_F_MTIME))
		return 0;
	memset(&m, 0, sizeof(m)); /* it goes to a file as it is */
	m.place = place;
	m.site = site;
	m.wanted = is_wanted(t, t->st[site].name, r);
	identify(r, &m);
	int rc = class_of(t, site, r, &m.class, err);
	if (rc < 0)
		return rc;
	const struct ebb_price_class *c = t->classes[m.class].price;
	m.readable = !c || !c->offline;
	m.sleeps = c && is_thawable(c);
	return ebb_sort_add(&t->members, &m, err);
}

static int add_store(struct ebb_transfer_index *t, uint16_t site, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_record rec;
	struct ebb_block b;
	int r = ebb_cursor_open(t->snap, &t->st[site], NULL, &c, err);

	for (uint64_t n = 0; r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1; n++) {
		ebb_block_iter_init(t->it, &b);
		for (uint32_t i = 0; r >= 0 && (r = ebb_block_iter_next(t->it, &rec, err)) == 1; i++)
			r = add_record(t, site, n << 16 | i, &rec, err);
		if (r >= 0)
			r = ebb_app_cancelled(t->app, err);
	}
	return r;
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
	int r = ebb_sort_init(&t->members, t->app->index_dir, sizeof(struct ebb_transfer_member), ROOM, cmp_member, err);

	if (r < 0 || (r = ebb_place_open(t->snap, &t->names, err)) < 0 || (r = ebb_place_open(t->snap, &t->records, err)) < 0)
		return r;
	if (c->nstores > EBB_XFER_BOOK_PLACES)
		return ebb_err_set(err, EBB_ELIMIT, "a transfer is planned over at most %d stores", EBB_XFER_BOOK_PLACES);
	for (size_t i = 0; r >= 0 && i < c->nstores; i++) {
		r = look_up(t, i, err);
		if (r == 0 && t->st[i].generation)
			r = add_store(t, (uint16_t)i, err);
	}
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
	t->it = malloc(sizeof(*t->it));
	r = t->it ? fill(t, err) : no_memory(err);
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

/* What stands at a key of a store: 1 the content at hand, 0 nothing, -EBB_EEXIST something else. */
static int at_key(struct ebb_transfer_index *t, uint32_t site, const char *key, struct ebb_err *err)
{
	struct ebb_transfer_member m = {.site = (uint16_t)site};
	struct ebb_record rec;
	struct ebb_err why = {0};
	int r = ebb_snap_get(t->snap, &t->st[site], key, &rec, &why);

	if (r == -EBB_ENOENT)
		return 0;
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	identify(&rec, &m);
	return m.parts != TAGLESS && cmp_content(&m, t->v) == 0 ? 1 : -EBB_EEXIST;
}

/* Whether a member of an earlier source has the same key, which is then asked for once. */
static int is_twin(struct ebb_transfer_index *t, size_t i, const char *key, struct ebb_err *err)
{
	for (uint32_t s = 0, last = UINT32_MAX; s < i; s++) {
		uint32_t site = t->v[s].site;

		if (!t->v[s].wanted || site == t->v[i].site || site == last)
			continue;
		int r = at_key(t, site, key, err);
		if (r != 0 && r != -EBB_EEXIST)
			return r;
		last = site;
	}
	return 0;
}

static int miss_member(struct ebb_transfer_index *t, size_t i, struct ebb_err *err)
{
	const struct ebb_transfer_member *m = &t->v[i];
	const char *borrowed;
	char key[EBB_KEY_MAX + 1];
	size_t len;
	int r = ebb_place_key(t->names, &t->st[m->site], m->place, &borrowed, &len, err);

	if (r < 0)
		return r;
	memcpy(key, borrowed, len + 1);
	if ((r = is_twin(t, i, key, err)) != 0)
		return r < 0 ? r : 0;
	for (uint32_t d = 0; r >= 0 && d < t->app->config->nstores; d++) {
		if (!(t->dests >> d & 1) || d == m->site)
			continue;
		r = at_key(t, d, key, err);
		t->left.present += r == 1;
		t->left.taken += r == -EBB_EEXIST;
		t->taken |= (uint64_t)(r == -EBB_EEXIST) << d;
		r = r == 0 ? add_missing(t, d, i, err) : r == -EBB_EEXIST ? 0 : r;
	}
	return r < 0 ? r : 0;
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

static int terms_of(struct ebb_transfer_index *t, uint64_t asleep, uint32_t *ret, struct ebb_err *err)
{
	struct ebb_xfer_book_terms terms;
	bool asked = !t->packed;
	const char *key;
	size_t len;
	int r = 0;

	memset(&terms, 0, sizeof(terms)); /* compared as it is */
	terms.asleep = asleep;
	terms.choose = t->choose;
	terms.part = t->parts ? t->v[0].id[0] % t->parts : 0;
	for (size_t i = 0; i < EBB_XFER_BOOK_PLACES; i++)
		terms.class[i] = t->source[i] ? t->classes[t->source[i]->class].price : NULL;
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct ebb_transfer_member *m = &t->v[i];

		if (!m->wanted || (r = ebb_place_key(t->names, &t->st[m->site], m->place, &key, &len, err)) < 0)
			continue;
		const struct ebb_rules_dataset *ds = ebb_rules_dataset(t->app->config->rules, key, len);
		r = meet(t, ds ? ds->residency : NULL, &terms.residency, err);
		if (!asked)
			terms.packed = t->packed(t->packed_ctx, key, len);
		asked = true;
		/* every hop passes through this machine; where it may not, no place is left to go to */
		if (r == 0 && ebb_residency_forbids(t->app->config->rules, EBB_ACTION_COPY, key, len, NULL))
			terms.residency = nowhere;
	}
	if (r < 0)
		return r;
	for (*ret = 0; *ret < t->nterms; (*ret)++)
		if (memcmp(&t->terms[*ret], &terms, sizeof(terms)) == 0)
			return 0;
	struct ebb_xfer_book_terms *more = realloc(t->terms, (t->nterms + 1) * sizeof(*more));
	if (!more)
		return no_memory(err);
	t->terms = more;
	more[t->nterms++] = terms;
	return 0;
}

/* What is read at each site: what is awake, then what costs least, then what comes first. */
static void choose_sources(struct ebb_transfer_index *t, struct ebb_transfer_content *c)
{
	memset(t->source, 0, sizeof(t->source));
	for (size_t i = 0; i < t->n; i++) {
		const struct ebb_transfer_member *m = &t->v[i], **best = &t->source[m->site];

		if (!m->readable && !m->sleeps)
			continue;
		if (!*best || m->readable > (*best)->readable ||
		    (m->readable == (*best)->readable && t->classes[m->class].reading < t->classes[(*best)->class].reading))
			*best = m;
	}
	for (size_t s = 0; s < EBB_XFER_BOOK_PLACES; s++)
		if (t->source[s])
			*(t->source[s]->readable ? &c->have : &c->asleep) |= UINT64_C(1) << s;
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
	r = terms_of(t, c.asleep, &c.terms, err);
	return r < 0 ? r : fn(ctx, &c, err);
}

static int add_member(struct ebb_transfer_index *t, const struct ebb_transfer_member *m, struct ebb_err *err)
{
	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct ebb_transfer_member *v = realloc(t->v, room * sizeof(*v));

		if (!v)
			return no_memory(err);
		t->v = v;
		t->room = room;
	}
	t->v[t->n++] = *m;
	return 0;
}

int ebb_transfer_index_each(struct ebb_transfer_index *t, ebb_transfer_index_fn *fn, void *ctx, struct ebb_err *err)
{
	struct ebb_transfer_member m;
	int r = ebb_sort_rewind(&t->members, err);
	bool wanted = false;

	t->left = (struct ebb_transfer_left){0};
	t->n = 0;
	while (r >= 0 && (r = ebb_sort_take(&t->members, &m, err)) == 1) {
		if (t->n && cmp_content(&m, t->v) != 0) {
			if (wanted && (r = show(t, fn, ctx, err)) < 0)
				return r;
			if ((r = ebb_app_cancelled(t->app, err)) < 0)
				return r;
			t->n = 0;
			wanted = false;
		}
		wanted |= m.wanted;
		r = add_member(t, &m, err);
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
