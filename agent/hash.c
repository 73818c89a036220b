/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * by_size -> tasks -> read -> by_sample -> tasks -> read. Tasks are sorted by place, so that reading follows the order of keys, which is
 * that of directories; the other two sorts bring together what must be compared.
 */
#include "agent/hash.h"

#include <stdlib.h>
#include <string.h>

#include "agent/hash_read.h"
#include "agent/progress.h"
#include "core/cursor.h"
#include "core/learn.h"
#include "core/place.h"
#include "core/sort.h"
#include "scanners/content.h"

/* Records sorted in memory at a time: at most 48 bytes each, two sorts at once. */
#define ROOM (256 * 1024)

/* What was learned is put into the index after so many objects, or bytes read. */
#define LEARN_ITEMS 65536
#define LEARN_BYTES (UINT64_C(16) << 30)

enum state {
	NEW,		/* nothing is known of its content */
	SAMPLED,	/* its sample */
	KNOWN		/* its digest */
};

enum how {
	READ_WHOLE,
	READ_SAMPLE,
	SAMPLE_KNOWN,	/* the index has its sample: nothing is read */
	SAMPLE_AGAIN	/* its digest is known, its sample is wanted for comparison */
};

/* An object among those of its size. */
struct sized {
	int64_t size;
	uint64_t place;
	uint16_t store;
	uint8_t state;
	uint8_t meant;	/* 2: it has other names that count as duplicates */
};

struct task {
	uint64_t place;
	uint16_t store;
	uint16_t how;
};

struct sampled {
	int64_t size;
	uint8_t sample[EBB_DIGEST_LEN];
	uint64_t place;
	uint16_t store;
	uint16_t how;
};

struct learned {
	uint16_t store;
	struct ebb_learn_item item;
};

struct hashing {
	struct ebb_app *app;
	struct ebb_index *ix;
	const struct ebb_reach *reach;
	const struct ebb_hash_opts *opts;
	struct ebb_hash_result *ret;
	struct ebb_progress progress;
	struct ebb_sort by_size, tasks, by_sample;
	struct ebb_hash_read *reader;
	struct ebb_snap *snap;		/* open while records are looked up */
	struct ebb_place *records;
	struct learned *learned;
	size_t nlearned;
	uint64_t learned_bytes;
	uint64_t todo, done;		/* objects */
	int64_t *columns;		/* of one block: size, kind, flags, nlink */
	struct ebb_block_keys *keys;
};

void ebb_hash_result_release(struct ebb_hash_result *r)
{
	for (size_t i = 0; i < r->nnamed; i++)
		free(r->named[i]);
	r->nnamed = 0;
}

/* --- Which objects share their size --- */

#define DIFFER(a, b)                                                                               \
	if ((a) != (b))                                                                            \
		return (a) < (b) ? -1 : 1

static int cmp_sized(const void *pa, const void *pb)
{
	const struct sized *a = pa, *b = pb;

	DIFFER(a->size, b->size);
	DIFFER(a->store, b->store);
	DIFFER(a->place, b->place);
	return 0;
}

static int cmp_task(const void *pa, const void *pb)
{
	const struct task *a = pa, *b = pb;

	DIFFER(a->store, b->store);
	DIFFER(a->place, b->place);
	return 0;
}

static int cmp_sampled(const void *pa, const void *pb)
{
	const struct sampled *a = pa, *b = pb;

	DIFFER(a->size, b->size);
	int c = memcmp(a->sample, b->sample, EBB_DIGEST_LEN);
	if (c)
		return c;
	DIFFER(a->store, b->store);
	DIFFER(a->place, b->place);
	return 0;
}

static enum state state_of(uint32_t known)
{
	return known & EBB_KNOWN_DIGEST ? KNOWN : known & EBB_KNOWN_SAMPLE ? SAMPLED : NEW;
}

