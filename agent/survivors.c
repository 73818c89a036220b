/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/survivors.h"

#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/place.h"
#include "core/sort.h"
#include "policies/cost_storage.h"
#include "policies/decide.h"
#include "scanners/store.h"

/* Records sorted in memory at a time, about 100 bytes each. */
#define ROOM (64 * 1024)

/* Copies of a group that stay and are looked at. */
#define STAYERS 64

/* An object of whose content something is known. */
struct copy {
	int64_t size;
	uint8_t digest[EBB_DIGEST_LEN];
	int64_t parts;		/* as ebb_record_content says */
	int64_t price;		/* nano-units a TiB and month; INT64_MAX: unknown */
	uint64_t place;
	uint64_t extents;	/* 0: not known */
	uint64_t dev;
	int64_t uid, gid, mode, mtime;
	bool owned;		/* uid is known */
	uint16_t store;
	uint16_t rule;		/* the dedup rule that meets it, or the delete rule where its dataset keeps copies, or EBB_RULES_NONE: it stays */
	uint16_t set;		/* number of its dataset, where that keeps copies; else EBB_RULES_NONE */
	int64_t floor;		/* so many */
};

/* A dataset that keeps copies: of the group at hand, those that stay, and the first of them. */
struct floor {
	int64_t staying;
	struct copy first;
};

struct pair {
	uint64_t place, with;
	uint16_t store, with_store;
};

struct store {
	struct ebb_index_store st;
	struct ebb_store *open;		/* for reflinks only */
	bool wanted;			/* actions are wanted for it */
};

struct ebb_survivors {
	struct ebb_app *app;
	struct ebb_snap *snap;
	const struct ebb_rules *rules;
	int64_t now;
	struct store *v;
	size_t n;
	struct ebb_sort copies, pairs;
	struct ebb_rules_decide_work *work;
	struct ebb_block_iter *it;
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];
	/* one group */
	struct copy stay[STAYERS];
	size_t nstay;
	int64_t staying;		/* also those that are not in `stay` */
	struct floor *floors;		/* by number of the dataset; NULL: none keeps copies */
	size_t nfloors;
	/* giving out */
	struct ebb_place *names, *records;
	struct pair next;
	bool have;
	struct ebb_record with;
};

#define DIFFER(a, b)                                                                               \
	if ((a) != (b))                                                                            \
		return (a) < (b) ? -1 : 1

static int cmp_content(const struct copy *a, const struct copy *b)
{
	DIFFER(a->size, b->size);
	DIFFER(a->parts, b->parts);
	return memcmp(a->digest, b->digest, EBB_DIGEST_LEN);
}

/* Who stays comes first. */
static int cmp_copy(const void *pa, const void *pb)
{
	const struct copy *a = pa, *b = pb;
	int c = cmp_content(a, b);

	if (c)
		return c;
	DIFFER(a->rule != EBB_RULES_NONE, b->rule != EBB_RULES_NONE);
	DIFFER(a->price, b->price);
	DIFFER(a->rule, b->rule);
	DIFFER(a->store, b->store);
	DIFFER(a->place, b->place);
	return 0;
}

static int cmp_pair(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;

	DIFFER(a->store, b->store);
	DIFFER(a->place, b->place);
	return 0;
}

void ebb_survivors_free(struct ebb_survivors *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		ebb_store_close(s->v[i].open);
	ebb_sort_release(&s->copies);
	ebb_sort_release(&s->pairs);
	ebb_rules_decide_free(s->work);
	ebb_place_close(s->names);
	ebb_place_close(s->records);
	free(s->it);
	free(s->floors);
	free(s->v);
	free(s);
}

static const struct ebb_rule *dedup_rule(const struct ebb_survivors *s, uint16_t i)
{
	const struct ebb_rule *r = i == EBB_RULES_NONE ? NULL : ebb_rules_get(s->rules, i);

	return r && r->action->id == EBB_ACTION_DEDUP ? r : NULL;
}

/* --- All copies --- */

static int price_of(struct ebb_survivors *s, size_t store, int64_t *ret, struct ebb_err *err)
{
	const struct ebb_config *c = s->app->config;
	struct ebb_money m;
	int rc = ebb_cost_storage_bytes(ebb_config_store(c, s->v[store].st.name)->price, INT64_C(1) << 40,
					ebb_price_currency(c->prices), &m, err);

	*ret = rc == 1 ? m.nano : INT64_MAX;
	return rc < 0 ? rc : 0;
}

