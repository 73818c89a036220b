/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three sorts: by size, which shows what files must be read and for which numbers of parts; tags of files and of objects, in which equal
 * ones meet; and what was learned, by place.
 */
#include "agent/etags.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/learned.h"
#include "agent/placed.h"
#include "agent/progress.h"
#include "compress/etag.h"
#include "core/place.h"
#include "core/pool.h"
#include "core/sort.h"

/* Records sorted in memory at a time, 64 bytes each. */
#define ROOM (64 * 1024)

/* Ways to cut one file into parts that are tried. */
#define WAYS 8

/* Files read before their tags are sorted in, and bytes read at a time. */
#define BATCH 64
#define PIECE (256 * 1024)

struct way {
	int64_t parts, part_size;
};

/* An object or a file; by size and kind. Also a tag, by size, parts and tag. */
struct item {
	int64_t size;
	int64_t parts;
	uint8_t tag[EBB_DIGEST_LEN];	/* of a file that is to be read: its digest, if known */
	uint8_t digest[EBB_DIGEST_LEN];
	uint64_t place;
	uint16_t store;
	uint8_t file;			/* 0: an object */
	uint8_t known;			/* the digest */
};

/* A file to be read, and what came of it. */
struct job {
	struct ebb_store *store;
	const atomic_bool *cancel;
	struct item item;
	struct ebb_record rec;
	char *key;
	struct way way[WAYS];
	size_t nways;
	uint8_t tag[WAYS][EBB_ETAG_LEN];
	int rc;
	struct ebb_err why;
};

struct etags {
	struct ebb_app *app;
	struct ebb_index *ix;
	const struct ebb_reach *reach;
	int64_t min_size;
	struct ebb_hash_result *ret;
	struct ebb_progress progress;
	struct ebb_sort items, tags;
	struct ebb_learned learned;
	struct ebb_snap *snap;
	struct ebb_place *records;
	struct ebb_block_iter *it;
	struct ebb_pool *pool;
	struct job *jobs;
	size_t njobs;
	struct way way[WAYS];		/* of the size at hand */
	size_t nways;
	uint64_t objects, files, read;
};

#define DIFFER(a, b)                                                                               \
	if ((a) != (b))                                                                            \
		return (a) < (b) ? -1 : 1

/* Objects of a size before its files; files with one digest together. */
static int cmp_item(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	DIFFER(a->size, b->size);
	DIFFER(a->file, b->file);
	DIFFER(a->known, b->known);
	int c = memcmp(a->tag, b->tag, sizeof(a->tag));
	if (c)
		return c;
	DIFFER(a->store, b->store);
	DIFFER(a->place, b->place);
	return 0;
}

/* Tags of files before the objects that have them. */
static int cmp_tag(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	DIFFER(a->size, b->size);
	DIFFER(a->parts, b->parts);
	int c = memcmp(a->tag, b->tag, sizeof(a->tag));
	if (c)
		return c;
	DIFFER(b->file, a->file);
	DIFFER(a->store, b->store);
	DIFFER(a->place, b->place);
	return 0;
}

/* --- What shares its size --- */

static int add_record(void *ctx, size_t store, uint64_t place, const struct ebb_record *r, struct ebb_err *err)
{
	struct etags *e = ctx;
	bool file = e->reach->v[store].store != NULL;
	struct item i = {.size = r->f[EBB_F_SIZE], .place = place, .store = (uint16_t)store,
			 .file = file, .known = (r->known & EBB_KNOWN_DIGEST) != 0};

	bool version = !file && r->f[EBB_F_KIND] == EBB_KIND_VERSION;

	if ((r->f[EBB_F_KIND] != EBB_KIND_FILE && !version) || i.size < e->min_size || r->f[EBB_F_FLAGS] != 0)
		return 0;
	if (file && i.known)
		memcpy(i.tag, r->digest, sizeof(i.tag));
	if (!file && (i.known || !ebb_record_content(r, i.tag, &i.parts)))
		return 0;
	if (!ebb_reach_wants(e->reach, store, r->key, r->key_len))
		return 0;
	*(file ? &e->files : &e->objects) += 1;
	return ebb_sort_add(&e->items, &i, err);
}

/* Small all of them, or objects without tags. */
static bool pointless(void *ctx, size_t store, const struct ebb_block *b)
{
	const struct etags *e = ctx;

	return b->col[EBB_F_SIZE].max < e->min_size || (!e->reach->v[store].store && !(b->known_any & EBB_KNOWN(EBB_F_PARTS)));
}

