/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bounded queue of pointers between any number of producers and consumers, first in, first out.
 *
 * Being full is how a slow consumer slows its producers down: memory stays bounded. Closing is how
 * the producers say that nothing more will come: pushes fail from then on, pops go on until it is
 * empty.
 *
 * Invariant: a pushed item is popped exactly once, or still in the queue.
 * Threads: every function but init and release may be called from any thread. One mutex and two
 * condition variables inside; no callback runs under the mutex.
 */
#ifndef EBB_CORE_QUEUE_H
#define EBB_CORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct ebb_err;

/* Nobody but queue.c looks inside. */
struct ebb_queue {
	pthread_mutex_t mutex;
	pthread_cond_t not_empty, not_full;
	void **items;	/* a ring */
	size_t capacity;
	size_t head;	/* the oldest item */
	size_t count;
	bool closed;
};

/*
 * Prepare a queue of at most @capacity items.
 *
 * @return  0; -EBB_EINVAL when the capacity is 0; -EBB_ENOMEM.
 */
int ebb_queue_init(struct ebb_queue *q, size_t capacity, struct ebb_err *err);

/* Free it. Nobody may be using it any more. What items point to is the caller's: pop first. */
void ebb_queue_release(struct ebb_queue *q);

/* Append @item. Blocks while the queue is full. False when it is closed: the item stays yours. */
bool ebb_queue_push(struct ebb_queue *q, void *item);

/* The same, but false, at once, also when it is full. */
bool ebb_queue_try_push(struct ebb_queue *q, void *item);

/* Take the oldest item. Blocks while it is empty and open. False when it is empty and closed. */
bool ebb_queue_pop(struct ebb_queue *q, void **ret_item);

/* The same, but false, at once, also when it is empty and open. */
bool ebb_queue_try_pop(struct ebb_queue *q, void **ret_item);

/* Nothing more will come: wakes everybody who waits. Closing twice is fine. */
void ebb_queue_close(struct ebb_queue *q);

#endif
