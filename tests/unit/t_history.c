/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/history.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#define DAY EBB_DATE_DAY_NS
#define AT(day) ((day) * DAY + 3600 * INT64_C(1000000000))
#define BEGIN INT64_C(20780) /* 2026-11-23 */

static struct ebb_err err;

static void append(const char *dir, const char *store, int64_t time, int64_t bytes, int64_t research)
{
	const struct ebb_history_row teams[] = {{"research", 1, research, research * 10},
						{"", 1, bytes - research, (bytes - research) * 10}};
	const struct ebb_history_dim dims[] = {{"team", teams, 2}};
	const struct ebb_history_look look = {
		.time = time, .store = store, .currency = "USD", .objects = 2, .bytes = bytes,
		.cost = bytes * 10, .dims = dims, .ndims = 1,
	};
	ck_assert_msg(ebb_history_append(dir, &look, &err) == 0, "%s", err.msg);
}

static struct ebb_history *load(const char *dir, int64_t since, int64_t now)
{
	struct ebb_history *h = NULL;

	ck_assert_msg(ebb_history_load(dir, since, now, &h, &err) == 0, "%s", err.msg);
	return h;
}

static void raw(const char *dir, const char *month, const char *text)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/history/%s.jsonl", dir, month);
	FILE *f = fopen(path, "a");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(days_without_a_look_keep_the_last_state)
{
	const char *dir = ebb_scratch_new();
	struct ebb_history_day *d;

	append(dir, "a", AT(BEGIN), 100, 40);
	append(dir, "b", AT(BEGIN + 1), 7, 7);
	append(dir, "a", AT(BEGIN + 3), 200, 0);
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = load(dir, 0, AT(BEGIN + 5));
	ck_assert_int_eq(ebb_history_series(h, NULL, NULL, NULL, BEGIN + 4, &d, &err), 5);
	static const int64_t bytes[] = {100, 107, 107, 207, 207};
	static const bool carried[] = {false, false, true, false, true};
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(d[i].day, BEGIN + i);
		ck_assert_int_eq(d[i].bytes, bytes[i]);
		ck_assert_int_eq(d[i].cost, bytes[i] * 10);
		ck_assert_int_eq(d[i].carried, carried[i]);
	}
	free(d);
	ck_assert_int_eq(ebb_history_series(h, "a", "team", "research", BEGIN + 4, &d, &err), 5);
	ck_assert_int_eq(d[2].bytes, 40);
	ck_assert_int_eq(d[3].bytes, 0);
	free(d);
	ck_assert_int_eq(ebb_history_series(h, NULL, "store", "b", BEGIN + 4, &d, &err), 5);
	ck_assert_int_eq(d[0].cost, 0);
	ck_assert_int_eq(d[4].cost, 70);
	free(d);
	ck_assert_int_eq(ebb_history_series(h, "c", NULL, NULL, BEGIN + 4, &d, &err), 0);
	ck_assert_ptr_null(d);
}
END_TEST

START_TEST(the_last_look_of_a_day_counts_in_whatever_order)
{
	const char *dir = ebb_scratch_new();
	struct ebb_history_day *d;

	append(dir, "a", AT(BEGIN) + 9, 3, 0);
	append(dir, "a", AT(BEGIN) + 5, 1, 0); /* the clock went back */
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = load(dir, 0, AT(BEGIN + 1));
	ck_assert_uint_eq(ebb_history_count(h), 1);
	ck_assert_int_eq(ebb_history_series(h, NULL, NULL, NULL, BEGIN, &d, &err), 1);
	ck_assert_int_eq(d[0].bytes, 3);
	free(d);
}
END_TEST

START_TEST(months_are_files_and_older_ones_are_not_read)
{
	const char *dir = ebb_scratch_new();

	append(dir, "a", AT(BEGIN - 60), 1, 0);
	append(dir, "a", AT(BEGIN), 2, 0);
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = load(dir, BEGIN - 30, AT(BEGIN));
	ck_assert_uint_eq(ebb_history_count(h), 1);
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *all = load(dir, 0, AT(BEGIN));
	ck_assert_uint_eq(ebb_history_count(all), 2);
	ck_assert_str_eq(ebb_history_get(all, 0)->store, "a");
}
END_TEST