/* Objects first: mostly there are none, and files need not be looked at. */
static int collect(struct etags *e, struct ebb_err *err)
{
	const struct ebb_placed p = {.snap = e->snap, .it = e->it, .cancel = e->app->cancel, .pointless = pointless,
				     .fn = add_record, .ctx = e};
	int rc = 0;

	for (int files = 0; files < 2; files++)
		for (size_t i = 0; rc == 0 && i < e->reach->n && (!files || e->objects); i++)
			if (e->reach->v[i].some && (e->reach->v[i].store != NULL) == files)
				rc = ebb_placed_each(&p, i, &e->reach->v[i].st, err);
	return rc == 0 ? ebb_sort_finish(&e->items, err) : rc;
}

/* --- Tags of files --- */

static int read_into(struct job *j, struct ebb_digest *own, struct ebb_etag *tags, char *buf)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	int64_t n = 1, got = 0;
	int rc = ebb_store_read_open(j->store, j->key, &j->rec, &r, &j->why);

	while (rc == 0 && n > 0) {
		if (j->cancel && atomic_load(j->cancel))
			return ebb_err_set(&j->why, EBB_ECANCELLED, "interrupted");
		n = ebb_store_read(r, buf, PIECE, &j->why);
		if (n < 0)
			return (int)n;
		got += n;
		ebb_digest_update(own, buf, (size_t)n);
		for (size_t i = 0; i < j->nways; i++)
			ebb_etag_update(&tags[i], buf, (size_t)n);
	}
	if (rc == 0)
		rc = ebb_store_read_verify(r, &j->why);
	if (rc == 0 && got != j->item.size)
		rc = ebb_err_set(&j->why, EBB_ECHANGED, "'%s' has changed", j->key);
	return rc;
}

static int run_job(void *arg, struct ebb_err *err)
{
	struct job *j = arg;
	struct ebb_digest own = {0};
	struct ebb_etag tags[WAYS] = {0};
	char *buf = malloc(PIECE);

	(void)err;
	j->rc = buf ? ebb_digest_init(&own, &ebb_digest_xxh128, &j->why)
		    : ebb_err_set(&j->why, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; j->rc == 0 && i < j->nways; i++)
		j->rc = ebb_etag_init(&tags[i], j->way[i].part_size, &j->why);
	if (j->rc == 0)
		j->rc = read_into(j, &own, tags, buf);
	if (j->rc == 0)
		j->rc = ebb_digest_final(&own, j->item.digest, &j->why);
	for (size_t i = 0; j->rc == 0 && i < j->nways; i++)
		j->rc = ebb_etag_final(&tags[i], j->tag[i], &j->why);
	for (size_t i = 0; i < j->nways; i++)
		ebb_etag_release(&tags[i]);
	ebb_digest_release(&own);
	free(buf);
	return 0;
}

/* What came of a file. */
static int take_job(struct etags *e, struct job *j, struct ebb_err *err)
{
	int rc = 0;

	if (j->rc == -EBB_ECANCELLED)
		return ebb_err_set(err, EBB_ECANCELLED, "%s", j->why.msg);
	if (j->rc < 0)
		return ebb_hash_refused(e->ret, e->reach->v[j->item.store].st.name, j->key, j->rc,
					j->why.msg, err);
	e->ret->whole++;
	e->ret->bytes += (uint64_t)j->item.size;
	if (!j->item.known)
		rc = ebb_learned_add(&e->learned, j->item.store, j->item.place, j->item.digest, err);
	for (size_t i = 0; rc == 0 && i < j->nways; i++) {
		struct item t = j->item;

		t.parts = j->way[i].parts;
		memcpy(t.tag, j->tag[i], sizeof(t.tag));
		rc = ebb_sort_add(&e->tags, &t, err);
	}
	return rc;
}

/* Read what was put, in parallel. */
static int read_batch(struct etags *e, struct ebb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < e->njobs; i++)
		if (ebb_pool_submit(e->pool, run_job, &e->jobs[i], NULL) < 0)
			run_job(&e->jobs[i], NULL);
	ebb_pool_wait(e->pool, NULL);
	for (size_t i = 0; i < e->njobs; i++) {
		if (rc == 0)
			rc = take_job(e, &e->jobs[i], err);
		free(e->jobs[i].key);
	}
	e->read += e->njobs;
	e->njobs = 0;
	ebb_progress_tick(&e->progress, e->read, 0, e->ret->bytes);
	return rc;
}

