/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/err.h"
#include "core/queue.h"

struct item {
	ebb_pool_job *job;
	void *arg;
};

struct ebb_pool {
	struct ebb_queue queue;
	pthread_mutex_t mutex;	/* guards what follows; never held together with the queue's */
	pthread_cond_t idle;	/* pending became 0 */
	size_t pending;		/* accepted and not yet ended */
	struct ebb_err first;	/* the first failure */
	atomic_bool cancelled;	/* written under the mutex or not: it only ever becomes true */
	size_t n_threads;	/* started */
	pthread_t threads[];
};

static void end_one(struct ebb_pool *pool, int code, const struct ebb_err *failure)
{
	pthread_mutex_lock(&pool->mutex);
	if (code < 0 && !pool->first.code) {
		pool->first = *failure;
		atomic_store(&pool->cancelled, true);
	}
	if (!--pool->pending)
		pthread_cond_broadcast(&pool->idle);
	pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *arg)
{
	struct ebb_pool *pool = arg;
	void *taken;

	while (ebb_queue_pop(&pool->queue, &taken)) {
		struct item *item = taken;
		struct ebb_err err = {0};
		int code = item->job(item->arg, &err);

		free(item);
		if (code < 0 && !err.code)
			ebb_err_set(&err, -code, "a job failed without saying why");
		end_one(pool, code, &err);
	}
	return NULL;
}

/* Start one worker, its signals blocked from its first instruction on. Returns 0 or an errno. */
static int start(struct ebb_pool *pool)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int failed = pthread_create(&pool->threads[pool->n_threads], NULL, work, pool);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!failed)
		pool->n_threads++;
	return failed;
}

int ebb_pool_new(size_t threads, size_t depth, struct ebb_pool **ret, struct ebb_err *err)
{
	size_t size = ebb_mem_add(sizeof(struct ebb_pool), ebb_mem_mul(threads, sizeof(pthread_t)));

	if (!threads)
		return ebb_err_set(err, EBB_EINVAL, "a pool must have a worker");
	struct ebb_pool *pool = calloc(1, size);
	if (!pool)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for %zu workers", threads);
	int r = ebb_queue_init(&pool->queue, depth, err);
	if (r < 0) {
		free(pool);
		return r;
	}
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->idle, NULL);
	while (pool->n_threads < threads) {
		int failed = start(pool);
		if (failed) {
			ebb_pool_free(pool);
			return ebb_err_sys(err, failed, "cannot start %zu workers", threads);
		}
	}
	*ret = pool;
	return 0;
}

void ebb_pool_free(struct ebb_pool *pool)
{
	if (!pool)
		return;
	ebb_pool_cancel(pool);
	ebb_queue_close(&pool->queue);
	for (size_t i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->idle);
	pthread_mutex_destroy(&pool->mutex);
	ebb_queue_release(&pool->queue);
	free(pool);
}

int ebb_pool_submit(struct ebb_pool *pool, ebb_pool_job *job, void *arg, struct ebb_err *err)
{
	if (ebb_pool_cancelled(pool))
		return ebb_err_set(err, EBB_ECANCELLED, "cancelled");

	struct item *item = malloc(sizeof(*item));
	if (!item)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a job");
	*item = (struct item){.job = job, .arg = arg};

	pthread_mutex_lock(&pool->mutex);
	pool->pending++;
	pthread_mutex_unlock(&pool->mutex);
	/* Cannot fail: only free closes the queue, and nobody submits then. */
	ebb_queue_push(&pool->queue, item);
	return 0;
}

int ebb_pool_wait(struct ebb_pool *pool, struct ebb_err *err)
{
	struct ebb_err first;

	pthread_mutex_lock(&pool->mutex);
	while (pool->pending)
		pthread_cond_wait(&pool->idle, &pool->mutex);
	first = pool->first;
	pthread_mutex_unlock(&pool->mutex);

	if (!first.code && ebb_pool_cancelled(pool))
		return ebb_err_set(err, EBB_ECANCELLED, "cancelled");
	if (first.code && err && !err->code)
		*err = first;
	return -first.code;
}

void ebb_pool_cancel(struct ebb_pool *pool)
{
	atomic_store(&pool->cancelled, true);
}

bool ebb_pool_cancelled(const struct ebb_pool *pool)
{
	return atomic_load(&pool->cancelled);
}