/* The files of one block; a name of an inode counted at another key is read there. */
static int add_block(struct hashing *h, size_t store, const struct ebb_block *b, uint64_t number,
		     struct ebb_err *err)
{
	int64_t *size = h->columns, *kind = size + EBB_BLOCK_MAX, *flags = kind + EBB_BLOCK_MAX;
	int64_t *nlink = flags + EBB_BLOCK_MAX;
	const struct ebb_reach_store *s = &h->reach->v[store];
	int64_t min = h->opts->min_size > 0 ? h->opts->min_size : 1;
	uint32_t known[EBB_BLOCK_MAX];
	int rc = 0;

	ebb_block_values(b, EBB_F_SIZE, size);
	ebb_block_values(b, EBB_F_KIND, kind);
	ebb_block_values(b, EBB_F_FLAGS, flags);
	ebb_block_values(b, EBB_F_NLINK, nlink);
	ebb_block_known(b, known);
	ebb_block_keys_init(h->keys, b);
	for (uint32_t i = 0; i < b->n && rc >= 0; i++) {
		struct sized o = {.size = size[i], .place = number << 16 | i, .store = (uint16_t)store,
				  .state = (uint8_t)state_of(known[i]), .meant = s->whole};

		if (s->some && !s->whole && (rc = ebb_block_keys_next(h->keys, err)) == 1)
			o.meant = ebb_reach_wants(h->reach, store, h->keys->key, h->keys->len);
		o.meant = (uint8_t)(o.meant << (h->opts->links && nlink[i] > 1));
		if (rc >= 0 && kind[i] == EBB_KIND_FILE && size[i] >= min &&
		    !(flags[i] & (EBB_FLAG_LINKED_TWIN | EBB_FLAG_UNSEEN)))
			rc = ebb_sort_add(&h->by_size, &o, err);
	}
	return rc < 0 ? rc : 0;
}

static int add_store(struct hashing *h, struct ebb_snap *snap, size_t store, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_block b;
	int rc = ebb_cursor_open(snap, &h->reach->v[store].st, NULL, &c, err);

	for (uint64_t i = 0; rc >= 0 && (rc = ebb_cursor_next(c, &b, err)) == 1; i++)
		rc = add_block(h, store, &b, i, err);
	return rc;
}

static int collect(struct hashing *h, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	int rc = ebb_sort_init(&h->by_size, h->app->index_dir, sizeof(struct sized), ROOM, cmp_sized,
			       err);

	if (rc == 0)
		rc = ebb_snap_open(h->ix, &snap, err);
	for (size_t i = 0; rc == 0 && i < h->reach->n; i++)
		rc = add_store(h, snap, i, err);
	return rc == 0 ? ebb_sort_finish(&h->by_size, err) : rc;
}

/* --- What is to be done about them --- */

static bool in_reach(const struct hashing *h, uint16_t store)
{
	return h->reach->v[store].store != NULL;
}

static int add_task(struct hashing *h, uint16_t store, uint64_t place, enum how how,
		    struct ebb_err *err)
{
	h->todo += how != SAMPLE_KNOWN;
	return ebb_sort_add(&h->tasks, &(struct task){place, store, (uint16_t)how}, err);
}

/* What is known of all objects of one size. */
struct run {
	int64_t size;
	uint64_t n, meant, fresh;	/* objects; fresh: new ones that can be read */
	bool blind;			/* samples do not help: one has a digest but no sample, or needs one in any case */
};

static int cmp_run(const void *pa, const void *pb)
{
	const struct run *a = pa, *b = pb;

	DIFFER(a->size, b->size);
	return 0;
}

static void count(const struct hashing *h, const struct sized *o, struct run *r)
{
	bool reach = in_reach(h, o->store);

	r->n++;
	r->meant += o->meant;
	r->fresh += reach && (o->state == NEW || (o->state == SAMPLED && o->meant == 2));
	r->blind |= (o->state == KNOWN && !reach) || o->meant == 2;
}

/* Sizes that at least two objects share, one of them new. */
static int find_runs(struct hashing *h, struct ebb_sort *runs, struct ebb_err *err)
{
	struct run r = {.size = -1};
	struct sized o;
	int rc = 1, bad = 0;

	while (rc == 1 && bad == 0) {
		rc = ebb_sort_take(&h->by_size, &o, err);
		if ((rc == 0 || o.size != r.size) && r.fresh && r.meant >= 2)
			bad = ebb_sort_add(runs, &r, err);
		if (rc == 1 && o.size != r.size)
			r = (struct run){.size = o.size};
		if (rc == 1)
			count(h, &o, &r);
	}
	return rc < 0 ? rc : bad;
}

