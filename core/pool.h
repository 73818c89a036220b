/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pool of worker threads for one piece of work: jobs go in, the first failure comes out.
 *
 * Invariant: a job that was accepted is run exactly once, whatever happens, so that it can always
 * free what it was given. Failure and cancelling stop the flow in two places: submit refuses new
 * jobs, and jobs that ask ebb_pool_cancelled() can return at once.
 *
 * Workers block all signals: those are for the thread that started the pool.
 * Threads: submit, cancel and cancelled may be called from any thread, wait and free from any
 * thread that is not a worker. A job must not submit to its own pool: with a full queue it would
 * wait for itself.
 */
#ifndef EBB_CORE_POOL_H
#define EBB_CORE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/mem.h"

struct ebb_err;
struct ebb_pool;

/*
 * A job. Returns 0, or a negative code with @err (never NULL, empty) filled: the pool's first
 * failure is kept and cancels it. What concerns one object only (EBB_CLASS_SKIP) is for the job to
 * record.
 */
typedef int ebb_pool_job(void *arg, struct ebb_err *err);

/*
 * Start @threads workers (at least 1) over a queue of @depth waiting jobs (at least 1).
 *
 * @ret     the pool, to be freed.
 * @return  0; -EBB_EINVAL, -EBB_ENOMEM; the code of the system's refusal to start threads.
 */
int ebb_pool_new(size_t threads, size_t depth, struct ebb_pool **ret, struct ebb_err *err);

/* Cancel, run what is waiting, wait for it, stop the workers, free. NULL is accepted. Blocks. */
void ebb_pool_free(struct ebb_pool *pool);
EBB_CLEANUP_PTR(struct ebb_pool, ebb_pool_free);

/*
 * Have @job(@arg) run by a worker. Blocks while the queue is full.
 *
 * @return  0; -EBB_ECANCELLED when the pool is cancelled, -EBB_ENOMEM: the job will not run, and
 *          @arg is still the caller's.
 */
int ebb_pool_submit(struct ebb_pool *pool, ebb_pool_job *job, void *arg, struct ebb_err *err);

/*
 * Block until every job accepted so far has ended. More may be submitted after.
 *
 * @return  0; the code of the first failure, with its message; -EBB_ECANCELLED when the pool was
 *          cancelled and nothing failed.
 */
int ebb_pool_wait(struct ebb_pool *pool, struct ebb_err *err);

/* Refuse new jobs, for good. Does not block. */
void ebb_pool_cancel(struct ebb_pool *pool);

/* Has the pool been cancelled, or has a job failed? Does not block. */
bool ebb_pool_cancelled(const struct ebb_pool *pool);

#endif