/* Does the rule delete it, so that it has to be asked for? Checkpoints are judged whole, and never go where copies are kept. */
static bool deletes(const struct ebb_survivors *s, uint16_t rule)
{
	const struct ebb_rule *r = rule == EBB_RULES_NONE ? NULL : ebb_rules_get(s->rules, rule);

	return r && r->action->id == EBB_ACTION_DELETE && ebb_rules_plain(r);
}

static int add_record(struct ebb_survivors *s, size_t store, uint64_t place, uint16_t rule,
		      const struct ebb_record *r, struct ebb_err *err)
{
	const struct ebb_rule *dedup = dedup_rule(s, rule);
	const struct ebb_rules_dataset *set = s->floors ? ebb_rules_floor(s->rules, r->key, r->key_len) : NULL;
	bool asks = set && s->v[store].wanted && deletes(s, rule), gone = asks && r->f[EBB_F_NLINK] < 2; /* else it is refused, and stays */
	struct copy c = {
		.size = r->f[EBB_F_SIZE], .place = place, .store = (uint16_t)store,
		.dev = (uint64_t)r->f[EBB_F_DEV], .uid = r->f[EBB_F_UID], .gid = r->f[EBB_F_GID],
		.mode = r->f[EBB_F_MODE], .mtime = r->f[EBB_F_MTIME], .rule = EBB_RULES_NONE,
		.set = set ? set->number : EBB_RULES_NONE, .floor = set ? set->copies : 0,
		.owned = ebb_record_has(r, EBB_F_UID),
	};

	if (!ebb_record_content(r, c.digest, &c.parts) || r->f[EBB_F_KIND] != EBB_KIND_FILE || c.size <= 0 ||
	    r->f[EBB_F_FLAGS] != 0)
		return 0;
	if (rule != EBB_RULES_NONE && !dedup && !asks && ebb_rules_get(s->rules, rule)->action->changes)
		return 0; /* it may not be there for long */
	if (dedup && s->v[store].wanted && (dedup->how == EBB_ACTION_REFLINK || r->f[EBB_F_NLINK] < 2))
		c.rule = rule;
	if (gone)
		c.rule = rule;
	int rc = price_of(s, store, &c.price, err);
	return rc < 0 ? rc : ebb_sort_add(&s->copies, &c, err);
}

static int add_store(struct ebb_survivors *s, size_t store, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	const struct ebb_index_store *st = &s->v[store].st;
	struct ebb_record rec;
	struct ebb_block b;
	int rc = ebb_cursor_open(s->snap, st, NULL, &c, err);

	for (uint64_t n = 0; rc >= 0 && (rc = ebb_cursor_next(c, &b, err)) == 1; n++) {
		if (!(b.known_any & (EBB_KNOWN_DIGEST | EBB_KNOWN(EBB_F_PARTS))))
			continue;
		rc = ebb_rules_decide(s->rules, s->work, &b, st->name, s->now, s->rule, s->unknown, err);
		ebb_block_iter_init(s->it, &b);
		for (uint32_t i = 0; rc >= 0 && (rc = ebb_block_iter_next(s->it, &rec, err)) == 1; i++)
			rc = add_record(s, store, n << 16 | i, s->rule[i], &rec, err);
		if (rc >= 0)
			rc = ebb_app_cancelled(s->app, err);
	}
	return rc;
}

/* --- Who can take whose place --- */

/* Where its blocks are; 0 when nobody knows. */
static int find_extents(struct ebb_survivors *s, struct copy *c, struct ebb_err *err)
{
	const struct store *st = &s->v[c->store];
	const char *key;
	size_t len;
	int rc;

	if (!st->open || c->extents)
		return 0;
	rc = ebb_place_key(s->names, &st->st, c->place, &key, &len, err);
	if (rc == 0 && ebb_store_extents(st->open, key, &c->extents, NULL) < 0)
		c->extents = 0;
	return rc;
}

static bool can_share(const struct ebb_survivors *s, uint16_t store)
{
	return s->v[store].open && (ebb_store_caps(s->v[store].open) & EBB_CAP_REFLINK);
}

/* 1 when @with can take the place of @c, 0 when not. */
static int can_replace(struct ebb_survivors *s, const struct copy *c, const struct copy *with,
		       enum ebb_action_how how, struct ebb_err *err)
{
	const char *key;
	size_t len;
	int rc;

