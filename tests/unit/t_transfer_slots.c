/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time until a deadline cut into slots: by windows, rates, bandwidth and what sleeps. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/transfer_slots.h"
#include "core/clock.h"
#include "core/units.h"
#include "tests/support/unit.h"

#define HOUR (INT64_C(3600) * EBB_CLOCK_SECOND)
#define STORES "version: 1\nstores:\n  a: {type: fs, path: /a}\n  b: {type: fs, path: /b}\n  c: {type: fs, path: /c}\nrules: []\n"

static struct ebb_arena arena;
static struct ebb_config *config;

/* Friday noon; @left hours until the deadline. */
static struct ebb_transfer_slots slots(const char *more, int64_t left, size_t nthaws, int64_t first, int64_t second)
{
	struct ebb_transfer_slots_ask ask = {.left = left * HOUR, .thaws = {first, second}, .nthaws = nthaws};
	struct ebb_transfer_slots s;
	struct ebb_err err = {0};
	FILE *f = fopen("c.yaml", "w");

	setenv("TZ", "UTC", 1);
	ck_assert_ptr_nonnull(f);
	fprintf(f, "%s%s", STORES, more);
	fclose(f);
	ck_assert_int_eq(ebb_units_parse_time("2026-11-27T12:00:00Z", &ask.now, NULL), 0);
	ck_assert_msg(ebb_config_load("c.yaml", ask.now, &config, &err) == 0, "%s", err.msg);
	ask.config = config;
	ebb_arena_init(&arena, 0);
	ck_assert_int_eq(ebb_transfer_slots(&ask, &arena, &s, &err), 0);
	return s;
}

static void done(void)
{
	ebb_arena_release(&arena);
	ebb_config_free(config);
}

/* Of stores by number. */
static int64_t room(const struct ebb_transfer_slots *s, size_t slot, size_t from, size_t to)
{
	return s->v[slot].room[from * 3 + to];
}

START_TEST(without_a_deadline_only_thawing_takes_time)
{
	struct ebb_transfer_slots s = slots("", 0, 0, 0, 0);

	ck_assert_uint_eq(s.n, 0);
	done();
	s = slots("links:\n  - {from: a, to: b, rate: 1MB}\n", 0, 2, 12, 48);
	ck_assert_uint_eq(s.n, 3);
	ck_assert_str_eq(s.v[1].id, "after 12 h");
	ck_assert(s.v[0].seconds == 12 * 3600 && s.v[1].seconds == 36 * 3600 && s.v[2].seconds == EBB_XFER_BOOK_ENDLESS);
	ck_assert(!s.v[0].room && s.bytes < 0);
	done();
}
END_TEST

START_TEST(slots_begin_where_links_open_and_close)
{
	struct ebb_transfer_slots s = slots("links:\n"
					    "  - {from: a, to: b, rate: 1MB, window: '20:00-06:00'}\n"
					    "  - {from: b, to: c, window: '08:00-18:00'}\n", 24, 0, 0, 0);

	/* until 18:00, 20:00, 06:00, 08:00 and noon */
	ck_assert_uint_eq(s.n, 5);
	ck_assert_str_eq(s.v[0].id, "2026-11-27 12:00");
	ck_assert_str_eq(s.v[2].id, "2026-11-27 20:00");
	ck_assert_str_eq(s.v[4].id, "2026-11-28 08:00");
	ck_assert(s.v[2].seconds == 10 * 3600 && s.open == 24 * 3600 && !s.merged);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(room(&s, i, 0, 1), i == 2 ? INT64_C(36000000000) : 0);
		ck_assert_int_eq(room(&s, i, 1, 2), i == 0 || i == 4 ? -1 : 0);
		ck_assert_int_eq(room(&s, i, 0, 2), -1);
	}
	done();
}
END_TEST

START_TEST(what_no_run_may_use_is_no_slot)
{
	/* eight hours of two nights; all links open and close together, so it is one slot */
	struct ebb_transfer_slots s = slots("limits: {window: '22:00-02:00'}\nlinks:\n  - {from: a, to: b, rate: 1MB}\n", 48, 0, 0, 0);

	ck_assert_uint_eq(s.n, 1);
	ck_assert_str_eq(s.v[0].id, "until the deadline");
	ck_assert(s.open == 8 * 3600 && s.v[0].seconds == 48 * 3600);
	ck_assert_int_eq(room(&s, 0, 0, 1), INT64_C(28800000000));
	done();
	/* what is thawed at 14:00 finds the rest of the window */
	s = slots("limits: {window: '12:00-15:00'}\nlinks:\n  - {from: a, to: b, rate: 1MB}\n", 8, 1, 2, 0);
	ck_assert_uint_eq(s.n, 2);
	ck_assert_int_eq(room(&s, 0, 0, 1), INT64_C(7200000000));
	ck_assert_int_eq(room(&s, 1, 0, 1), INT64_C(3600000000));
	done();
	s = slots("limits: {window: 'Mon'}\n", 8, 0, 0, 0);
	ck_assert_int_eq(s.open, 0);
	done();
}
END_TEST

START_TEST(the_machine_may_be_slower_than_a_link)
{
	struct ebb_transfer_slots s = slots("limits: {bandwidth: '12:00-18:00 1MB/s; otherwise 5MB/s'}\nlinks:\n  - {from: a, to: b, rate: 2MB}\n", 12,
					    0, 0, 0);

	ck_assert_uint_eq(s.n, 1);
	ck_assert_int_eq(room(&s, 0, 0, 1), INT64_C(64800000000));	/* six hours of 1, six of 2 */
	ck_assert_int_eq(room(&s, 0, 1, 0), INT64_C(129600000000));
	ck_assert_int_eq(s.bytes, INT64_C(129600000000));
	done();
	s = slots("limits: {bandwidth: '12:00-18:00 1MB/s'}\n", 12, 0, 0, 0);
	ck_assert_int_eq(s.bytes, -1);
	done();
}
END_TEST

START_TEST(there_are_not_too_many)
{
	struct ebb_transfer_slots s = slots("links:\n  - {from: a, to: b, rate: 1MB, window: '20:00-06:00'}\n", 24 * 300, 1, 48, 0);
	int64_t bytes = 0, seconds = 0;

	ck_assert(s.merged && s.n <= EBB_TRANSFER_SLOTS_MAX);
	for (size_t i = 0; i < s.n; i++) {
		bytes += room(&s, i, 0, 1);
		seconds += s.v[i].seconds;
	}
	ck_assert_int_eq(bytes, INT64_C(300) * 36000 * 1000000);
	ck_assert_int_eq(seconds, INT64_C(300) * 86400);
	done();
}
END_TEST

EBB_UNIT_MAIN("transfer_slots", without_a_deadline_only_thawing_takes_time, slots_begin_where_links_open_and_close,
	      what_no_run_may_use_is_no_slot, the_machine_may_be_slower_than_a_link, there_are_not_too_many)