/* What is to be done about one object of such a size. */
static int plan_one(struct hashing *h, const struct sized *o, const struct run *r, struct ebb_err *err)
{
	bool small = o->size <= EBB_CONTENT_SMALL, reach = in_reach(h, o->store);

	if (small || r->blind)
		return o->state != KNOWN && reach ? add_task(h, o->store, o->place, READ_WHOLE, err) : 0;
	if (o->state == SAMPLED)
		return add_task(h, o->store, o->place, SAMPLE_KNOWN, err);
	if (!reach)
		return 0;
	return add_task(h, o->store, o->place, o->state == KNOWN ? SAMPLE_AGAIN : READ_SAMPLE, err);
}

static int plan_candidates(struct hashing *h, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_sort_release) struct ebb_sort runs = {0};
	struct run r = {.size = -1};
	struct sized o;
	int more = 1, rc = ebb_sort_init(&runs, h->app->index_dir, sizeof(r), ROOM / 4, cmp_run, err);

	if (rc == 0)
		rc = find_runs(h, &runs, err);
	if (rc == 0)
		rc = ebb_sort_finish(&runs, err);
	if (rc == 0)
		rc = ebb_sort_rewind(&h->by_size, err);
	while (rc >= 0 && more == 1 && (rc = ebb_sort_take(&h->by_size, &o, err)) == 1) {
		while (more == 1 && r.size < o.size)
			more = ebb_sort_take(&runs, &r, err);
		if (more < 0)
			return more;
		if (more == 1 && r.size == o.size)
			rc = plan_one(h, &o, &r, err);
	}
	return rc < 0 ? rc : 0;
}

/* Every object that is meant, without a look at the others. */
static int plan_all(struct hashing *h, struct ebb_err *err)
{
	struct sized o;
	int rc;

	while ((rc = ebb_sort_take(&h->by_size, &o, err)) == 1)
		if (o.meant && o.state != KNOWN && in_reach(h, o.store) &&
		    (rc = add_task(h, o.store, o.place, READ_WHOLE, err)) < 0)
			break;
	return rc;
}

static int plan(struct hashing *h, struct ebb_err *err)
{
	const char *dir = h->app->index_dir;
	int rc = ebb_sort_init(&h->tasks, dir, sizeof(struct task), ROOM, cmp_task, err);

	if (rc == 0)
		rc = ebb_sort_init(&h->by_sample, dir, sizeof(struct sampled), ROOM, cmp_sampled, err);
	if (rc == 0)
		rc = h->opts->all ? plan_all(h, err) : plan_candidates(h, err);
	ebb_sort_release(&h->by_size);
	return rc;
}

/* --- What was learned --- */

static int cmp_learned(const void *pa, const void *pb)
{
	const struct learned *a = pa, *b = pb;

	DIFFER(a->store, b->store);
	DIFFER(a->item.place, b->item.place);
	return 0;
}

static void look_no_more(struct hashing *h)
{
	ebb_place_close(h->records);
	h->records = NULL;
	ebb_snap_close(h->snap);
	h->snap = NULL;
}

/* Into the index with it. The map may grow, so nothing may be looked at meanwhile. */
static int flush(struct hashing *h, struct ebb_err *err)
{
	struct ebb_learn_item *items = malloc((h->nlearned + 1) * sizeof(*items));
	int rc = items ? 0 : ebb_err_set(err, EBB_ENOMEM, "no memory to keep digests");

	if (h->nlearned)
		look_no_more(h);
	qsort(h->learned, h->nlearned, sizeof(*h->learned), cmp_learned);
	for (size_t i = 0, n; rc == 0 && i < h->nlearned; i += n) {
		const struct ebb_index_store *st = &h->reach->v[h->learned[i].store].st;

		for (n = 0; i + n < h->nlearned && h->learned[i + n].store == h->learned[i].store; n++)
			items[n] = h->learned[i + n].item;
		rc = ebb_learn_digests(h->ix, st->name, st->generation, items, n, err);
	}
	free(items);
	h->nlearned = 0;
	h->learned_bytes = 0;
	return rc;
}