	switch (how) {
	case EBB_ACTION_REFLINK:
		return c->store == with->store && can_share(s, c->store);
	case EBB_ACTION_HARDLINK:
		return c->store == with->store && c->dev == with->dev && c->uid == with->uid &&
		       c->gid == with->gid && c->mode == with->mode && c->mtime == with->mtime;
	default:
		if (c->owned && with->owned && c->uid != with->uid)
			return 0; /* objects of a bucket have no owners of their own */
		if (c->store == with->store)
			return 1;
		rc = ebb_place_key(s->names, &s->v[c->store].st, c->place, &key, &len, err);
		return rc < 0 ? rc : ebb_decide_resides(s->rules, key, len, s->v[with->store].st.name);
	}
}

static void stays(struct ebb_survivors *s, const struct copy *c)
{
	if (c->set != EBB_RULES_NONE && s->floors[c->set].staying++ == 0)
		s->floors[c->set].first = *c;
	s->staying++;
	if (s->nstay < STAYERS)
		s->stay[s->nstay++] = *c;
}

/* May one more go, as far as its dataset says? */
static bool spared(const struct ebb_survivors *s, const struct copy *c)
{
	return c->set != EBB_RULES_NONE && s->floors[c->set].staying < c->floor;
}

static int goes(struct ebb_survivors *s, const struct copy *c, const struct copy *with, struct ebb_err *err)
{
	return ebb_sort_add(&s->pairs,
			    &(struct pair){.store = c->store, .place = c->place, .with_store = with->store, .with = with->place}, err);
}

/* The next copy of a group, in the order of cmp_copy. */
static int judge(struct ebb_survivors *s, struct copy *c, struct ebb_err *err)
{
	const struct ebb_rule *rule = dedup_rule(s, c->rule);
	const struct copy *found = NULL;
	int rc = 0;

	if (deletes(s, c->rule) && !spared(s, c))
		return goes(s, c, &s->floors[c->set].first, err);
	if (rule && rule->how == EBB_ACTION_REFLINK && can_share(s, c->store))
		rc = find_extents(s, c, err);
	for (size_t i = 0; rule && rc == 0 && !found && i < s->nstay; i++) {
		struct copy *with = &s->stay[i];

		rc = can_replace(s, c, with, rule->how, err);
		if (rc == 1 && rule->how == EBB_ACTION_REFLINK) {
			if ((rc = find_extents(s, with, err)) < 0)
				break;
			if (c->extents && c->extents == with->extents)
				return 0; /* done already: neither goes nor counts */
			rc = 1;
		}
		if (rc == 1)
			found = with;
		rc = rc < 0 ? rc : 0;
	}
	if (rc < 0)
		return rc;
	if (!found || s->staying < rule->copies || spared(s, c)) {
		stays(s, c);
		return 0;
	}
	return goes(s, c, found, err);
}

static void clear_group(struct ebb_survivors *s)
{
	s->nstay = 0;
	s->staying = 0;
	for (size_t i = 0; i < s->nfloors; i++)
		s->floors[i].staying = 0;
}

static int judge_all(struct ebb_survivors *s, struct ebb_err *err)
{
	struct copy c, last = {.size = -1};
	int rc = ebb_sort_finish(&s->copies, err);

	while (rc == 0 && (rc = ebb_sort_take(&s->copies, &c, err)) == 1) {
		if (cmp_content(&c, &last) != 0)
			clear_group(s);
		last = c;
		rc = judge(s, &c, err);
	}
	ebb_sort_release(&s->copies);
	return rc == 0 ? ebb_sort_finish(&s->pairs, err) : rc;
}

/* --- All of it --- */

static bool wants(const struct ebb_survivors *s, bool reflink)
{
	for (size_t i = 0; i < ebb_rules_count(s->rules); i++) {
		const struct ebb_rule *r = dedup_rule(s, (uint16_t)i);

		if (r && (!reflink || r->how == EBB_ACTION_REFLINK))
			return true;
	}
	return false;
}

static bool has_store(const struct ebb_survivors *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].st.name, name) == 0)
			return true;
	return false;
}

static int list_stores(struct ebb_survivors *s, const struct ebb_index_store *stores, size_t n,
		       struct ebb_err *err)
{
	const struct ebb_config *c = s->app->config;
	bool reflink = wants(s, true);

