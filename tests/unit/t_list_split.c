/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where ranges of keys are cut; that no cut loses a key is for p_list. */
#include <check.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "scanners/list_split.h"
#include "tests/support/unit.h"

#define LAST EBB_LIST_SPLIT_LAST

static struct ebb_list_split_seen none;

/* Cuts of a range, each followed by a space, with ^ for what sorts behind every character. */
static void expect_cuts(const struct ebb_list_split *s, const char *want)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf got = EBB_BUF_INIT(1 << 16);
	char at[16][EBB_LIST_SPLIT_MAX];
	size_t n = ebb_list_split(s, EBB_ARRAY_LEN(at) - 1, at);

	ck_assert_int_eq(ebb_buf_adds(&got, ""), 0);
	for (size_t i = 0; i < n; i++) {
		char *last = strstr(at[i], LAST);

		if (last)
			strcpy(last, "^");
		ck_assert_int_eq(ebb_buf_addf(&got, "%s ", at[i]), 0);
	}
	ck_assert_str_eq(got.data, want);
}

START_TEST(at_first_all_numbers_are_asked_about)
{
	expect_cuts(&(struct ebb_list_split){.begin = "", .first = "lake/team-0/project-0/run-000", .last = "lake/team-0/project-0/run-019",
					     .bytes = &none, .words = &none},
		    "lake/team-0/project-0^ lake/team-0^ lake/team^ lake^ ");
}
END_TEST

START_TEST(names_that_stay_are_not_asked_about)
{
	struct ebb_list_split_seen seen = {0};

	ebb_list_split_learn(&seen, "lake/team-0" LAST, "lake/team-1/project-0/run-000");
	ebb_list_split_learn(&seen, "lake/team-1", "lake/team-1/project-0/run-000");	/* no news */
	expect_cuts(&(struct ebb_list_split){.begin = "", .first = "lake/team-0/project-0/run-000", .last = "lake/team-0/project-0/run-019",
					     .end = "lake" LAST, .bytes = &seen, .words = &seen},
		    "lake/team-0^ ");
}
END_TEST

START_TEST(numbers_are_cut_at_their_own_length)
{
	struct ebb_list_split_seen seen = {0};

	ebb_list_split_learn(&seen, "p-1/a", "p-2/a");
	expect_cuts(&(struct ebb_list_split){.begin = "p-0" LAST, .first = "p-1/a", .last = "p-1/z", .end = "p-9", .bytes = &seen,
					     .words = &seen},
		    "p-1^ p-3 p-6 ");
}
END_TEST

START_TEST(places_that_are_the_same_are_cut_once)
{
	struct ebb_list_split_seen seen = {0};

	ebb_list_split_learn(&seen, "p-1/a", "p-2/a");
	expect_cuts(&(struct ebb_list_split){.begin = "p-0" LAST, .first = "p-1/a", .last = "p-1/z", .end = "p-4", .bytes = &seen,
					     .words = &seen},
		    "p-1^ p-3 ");
}
END_TEST

START_TEST(a_page_tells_how_much_is_left)
{
	struct ebb_list_split_seen seen = {0};

	ebb_list_split_learn(&seen, "o-000", "o-001");
	ebb_list_split_learn(&seen, "o-009", "o-010");
	expect_cuts(&(struct ebb_list_split){.begin = "", .first = "o-050", .last = "o-149", .end = "o-999", .bytes = &seen, .words = &seen},
		    "o-432 o-715 ");
}
END_TEST

EBB_UNIT_MAIN("list_split", at_first_all_numbers_are_asked_about, names_that_stay_are_not_asked_about, numbers_are_cut_at_their_own_length,
	      places_that_are_the_same_are_cut_once, a_page_tells_how_much_is_left)
