/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/hash_read.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/pool.h"
#include "core/queue.h"
#include "scanners/content.h"

/* Jobs in a batch, and bytes to be read after which it is full. */
#define BATCH 64
#define BATCH_BYTES (INT64_C(8) * 1024 * 1024)

/* More threads than processors keep a disk busy while others wait for it. */
#define THREADS_MAX 16

struct item {
	struct ebb_store *store;
	struct ebb_record rec;
	struct ebb_hash_job job;
	char *key;
	struct ebb_err why;
};

struct batch {
	struct ebb_hash_read *owner;
	struct item items[BATCH];
	size_t n;
	int64_t bytes;
};

struct ebb_hash_read {
	ebb_hash_read_fn *fn;
	void *ctx;
	const atomic_bool *cancel;
	struct ebb_pool *pool;
	struct ebb_queue done;		/* batches that were read */
	struct ebb_queue readers;	/* struct ebb_content, one for each thread */
	struct batch **spare;		/* batches that nobody uses */
	size_t nspare, nbatches, under_way;
	struct batch *filling;
};

static void batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->items[i].key);
	b->n = 0;
	b->bytes = 0;
}

static void free_readers(struct ebb_hash_read *h)
{
	void *c;

	while (ebb_queue_try_pop(&h->readers, &c))
		ebb_content_free(c);
	ebb_queue_release(&h->readers);
}

void ebb_hash_read_free(struct ebb_hash_read *h)
{
	void *b;

	if (!h)
		return;
	ebb_pool_free(h->pool);
	while (ebb_queue_try_pop(&h->done, &b)) {
		batch_clear(b);
		free(b);
	}
	ebb_queue_release(&h->done);
	free_readers(h);
	for (size_t i = 0; i < h->nspare; i++)
		free(h->spare[i]);
	if (h->filling)
		batch_clear(h->filling);
	free(h->filling);
	free(h->spare);
	free(h);
}

/* Twice the processors: see THREADS_MAX. */
static unsigned choose_threads(unsigned wanted)
{
	long n = 2 * sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted)
		return wanted;
	return n < 2 ? 2 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

static int make_readers(struct ebb_hash_read *h, unsigned threads, struct ebb_err *err)
{
	for (unsigned i = 0; i < threads; i++) {
		struct ebb_content *c = ebb_content_new();

		if (!c || !ebb_queue_push(&h->readers, c))
			return ebb_err_set(err, EBB_ENOMEM, "no memory to read objects");
	}
	return 0;
}

static int make_batches(struct ebb_hash_read *h, unsigned threads, struct ebb_err *err)
{
	h->nbatches = 3 * (size_t)threads;
	h->spare = calloc(h->nbatches, sizeof(struct batch *));
	for (; h->spare && h->nspare < h->nbatches; h->nspare++) {
		struct batch *b = calloc(1, sizeof(*b));

		if (!b)
			break;
		b->owner = h;
		h->spare[h->nspare] = b;
	}
	return h->spare && h->nspare == h->nbatches
		       ? 0
		       : ebb_err_set(err, EBB_ENOMEM, "no memory to read objects");
}

int ebb_hash_read_new(unsigned threads, const atomic_bool *cancel, ebb_hash_read_fn *fn, void *ctx,
		      struct ebb_hash_read **ret, struct ebb_err *err)
{
	struct ebb_hash_read *h = calloc(1, sizeof(*h));

	threads = choose_threads(threads);
	if (!h)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read objects");
	h->fn = fn;
	h->ctx = ctx;
	h->cancel = cancel;
	int rc = ebb_queue_init(&h->done, 3 * (size_t)threads, err);
	if (rc == 0 && (rc = ebb_queue_init(&h->readers, threads, err)) < 0)
		ebb_queue_release(&h->done);
	if (rc < 0) {
		free(h);
		return rc;
	}
	rc = make_readers(h, threads, err);
	if (rc == 0)
		rc = make_batches(h, threads, err);
	if (rc == 0)
		rc = ebb_pool_new(threads, 3 * (size_t)threads, &h->pool, err);
	if (rc < 0) {
		ebb_hash_read_free(h);
		return rc;
	}
	*ret = h;
	return 0;
}

static void read_one(struct ebb_hash_read *h, struct ebb_content *c, struct item *it)
{
	struct ebb_hash_job *j = &it->job;

	if (h->cancel && atomic_load(h->cancel))
		j->rc = -EBB_ECANCELLED;
	else if (j->sample)
		j->rc = ebb_content_sample(c, it->store, &it->rec, j->digest, &it->why);
	else
		j->rc = ebb_content_digest(c, it->store, &it->rec, h->cancel, j->digest, &it->why);
}

static int read_batch(void *arg, struct ebb_err *err)
{
	struct batch *b = arg;
	struct ebb_hash_read *h = b->owner;
	void *c;

	(void)err;
	ebb_queue_pop(&h->readers, &c); /* as many as threads: never empty here */
	for (size_t i = 0; i < b->n; i++)
		read_one(h, c, &b->items[i]);
	ebb_queue_push(&h->readers, c);
	ebb_queue_push(&h->done, b); /* holds every batch there is */
	return 0;
}

/* Wait for one batch and hand out its results. */
static int finish_one(struct ebb_hash_read *h, struct ebb_err *err)
{
	void *p;
	int rc = 0;

	ebb_queue_pop(&h->done, &p);
	struct batch *b = p;
	h->under_way--;
	for (size_t i = 0; i < b->n && rc == 0; i++)
		rc = h->fn(h->ctx, &b->items[i].job, b->items[i].key, b->items[i].why.msg, err);
	batch_clear(b);
	h->spare[h->nspare++] = b;
	return rc;
}

static int submit(struct ebb_hash_read *h, struct ebb_err *err)
{
	struct batch *b = h->filling;
	int rc = b && b->n ? ebb_pool_submit(h->pool, read_batch, b, err) : 0;

	if (rc < 0 || !b || !b->n)
		return rc;
	h->filling = NULL;
	h->under_way++;
	return 0;
}

int ebb_hash_read_put(struct ebb_hash_read *h, struct ebb_store *store, const struct ebb_record *rec,
		      const struct ebb_hash_job *job, struct ebb_err *err)
{
	int rc = 0;

	if (!h->filling) {
		if (h->nspare == 0 && (rc = finish_one(h, err)) < 0)
			return rc;
		h->filling = h->spare[--h->nspare];
	}
	struct item *it = &h->filling->items[h->filling->n];
	*it = (struct item){.store = store, .rec = *rec, .job = *job};
	it->key = strndup(rec->key, rec->key_len);
	if (!it->key)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read objects");
	it->rec.key = it->key;
	h->filling->n++;
	h->filling->bytes += job->sample ? EBB_CONTENT_SAMPLE : job->size;
	if (h->filling->n == BATCH || h->filling->bytes >= BATCH_BYTES)
		rc = submit(h, err);
	return rc;
}

int ebb_hash_read_drain(struct ebb_hash_read *h, struct ebb_err *err)
{
	int rc = submit(h, err);

	while (h->under_way && rc == 0)
		rc = finish_one(h, err);
	return rc;
}
