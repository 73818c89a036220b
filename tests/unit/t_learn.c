/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/merge.h"
#include "core/place.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#define N 3000

static struct ebb_err err;

static struct ebb_index *fresh(void)
{
	struct ebb_index_opts opts = {.map_size = 1 << 20};
	struct ebb_index *ix;

	err = (struct ebb_err){0};
	ck_assert_msg(ebb_index_open(ebb_scratch_new(), &opts, &ix, &err) == 0, "%s", err.msg);
	return ix;
}

static struct ebb_merge *begin(struct ebb_index *ix)
{
	struct ebb_merge_opts opts = {.store = "s", .now = 1};
	struct ebb_merge *m;

	ck_assert_msg(ebb_merge_begin(ix, &opts, &m, &err) == 0, "%s", err.msg);
	return m;
}

/* N files; the one of number @changed has another mtime. */
static void scan(struct ebb_index *ix, int changed)
{
	struct ebb_merge_facts facts = {.finished = 2};
	struct ebb_merge_stats stats;
	struct ebb_merge *m = begin(ix);
	char key[32];

	for (int i = 0; i < N; i++) {
		struct ebb_record r = {.key = key};
		r.key_len = (uint32_t)snprintf(key, sizeof(key), "k%05d", i);
		ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
		ebb_record_set(&r, EBB_F_SIZE, 7);
		ebb_record_set(&r, EBB_F_MTIME, i == changed ? 2 : 1);
		ck_assert_msg(ebb_merge_put(m, &r, &err) == 0, "%s", err.msg);
	}
	ck_assert_msg(ebb_merge_finish(m, &stats, &err) == 0, "%s", err.msg);
	ck_assert_msg(ebb_merge_publish(m, &facts, &err) == 0, "%s", err.msg);
}

static struct ebb_index_store store(struct ebb_index *ix)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *s = NULL;
	struct ebb_index_store st;

	ck_assert_int_eq(ebb_snap_open(ix, &s, &err), 0);
	ck_assert_int_eq(ebb_snap_store(s, "s", &st, &err), 0);
	return st;
}

static uint64_t place_of(int i)
{
	return (uint64_t)(i / 1024) << 16 | (uint64_t)(i % 1024);
}

static struct ebb_learn_item item(int i, uint32_t known)
{
	struct ebb_learn_item it = {.place = place_of(i), .known = known};

	memset(it.digest, 1 + i % 200, sizeof(it.digest));
	return it;
}

static struct ebb_record record(struct ebb_index *ix, int i, const char *want_key)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *s = NULL;
	EBB_CLEANUP(ebb_place_closep) struct ebb_place *p = NULL;
	struct ebb_index_store st = store(ix);
	struct ebb_record r;
	const char *key;
	size_t len;

	ck_assert_int_eq(ebb_snap_open(ix, &s, &err), 0);
	ck_assert_int_eq(ebb_place_open(s, &p, &err), 0);
	ck_assert_msg(ebb_place_record(p, &st, place_of(i), &r, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(r.key, want_key);
	ck_assert_int_eq(ebb_place_key(p, &st, place_of(i), &key, &len, &err), 0);
	ck_assert_str_eq(key, want_key);
	ck_assert_uint_eq(len, strlen(want_key));
	ck_assert_int_eq(ebb_place_record(p, &st, place_of(N), &r, &err), -EBB_EINDEX);
	ebb_err_clear(&err);
	r.key = NULL;
	return r;
}

START_TEST(digests_are_put_into_their_records)
{
	struct ebb_index *ix = fresh();
	scan(ix, -1);
	struct ebb_learn_item items[] = {item(2500, EBB_KNOWN_DIGEST), item(3, EBB_KNOWN_SAMPLE),
					 item(0, EBB_KNOWN_DIGEST)};
	ck_assert_msg(ebb_learn_digests(ix, "s", store(ix).generation, items, 3, &err) == 0, "%s", err.msg);
	struct ebb_record r = record(ix, 2500, "k02500");
	ck_assert_uint_eq(r.known & EBB_KNOWN_DIGESTS, EBB_KNOWN_DIGEST);
	ck_assert_int_eq(r.digest[5], 1 + 2500 % 200);
	r = record(ix, 3, "k00003");
	ck_assert_uint_eq(r.known & EBB_KNOWN_DIGESTS, EBB_KNOWN_SAMPLE);
	ck_assert_int_eq(r.digest[0], 4);
	r = record(ix, 4, "k00004");
	ck_assert_uint_eq(r.known & EBB_KNOWN_DIGESTS, 0);
	ck_assert_int_eq(r.digest[0], 0);
	/* a digest takes the place of a sample */
	struct ebb_learn_item again[] = {item(3, EBB_KNOWN_DIGEST)};
	ck_assert_int_eq(ebb_learn_digests(ix, "s", store(ix).generation, again, 1, &err), 0);
	ck_assert_uint_eq(record(ix, 3, "k00003").known & EBB_KNOWN_DIGESTS, EBB_KNOWN_DIGEST);
	ebb_index_close(ix);
}
END_TEST

START_TEST(scans_carry_over_what_was_learned)
{
	struct ebb_index *ix = fresh();
	scan(ix, -1);
	struct ebb_learn_item items[] = {item(10, EBB_KNOWN_DIGEST), item(11, EBB_KNOWN_DIGEST),
					 item(12, EBB_KNOWN_SAMPLE)};
	ck_assert_int_eq(ebb_learn_digests(ix, "s", store(ix).generation, items, 3, &err), 0);
	for (int i = 0; i < 3; i++) {
		scan(ix, 11);
		ck_assert_uint_eq(record(ix, 10, "k00010").known & EBB_KNOWN_DIGESTS, EBB_KNOWN_DIGEST);
		ck_assert_uint_eq(record(ix, 11, "k00011").known & EBB_KNOWN_DIGESTS, 0);
		struct ebb_record r = record(ix, 12, "k00012");
		ck_assert_uint_eq(r.known & EBB_KNOWN_DIGESTS, EBB_KNOWN_SAMPLE);
		ck_assert_int_eq(r.digest[15], 13);
	}
	ebb_index_close(ix);
}
END_TEST

START_TEST(places_of_another_generation_are_refused)
{
	struct ebb_index *ix = fresh();
	scan(ix, -1);
	uint32_t before = store(ix).generation;
	struct ebb_learn_item items[] = {item(1, EBB_KNOWN_DIGEST)};
	scan(ix, 1);
	ck_assert_int_eq(ebb_learn_digests(ix, "s", before, items, 1, &err), -EBB_ESTALE);
	ebb_err_clear(&err);
	/* a scan that has begun may name the blocks, too */
	ebb_merge_abandon(begin(ix), false);
	ck_assert_int_eq(ebb_learn_digests(ix, "s", store(ix).generation, items, 1, &err), -EBB_ESTALE);
	ebb_err_clear(&err);
	scan(ix, 1);
	items[0].place = place_of(N);
	ck_assert_int_eq(ebb_learn_digests(ix, "s", store(ix).generation, items, 1, &err), -EBB_EINVAL);
	ebb_err_clear(&err);
	items[0].place = (uint64_t)99 << 16;
	ck_assert_int_eq(ebb_learn_digests(ix, "s", store(ix).generation, items, 1, &err), -EBB_EINVAL);
	ebb_index_close(ix);
}
END_TEST

EBB_UNIT_MAIN("learn", digests_are_put_into_their_records, scans_carry_over_what_was_learned,
	      places_of_another_generation_are_refused)
