/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Completion: one thread waits until another one says that it is done.
 *
 * Threads: any thread may signal, once; one thread waits, and destroys it after.
 */
#ifndef EBB_CORE_COMPLETION_H
#define EBB_CORE_COMPLETION_H

#include <pthread.h>
#include <stdbool.h>

struct ebb_completion {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool done;
};

/* Prepare one that is not done. */
void ebb_completion_init(struct ebb_completion *c);

/* Say that it is done. The last touch: the waiter may destroy it as soon as this returns, not before. */
void ebb_completion_signal(struct ebb_completion *c);

/* Wait for that, then destroy it. */
void ebb_completion_wait(struct ebb_completion *c);

#endif
