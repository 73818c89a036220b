/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "agent/learned.h"
#include "agent/placed.h"
#include "core/place.h"
#include "core/sort.h"
#include "policies/cost_move.h"
#include "policies/cost_storage.h"
#include "scanners/content.h"

/* Records sorted in memory at a time, 48 bytes each. */
#define ROOM (64 * 1024)

/* Months of keeping an object that reading it may cost. */
#define MONTHS 12

/* An object; by size, largest first, then by what is known of its content. */
struct item {
	int64_t size, parts;
	uint8_t tag[EBB_DIGEST_LEN];
	uint64_t place;
	uint16_t store;
	uint8_t open;	/* its content is not told by what is known: an opaque tag, or one of parts that nobody could compute */
};

struct fetch {
	struct ebb_app *app;
	struct ebb_index *ix;
	const struct ebb_reach *reach;
	int64_t min_size;
	struct ebb_fetch_budget left;
	struct ebb_hash_result *refused;
	struct ebb_fetch_result *ret;
	struct ebb_sort items, sizes;
	struct ebb_snap *snap;
	struct ebb_place *records;
	struct ebb_block_iter *it;
	struct ebb_content *content;
	struct ebb_store **stores;	/* opened when needed */
	struct ebb_learned learned;
};

#define DIFFER(a, b)                                                                               \
	if ((a) != (b))                                                                            \
		return (a) < (b) ? -1 : 1

static int cmp_size(const void *pa, const void *pb)
{
	const int64_t *a = pa, *b = pb;

	DIFFER(*b, *a);
	return 0;
}

static int cmp_item(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	DIFFER(b->size, a->size);
	DIFFER(a->parts, b->parts);
	int c = memcmp(a->tag, b->tag, sizeof(a->tag));
	if (c)
		return c;
	DIFFER(a->store, b->store);
	DIFFER(a->place, b->place);
	return 0;
}

/* --- Which share a size and cannot be told apart --- */

static int add_record(void *ctx, size_t store, uint64_t place, const struct ebb_record *r, struct ebb_err *err)
{
	struct fetch *f = ctx;
	struct item i = {.size = r->f[EBB_F_SIZE], .place = place, .store = (uint16_t)store};
	bool bucket = !f->reach->v[store].store;

	if (r->f[EBB_F_KIND] != EBB_KIND_FILE || r->f[EBB_F_FLAGS] != 0 || i.size < f->min_size ||
	    !ebb_reach_wants(f->reach, store, r->key, r->key_len))
		return 0;
	if (!ebb_record_content(r, i.tag, &i.parts)) {
		i.parts = bucket ? -2 : -1;
		memcpy(i.tag, &place, sizeof(place)); /* like no other */
		memcpy(i.tag + sizeof(place), &i.store, sizeof(i.store));
	}
	/* the MD5 of the whole was compared with every file, and with every other such tag */
	i.open = bucket && i.parts != -1 && i.parts != 0;
	return ebb_sort_add(&f->items, &i, err);
}

static bool same_content(const struct item *a, const struct item *b)
{
	return a->size == b->size && a->parts == b->parts && memcmp(a->tag, b->tag, sizeof(a->tag)) == 0;
}

/* Sizes of at least two contents, one of them open. */
static int find_sizes(struct fetch *f, struct ebb_err *err)
{
	struct item last = {.size = -1}, i;
	uint64_t contents = 0;
	bool open = false;
	int rc = ebb_sort_finish(&f->items, err), more = rc == 0;

	while (rc == 0 && more == 1) {
		more = ebb_sort_take(&f->items, &i, err);
		if (last.size >= 0 && (more != 1 || i.size != last.size)) {
			if (contents > 1 && open)
				rc = ebb_sort_add(&f->sizes, &last.size, err);
			contents = 0;
			open = false;
		}
		if (more == 1) {
			contents += contents == 0 || !same_content(&last, &i);
			open |= i.open;
			last = i;
		}
	}
	if (more < 0 || rc < 0)
		return more < 0 ? more : rc;
	rc = ebb_sort_finish(&f->sizes, err);
	return rc < 0 ? rc : ebb_sort_rewind(&f->items, err);
}

/* --- What it costs --- */

/* Whether reading it once costs no more than keeping it for MONTHS. What is not known is no. */
static bool is_worth(const struct fetch *f, const struct item *i, const struct ebb_record *rec)
{
	const struct ebb_config *c = f->app->config;
	const char *name = f->reach->v[i->store].st.name;
	const struct ebb_rules_store *s = ebb_rules_store(c->rules, name);
	const struct ebb_price_class *class;
	const struct ebb_price_figure *way;
	struct ebb_bill b;

	if (!s || !s->provider || !*s->provider)
		return s != NULL; /* a site of one's own charges for no reads */
	class = ebb_price_find(c->prices, s->provider, s->region, ebb_rules_class(c->rules, name, rec));
	way = ebb_price_egress(c->prices, s->provider, s->region, NULL, NULL);
	if (!class || class->offline || !way)
		return false;
	ebb_bill_clear(&b);
	ebb_cost_retrieval(&b, EBB_BILL_ONCE, class, ebb_cost_load(1, i->size), 1000000, EBB_COST_THAW);
	ebb_bill_add(&b, EBB_BILL_ONCE, "egress", class, way, i->size, 1);
	ebb_cost_storage(&b, EBB_BILL_BEFORE, class, ebb_cost_load(1, i->size), EBB_COST_MONTH);
	return !b.missing && ebb_bill_sum(&b, EBB_BILL_ONCE) <= MONTHS * ebb_bill_sum(&b, EBB_BILL_BEFORE);
}

