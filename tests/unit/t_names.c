/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/names.h"

#include <stdio.h>
#include <string.h>

#include "core/merge.h"
#include "core/snap.h"
#include "tests/support/unit.h"

START_TEST(a_name_has_one_code_and_a_code_one_name)
{
	EBB_CLEANUP(ebb_names_freep) struct ebb_names *n = ebb_names_new();
	int64_t code = 0, again = 0;

	ck_assert_int_eq(ebb_names_add(n, "STANDARD_IA", &code, NULL), 1);
	ck_assert_int_eq(code, ebb_record_class_code("STANDARD_IA"));
	ck_assert_int_eq(ebb_names_add(n, "STANDARD_IA", &again, NULL), 0);
	ck_assert_int_eq(code, again);
	ck_assert_str_eq(ebb_names_get(n, code), "STANDARD_IA");
	ck_assert_ptr_null(ebb_names_get(n, code + 1));
	ck_assert_ptr_null(ebb_names_get(NULL, code));
}
END_TEST

/* Two of the known 32-bit FNV-1a collisions. */
START_TEST(a_collision_is_refused)
{
	EBB_CLEANUP(ebb_names_freep) struct ebb_names *n = ebb_names_new();
	struct ebb_err err = {0};
	int64_t code = 7;

	ck_assert_int_eq(ebb_record_class_code("costarring"), ebb_record_class_code("liquid"));
	ck_assert_int_eq(ebb_names_add(n, "costarring", &code, &err), 1);
	code = 7;
	ck_assert_int_eq(ebb_names_add(n, "liquid", &code, &err), -EBB_EINVAL);
	ck_assert_int_eq(code, 7);
	ck_assert_ptr_nonnull(strstr(err.msg, "'costarring' and 'liquid'"));
}
END_TEST

START_TEST(what_is_no_name_is_refused)
{
	EBB_CLEANUP(ebb_names_freep) struct ebb_names *n = ebb_names_new();
	char longest[EBB_NAMES_LEN + 2];
	int64_t code;

	memset(longest, 'x', sizeof(longest));
	longest[EBB_NAMES_LEN + 1] = 0;
	ck_assert_int_eq(ebb_names_add(n, "", &code, NULL), -EBB_EINVAL);
	ck_assert_int_eq(ebb_names_add(n, "a\nb", &code, NULL), -EBB_EINVAL);
	ck_assert_int_eq(ebb_names_add(n, longest, &code, NULL), -EBB_EINVAL);
	longest[EBB_NAMES_LEN] = 0;
	ck_assert_int_eq(ebb_names_add(n, longest, &code, NULL), 1);
}
END_TEST

START_TEST(a_full_table_says_so)
{
	EBB_CLEANUP(ebb_names_freep) struct ebb_names *n = ebb_names_new();
	int64_t code;
	char name[16];

	for (int i = 0; i < EBB_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "C%d", i);
		ck_assert_int_eq(ebb_names_add(n, name, &code, NULL), 1);
	}
	ck_assert_int_eq(ebb_names_add(n, "more", &code, NULL), -EBB_ERANGE);
}
END_TEST

/* What a scan entered is there for every snapshot after its publication, and known to the next scan. */
START_TEST(names_live_in_the_index)
{
	const char *tmp = getenv("TMPDIR");
	char dir[256], cmd[300];
	struct ebb_index *ix;
	struct ebb_snap *snap;
	struct ebb_names *names;
	int64_t code = 0;

	snprintf(dir, sizeof(dir), "%s/t_names.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(ebb_index_open(dir, &(struct ebb_index_opts){.map_size = 1 << 20}, &ix, NULL), 0);
	for (int scan = 0; scan < 2; scan++) {
		struct ebb_merge *m;
		struct ebb_merge_stats stats;
		struct ebb_record r = {.key = "k", .key_len = 1};

		ck_assert_int_eq(ebb_merge_begin(ix, &(struct ebb_merge_opts){.store = "s", .now = 1}, &m, NULL), 0);
		ck_assert_int_eq(ebb_merge_class(m, "GLACIER", &code, NULL), 0);
		ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
		ebb_record_set(&r, EBB_F_CLASS, code);
		ck_assert_int_eq(ebb_merge_put(m, &r, NULL), 0);
		ck_assert_int_eq(ebb_merge_finish(m, &stats, NULL), 0);
		ck_assert_int_eq(ebb_merge_publish(m, &(struct ebb_merge_facts){.finished = 2}, NULL), 0);
	}
	ck_assert_int_eq(ebb_snap_open(ix, &snap, NULL), 0);
	ck_assert_int_eq(ebb_names_read(snap, &names, NULL), 0);
	ebb_snap_close(snap);
	ck_assert_str_eq(ebb_names_get(names, code), "GLACIER");
	ebb_names_free(names);
	ebb_index_close(ix);
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
}
END_TEST

EBB_UNIT_MAIN("names", a_name_has_one_code_and_a_code_one_name, a_collision_is_refused,
	      what_is_no_name_is_refused, a_full_table_says_so, names_live_in_the_index)
