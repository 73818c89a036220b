/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/record.h"

#include <string.h>

#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
static const int64_t now = 20000 * DAY;

static struct ebb_record at(enum ebb_evidence e, int64_t atime_days, int64_t mtime_days)
{
	struct ebb_record r = {.key = "k", .key_len = 1};
	ebb_record_set(&r, EBB_F_EVIDENCE, e);
	ebb_record_set(&r, EBB_F_ATIME, now - atime_days * DAY);
	ebb_record_set(&r, EBB_F_MTIME, now - mtime_days * DAY);
	return r;
}

static void is(struct ebb_record r, int64_t lo_days, int64_t hi_days)
{
	struct ebb_span s = ebb_record_idle(&r, now);
	ck_assert_int_eq(s.lo, lo_days * DAY);
	ck_assert_int_eq(s.hi, hi_days < 0 ? INT64_MAX : hi_days * DAY);
}

START_TEST(idle_is_as_sure_as_its_evidence)
{
	is(at(EBB_EVIDENCE_ATIME, 40, 90), 40, 40);
	is(at(EBB_EVIDENCE_ATIME, 90, 40), 40, 40); /* a write is an access */
	is(at(EBB_EVIDENCE_RELATIME, 40, 90), 39, 40);
	is(at(EBB_EVIDENCE_RELATIME, 0, 90), 0, 0);
	is(at(EBB_EVIDENCE_MTIME, 40, 90), 0, 90);
	is(at(EBB_EVIDENCE_NONE, 40, 90), 0, -1);
	is(at(EBB_EVIDENCE_ATIME, -5, 90), 0, 0); /* the future is now */
}
END_TEST

START_TEST(the_window_limits_what_is_sure)
{
	struct ebb_record r = at(EBB_EVIDENCE_ATIME, 40, 90);
	ebb_record_set(&r, EBB_F_WINDOW, now - 10 * DAY);
	is(r, 10, 40);
	ebb_record_set(&r, EBB_F_WINDOW, now - 60 * DAY);
	is(r, 40, 40);
}
END_TEST

START_TEST(less_knowledge_never_means_more_idle)
{
	for (int e = EBB_EVIDENCE_NONE; e < EBB_EVIDENCE_COUNT; e++) {
		struct ebb_record r = at((enum ebb_evidence)e, 40, 30), less;
		int64_t lo = ebb_record_idle(&r, now).lo;
		static const enum ebb_field drop[] = {EBB_F_EVIDENCE, EBB_F_ATIME, EBB_F_MTIME};
		for (size_t i = 0; i < 3; i++) {
			less = r;
			less.known &= ~EBB_KNOWN(drop[i]);
			less.f[drop[i]] = 0;
			ck_assert_int_le(ebb_record_idle(&less, now).lo, lo);
		}
	}
}
END_TEST

START_TEST(extreme_times_do_not_overflow)
{
	struct ebb_record r = at(EBB_EVIDENCE_ATIME, 0, 0);
	ebb_record_set(&r, EBB_F_ATIME, INT64_MIN);
	ebb_record_set(&r, EBB_F_MTIME, INT64_MIN);
	ck_assert_int_eq(ebb_record_idle(&r, INT64_MAX).hi, INT64_MAX);
	ebb_record_set(&r, EBB_F_MTIME, INT64_MAX);
	ck_assert_int_eq(ebb_record_idle(&r, INT64_MIN).hi, 0);
}
END_TEST

START_TEST(keys_compare_as_bytes)
{
	ck_assert_int_lt(ebb_record_key_cmp("a", 1, "ab", 2), 0);
	ck_assert_int_gt(ebb_record_key_cmp("\xff", 1, "a", 1), 0);
	ck_assert_int_eq(ebb_record_key_cmp("ab", 2, "ab", 2), 0);
	ck_assert(ebb_record_key_has_prefix("a/b", 3, "a/", 2));
	ck_assert(!ebb_record_key_has_prefix("a", 1, "a/", 2));
}
END_TEST

START_TEST(content_is_the_same_as_far_as_both_know)
{
	struct ebb_record a = at(EBB_EVIDENCE_ATIME, 1, 2), b = a;
	ebb_record_set(&a, EBB_F_SIZE, 5);
	ck_assert(ebb_record_same_content(&a, &b)); /* b does not know its size */
	ebb_record_set(&b, EBB_F_SIZE, 6);
	ck_assert(!ebb_record_same_content(&a, &b));
	ebb_record_set(&b, EBB_F_SIZE, 5);
	b.f[EBB_F_ATIME]++; /* reading is no change */
	ck_assert(ebb_record_same_content(&a, &b));
	b.f[EBB_F_MTIME]++;
	ck_assert(!ebb_record_same_content(&a, &b));
}
END_TEST

START_TEST(names_are_stable)
{
	for (int f = 0; f < EBB_F_COUNT; f++)
		ck_assert_str_ne(ebb_record_field_name((enum ebb_field)f), "unknown");
	ck_assert_str_eq(ebb_record_kind_name(EBB_KIND_SYMLINK), "symlink");
	ck_assert_str_eq(ebb_record_kind_name(99), "unknown");
	ck_assert_str_eq(ebb_record_evidence_name(EBB_EVIDENCE_RELATIME), "relatime");
	ck_assert_str_eq(ebb_record_evidence_name(-1), "unknown");
}
END_TEST

EBB_UNIT_MAIN("record", idle_is_as_sure_as_its_evidence, the_window_limits_what_is_sure,
	      less_knowledge_never_means_more_idle, extreme_times_do_not_overflow,
	      keys_compare_as_bytes, content_is_the_same_as_far_as_both_know, names_are_stable)
