/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thawing over a bucket in memory whose clock the tests move: collected, asked for, interrupted, waited for, written down. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/thaw_order.h"
#include "scanners/store_faulty.h"
#include "scanners/store_memory_bucket.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#define HOUR (3600 * EBB_CLOCK_SECOND)

static struct ebb_clock archive;
static struct ebb_storeset *stores;
static struct ebb_store *lake, *bucket;	/* as wrapped, and itself */
static unsigned pauses;

/* A bucket "lake" with @n objects that sleep and one that does not. */
static void set_up_with(int n, const struct ebb_store_faulty_script *script)
{
	const struct ebb_store_config cfg = {.name = "lake", .type = "memory-bucket"};
	struct ebb_store *inner;
	struct ebb_err err = {0};
	char key[16];

	archive = ebb_clock_fixed(EBB_CLOCK_SECOND);
	pauses = 0;
	ck_assert_int_eq(ebb_store_open(&cfg, &inner, &err), 0);
	ebb_store_memory_bucket_archive(inner, &archive);
	ck_assert_int_eq(ebb_store_memory_bucket_put(inner, "plain", "x", 1, NULL, &err), 0);
	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "o%04d", i);
		ck_assert_int_eq(ebb_store_memory_bucket_put(inner, key, "xyz", 3, i % 2 ? "GLACIER" : "DEEP_ARCHIVE", &err), 0);
	}
	bucket = inner;
	ck_assert_int_eq(ebb_store_faulty_wrap(inner, script, &lake, &err), 0);
	stores = ebb_storeset_new(NULL);
	ck_assert_int_eq(ebb_storeset_add(stores, lake, &err), 0);
}

static void set_up(int n)
{
	set_up_with(n, NULL);
}

static int add(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	return ebb_thaw_add(ctx, lake, rec->key, rec, err);
}

static void collect(struct ebb_thaw *t)
{
	struct ebb_err err = {0};

	ck_assert_msg(ebb_store_list(lake, NULL, NULL, add, t, &err) == 0, "%s", err.msg);
	ck_assert_msg(ebb_thaw_look(t, stores, NULL, &err) == 0, "%s", err.msg);
}

static int64_t count(const struct ebb_thaw *t, enum ebb_store_sleep state)
{
	struct ebb_thaw_counts c;

	ebb_thaw_count(t, &c);
	return c.objects[state];
}

START_TEST(only_what_may_sleep_is_kept_each_once)
{
	struct ebb_thaw t = {0};
	struct ebb_err err = {0};

	set_up(10);
	collect(&t);
	ck_assert_uint_eq(t.n, 10);
	ck_assert_int_eq(ebb_store_list(lake, NULL, NULL, add, &t, &err), 0);
	ck_assert_int_eq(ebb_thaw_look(&t, stores, NULL, &err), 0);
	ck_assert_uint_eq(t.n, 10);
	ck_assert_int_eq(count(&t, EBB_STORE_ASLEEP), 10);
	ebb_thaw_release(&t);
	ebb_storeset_free(stores);
}
END_TEST

/* What is gone or changed is for the plan to tell. */
START_TEST(what_has_changed_does_not_sleep)
{
	struct ebb_thaw t = {0};
	struct ebb_err err = {0};

	set_up(3);
	collect(&t);
	t.items[1].rec.f[EBB_F_SIZE]++;
	ck_assert_int_eq(ebb_thaw_look(&t, stores, NULL, &err), 0);
	ck_assert_int_eq(count(&t, EBB_STORE_ASLEEP), 2);
	ck_assert_int_eq(count(&t, EBB_STORE_AWAKE), 1);
	ebb_thaw_release(&t);
	ebb_storeset_free(stores);
}
END_TEST

static void hour_passes(void *ctx, int64_t ns)
{
	int64_t *longest = ctx;

	pauses++;
	archive.fixed += ns;
	*longest = ns > *longest ? ns : *longest;
}

