/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/queue.h"

#include <stdlib.h>

#include "core/err.h"

int ebb_queue_init(struct ebb_queue *q, size_t capacity, struct ebb_err *err)
{
	if (!capacity)
		return ebb_err_set(err, EBB_EINVAL, "a queue must have room for one item");

	void **items = calloc(capacity, sizeof(*items));
	if (!items)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a queue of %zu", capacity);
	*q = (struct ebb_queue){.items = items, .capacity = capacity};
	pthread_mutex_init(&q->mutex, NULL);
	pthread_cond_init(&q->not_empty, NULL);
	pthread_cond_init(&q->not_full, NULL);
	return 0;
}

void ebb_queue_release(struct ebb_queue *q)
{
	pthread_cond_destroy(&q->not_full);
	pthread_cond_destroy(&q->not_empty);
	pthread_mutex_destroy(&q->mutex);
	free(q->items);
	q->items = NULL;
}

/* With the mutex held: put the item in if there is room and the queue is open. */
static bool put(struct ebb_queue *q, void *item)
{
	if (q->closed || q->count == q->capacity)
		return false;
	/* head < capacity and count < capacity, so that no sum can pass twice the capacity. */
	size_t tail = q->head + q->count;
	q->items[tail < q->capacity ? tail : tail - q->capacity] = item;
	q->count++;
	pthread_cond_signal(&q->not_empty);
	return true;
}

/* With the mutex held: take an item out if there is one. */
static bool take(struct ebb_queue *q, void **ret_item)
{
	if (!q->count)
		return false;
	*ret_item = q->items[q->head];
	q->head = q->head + 1 < q->capacity ? q->head + 1 : 0;
	q->count--;
	pthread_cond_signal(&q->not_full);
	return true;
}

bool ebb_queue_push(struct ebb_queue *q, void *item)
{
	pthread_mutex_lock(&q->mutex);
	while (!q->closed && q->count == q->capacity)
		pthread_cond_wait(&q->not_full, &q->mutex);
	bool done = put(q, item);
	pthread_mutex_unlock(&q->mutex);
	return done;
}

bool ebb_queue_try_push(struct ebb_queue *q, void *item)
{
	pthread_mutex_lock(&q->mutex);
	bool done = put(q, item);
	pthread_mutex_unlock(&q->mutex);
	return done;
}

bool ebb_queue_pop(struct ebb_queue *q, void **ret_item)
{
	pthread_mutex_lock(&q->mutex);
	while (!q->closed && !q->count)
		pthread_cond_wait(&q->not_empty, &q->mutex);
	bool done = take(q, ret_item);
	pthread_mutex_unlock(&q->mutex);
	return done;
}

bool ebb_queue_try_pop(struct ebb_queue *q, void **ret_item)
{
	pthread_mutex_lock(&q->mutex);
	bool done = take(q, ret_item);
	pthread_mutex_unlock(&q->mutex);
	return done;
}

void ebb_queue_close(struct ebb_queue *q)
{
	pthread_mutex_lock(&q->mutex);
	q->closed = true;
	pthread_cond_broadcast(&q->not_empty);
	pthread_cond_broadcast(&q->not_full);
	pthread_mutex_unlock(&q->mutex);
}
