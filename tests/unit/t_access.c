/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/access_in.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/merge.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#define HOUR (INT64_C(3600) * 1000000000)
#define DAY (24 * HOUR)

static struct ebb_index *ix;
static const char *dir;

static void setup(void)
{
	dir = ebb_scratch_new();
	ck_assert_int_eq(ebb_index_open(dir, &(struct ebb_index_opts){.map_size = 1 << 20}, &ix, NULL), 0);
}

/* Reads of @key at @time, one for each id. */
static struct ebb_access_stats read_at(const char *key, int64_t time, uint64_t id)
{
	struct ebb_access_stats stats;
	struct ebb_access_in *in;
	struct ebb_access_read r = {
		.key = key, .key_len = (uint32_t)strlen(key), .time = time, .bytes = 10, .id = id};

	ck_assert_int_eq(ebb_access_in_begin(ix, "s", dir, 0, &in, NULL), 0);
	ck_assert_int_eq(ebb_access_in_read(in, &r, NULL), 0);
	ck_assert_int_eq(ebb_access_in_end(in, &stats, NULL), 0);
	ebb_access_in_free(in);
	return stats;
}

static void scan(const struct ebb_record *r, size_t n)
{
	struct ebb_merge_stats stats;
	struct ebb_merge *m;

	ck_assert_int_eq(ebb_merge_begin(ix, &(struct ebb_merge_opts){.store = "s", .now = 1}, &m, NULL), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(ebb_merge_put(m, &r[i], NULL), 0);
	ck_assert_int_eq(ebb_merge_finish(m, &stats, NULL), 0);
	ck_assert_int_eq(ebb_merge_publish(m, &(struct ebb_merge_facts){.finished = 2}, NULL), 0);
}

static struct ebb_record file(const char *key)
{
	struct ebb_record r = {.key = key, .key_len = (uint32_t)strlen(key)};

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, 1);
	ebb_record_set(&r, EBB_F_MTIME, DAY);
	return r;
}

static struct ebb_record get(const char *key)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *s = NULL;
	struct ebb_index_store st;
	struct ebb_record r;

	ck_assert_int_eq(ebb_snap_open(ix, &s, NULL), 0);
	ck_assert_int_eq(ebb_snap_store(s, "s", &st, NULL), 0);
	ck_assert_int_eq(ebb_snap_get(s, &st, key, &r, NULL), 0);
	return r;
}

START_TEST(evidence_waits_for_keys_and_survives_scans)
{
	struct ebb_record r = file("a");

	setup();
	read_at("a", 100 * DAY, 1);
	ck_assert_int_eq(ebb_access_in_apply(ix, "s", NULL), 0); /* not scanned yet */
	for (int i = 0; i < 2; i++) {
		scan(&r, 1);
		ck_assert_int_eq(get("a").f[EBB_F_EVIDENCE], EBB_EVIDENCE_LOG);
		ck_assert_int_eq(get("a").f[EBB_F_ATIME], 100 * DAY);
		ck_assert_int_eq(get("a").f[EBB_F_READS], 1);
		ck_assert_int_eq(get("a").f[EBB_F_RBYTES], 10);
	}
	read_at("a", 100 * DAY + HOUR, 2);
	ck_assert_int_eq(get("a").f[EBB_F_READS], 1);
	ck_assert_int_eq(ebb_access_in_apply(ix, "s", NULL), 1);
	ck_assert_int_eq(get("a").f[EBB_F_READS], 2);
	ebb_index_close(ix);
}
END_TEST

START_TEST(side_tables_are_no_stores)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *s = NULL;

	setup();
	read_at("a", DAY, 1);
	ck_assert_int_eq(ebb_snap_open(ix, &s, NULL), 0);
	ck_assert_int_eq(ebb_snap_stores(s, NULL, NULL, NULL), 0); /* would call NULL */
}
END_TEST

START_TEST(a_hole_ends_the_window_and_keeps_last_reads)
{
	struct ebb_record r[] = {file("a"), file("b")};
	struct ebb_access_stats st;

	setup();
	scan(r, 2);
	read_at("a", 100 * DAY, 1);
	st = read_at("b", 101 * DAY + HOUR, 2); /* a pause of a day: no hole */
	ck_assert(!st.hole);
	ck_assert_int_eq(st.since, 100 * DAY);
	st = read_at("b", 102 * DAY + 3 * HOUR, 3); /* an hour more */
	ck_assert(st.hole);
	ck_assert_int_eq(st.since, 102 * DAY + 3 * HOUR);
	ck_assert_int_eq(st.until, 102 * DAY + 4 * HOUR);
	ebb_access_in_apply(ix, "s", NULL);
	ck_assert_int_eq(get("a").f[EBB_F_ATIME], 100 * DAY);
	ck_assert_int_eq(get("a").f[EBB_F_READS], 0);
	ck_assert_int_eq(get("a").f[EBB_F_WINDOW], st.since);
	ck_assert_int_eq(get("b").f[EBB_F_READS], 1);
	/* logs from behind the hole come late: dated, not counted */
	st = read_at("a", 100 * DAY + 2 * HOUR, 4);
	ck_assert_int_eq(st.since, 102 * DAY + 3 * HOUR);
	ebb_access_in_apply(ix, "s", NULL);
	ck_assert_int_eq(get("a").f[EBB_F_ATIME], 100 * DAY + 2 * HOUR);
	ck_assert_int_eq(get("a").f[EBB_F_READS], 0);
	ebb_index_close(ix);
}
END_TEST

