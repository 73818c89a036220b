/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/replay.h"

#include <stdio.h>

#include "tests/support/scratch.h"
#include "tests/support/unit.h"

static char path[4096];

/* A journal of a run with these records behind its first. */
static void write_journal(const struct ebb_journal_rec *recs, size_t n)
{
	const struct ebb_journal_rec first = {
		.type = EBB_JOURNAL_RUN, .id = "20260101T000000Z-abc", .plan = "abc", .actions = 3,
	};
	struct ebb_journal *j = NULL;
	struct ebb_err err = {0};

	snprintf(path, sizeof(path), "%s/journal", ebb_scratch_new());
	ck_assert_msg(ebb_journal_create(path, &first, &j, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(ebb_journal_put(j, &recs[i], &err) == 0, "%s", err.msg);
	ebb_journal_close(j);
}

/* Removed by somebody before the run left it: there was no time to note, and the run must go on all the same. */
START_TEST(a_directory_that_vanished_is_not_open_behind_an_end)
{
	const struct ebb_journal_rec recs[] = {
		{.type = EBB_JOURNAL_WINDOW, .way = EBB_OP_APPLY, .count = 0, .ts = 1},
		{.type = EBB_JOURNAL_DIR, .store = "a", .path = "gone/", .mtime = 5, .atime = 6},
		{.type = EBB_JOURNAL_END, .way = EBB_OP_APPLY, .outcome = "stopped", .ts = 2},
	};
	EBB_CLEANUP(ebb_replay_release) struct ebb_replay r = {0};
	struct ebb_err err = {0};

	write_journal(recs, 3);
	ck_assert_msg(ebb_replay_run(path, &r, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(r.ndirs, 0);
	ck_assert_int_eq(r.next, 1);
}
END_TEST

/* Without an end the directory is open, and recovery looks after it. */
START_TEST(a_directory_is_open_until_it_was_left)
{
	const struct ebb_journal_rec recs[] = {
		{.type = EBB_JOURNAL_WINDOW, .way = EBB_OP_APPLY, .count = 0, .ts = 1},
		{.type = EBB_JOURNAL_DIR, .store = "a", .path = "d/", .mtime = 5, .atime = 6},
		{.type = EBB_JOURNAL_DIR, .store = "a", .path = "e/", .mtime = 7, .atime = 8},
		{.type = EBB_JOURNAL_LEFT, .store = "a", .path = "d/", .mtime = 9, .atime = 9},
	};
	EBB_CLEANUP(ebb_replay_release) struct ebb_replay r = {0};
	struct ebb_err err = {0};

	write_journal(recs, 4);
	ck_assert_msg(ebb_replay_run(path, &r, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(r.ndirs, 1);
	ck_assert_str_eq(r.dirs[0].path, "e/");
}
END_TEST

EBB_UNIT_MAIN("replay", a_directory_that_vanished_is_not_open_behind_an_end,
	      a_directory_is_open_until_it_was_left)
