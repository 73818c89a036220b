/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "core/err.h"
#include "core/pool.h"
#include "core/queue.h"
#include "tests/support/unit.h"

static atomic_int ran;

static int count(void *arg, struct ebb_err *err)
{
	(void)arg;
	(void)err;
	atomic_fetch_add(&ran, 1);
	return 0;
}

static int break_down(void *arg, struct ebb_err *err)
{
	atomic_fetch_add(&ran, 1);
	return ebb_err_set(err, EBB_EIO, "%s", (const char *)arg);
}

static struct ebb_pool *make(size_t threads, size_t depth)
{
	struct ebb_pool *pool;

	ck_assert_int_eq(ebb_pool_new(threads, depth, &pool, NULL), 0);
	return pool;
}

START_TEST(all_jobs_run_and_wait_sees_it)
{
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = make(4, 3);

	ck_assert_int_eq(ebb_pool_wait(pool, NULL), 0);
	for (int round = 1; round <= 3; round++) {
		for (int i = 0; i < 500; i++)
			ck_assert_int_eq(ebb_pool_submit(pool, count, NULL, NULL), 0);
		ck_assert_int_eq(ebb_pool_wait(pool, NULL), 0);
		ck_assert_int_eq(atomic_load(&ran), round * 500);
	}
	ck_assert(!ebb_pool_cancelled(pool));
}
END_TEST

START_TEST(first_failure_is_kept_and_cancels)
{
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = make(1, 10);
	char first[] = "first", second[] = "second";
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_pool_submit(pool, break_down, first, NULL), 0);
	/* May be refused already; then there is no second failure. */
	ebb_pool_submit(pool, break_down, second, NULL);
	ck_assert_int_eq(ebb_pool_wait(pool, &err), -EBB_EIO);
	ck_assert_str_eq(err.msg, "first");
	ck_assert(ebb_pool_cancelled(pool));
	int before = atomic_load(&ran);
	struct ebb_err refused = {0};
	ck_assert_int_eq(ebb_pool_submit(pool, count, NULL, &refused), -EBB_ECANCELLED);
	ck_assert_int_eq(refused.code, EBB_ECANCELLED);
	ck_assert_int_eq(ebb_pool_wait(pool, NULL), -EBB_EIO);
	ck_assert_int_eq(atomic_load(&ran), before);
}
END_TEST

static int silent(void *arg, struct ebb_err *err)
{
	(void)arg;
	(void)err;
	return -EBB_ESTORE;
}

START_TEST(silent_failures_get_a_message)
{
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = make(1, 1);
	struct ebb_err err = {0};

	ebb_pool_submit(pool, silent, NULL, NULL);
	ck_assert_int_eq(ebb_pool_wait(pool, &err), -EBB_ESTORE);
	ck_assert_str_eq(err.msg, "a job failed without saying why");
}
END_TEST

/* Waits until the gate is closed. */
static int wait_at(void *arg, struct ebb_err *err)
{
	void *item;

	(void)err;
	ebb_queue_pop(arg, &item);
	atomic_fetch_add(&ran, 1);
	return 0;
}

START_TEST(accepted_jobs_run_even_when_cancelled)
{
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = make(1, 10);
	struct ebb_queue gate;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_queue_init(&gate, 1, NULL), 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(ebb_pool_submit(pool, wait_at, &gate, NULL), 0);
	ebb_pool_cancel(pool);
	ck_assert(ebb_pool_cancelled(pool));
	ck_assert_int_eq(ebb_pool_submit(pool, count, NULL, NULL), -EBB_ECANCELLED);
	ebb_queue_close(&gate);
	ck_assert_int_eq(ebb_pool_wait(pool, &err), -EBB_ECANCELLED);
	ck_assert_int_eq(atomic_load(&ran), 5);
	ebb_queue_release(&gate);
}
END_TEST

START_TEST(free_runs_what_is_waiting)
{
	struct ebb_pool *pool = make(2, 100);

	for (int i = 0; i < 100; i++)
		ebb_pool_submit(pool, count, NULL, NULL);
	ebb_pool_free(pool);
	ck_assert_int_eq(atomic_load(&ran), 100);
	ebb_pool_free(NULL);
}
END_TEST

struct producer {
	struct ebb_pool *pool;
	struct ebb_queue *gate;
	atomic_int accepted;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (int i = 0; i < 3; i++) {
		ebb_pool_submit(p->pool, wait_at, p->gate, NULL);
		atomic_fetch_add(&p->accepted, 1);
	}
	return NULL;
}

START_TEST(submit_waits_for_room)
{
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = make(1, 1);
	struct ebb_queue gate;
	struct producer p = {.pool = pool, .gate = &gate};
	pthread_t thread;

	/* One job runs, one waits in the queue, the third is not accepted before the gate opens. */
	ck_assert_int_eq(ebb_queue_init(&gate, 1, NULL), 0);
	pthread_create(&thread, NULL, produce, &p);
	ck_assert_int_lt(atomic_load(&p.accepted), 3);
	ebb_queue_close(&gate);
	pthread_join(thread, NULL);
	ck_assert_int_eq(atomic_load(&p.accepted), 3);
	ck_assert_int_eq(ebb_pool_wait(pool, NULL), 0);
	ck_assert_int_eq(atomic_load(&ran), 3);
	ebb_queue_release(&gate);
}
END_TEST

static int look_at_mask(void *arg, struct ebb_err *err)
{
	(void)err;
	pthread_sigmask(SIG_SETMASK, NULL, arg);
	return 0;
}

START_TEST(workers_block_signals)
{
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = make(1, 1);
	sigset_t mask, own;

	sigemptyset(&mask);
	ebb_pool_submit(pool, look_at_mask, &mask, NULL);
	ebb_pool_wait(pool, NULL);
	ck_assert_int_eq(sigismember(&mask, SIGINT), 1);
	ck_assert_int_eq(sigismember(&mask, SIGTERM), 1);
	pthread_sigmask(SIG_SETMASK, NULL, &own);
	ck_assert_int_eq(sigismember(&own, SIGINT), 0);
}
END_TEST

START_TEST(wrong_sizes_are_refused)
{
	struct ebb_pool *pool = NULL;

	ck_assert_int_eq(ebb_pool_new(0, 1, &pool, NULL), -EBB_EINVAL);
	ck_assert_int_eq(ebb_pool_new(1, 0, &pool, NULL), -EBB_EINVAL);
	ck_assert_ptr_null(pool);
}
END_TEST

EBB_UNIT_MAIN("pool", all_jobs_run_and_wait_sees_it, first_failure_is_kept_and_cancels,
	silent_failures_get_a_message, accepted_jobs_run_even_when_cancelled,
	free_runs_what_is_waiting, submit_waits_for_room, workers_block_signals,
	wrong_sizes_are_refused)