START_TEST(what_is_too_old_to_be_remembered_is_dated_not_counted)
{
	struct ebb_record r = file("a");
	struct ebb_access_stats st;

	setup();
	scan(&r, 1);
	read_at("b", (200 + EBB_ACCESS_IN_MEMORY) * DAY, 1);
	for (int i = 0; i < 2; i++) {
		st = read_at("a", 199 * DAY, 2);
		ck_assert_int_eq(st.uncounted, 1);
		ck_assert_int_eq(st.counted, 0);
	}
	ebb_access_in_apply(ix, "s", NULL);
	ck_assert_int_eq(get("a").f[EBB_F_ATIME], 199 * DAY);
	ck_assert_int_eq(get("a").f[EBB_F_READS], 0);
	ebb_index_close(ix);
}
END_TEST

START_TEST(better_evidence_stays)
{
	struct ebb_record r[] = {file("atime"), file("recent"), file("tier"), file("tier0")};

	setup();
	for (int i = 0; i < 2; i++) {
		ebb_record_set(&r[i], EBB_F_EVIDENCE, EBB_EVIDENCE_ATIME);
		ebb_record_set(&r[i], EBB_F_ATIME, 50 * DAY + i * 100 * DAY);
	}
	for (int i = 2; i < 4; i++) {
		ebb_record_set(&r[i], EBB_F_EVIDENCE, EBB_EVIDENCE_TIER);
		ebb_record_set(&r[i], EBB_F_UNTIL, 120 * DAY);
		ebb_record_set(&r[i], EBB_F_ATIME, i == 2 ? 90 * DAY : 120 * DAY);
	}
	read_at("atime", 100 * DAY, 1);
	read_at("recent", 100 * DAY, 2);
	read_at("tier", 80 * DAY, 3);
	scan(r, 4);
	ck_assert_int_eq(get("atime").f[EBB_F_EVIDENCE], EBB_EVIDENCE_ATIME);
	ck_assert_int_eq(get("atime").f[EBB_F_ATIME], 100 * DAY);
	ck_assert_int_eq(get("recent").f[EBB_F_ATIME], 150 * DAY);
	ck_assert_int_eq(get("tier").f[EBB_F_EVIDENCE], EBB_EVIDENCE_TIER);
	ck_assert_int_eq(get("tier").f[EBB_F_ATIME], 90 * DAY);
	ck_assert_int_eq(get("tier0").f[EBB_F_EVIDENCE], EBB_EVIDENCE_LOG);
	ck_assert(!(get("tier0").known & EBB_KNOWN(EBB_F_ATIME)));
	read_at("tier", 121 * DAY, 4); /* read after the inventory */
	ebb_access_in_apply(ix, "s", NULL);
	ck_assert_int_eq(get("tier").f[EBB_F_EVIDENCE], EBB_EVIDENCE_LOG);
	ck_assert_int_eq(get("tier").f[EBB_F_ATIME], 121 * DAY);
	ebb_index_close(ix);
}
END_TEST

START_TEST(an_unfinished_scan_is_left_to_its_end)
{
	struct ebb_record r = file("a");
	struct ebb_merge *m;

	setup();
	scan(&r, 1);
	read_at("a", 100 * DAY, 1);
	ck_assert_int_eq(ebb_merge_begin(ix, &(struct ebb_merge_opts){.store = "s", .now = 1}, &m, NULL), 0);
	ebb_merge_abandon(m, false);
	ck_assert_int_eq(ebb_access_in_apply(ix, "s", NULL), 0);
	scan(&r, 1);
	ck_assert_int_eq(get("a").f[EBB_F_READS], 1);
	ebb_index_close(ix);
}
END_TEST

START_TEST(days_keep_their_order_as_keys)
{
	static const int32_t days[] = {-400, -1, 0, 1, 20000};
	char a[EBB_ACCESS_DAY_KEY], b[EBB_ACCESS_DAY_KEY];
	int32_t back;

	for (int i = 0; i < 5; i++) {
		ebb_access_day_key(days[i], a);
		ck_assert(ebb_access_day_of(a, sizeof(a), &back));
		ck_assert_int_eq(back, days[i]);
		if (i)
			ck_assert_int_lt(memcmp(b, a, sizeof(a)), 0);
		memcpy(b, a, sizeof(a));
	}
	ck_assert_int_lt(ebb_record_key_cmp(b, sizeof(b), EBB_ACCESS_WINDOW_KEY, EBB_ACCESS_WINDOW_KEY_LEN), 0);
	ck_assert(!ebb_access_day_of("\0window", 7, &back));
}
END_TEST

EBB_UNIT_MAIN("access", evidence_waits_for_keys_and_survives_scans, side_tables_are_no_stores,
	      a_hole_ends_the_window_and_keeps_last_reads,
	      what_is_too_old_to_be_remembered_is_dated_not_counted, better_evidence_stays,
	      an_unfinished_scan_is_left_to_its_end, days_keep_their_order_as_keys)