	s->v = calloc(n + c->nstores + 1, sizeof(*s->v));
	if (!s->v)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		s->v[s->n++] = (struct store){.st = stores[i], .wanted = true};
	for (size_t i = 0; i < c->nstores; i++) {
		struct store *v = &s->v[s->n];

		if (!has_store(s, c->stores[i].open.name) &&
		    ebb_snap_store(s->snap, c->stores[i].open.name, &v->st, NULL) == 0 && v->st.generation)
			s->n++;
	}
	for (size_t i = 0; reflink && i < s->n; i++) /* a store that is out of reach shares nothing */
		if (s->v[i].wanted &&
		    ebb_store_open(&ebb_config_store(c, s->v[i].st.name)->open, &s->v[i].open, NULL) < 0)
			s->v[i].open = NULL;
	return 0;
}

static int prepare(struct ebb_survivors *s, const struct ebb_index_store *stores, size_t n,
		   struct ebb_err *err)
{
	const char *dir = s->app->index_dir;
	int rc = list_stores(s, stores, n, err);

	s->work = ebb_rules_decide_new(s->rules);
	s->it = malloc(sizeof(*s->it));
	if (rc == 0 && (!s->work || !s->it))
		rc = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (rc == 0)
		rc = ebb_sort_init(&s->copies, dir, sizeof(struct copy), ROOM, cmp_copy, err);
	if (rc == 0)
		rc = ebb_sort_init(&s->pairs, dir, sizeof(struct pair), ROOM, cmp_pair, err);
	if (rc == 0)
		rc = ebb_place_open(s->snap, &s->names, err);
	return rc == 0 ? ebb_place_open(s->snap, &s->records, err) : rc;
}

int ebb_survivors_find(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *stores,
		       size_t n, int64_t now, struct ebb_survivors **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_survivors_freep) struct ebb_survivors *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	s->app = app;
	s->snap = snap;
	s->rules = app->config->rules;
	s->now = now;
	s->nfloors = ebb_rules_has_floors(s->rules) ? ebb_rules_datasets(s->rules) : 0;
	if (!wants(s, false) && !s->nfloors) {
		*ret = NULL;
		return 0;
	}
	if (s->nfloors && !(s->floors = calloc(s->nfloors, sizeof(*s->floors))))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	rc = prepare(s, stores, n, err);
	for (size_t i = 0; rc == 0 && i < s->n; i++)
		rc = add_store(s, i, err);
	if (rc == 0)
		rc = judge_all(s, err);
	if (rc < 0)
		return rc;
	*ret = s;
	s = NULL;
	return 0;
}

/* --- Giving them out --- */

/* How the object of the next pair stands to another: < 0 before it, > 0 behind it. 1; 0: there is no pair any more. */
static int peek(struct ebb_survivors *s, const char *store, const struct ebb_record *rec, int *ret_cmp, struct ebb_err *err)
{
	const char *key;
	size_t len, at = 0;
	int rc = s->have ? 1 : ebb_sort_take(&s->pairs, &s->next, err);

	if (rc <= 0)
		return rc;
	s->have = true;
	while (at < s->n && strcmp(s->v[at].st.name, store) != 0)
		at++;
	*ret_cmp = s->next.store < at ? -1 : 1;
	if (s->next.store != at)
		return 1;
	rc = ebb_place_key(s->names, &s->v[at].st, s->next.place, &key, &len, err);
	*ret_cmp = rc < 0 ? 1 : ebb_record_key_cmp(key, len, rec->key, rec->key_len);
	return rc < 0 ? rc : 1;
}

/* Both sides go through objects in the same order. Of pairs about earlier ones nobody asked. */
int ebb_survivors_copy(void *ctx, const char *store, const struct ebb_record *rec,
		       const char **ret_store, const struct ebb_record **ret, struct ebb_err *err)
{
	struct ebb_survivors *s = ctx;
	int rc, cmp = -1;

	while ((rc = peek(s, store, rec, &cmp, err)) == 1 && cmp < 0)
		s->have = false;
	if (rc <= 0 || cmp != 0)
		return rc < 0 ? rc : 0;
	s->have = false;
	rc = ebb_place_record(s->records, &s->v[s->next.with_store].st, s->next.with, &s->with, err);
	if (rc < 0)
		return rc;
	*ret_store = s->v[s->next.with_store].st.name;
	*ret = &s->with;
	return 1;
}
