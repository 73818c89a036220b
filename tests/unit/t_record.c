/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/record.h"

#include <string.h>

#include "core/mem.h"
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
	struct ebb_span s = ebb_record_idle(&r, now, EBB_TRUST_CERTAIN);
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
		int64_t lo = ebb_record_idle(&r, now, EBB_TRUST_CERTAIN).lo;
		static const enum ebb_field drop[] = {EBB_F_EVIDENCE, EBB_F_ATIME, EBB_F_MTIME};
		for (size_t i = 0; i < 3; i++) {
			less = r;
			less.known &= ~EBB_KNOWN(drop[i]);
			less.f[drop[i]] = 0;
			ck_assert_int_le(ebb_record_idle(&less, now, EBB_TRUST_CERTAIN).lo, lo);
		}
	}
}
END_TEST

START_TEST(extreme_times_do_not_overflow)
{
	struct ebb_record r = at(EBB_EVIDENCE_ATIME, 0, 0);
	ebb_record_set(&r, EBB_F_ATIME, INT64_MIN);
	ebb_record_set(&r, EBB_F_MTIME, INT64_MIN);
	ck_assert_int_eq(ebb_record_idle(&r, INT64_MAX, EBB_TRUST_CERTAIN).hi, INT64_MAX);
	ebb_record_set(&r, EBB_F_MTIME, INT64_MAX);
	ck_assert_int_eq(ebb_record_idle(&r, INT64_MIN, EBB_TRUST_CERTAIN).hi, 0);
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

START_TEST(tiers_bound_from_below_and_logs_prove_nothing)
{
	struct ebb_record r = {0};

	ebb_record_set(&r, EBB_F_MTIME, now - 90 * DAY);
	ebb_record_set(&r, EBB_F_ATIME, now - 30 * DAY);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_TIER);
	struct ebb_span idle = ebb_record_idle(&r, now, EBB_TRUST_CERTAIN);
	ck_assert_int_eq(idle.lo, 30 * DAY);
	ck_assert_int_eq(idle.hi, 90 * DAY);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_LOG);
	idle = ebb_record_idle(&r, now, EBB_TRUST_CERTAIN);
	ck_assert_int_eq(idle.lo, 0);
	ck_assert_int_eq(idle.hi, 30 * DAY);
}
END_TEST

START_TEST(logs_make_likely_what_they_covered)
{
	struct ebb_record r = at(EBB_EVIDENCE_LOG, 40, 90);
	struct ebb_span s;

	ebb_record_set(&r, EBB_F_WINDOW, now - 60 * DAY);
	ebb_record_set(&r, EBB_F_UNTIL, now - DAY);
	s = ebb_record_idle(&r, now, EBB_TRUST_LIKELY);
	ck_assert_int_eq(s.lo, 39 * DAY);
	ck_assert_int_eq(s.hi, 40 * DAY);
	ebb_record_set(&r, EBB_F_WINDOW, now - 20 * DAY); /* a hole: what was before it counts no more */
	ck_assert_int_eq(ebb_record_idle(&r, now, EBB_TRUST_LIKELY).lo, 19 * DAY);
	r.known &= ~EBB_KNOWN(EBB_F_ATIME); /* never read in the window */
	r.f[EBB_F_ATIME] = 0;
	s = ebb_record_idle(&r, now, EBB_TRUST_LIKELY);
	ck_assert_int_eq(s.lo, 19 * DAY);
	ck_assert_int_eq(s.hi, 90 * DAY);
	ck_assert_int_eq(ebb_record_idle(&r, now, EBB_TRUST_CERTAIN).lo, 0);
	ebb_record_set(&r, EBB_F_UNTIL, now - 4 * DAY); /* ended too long ago */
	ck_assert_int_eq(ebb_record_idle(&r, now, EBB_TRUST_LIKELY).lo, 0);
}
END_TEST

START_TEST(hidden_keys_stand_behind_their_key_newest_first)
{
	char older[EBB_KEY_MAX], newer[EBB_KEY_MAX];
	size_t o = ebb_record_hidden_key("a/b", 3, -5, "v1", older);
	size_t n = ebb_record_hidden_key("a/b", 3, 7 * DAY, "v0", newer);
	size_t len;

	ck_assert_uint_eq(o, 3 + 1 + 16 + 2);
	ck_assert_int_lt(ebb_record_key_cmp("a/b", 3, newer, n), 0);
	ck_assert_int_lt(ebb_record_key_cmp(newer, n, older, o), 0);
	ck_assert_int_lt(ebb_record_key_cmp(older, o, "a/b\x01", 4), 0);
	ck_assert_uint_eq(ebb_record_plain_len(older, o), 3);
	ck_assert_uint_eq(ebb_record_plain_len("a/b", 3), 3);
	ck_assert_mem_eq(ebb_record_hidden_id(older, o, &len), "v1", 2);
	ck_assert_uint_eq(len, 2);
	ck_assert_ptr_null(ebb_record_hidden_id("a/b", 3, &len));
}
END_TEST

START_TEST(entity_tags_come_back_as_they_were)
{
	static const char *const exact[] = {"9bb58f26192e4ba00f01e2e7b136bbd8",
					    "9bb58f26192e4ba00f01e2e7b136bbd8-1",
					    "00000000000000000000000000000000-10000"};
	static const char *const opaque[] = {"", "x", "9bb58f26192e4ba00f01e2e7b136bbd",
					     "9bb58f26192e4ba00f01e2e7b136bbd8-", "0x8D4BCC2E4835CD0",
					     "9bb58f26192e4ba00f01e2e7b136bbd8-01"};
	char text[EBB_RECORD_ETAG_TEXT];

	for (size_t i = 0; i < EBB_ARRAY_LEN(exact); i++) {
		struct ebb_record r = {0};

		ebb_record_etag(&r, exact[i], strlen(exact[i]));
		ck_assert(ebb_record_etag_text(&r, text));
		ck_assert_str_eq(text, exact[i]);
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(opaque); i++) {
		struct ebb_record r = {0}, other = {0};

		ebb_record_etag(&r, opaque[i], strlen(opaque[i]));
		ck_assert(!ebb_record_etag_text(&r, text));
		ebb_record_etag(&other, opaque[(i + 1) % EBB_ARRAY_LEN(opaque)],
				strlen(opaque[(i + 1) % EBB_ARRAY_LEN(opaque)]));
		ck_assert(!ebb_record_same_content(&r, &other));
	}
}
END_TEST

START_TEST(class_codes_are_fnv)
{
	/* vectors of draft-eastlake-fnv */
	ck_assert_int_eq(ebb_record_class_code(""), 0x811c9dc5);
	ck_assert_int_eq(ebb_record_class_code("a"), 0xe40c292c);
	ck_assert_int_eq(ebb_record_class_code("foobar"), 0xbf9cf968);
}
END_TEST

EBB_UNIT_MAIN("record", idle_is_as_sure_as_its_evidence, the_window_limits_what_is_sure,
	      less_knowledge_never_means_more_idle, extreme_times_do_not_overflow,
	      keys_compare_as_bytes, content_is_the_same_as_far_as_both_know, names_are_stable,
	      tiers_bound_from_below_and_logs_prove_nothing, logs_make_likely_what_they_covered,
	      hidden_keys_stand_behind_their_key_newest_first, entity_tags_come_back_as_they_were,
	      class_codes_are_fnv)
