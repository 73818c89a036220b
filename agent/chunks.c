/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/chunks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/placed.h"
#include "agent/progress.h"
#include "core/pool.h"
#include "core/queue.h"

#define THREADS_MAX 16

/* Distinct chunks in the sample of a thread: the error falls with its root. */
#define DISTINCT (128 * 1024)

/* Bytes in memory of an object that is being cut. */
#define PIECE (1024 * 1024)

/* What one thread works with. */
struct cutter {
	struct ebb_cdc_sum *sum;
	uint8_t buf[PIECE];
};

struct counting {
	struct ebb_app *app;
	const struct ebb_reach *reach;
	int64_t min_size;
	struct ebb_pool *pool;
	struct ebb_queue cutters;
	struct ebb_progress progress;
	struct ebb_block_iter *it;
	atomic_ullong files, skipped, bytes;
	uint64_t seen;
};

struct job {
	struct counting *c;
	struct ebb_store *store;
	struct ebb_record rec;
	char key[];
};

static void free_cutters(struct counting *c)
{
	void *p;

	while (ebb_queue_try_pop(&c->cutters, &p)) {
		ebb_cdc_sum_free(((struct cutter *)p)->sum);
		free(p);
	}
	ebb_queue_release(&c->cutters);
}

/* Cut what is in the buffer as far as it can be cut; the rest moves to the front. Returns its length. */
static size_t cut(struct cutter *k, size_t have, bool last)
{
	size_t at = 0;

	while (at < have && (last || have - at >= EBB_CDC_MAX)) {
		size_t n = ebb_cdc_cut(k->buf + at, have - at);

		ebb_cdc_sum_add(k->sum, k->buf + at, n);
		at += n;
	}
	memmove(k->buf, k->buf + at, have - at);
	return have - at;
}

static int read_object(struct job *j, struct cutter *k)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	size_t have = 0;
	int64_t n = 1;
	int rc = ebb_store_read_open(j->store, j->key, &j->rec, &r, NULL);

	while (rc == 0 && n > 0) {
		if (atomic_load(j->c->app->cancel))
			return -EBB_ECANCELLED;
		n = ebb_store_read(r, k->buf + have, PIECE - have, NULL);
		if (n < 0)
			return (int)n;
		atomic_fetch_add(&j->c->bytes, (unsigned long long)n);
		have = cut(k, have + (size_t)n, n == 0);
	}
	return rc < 0 ? rc : ebb_store_read_verify(r, NULL);
}

static int run_job(void *arg, struct ebb_err *err)
{
	struct job *j = arg;
	void *k;

	(void)err;
	ebb_queue_pop(&j->c->cutters, &k); /* as many as threads: never empty here */
	if (read_object(j, k) == 0)
		atomic_fetch_add(&j->c->files, 1);
	else
		atomic_fetch_add(&j->c->skipped, 1);
	ebb_queue_push(&j->c->cutters, k);
	free(j);
	return 0;
}

static int submit(struct counting *c, size_t store, const struct ebb_record *rec, struct ebb_err *err)
{
	struct job *j = malloc(sizeof(*j) + rec->key_len + 1);

	if (!j)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read objects");
	j->c = c;
	j->store = c->reach->v[store].store;
	j->rec = *rec;
	memcpy(j->key, rec->key, rec->key_len);
	j->key[rec->key_len] = '\0';
	j->rec.key = j->key;
	int rc = ebb_pool_submit(c->pool, run_job, j, err);
	if (rc < 0)
		free(j);
	ebb_progress_tick(&c->progress, ++c->seen, 0, atomic_load(&c->bytes));
	return rc < 0 ? rc : ebb_app_cancelled(c->app, err);
}

static bool is_meant(const struct counting *c, size_t store, const struct ebb_record *r)
{
	return r->f[EBB_F_KIND] == EBB_KIND_FILE && r->f[EBB_F_SIZE] >= c->min_size &&
	       !(r->f[EBB_F_FLAGS] & (EBB_FLAG_LINKED_TWIN | EBB_FLAG_UNSEEN)) &&
	       ebb_reach_wants(c->reach, store, r->key, r->key_len);
}

static int count_record(void *ctx, size_t store, uint64_t place, const struct ebb_record *r, struct ebb_err *err)
{
	(void)place;
	return is_meant(ctx, store, r) ? submit(ctx, store, r, err) : 0;
}

static int start(struct counting *c, unsigned threads, struct ebb_err *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	if (!threads)
		threads = cpus < 1 ? 1 : cpus > THREADS_MAX ? THREADS_MAX : (unsigned)cpus;
	c->it = malloc(sizeof(*c->it));
	if ((rc = ebb_queue_init(&c->cutters, threads, err)) < 0)
		return rc;
	for (unsigned i = 0; i < threads; i++) {
		struct cutter *k = calloc(1, sizeof(*k));

		if (k && (k->sum = ebb_cdc_sum_new(DISTINCT)) && c->it) {
			ebb_queue_push(&c->cutters, k);
			continue;
		}
		free(k);
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read objects");
	}
	return ebb_pool_new(threads, 4 * (size_t)threads, &c->pool, err);
}

/* All threads' counts in one. */
static int add_up(struct counting *c, struct ebb_chunks *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cdc_sum_freep) struct ebb_cdc_sum *all = ebb_cdc_sum_new(4 * DISTINCT);
	void *p;

	if (!all)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to add up");
	while (ebb_queue_try_pop(&c->cutters, &p)) {
		ebb_cdc_sum_merge(all, ((struct cutter *)p)->sum);
		ebb_cdc_sum_free(((struct cutter *)p)->sum);
		free(p);
	}
	*ret = (struct ebb_chunks){.files = atomic_load(&c->files), .skipped = atomic_load(&c->skipped),
				   .sum = ebb_cdc_sum_estimate(all)};
	return 0;
}

int ebb_chunks_count(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_reach *reach,
		     int64_t min_size, unsigned threads, struct ebb_chunks *ret, struct ebb_err *err)
{
	struct counting c = {.app = app, .reach = reach, .min_size = min_size > 0 ? min_size : 1};
	int rc;

	ebb_progress_start(&c.progress, app->err, app->quiet, "cut", "objects");
	rc = start(&c, threads, err);
	const struct ebb_placed p = {.snap = snap, .it = c.it, .fn = count_record, .ctx = &c};
	for (size_t i = 0; rc == 0 && i < reach->n; i++)
		rc = reach->v[i].some && reach->v[i].store ? ebb_placed_each(&p, i, &reach->v[i].st, err) : 0;
	if (c.pool)
		ebb_pool_wait(c.pool, NULL);
	ebb_pool_free(c.pool);
	ebb_progress_end(&c.progress);
	if (rc == 0)
		rc = ebb_app_cancelled(app, err);
	if (rc == 0)
		rc = add_up(&c, ret, err);
	if (c.cutters.items)
		free_cutters(&c);
	free(c.it);
	return rc;
}