static int learn(struct hashing *h, uint16_t store, uint64_t place, uint32_t known,
		 const uint8_t *digest, struct ebb_err *err)
{
	struct learned *l = &h->learned[h->nlearned++];

	*l = (struct learned){.store = store, .item = {.place = place, .known = known}};
	memcpy(l->item.digest, digest, EBB_DIGEST_LEN);
	return h->nlearned == LEARN_ITEMS || h->learned_bytes >= LEARN_BYTES ? flush(h, err) : 0;
}

/* --- Reading --- */

int ebb_hash_refused(struct ebb_hash_result *r, const char *store, const char *key, int rc, const char *why,
		     struct ebb_err *err)
{
	if (rc == -EBB_ECHANGED || rc == -EBB_ENOENT)
		r->changed++;
	else
		r->unreadable++;
	if (r->nnamed == EBB_HASH_NAMED)
		return 0;
	if (asprintf(&r->named[r->nnamed], "%s:%s: %s", store, key, why) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	r->nnamed++;
	return 0;
}

static int add_sample(struct hashing *h, int64_t size, uint16_t store, uint64_t place, uint16_t how,
		      const uint8_t *sample, struct ebb_err *err)
{
	struct sampled s = {.size = size, .place = place, .store = store, .how = how};

	memcpy(s.sample, sample, EBB_DIGEST_LEN);
	return ebb_sort_add(&h->by_sample, &s, err);
}

static int on_read(void *ctx, const struct ebb_hash_job *job, const char *key, const char *why,
		   struct ebb_err *err)
{
	struct hashing *h = ctx;
	uint64_t bytes = job->sample ? EBB_CONTENT_SAMPLE : (uint64_t)job->size;

