/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What attributes of files become in requests: a name or value that somebody chose never makes another header. */
#include "scanners/store_s3.h"

#include <string.h>

#include "tests/support/unit.h"

/* Headers that an object with that one attribute is sent with, or the error. */
static int send(const char *name, const char *value, struct ebb_s3_call *call, struct ebb_err *err)
{
	struct ebb_store_s3_meta m = {0};

	ebb_meta_init(&m.m);
	ck_assert_int_eq(ebb_meta_add(&m.m, name, value, strlen(value), err), 0);
	ebb_s3_call_init(call, EBB_S3_PUT, "PUT", "key");
	int r = ebb_store_s3_meta_send(&m, call, err);
	ebb_meta_release(&m.m);
	return r;
}

START_TEST(a_name_is_one_header)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_err err = {0};

	ck_assert_msg(send("s3.meta.colour-1", "red", &call, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(call.nheaders, 1);
	ck_assert_str_eq(call.headers[0].name, "x-amz-meta-colour-1");
	ck_assert_str_eq(call.headers[0].value, "red");
	ck_assert_int_eq(call.broken, 0);
}
END_TEST

START_TEST(other_names_are_refused)
{
	static const char *const names[] = {
		"s3.meta.a: b\r\nx-amz-acl", "s3.meta.a\nb", "s3.meta.a b", "s3.meta.a:b", "s3.meta.", "s3.meta.Colour", "s3.meta.caf\xc3\xa9",
		"s3.meta.ebb-uid", "s3.meta.ebb-xattrs", "s3.meta.ebb-",
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(names); i++) {
		EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
		struct ebb_err err = {0};

		ck_assert_msg(send(names[i], "public-read", &call, &err) == -EBB_ENOTSUP, "%zu", i);
		ck_assert_msg(strstr(err.msg, "is none that metadata of a bucket can have"), "%s", err.msg);
		ck_assert_msg(!strpbrk(err.msg, "\r\n"), "%s", err.msg);
	}
}
END_TEST

START_TEST(values_stay_in_their_line)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0}, other = {0};
	struct ebb_err err = {0};

	ck_assert_int_eq(send("s3.meta.a", "b\r\nx-amz-acl: public-read", &call, &err), -EBB_ENOTSUP);
	/* and neither the caller's mistake gets out */
	ebb_s3_call_init(&other, EBB_S3_PUT, "PUT", "key");
	ebb_s3_call_header(&other, "x-a\r\nx-b", "c");
	ck_assert_uint_eq(other.nheaders, 0);
	ck_assert_int_lt(other.broken, 0);
}
END_TEST

EBB_UNIT_MAIN("store_s3_meta", a_name_is_one_header, other_names_are_refused, values_stay_in_their_line)
