/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates by time of day, and the pace that they set, by clocks that the tests move. */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/rates.h"
#include "core/clock.h"
#include "core/units.h"
#include "scanners/pace.h"
#include "scanners/store.h"
#include "tests/support/run_kit.h"
#include "tests/support/unit.h"

static int64_t at(const char *text)
{
	int64_t ns = 0;

	ck_assert_int_eq(ebb_units_parse_time(text, &ns, NULL), 0);
	return ns;
}

START_TEST(the_first_span_that_holds_counts)
{
	struct ebb_rates r;
	struct ebb_err err = {0};

	setenv("TZ", "UTC", 1);
	ck_assert_msg(ebb_rates_parse("08:00-18:00 50MB/s; Sat,Sun 200MiB/s ;otherwise 1GB/s", true, &r, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(r.n, 3);
	ck_assert_int_eq(ebb_rates_at(&r, at("2026-11-27T09:00:00Z")), 50000000);
	ck_assert_int_eq(ebb_rates_at(&r, at("2026-11-28T09:00:00Z")), 50000000);
	ck_assert_int_eq(ebb_rates_at(&r, at("2026-11-28T19:00:00Z")), 200 * 1024 * 1024);
	ck_assert_int_eq(ebb_rates_at(&r, at("2026-11-27T19:00:00Z")), 1000000000);
	ck_assert_int_eq(ebb_rates_parse("Mon-Fri 08:00-18:00 20/s", false, &r, &err), 0);
	ck_assert_int_eq(ebb_rates_at(&r, at("2026-11-27T09:00:00Z")), 20);
	ck_assert_int_eq(ebb_rates_at(&r, at("2026-11-28T09:00:00Z")), 0);
	ck_assert_int_eq(ebb_rates_parse("7/s", false, &r, &err), 0);
	ck_assert_int_eq(ebb_rates_at(&r, 0), 7);
}
END_TEST

START_TEST(what_is_no_rate_is_refused)
{
	static const char *const wrong[] = {"", ";", "50MB", "50MB/h", "0/s", "-1/s", "x 50MB/s", "25:00-26:00 50MB/s", "otherwise",
					    "1MB/s; 2MB/s", "otherwise 1MB/s; 08:00-09:00 2MB/s", "1MB/s;"};
	struct ebb_rates r = {.n = 77};
	struct ebb_err err = {0};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		ck_assert_msg(ebb_rates_parse(wrong[i], true, &r, &err) == -EBB_ECONFIG, "'%s' was taken", wrong[i]);
		ck_assert_uint_eq(r.n, 77);
		ebb_err_clear(&err);
	}
	ck_assert_int_eq(ebb_rates_parse("50MB/s", false, &r, &err), -EBB_ECONFIG);
}
END_TEST

/* A machine whose time passes only while somebody waits. */
struct machine {
	_Atomic int64_t now, waited;	/* workers wait at the same time */
	int64_t rate;
	atomic_uint waits;
};

static int64_t now(void *ctx)
{
	return ((struct machine *)ctx)->now;
}

static void wait(void *ctx, int64_t ns)
{
	struct machine *m = ctx;

	m->now += ns;
	m->waited += ns;
	m->waits++;
}

static int64_t rate(void *ctx, int64_t wall)
{
	const struct machine *m = ctx;

	return wall < 1000 * EBB_CLOCK_SECOND ? m->rate : 0;
}

START_TEST(bytes_come_no_faster_than_the_rate)
{
	struct machine m = {.now = 100 * EBB_CLOCK_SECOND, .rate = 1000};
	const struct ebb_pace_time time = {now, now, wait, &m};
	struct ebb_pace *p = ebb_pace_new(rate, NULL, &m, &time);

	for (int i = 0; i < 100; i++)
		ebb_pace_bytes(p, 100);
	/* 10,000 bytes at 1,000 a second; the first second's share was there already */
	ck_assert_int_eq(m.waited, 9 * EBB_CLOCK_SECOND);
	m.now += 50 * EBB_CLOCK_SECOND; /* what was not used is not saved up for longer than a second */
	m.waited = 0;
	ebb_pace_bytes(p, 1000);
	ck_assert_int_eq(m.waited, 0);
	ebb_pace_bytes(p, 1000);
	ck_assert_int_eq(m.waited, EBB_CLOCK_SECOND);
	m.now = 2000 * EBB_CLOCK_SECOND; /* without a limit by the clock */
	m.waited = 0;
	ebb_pace_bytes(p, 1000000000);
	ebb_pace_request(p);
	ck_assert_int_eq(m.waited, 0);
	ebb_pace_free(p);
	ebb_pace_bytes(NULL, 1);
	ebb_pace_request(NULL);
}
END_TEST

/* Every store that is opened with a pace keeps it: bytes that are read, operations on objects of buckets. */
START_TEST(stores_keep_the_pace)
{
	struct machine m = {.now = EBB_CLOCK_SECOND, .rate = 5};
	const struct ebb_pace_time time = {now, now, wait, &m};
	struct ebb_pace *bytes = ebb_pace_new(rate, NULL, &m, &time), *requests = ebb_pace_new(NULL, rate, &m, &time);
	struct ebb_store_config cfg = {.name = "s", .type = "memory-bucket", .pace = requests};
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	struct ebb_store *s, *t;
	struct ebb_store_writer *w;
	struct ebb_store_reader *r;
	struct ebb_record rec;
	struct ebb_err err = {0};
	char buf[100];

	ck_assert_int_eq(ebb_store_open(&cfg, &s, &err), 0);
	for (int i = 0; i < 25; i++)
		ck_assert_int_eq(ebb_store_head(s, "o", &rec, NULL), -EBB_ENOENT);
	ck_assert_int_eq(m.waited, 4 * EBB_CLOCK_SECOND);
	ebb_store_close(s);
	cfg.pace = bytes;
	m.waited = 0;
	ck_assert_int_eq(ebb_store_open(&cfg, &t, &err), 0);
	ck_assert_int_eq(ebb_store_write_open(t, "o", &opts, &w, &err), 0);
	ck_assert_int_eq(ebb_store_write(w, "0123456789", 10, &err), 0);
	ck_assert_int_eq(ebb_store_write_commit(w, NULL, 0, &rec, &err), 0);
	ck_assert_int_eq(m.waited, 0);
	ck_assert_int_eq(ebb_store_read_open(t, "o", NULL, &r, &err), 0);
	ck_assert_int_eq(ebb_store_read(r, buf, sizeof(buf), &err), 10);
	ck_assert_int_eq(m.waited, EBB_CLOCK_SECOND);
	ck_assert_int_eq(ebb_store_read_range(t, "o", NULL, 0, buf, 5, &err), 0);
	ck_assert_int_eq(m.waited, 2 * EBB_CLOCK_SECOND);
	ebb_store_read_close(r);
	ebb_store_close(t);
	ebb_pace_free(bytes);
	ebb_pace_free(requests);
}
END_TEST

/* What the reads of a run waited that began at a time, by a machine that may read 1,000 bytes a second until second 1,000, then as it likes. */
static int64_t paced(int64_t begin)
{
	struct machine m = {.now = begin, .rate = 1000};
	const struct ebb_pace_time time = {now, now, wait, &m};
	struct ebb_pace *pace = ebb_pace_new(rate, NULL, &m, &time);
	struct ebb_storeset *set = ebb_storeset_new(NULL);
	struct ebb_run_kit k;
	struct ebb_apply_done done;
	struct ebb_err err = {0};
	char path[2][8192];

	ebb_run_kit_init(&k);
	for (int i = 0; i < 2; i++) {
		struct ebb_store_config cfg = {.name = i ? "b" : "a", .type = "fs", .path = path[i], .pace = pace};
		struct ebb_store *s;

		snprintf(path[i], sizeof(path[i]), "%s/%s", k.dir, cfg.name);
		ck_assert_msg(ebb_store_open(&cfg, &s, &err) == 0 && ebb_storeset_add(set, s, &err) == 0, "%s", err.msg);
	}
	ck_assert_msg(ebb_run_kit_apply(&k, set, NULL, &done, &err) == 0, "%s", err.msg);
	ck_assert(done.complete && done.run.done == k.actions);
	ebb_storeset_free(set);
	ebb_run_kit_release(&k);
	ebb_pace_free(pace);
	return m.waited;
}

START_TEST(a_run_keeps_the_timetable)
{
	int64_t morning = paced(EBB_CLOCK_SECOND), noon = paced(995 * EBB_CLOCK_SECOND);

	/* 70,000 bytes go to the other store, the first second's share at once */
	ck_assert_int_ge(morning, 69 * EBB_CLOCK_SECOND);
	ck_assert_int_eq(paced(1000 * EBB_CLOCK_SECOND), 0);
	/* whoever read a piece before noon may wait past it; then nobody does */
	ck_assert(noon >= 4 * EBB_CLOCK_SECOND && noon < morning);
}
END_TEST

EBB_UNIT_MAIN("rates", the_first_span_that_holds_counts, what_is_no_rate_is_refused, bytes_come_no_faster_than_the_rate, stores_keep_the_pace,
	      a_run_keeps_the_timetable)