/* --- Reading --- */

static void look_no_more(struct fetch *f)
{
	ebb_place_close(f->records);
	f->records = NULL;
	ebb_snap_close(f->snap);
	f->snap = NULL;
}

/* 1 when its digest is in @ret; 0 when it was left alone. */
static int read_one(struct fetch *f, const struct item *i, uint8_t *ret, struct ebb_err *err)
{
	const struct ebb_reach_store *s = &f->reach->v[i->store];
	struct ebb_err why = {0};
	struct ebb_record rec;
	int rc = ebb_place_record(f->records, &s->st, i->place, &rec, err);

	if (rc < 0)
		return rc;
	if (!is_worth(f, i, &rec)) {
		f->ret->dear++;
		return 0;
	}
	if (i->size > f->left.bytes || f->left.requests < 1) {
		f->ret->over++;
		return 0;
	}
	EBB_CLEANUP(ebb_mem_freep) char *key = strndup(rec.key, rec.key_len);
	if (!key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	rec.key = key;
	f->left.requests--;
	f->left.bytes -= i->size; /* also when it fails on the way: it was paid for */
	f->ret->objects++;
	f->ret->bytes += (uint64_t)i->size;
	if (!f->stores[i->store])
		rc = ebb_store_open(&s->config->open, &f->stores[i->store], &why);
	if (rc == 0)
		rc = ebb_content_digest(f->content, f->stores[i->store], &rec, f->app->cancel, ret, &why);
	if (rc == -EBB_ECANCELLED)
		return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
	return rc < 0 ? ebb_hash_refused(f->refused, s->st.name, key, rc, why.msg, err) : 1;
}

/* Every open object of a size that @sizes names; those with one tag get the digest of the first of them that was read. */
static int read_all(struct fetch *f, struct ebb_err *err)
{
	struct item i, last = {.size = -1};
	uint8_t digest[EBB_DIGEST_LEN];
	int64_t size = INT64_MAX;
	int more = 1, have = 0, rc = 0;

	while (rc >= 0 && more == 1 && (rc = ebb_sort_take(&f->items, &i, err)) == 1) {
		while (more == 1 && size > i.size)
			more = ebb_sort_take(&f->sizes, &size, err);
		if (more != 1 || size != i.size || !i.open)
			continue;
		if ((rc = ebb_app_cancelled(f->app, err)) < 0)
			return rc;
		if (!have || !same_content(&last, &i))
			rc = have = read_one(f, &i, digest, err);
		last = i;
		if (have == 1)
			rc = ebb_learned_add(&f->learned, i.store, i.place, digest, err);
	}
	return more < 0 ? more : rc < 0 ? rc : 0;
}

/* --- All of it --- */

static void release(struct fetch *f)
{
	for (size_t i = 0; f->stores && i < f->reach->n; i++)
		ebb_store_close(f->stores[i]);
	free(f->stores);
	free(f->it);
	ebb_content_free(f->content);
	look_no_more(f);
	ebb_sort_release(&f->items);
	ebb_sort_release(&f->sizes);
	ebb_learned_release(&f->learned);
}

static int prepare(struct fetch *f, struct ebb_err *err)
{
	const char *dir = f->app->index_dir;
	int rc;

	f->it = malloc(sizeof(*f->it));
	f->content = ebb_content_new();
	f->stores = calloc(f->reach->n + 1, sizeof(struct ebb_store *));
	if (!f->it || !f->content || !f->stores)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if ((rc = ebb_sort_init(&f->items, dir, sizeof(struct item), ROOM, cmp_item, err)) < 0 ||
	    (rc = ebb_sort_init(&f->sizes, dir, sizeof(int64_t), ROOM, cmp_size, err)) < 0 ||
	    (rc = ebb_learned_init(&f->learned, dir, err)) < 0 || (rc = ebb_app_snap(f->app, f->ix, &f->snap, err)) < 0)
		return rc;
	return ebb_place_open(f->snap, &f->records, err);
}

int ebb_fetch_run(struct ebb_app *app, struct ebb_index *ix, const struct ebb_reach *reach, int64_t min_size,
		  struct ebb_fetch_budget budget, struct ebb_hash_result *refused, struct ebb_fetch_result *ret,
		  struct ebb_err *err)
{
	EBB_CLEANUP(release) struct fetch f = {
		.app = app, .ix = ix, .reach = reach, .refused = refused, .ret = ret,
		.min_size = min_size > 0 ? min_size : 1, .left = budget,
	};
	int rc, kept;

	if (budget.bytes <= 0)
		return 0;
	rc = prepare(&f, err);
	const struct ebb_placed p = {.snap = f.snap, .it = f.it, .cancel = app->cancel, .fn = add_record, .ctx = &f};
	for (size_t i = 0; rc == 0 && i < reach->n; i++)
		if (reach->v[i].some && (reach->v[i].store || reach->v[i].config))
			rc = ebb_placed_each(&p, i, &reach->v[i].st, err);
	if (rc == 0)
		rc = find_sizes(&f, err);
	if (rc == 0)
		rc = read_all(&f, err);
	look_no_more(&f);
	kept = ebb_learned_keep(&f.learned, ix, reach, rc < 0 ? NULL : err);
	return rc < 0 ? rc : kept;
}