	ebb_progress_tick(&h->progress, ++h->done, h->todo, h->ret->bytes);
	if (job->rc == -EBB_ECANCELLED)
		return 0; /* the loop that puts tells */
	if (job->rc < 0)
		return ebb_hash_refused(h->ret, h->reach->v[job->store].st.name, key, job->rc, why, err);
	h->ret->bytes += bytes;
	h->learned_bytes += bytes;
	h->ret->sampled += job->sample;
	h->ret->whole += !job->sample;
	return job->sample
		       ? add_sample(h, job->size, job->store, job->place, job->how, job->digest, err)
		       : learn(h, job->store, job->place, EBB_KNOWN_DIGEST, job->digest, err);
}

/* The record of a task; the snapshot is taken anew after something was learned. */
static int look_up(struct hashing *h, const struct task *t, struct ebb_record *ret, struct ebb_err *err)
{
	int rc = h->snap ? 0 : ebb_snap_open(h->ix, &h->snap, err);

	if (rc == 0 && !h->records)
		rc = ebb_place_open(h->snap, &h->records, err);
	return rc < 0 ? rc : ebb_place_record(h->records, &h->reach->v[t->store].st, t->place, ret, err);
}

static int start_task(struct hashing *h, const struct task *t, struct ebb_err *err)
{
	char key[EBB_KEY_MAX + 1]; /* the record's goes when results come back and are put into the index */
	struct ebb_record rec;
	int rc = look_up(h, t, &rec, err);

	if (rc < 0)
		return rc;
	memcpy(key, rec.key, rec.key_len);
	rec.key = key;
	if (t->how == SAMPLE_KNOWN)
		return add_sample(h, rec.f[EBB_F_SIZE], t->store, t->place, t->how, rec.digest, err);
	struct ebb_hash_job job = {.place = t->place, .store = t->store, .how = t->how,
				   .sample = t->how != READ_WHOLE, .size = rec.f[EBB_F_SIZE]};
	return ebb_hash_read_put(h->reader, h->reach->v[t->store].store, &rec, &job, err);
}

/* Do all tasks, in the order of their places. */
static int read_all(struct hashing *h, struct ebb_err *err)
{
	struct task t;
	int rc = ebb_sort_finish(&h->tasks, err), drained;

	while (rc == 0 && (rc = ebb_sort_take(&h->tasks, &t, err)) == 1)
		if ((rc = start_task(h, &t, err)) == 0)
			rc = ebb_app_cancelled(h->app, err);
	ebb_sort_release(&h->tasks);
	/* what is under way comes in also when we were told to stop, so that it is kept */
	drained = ebb_hash_read_drain(h->reader, rc < 0 ? NULL : err);
	if (rc == 0)
		rc = drained;
	return rc == 0 ? ebb_app_cancelled(h->app, err) : rc;
}

/* --- Samples that are shared --- */

/* What follows from @s, whose sample @shared somebody. */
static int judge(struct hashing *h, const struct sampled *s, bool shared, struct ebb_err *err)
{
	if (s->how == SAMPLE_AGAIN)
		return 0;
	if (shared)
		return add_task(h, s->store, s->place, READ_WHOLE, err);
	if (s->how == READ_SAMPLE)
		return learn(h, s->store, s->place, EBB_KNOWN_SAMPLE, s->sample, err);
	return 0;
}

static bool same_sample(const struct sampled *a, const struct sampled *b)
{
	return a->size == b->size && memcmp(a->sample, b->sample, EBB_DIGEST_LEN) == 0;
}

static int compare_samples(struct hashing *h, struct ebb_err *err)
{
	struct sampled last = {0}, s;
	bool have = false, shared = false;
	int rc = ebb_sort_finish(&h->by_sample, err);

	if (rc == 0)
		rc = ebb_sort_init(&h->tasks, h->app->index_dir, sizeof(struct task), ROOM, cmp_task, err);
	while (rc == 0 && (rc = ebb_sort_take(&h->by_sample, &s, err)) == 1) {
		bool same = have && same_sample(&last, &s);

		rc = have ? judge(h, &last, shared || same, err) : 0;
		shared = same;
		last = s;
		have = true;
	}
	ebb_sort_release(&h->by_sample);
	return rc == 0 && have ? judge(h, &last, shared, err) : rc;
}

/* --- All of it --- */

static void release(struct hashing *h)
{
	ebb_hash_read_free(h->reader);
	look_no_more(h);
	ebb_sort_release(&h->by_size);
	ebb_sort_release(&h->tasks);
	ebb_sort_release(&h->by_sample);
	free(h->learned);
	free(h->columns);
	free(h->keys);
}

static int prepare(struct hashing *h, struct ebb_err *err)
{
	h->learned = malloc(LEARN_ITEMS * sizeof(*h->learned));
	h->columns = malloc(4 * EBB_BLOCK_MAX * sizeof(*h->columns));
	h->keys = malloc(sizeof(*h->keys));
	if (!h->learned || !h->columns || !h->keys)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to compare objects");
	return 0;
}

static int steps(struct hashing *h, struct ebb_err *err)
{
	int rc = collect(h, err);

	if (rc == 0)
		rc = plan(h, err);
	if (rc < 0 || h->todo == 0)
		return rc;
	rc = ebb_hash_read_new(h->opts->threads, h->app->cancel, on_read, h, &h->reader, err);
	if (rc == 0)
		rc = read_all(h, err);
	if (rc == 0)
		rc = compare_samples(h, err);
	return rc == 0 ? read_all(h, err) : rc;
}

int ebb_hash_run(struct ebb_app *app, struct ebb_index *ix, const struct ebb_reach *reach,
		 const struct ebb_hash_opts *opts, struct ebb_hash_result *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct hashing h = {
		.app = app, .ix = ix, .reach = reach, .opts = opts, .ret = ret,
	};
	int rc = prepare(&h, err), kept;

	if (rc < 0)
		return rc;
	ebb_progress_start(&h.progress, app->err, app->quiet, "compare", "objects");
	rc = steps(&h, err);
	ebb_progress_end(&h.progress);
	ret->elapsed = ebb_progress_elapsed(&h.progress);
	kept = flush(&h, rc < 0 ? NULL : err);
	return rc < 0 ? rc : kept;
}
