/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Promises: P13 */
#include <string.h>

#include "core/mem.h"
#include "scanners/meta.h"
#include "tests/support/unit.h"

#define META EBB_CLEANUP(ebb_meta_release) struct ebb_meta

START_TEST(add_keeps_the_order_by_name)
{
	META m;

	ebb_meta_init(&m);
	ck_assert_int_eq(ebb_meta_add(&m, "user.m", "1", 1, NULL), 0);
	ck_assert_int_eq(ebb_meta_add(&m, "user.z", NULL, 0, NULL), 0);
	ck_assert_int_eq(ebb_meta_add(&m, "security.a", "three", 5, NULL), 0);
	ck_assert_uint_eq(m.nxattrs, 3);
	ck_assert_str_eq(m.xattrs[0].name, "security.a");
	ck_assert_str_eq(m.xattrs[1].name, "user.m");
	ck_assert_str_eq(m.xattrs[2].name, "user.z");
	ck_assert_uint_eq(m.xattrs[0].len, 5);
	ck_assert_mem_eq(m.xattrs[0].value, "three", 5);
	ck_assert_ptr_null(m.xattrs[2].value);
}
END_TEST

START_TEST(add_refuses_a_second_of_the_same_name)
{
	META m;
	struct ebb_err err = {0};

	ebb_meta_init(&m);
	ck_assert_int_eq(ebb_meta_add(&m, "user.a", "1", 1, NULL), 0);
	ck_assert_int_eq(ebb_meta_add(&m, "user.a", "2", 1, &err), -EBB_EINVAL);
	ck_assert_str_eq(err.msg, "attribute 'user.a' is there twice");
	ck_assert_uint_eq(m.nxattrs, 1);
	ck_assert_mem_eq(m.xattrs[0].value, "1", 1);
}
END_TEST

START_TEST(find_knows_what_was_added)
{
	META m;

	ebb_meta_init(&m);
	ck_assert_ptr_null(ebb_meta_find(&m, "user.b"));
	ck_assert_int_eq(ebb_meta_add(&m, "user.b", "1", 1, NULL), 0);
	ck_assert_ptr_eq(ebb_meta_find(&m, "user.b"), &m.xattrs[0]);
	ck_assert_ptr_null(ebb_meta_find(&m, "user.a"));
	ck_assert_ptr_null(ebb_meta_find(&m, "user.bb"));
}
END_TEST

START_TEST(copy_is_equal_and_independent)
{
	META a;
	META b;

	ebb_meta_init(&a);
	ebb_meta_init(&b);
	a.uid = 1;
	a.gid = 2;
	a.mode = 04755;
	a.mtime = -3;
	a.atime = 4;
	ck_assert_int_eq(ebb_meta_add(&a, "user.x", "x\0y", 3, NULL), 0);
	ck_assert_int_eq(ebb_meta_add(&b, "user.old", "gone", 4, NULL), 0);
	ck_assert_int_eq(ebb_meta_copy(&b, &a, NULL), 0);
	ck_assert_int_eq(ebb_meta_compare(&a, &b, EBB_META_ALL, NULL), 0);
	ck_assert_ptr_ne(a.xattrs, b.xattrs);
	ebb_meta_clear(&a);
	ck_assert_uint_eq(a.nxattrs, 0);
	ck_assert_uint_eq(a.mode, 0);
	ck_assert_mem_eq(b.xattrs[0].value, "x\0y", 3);
}
END_TEST

/* Compare @a with a zeroed one by all parts but @part, then by @part. */
static void check_part(const struct ebb_meta *a, uint32_t part, const char *message)
{
	struct ebb_meta zero;
	struct ebb_err err = {0};

	ebb_meta_init(&zero);
	ck_assert_int_eq(ebb_meta_compare(a, &zero, EBB_META_ALL & ~part, &err), 0);
	ck_assert_int_eq(ebb_meta_compare(a, &zero, part, &err), -EBB_EMISMATCH);
	ck_assert_str_eq(err.msg, message);
}

