/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/err.h"
#include "core/queue.h"
#include "tests/support/unit.h"

static int marks[8];

START_TEST(first_in_first_out_round_the_ring)
{
	struct ebb_queue q;
	void *item;

	ck_assert_int_eq(ebb_queue_init(&q, 3, NULL), 0);
	for (int round = 0; round < 5; round++) {
		ck_assert(ebb_queue_push(&q, &marks[0]));
		ck_assert(ebb_queue_push(&q, &marks[1]));
		ck_assert(ebb_queue_pop(&q, &item));
		ck_assert_ptr_eq(item, &marks[0]);
		ck_assert(ebb_queue_pop(&q, &item));
		ck_assert_ptr_eq(item, &marks[1]);
	}
	ebb_queue_release(&q);
}
END_TEST

START_TEST(try_variants_do_not_wait)
{
	struct ebb_queue q;
	void *item = &marks[7];

	ck_assert_int_eq(ebb_queue_init(&q, 2, NULL), 0);
	ck_assert(!ebb_queue_try_pop(&q, &item));
	ck_assert_ptr_eq(item, &marks[7]);
	ck_assert(ebb_queue_try_push(&q, &marks[0]));
	ck_assert(ebb_queue_try_push(&q, NULL));
	ck_assert(!ebb_queue_try_push(&q, &marks[2]));
	ck_assert(ebb_queue_try_pop(&q, &item));
	ck_assert_ptr_eq(item, &marks[0]);
	ck_assert(ebb_queue_try_pop(&q, &item));
	ck_assert_ptr_null(item);
	ebb_queue_release(&q);
}
END_TEST

START_TEST(close_refuses_pushes_and_drains)
{
	struct ebb_queue q;
	void *item = NULL;

	ck_assert_int_eq(ebb_queue_init(&q, 2, NULL), 0);
	ebb_queue_push(&q, &marks[0]);
	ebb_queue_close(&q);
	ebb_queue_close(&q);
	ck_assert(!ebb_queue_push(&q, &marks[1]));
	ck_assert(!ebb_queue_try_push(&q, &marks[1]));
	ck_assert(ebb_queue_pop(&q, &item));
	ck_assert_ptr_eq(item, &marks[0]);
	ck_assert(!ebb_queue_pop(&q, &item));
	ck_assert(!ebb_queue_try_pop(&q, &item));
	ebb_queue_release(&q);
}
END_TEST

START_TEST(capacity_zero_is_refused)
{
	struct ebb_queue q;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_queue_init(&q, 0, &err), -EBB_EINVAL);
	ck_assert_int_eq(err.code, EBB_EINVAL);
}
END_TEST

static void *push_one(void *arg)
{
	return ebb_queue_push(arg, &marks[1]) ? arg : NULL;
}

static void *pop_one(void *arg)
{
	void *item = NULL;

	return ebb_queue_pop(arg, &item) ? item : NULL;
}

START_TEST(close_wakes_who_waits)
{
	struct ebb_queue full, empty;
	pthread_t pusher, popper;
	void *pushed, *popped;

	/* Whether the threads wait already or come later, close must let them go. */
	ck_assert_int_eq(ebb_queue_init(&full, 1, NULL), 0);
	ck_assert_int_eq(ebb_queue_init(&empty, 1, NULL), 0);
	ebb_queue_push(&full, &marks[0]);
	pthread_create(&pusher, NULL, push_one, &full);
	pthread_create(&popper, NULL, pop_one, &empty);
	ebb_queue_close(&full);
	ebb_queue_close(&empty);
	pthread_join(pusher, &pushed);
	pthread_join(popper, &popped);
	ck_assert_ptr_null(pushed);
	ck_assert_ptr_null(popped);
	ebb_queue_release(&full);
	ebb_queue_release(&empty);
}
END_TEST

START_TEST(push_waits_for_room)
{
	struct ebb_queue q;
	pthread_t pusher;
	void *item, *pushed;

	ck_assert_int_eq(ebb_queue_init(&q, 1, NULL), 0);
	ebb_queue_push(&q, &marks[0]);
	pthread_create(&pusher, NULL, push_one, &q);
	ck_assert(ebb_queue_pop(&q, &item));
	ck_assert_ptr_eq(item, &marks[0]);
	ck_assert(ebb_queue_pop(&q, &item));
	ck_assert_ptr_eq(item, &marks[1]);
	pthread_join(pusher, &pushed);
	ck_assert_ptr_eq(pushed, &q);
	ebb_queue_release(&q);
}
END_TEST

#define PER_PRODUCER 2000
#define N_THREADS 3

static struct ebb_queue shared;
static unsigned char numbers[N_THREADS * PER_PRODUCER];
static atomic_int seen[N_THREADS * PER_PRODUCER];

static void *produce(void *arg)
{
	unsigned char *first = arg;

	for (size_t i = 0; i < PER_PRODUCER; i++)
		ebb_queue_push(&shared, first + i);
	return NULL;
}

static void *consume(void *arg)
{
	void *item;

	while (ebb_queue_pop(&shared, &item))
		atomic_fetch_add(&seen[(unsigned char *)item - numbers], 1);
	return arg;
}

START_TEST(every_item_comes_out_once)
{
	pthread_t producers[N_THREADS], consumers[N_THREADS];

	ck_assert_int_eq(ebb_queue_init(&shared, 7, NULL), 0);
	for (size_t i = 0; i < N_THREADS; i++) {
		pthread_create(&producers[i], NULL, produce, numbers + i * PER_PRODUCER);
		pthread_create(&consumers[i], NULL, consume, NULL);
	}
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(producers[i], NULL);
	ebb_queue_close(&shared);
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(consumers[i], NULL);
	for (size_t i = 0; i < N_THREADS * PER_PRODUCER; i++)
		if (atomic_load(&seen[i]) != 1)
			ck_abort_msg("item %zu came out %d times", i, atomic_load(&seen[i]));
	ebb_queue_release(&shared);
}
END_TEST

EBB_UNIT_MAIN("queue", first_in_first_out_round_the_ring, try_variants_do_not_wait,
	close_refuses_pushes_and_drains, capacity_zero_is_refused, close_wakes_who_waits,
	push_waits_for_room, every_item_comes_out_once)