static int put_file(struct etags *e, const struct item *i, struct ebb_err *err)
{
	struct job *j = &e->jobs[e->njobs];
	int rc;

	*j = (struct job){.store = e->reach->v[i->store].store, .item = *i, .cancel = e->app->cancel,
			  .nways = e->nways};
	memcpy(j->way, e->way, sizeof(j->way));
	rc = ebb_place_record(e->records, &e->reach->v[i->store].st, i->place, &j->rec, err);
	if (rc < 0)
		return rc;
	j->key = strndup(j->rec.key, j->rec.key_len);
	if (!j->key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	j->rec.key = j->key;
	return ++e->njobs == BATCH ? read_batch(e, err) : 0;
}

/* The ways in which an object of so many parts may have been cut. */
static void add_ways(struct etags *e, const struct item *object)
{
	int64_t sizes[EBB_ETAG_SIZES];

	for (size_t i = 0; i < e->nways; i++)
		if (e->way[i].parts == object->parts)
			return;
	for (size_t i = 0, n = ebb_etag_part_sizes(object->size, object->parts, sizes); i < n; i++)
		if (e->nways < WAYS)
			e->way[e->nways++] = (struct way){object->parts, sizes[i]};
}

/* Every file of a size that objects have, one of those with equal digests. */
static int read_files(struct etags *e, struct ebb_err *err)
{
	struct item i, last = {.size = -1};
	int rc;

	while ((rc = ebb_sort_take(&e->items, &i, err)) == 1) {
		if (i.size != last.size)
			e->nways = 0;
		bool again = i.file && i.known && last.known && last.size == i.size &&
			     memcmp(last.tag, i.tag, sizeof(i.tag)) == 0;
		last = i;
		rc = 0;
		if (!i.file) {
			add_ways(e, &i);
			rc = ebb_sort_add(&e->tags, &i, err);
		} else if (e->nways && !again) {
			rc = put_file(e, &i, err);
		}
		if (rc == 0)
			rc = ebb_app_cancelled(e->app, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : read_batch(e, err);
}

/* --- Tags that meet --- */

static bool same_tag(const struct item *a, const struct item *b)
{
	return a->size == b->size && a->parts == b->parts && memcmp(a->tag, b->tag, sizeof(a->tag)) == 0;
}

static int match(struct etags *e, struct ebb_err *err)
{
	struct item i, file = {.size = -1};
	int rc = ebb_sort_finish(&e->tags, err);

	while (rc == 0 && (rc = ebb_sort_take(&e->tags, &i, err)) == 1) {
		rc = 0;
		if (i.file)
			file = i;
		else if (same_tag(&file, &i))
			rc = ebb_learned_add(&e->learned, i.store, i.place, file.digest, err);
	}
	return rc;
}

/* --- All of it --- */

static void look_no_more(struct etags *e)
{
	ebb_place_close(e->records);
	e->records = NULL;
	ebb_snap_close(e->snap);
	e->snap = NULL;
}

static void release(struct etags *e)
{
	ebb_pool_free(e->pool);
	for (size_t i = 0; i < e->njobs; i++)
		free(e->jobs[i].key);
	free(e->jobs);
	free(e->it);
	look_no_more(e);
	ebb_sort_release(&e->items);
	ebb_sort_release(&e->tags);
	ebb_learned_release(&e->learned);
}

static int prepare(struct etags *e, unsigned threads, struct ebb_err *err)
{
	const char *dir = e->app->index_dir;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	e->it = malloc(sizeof(*e->it));
	e->jobs = calloc(BATCH, sizeof(*e->jobs));
	if (!e->it || !e->jobs)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if ((rc = ebb_sort_init(&e->items, dir, sizeof(struct item), ROOM, cmp_item, err)) < 0 ||
	    (rc = ebb_sort_init(&e->tags, dir, sizeof(struct item), ROOM, cmp_tag, err)) < 0 ||
	    (rc = ebb_learned_init(&e->learned, dir, err)) < 0 ||
	    (rc = ebb_pool_new(threads ? threads : cpus > 1 ? (size_t)cpus : 1, BATCH, &e->pool, err)) < 0 ||
	    (rc = ebb_snap_open(e->ix, &e->snap, err)) < 0)
		return rc;
	return ebb_place_open(e->snap, &e->records, err);
}

int ebb_etags_run(struct ebb_app *app, struct ebb_index *ix, const struct ebb_reach *reach,
		  const struct ebb_hash_opts *opts, struct ebb_hash_result *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct etags e = {
		.app = app, .ix = ix, .reach = reach, .ret = ret,
		.min_size = opts->min_size > 0 ? opts->min_size : 1,
	};
	bool buckets = false;
	int rc, kept;

	for (size_t i = 0; i < reach->n; i++)
		buckets |= reach->v[i].some && !reach->v[i].store;
	if (!buckets)
		return 0;
	rc = prepare(&e, opts->threads, err);
	if (rc == 0)
		rc = collect(&e, err);
	if (rc < 0 || !e.objects || !e.files)
		return rc;
	ebb_progress_start(&e.progress, app->err, app->quiet, "checksum", "files");
	rc = read_files(&e, err);
	ebb_progress_end(&e.progress);
	ret->elapsed += ebb_progress_elapsed(&e.progress);
	if (rc == 0)
		rc = match(&e, err);
	look_no_more(&e);
	kept = ebb_learned_keep(&e.learned, ix, reach, rc < 0 ? NULL : err);
	return rc < 0 ? rc : kept;
}