START_TEST(compare_looks_at_the_parts_asked_for)
{
	check_part(&(struct ebb_meta){.uid = 7}, EBB_META_OWNER, "owner differs: 7:0 and 0:0");
	check_part(&(struct ebb_meta){.gid = 7}, EBB_META_OWNER, "owner differs: 0:7 and 0:0");
	check_part(&(struct ebb_meta){.mode = 04755}, EBB_META_MODE,
		   "mode differs: 4755 and 0000");
	check_part(&(struct ebb_meta){.mtime = 1}, EBB_META_TIMES,
		   "modification time differs: 1 ns and 0 ns since the epoch");
	check_part(&(struct ebb_meta){.atime = 1}, EBB_META_TIMES,
		   "access time differs: 1 ns and 0 ns since the epoch");
}
END_TEST

START_TEST(compare_names_the_first_attribute_that_differs)
{
	META a;
	META b;
	struct ebb_err err = {0};

	ebb_meta_init(&a);
	ebb_meta_init(&b);
	ck_assert_int_eq(ebb_meta_add(&a, "user.a", "1", 1, NULL), 0);
	check_part(&a, EBB_META_XATTRS, "attribute 'user.a' is only on the first");
	ck_assert_int_eq(ebb_meta_compare(&b, &a, EBB_META_XATTRS, &err), -EBB_EMISMATCH);
	ck_assert_str_eq(err.msg, "attribute 'user.a' is only on the second");
	ck_assert_int_eq(ebb_meta_add(&b, "user.a", "2", 1, NULL), 0);
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_meta_compare(&a, &b, EBB_META_XATTRS, &err), -EBB_EMISMATCH);
	ck_assert_str_eq(err.msg, "attribute 'user.a' differs");
	ebb_meta_clear(&b);
	ck_assert_int_eq(ebb_meta_add(&b, "user.a", "12", 2, NULL), 0);
	ck_assert_int_eq(ebb_meta_compare(&a, &b, EBB_META_XATTRS, NULL), -EBB_EMISMATCH);
	ebb_meta_clear(&b);
	ck_assert_int_eq(ebb_meta_add(&b, "user.b", "1", 1, NULL), 0);
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_meta_compare(&a, &b, EBB_META_XATTRS, &err), -EBB_EMISMATCH);
	ck_assert_str_eq(err.msg, "attribute 'user.a' is only on the first");
}
END_TEST

START_TEST(what_a_bucket_says_goes_to_files_and_comes_back)
{
	META in_bucket;
	META on_disk;
	META again;

	ebb_meta_init(&in_bucket);
	ebb_meta_init(&on_disk);
	ebb_meta_init(&again);
	ck_assert(ebb_meta_bare(&in_bucket));
	in_bucket.mode = 0640;
	in_bucket.mtime = 5;
	ck_assert(!ebb_meta_bare(&in_bucket));
	ck_assert_int_eq(ebb_meta_add(&in_bucket, "s3.content-type", "a/b", 3, NULL), 0);
	ck_assert_int_eq(ebb_meta_add(&in_bucket, "user.note", "x", 1, NULL), 0);
	ck_assert_int_eq(ebb_meta_for(&on_disk, &in_bucket, true, NULL), 0);
	ck_assert_ptr_nonnull(ebb_meta_find(&on_disk, "user.s3.content-type"));
	ck_assert_ptr_nonnull(ebb_meta_find(&on_disk, "user.note"));
	ck_assert_uint_eq(on_disk.nxattrs, 2);
	ck_assert_int_eq(ebb_meta_for(&again, &on_disk, false, NULL), 0);
	ck_assert_int_eq(ebb_meta_compare(&again, &in_bucket, EBB_META_ALL, NULL), 0);
	ck_assert_int_eq(ebb_meta_for(&again, &on_disk, true, NULL), 0);
	ck_assert_int_eq(ebb_meta_compare(&again, &on_disk, EBB_META_ALL, NULL), 0);
}
END_TEST

EBB_UNIT_MAIN("meta", add_keeps_the_order_by_name, add_refuses_a_second_of_the_same_name,
	      find_knows_what_was_added, copy_is_equal_and_independent,
	      compare_looks_at_the_parts_asked_for, compare_names_the_first_attribute_that_differs,
	      what_a_bucket_says_goes_to_files_and_comes_back)