START_TEST(waiting_ends_when_all_can_be_read)
{
	struct ebb_thaw t = {0};
	struct ebb_err err = {0};
	int64_t longest = 0;

	set_up(200);
	collect(&t);
	ck_assert_msg(ebb_thaw_ask(&t, stores, "bulk", 2, NULL, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(count(&t, EBB_STORE_THAWING), 200);
	ck_assert_uint_eq(ebb_store_faulty_count(lake, EBB_FAULTY_THAW), 200);
	uint64_t before = ebb_store_faulty_count(lake, EBB_FAULTY_SLEEP);
	ck_assert_msg(ebb_thaw_wait(&t, stores, hour_passes, &longest, NULL, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(count(&t, EBB_STORE_THAWED), 200);
	/* 48 hours in pauses of 30 minutes and a few shorter ones, each of which looks at 64 objects at most */
	ck_assert_int_eq(longest, EBB_THAW_PAUSE_MAX);
	ck_assert_int_ge(archive.fixed, 48 * HOUR);
	ck_assert_int_le(archive.fixed, 49 * HOUR);
	ck_assert_uint_le(pauses, 110);
	ck_assert_uint_le(ebb_store_faulty_count(lake, EBB_FAULTY_SLEEP) - before, 64 * (pauses + 4));
	ebb_thaw_release(&t);
	ebb_storeset_free(stores);
}
END_TEST

/* A request fails amid an order: it is on disk, and what was not asked for is asked for later, once. */
START_TEST(an_interrupted_order_goes_on)
{
	const char *index = ebb_scratch_new();
	struct ebb_thaw_order o = {.speed = EBB_PRICE_BULK, .days = 2, .asked = 7 * HOUR, .hours = 48,
				   .cost = {.nano = 5, .currency = "USD"}};
	struct ebb_thaw t = {0}, again = {0};
	struct ebb_err err = {0};

	set_up_with(40, &(struct ebb_store_faulty_script){
				.faults = &(struct ebb_store_faulty_fault){.op = EBB_FAULTY_THAW, .nth = 20, .code = EBB_EIO}, .nfaults = 1});
	collect(&t);
	ck_assert_msg(ebb_thaw_order_write(index, &o, &t, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(o.objects, 40);
	ck_assert_int_eq(o.bytes, 120);
	ck_assert_int_eq(ebb_thaw_ask(&t, stores, "bulk", 2, NULL, &err), -EBB_EIO);
	ebb_err_clear(&err);
	ebb_thaw_release(&t);

	ck_assert_msg(ebb_thaw_order_read(index, o.id, stores, &again, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(ebb_thaw_look(&again, stores, NULL, &err), 0);
	ck_assert_uint_eq(again.n, 40);
	int64_t left = count(&again, EBB_STORE_ASLEEP);
	ck_assert_int_gt(left, 0);
	ck_assert_int_lt(left, 40);
	uint64_t before = ebb_store_faulty_count(lake, EBB_FAULTY_THAW);
	ck_assert_int_eq(ebb_thaw_ask(&again, stores, "bulk", 2, NULL, &err), 0);
	ck_assert_int_eq(ebb_store_faulty_count(lake, EBB_FAULTY_THAW) - before, left);
	ck_assert_int_eq(count(&again, EBB_STORE_THAWING), 40);
	ebb_thaw_release(&again);
	ebb_storeset_free(stores);
}
END_TEST

static int same_order(void *ctx, const struct ebb_thaw_order *o, struct ebb_err *err)
{
	const struct ebb_thaw_order *want = ctx;

	(void)err;
	ck_assert_str_eq(o->id, want->id);
	ck_assert_int_eq(o->state, want->state);
	ck_assert_int_eq(o->speed, want->speed);
	ck_assert_int_eq(o->days, want->days);
	ck_assert_int_eq(o->asked, want->asked);
	ck_assert_int_eq(o->hours, want->hours);
	ck_assert_int_eq(o->objects, want->objects);
	ck_assert_int_eq(o->cost.nano, want->cost.nano);
	ck_assert_str_eq(o->cost.currency, want->cost.currency);
	ck_assert_int_eq(o->expires, want->expires);
	return 1;
}

START_TEST(orders_are_read_as_written_and_forgotten)
{
	const char *index = ebb_scratch_new();
	struct ebb_thaw_order o = {.state = EBB_THAW_ORDER_READY, .speed = EBB_PRICE_STANDARD, .days = 9, .asked = 7 * HOUR, .hours = 12,
				   .cost = {.nano = -5, .currency = "EUR"}, .expires = 99};
	struct ebb_thaw_order other = {.speed = EBB_PRICE_BULK, .days = 1, .asked = 7 * HOUR};
	struct ebb_thaw t = {0};
	struct ebb_err err = {0};

	set_up(2);
	collect(&t);
	ck_assert_int_eq(ebb_thaw_order_each(index, same_order, &o, &err), 0);
	ck_assert_int_eq(ebb_thaw_order_write(index, &o, &t, &err), 0);
	ck_assert_int_eq(ebb_thaw_order_each(index, same_order, &o, &err), 1);
	ck_assert_int_eq(ebb_thaw_order_ready(&o), 19 * HOUR);
	ck_assert_int_eq(ebb_thaw_order_write(index, &other, &t, &err), 0);
	ck_assert_str_ne(o.id, other.id);
	ck_assert_int_eq(ebb_thaw_order_remove(index, other.id, &err), 0);
	ck_assert_int_eq(ebb_thaw_order_remove(index, o.id, &err), 0);
	ck_assert_int_eq(ebb_thaw_order_each(index, same_order, &o, &err), 0);
	ebb_thaw_release(&t);
	ebb_storeset_free(stores);
}
END_TEST

/* --- Tiers --- */

static void put_tiered(const char *key, enum ebb_store_tier tier)
{
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_store_memory_bucket_put(bucket, key, "xyz", 3, "INTELLIGENT_TIERING", &err), 0);
	if (tier)
		ck_assert_msg(ebb_store_memory_bucket_tier(bucket, key, tier, &err) == 0, "%s", err.msg);
}

/* Only a look tells; those that are awake are let go a few thousand at a time. */
START_TEST(what_a_tier_has_put_away_is_found_by_looking)
{
	struct ebb_thaw t = {0};
	char key[16];

	set_up(2);
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "t%04d", i);
		put_tiered(key, i == 3 ? EBB_STORE_TIER_ARCHIVE : i == 4500 ? EBB_STORE_TIER_DEEP : EBB_STORE_TIER_NONE);
	}
	struct ebb_err err = {0};
	ck_assert_msg(ebb_store_list(lake, NULL, NULL, add, &t, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(t.n, 2);
	ck_assert_msg(ebb_thaw_sift(&t, stores, false, NULL, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(t.n, 4);
	ck_assert_msg(ebb_thaw_look(&t, stores, NULL, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(t.n, 4);
	ck_assert_int_eq(count(&t, EBB_STORE_ASLEEP), 4);
	ck_assert_str_eq(t.items[3].key, "t4500");
	ck_assert_int_eq(t.items[3].rest.tier, EBB_STORE_TIER_DEEP);
	ebb_thaw_release(&t);
	ebb_storeset_free(stores);
}
END_TEST

/* It is asked for without days, comes back, and an order that says so is told once as ready. */
START_TEST(what_a_tier_gives_back_stays)
{
	const char *index = ebb_scratch_new();
	struct ebb_thaw_order o = {.speed = EBB_PRICE_BULK, .days = 2, .asked = 7 * HOUR, .hours = 48};
	struct ebb_thaw t = {0}, again = {0};
	struct ebb_err err = {0};
	int64_t longest = 0;

	set_up(1);
	put_tiered("t", EBB_STORE_TIER_DEEP);
	collect(&t);
	ck_assert_uint_eq(t.n, 2);
	ck_assert_int_eq(ebb_thaw_order_write(index, &o, &t, &err), 0);
	ck_assert_msg(ebb_thaw_ask(&t, stores, "bulk", 2, NULL, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(ebb_thaw_order_read(index, o.id, stores, &again, &err), 0);
	ck_assert_int_eq(ebb_thaw_look(&again, stores, NULL, &err), 0);
	ck_assert_int_eq(count(&again, EBB_STORE_THAWING), 2);
	ck_assert_msg(ebb_thaw_wait(&again, stores, hour_passes, &longest, NULL, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(count(&again, EBB_STORE_THAWED), 2);
	archive.fixed += 72 * HOUR;
	ck_assert_int_eq(ebb_thaw_look(&again, stores, NULL, &err), 0);
	ck_assert_int_eq(count(&again, EBB_STORE_ASLEEP), 1);	/* the copy of the other one is gone */
	ck_assert_int_eq(count(&again, EBB_STORE_THAWED), 1);
	ebb_thaw_release(&t);
	ebb_thaw_release(&again);
	ebb_storeset_free(stores);
}
END_TEST

EBB_UNIT_MAIN("thaw", what_a_tier_has_put_away_is_found_by_looking, what_a_tier_gives_back_stays, only_what_may_sleep_is_kept_each_once, what_has_changed_does_not_sleep, waiting_ends_when_all_can_be_read,
	      an_interrupted_order_goes_on, orders_are_read_as_written_and_forgotten)