START_TEST(what_cannot_be_read_or_lies_ahead_is_counted)
{
	const char *dir = ebb_scratch_new();

	append(dir, "a", AT(BEGIN), 1, 0);
	append(dir, "a", AT(BEGIN + 400), 9, 0); /* a clock that ran ahead */
	raw(dir, "2026-11", "not json\n{\"schema\":\"ebb.history/9\"}\n{\"schema\":\"ebb.hist");
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = load(dir, 0, AT(BEGIN + 1));
	ck_assert_uint_eq(ebb_history_count(h), 1);
	ck_assert_uint_eq(ebb_history_bad(h), 3);
	ck_assert_uint_eq(ebb_history_future(h), 1);
	/* the torn line is cut off, the others stay */
	append(dir, "a", AT(BEGIN + 1), 5, 0);
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *again = load(dir, 0, AT(BEGIN + 1));
	ck_assert_uint_eq(ebb_history_count(again), 2);
	ck_assert_uint_eq(ebb_history_bad(again), 2);
}
END_TEST

START_TEST(another_currency_is_not_added)
{
	const char *dir = ebb_scratch_new();
	struct ebb_history_day *d;
	struct ebb_history_look look = {
		.time = AT(BEGIN), .store = "old", .currency = "EUR", .objects = 1, .bytes = 5, .cost = 50,
	};

	ck_assert_int_eq(ebb_history_append(dir, &look, &err), 0);
	append(dir, "a", AT(BEGIN + 1), 1, 0);
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = load(dir, 0, AT(BEGIN + 1));
	ck_assert_str_eq(ebb_history_currency(h), "USD");
	ck_assert_int_eq(ebb_history_series(h, NULL, NULL, NULL, BEGIN + 1, &d, &err), 2);
	ck_assert_int_eq(d[1].bytes, 6);
	ck_assert_int_eq(d[1].cost, 10);
	free(d);
}
END_TEST

START_TEST(many_rows_end_in_others)
{
	const char *dir = ebb_scratch_new();
	static struct ebb_history_row rows[EBB_HISTORY_ROWS + 5];
	static char names[EBB_HISTORY_ROWS + 5][16];
	struct ebb_history_dim dim = {"project", rows, EBB_HISTORY_ROWS + 5};
	struct ebb_history_look look = {.time = AT(BEGIN), .store = "s", .currency = "", .dims = &dim, .ndims = 1};

	for (int i = 0; i < EBB_HISTORY_ROWS + 5; i++) {
		snprintf(names[i], sizeof(names[i]), i ? "p%d" : "odd \xff", i);
		rows[i] = (struct ebb_history_row){names[i], 1, 2, 3};
	}
	ck_assert_int_eq(ebb_history_append(dir, &look, &err), 0);
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = load(dir, 0, AT(BEGIN));
	const struct ebb_history_dim *d = ebb_history_get(h, 0)->dims;
	ck_assert_uint_eq(d->n, EBB_HISTORY_ROWS + 1);
	ck_assert_str_eq(d->rows[EBB_HISTORY_ROWS].value, EBB_HISTORY_OTHERS);
	ck_assert_int_eq(d->rows[EBB_HISTORY_ROWS].bytes, 10);
	ck_assert_ptr_nonnull(strstr(d->rows[0].value, "\\xff"));
}
END_TEST

START_TEST(no_history_is_no_error)
{
	const char *dir = ebb_scratch_new();
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = load(dir, 0, AT(BEGIN));

	ck_assert_uint_eq(ebb_history_count(h), 0);
	ck_assert_str_eq(ebb_history_currency(h), "");
}
END_TEST

EBB_UNIT_MAIN("history", days_without_a_look_keep_the_last_state,
	      the_last_look_of_a_day_counts_in_whatever_order, months_are_files_and_older_ones_are_not_read,
	      what_cannot_be_read_or_lies_ahead_is_counted, another_currency_is_not_added,
	      many_rows_end_in_others, no_history_is_no_error)
