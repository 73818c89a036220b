/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SSE-C: which requests carry the key, and what is no key. The sum is that of `base64 -d | openssl md5 -binary | base64`. */
#include "scanners/s3_customer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

#define KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define SUM "hRasmdxgYDKV3nvbahU1MA=="

static size_t headers(const struct ebb_s3_customer *c, enum ebb_s3_op op, const char *key, struct ebb_sigv4_pair *out)
{
	struct ebb_s3_call call = {0};

	ebb_s3_call_init(&call, op, "PUT", key);
	size_t n = ebb_s3_customer_headers(c, &call, out);
	ebb_s3_call_release(&call);
	return n;
}

START_TEST(who_carries_it)
{
	struct ebb_sigv4_pair h[EBB_S3_CUSTOMER_HEADERS];
	struct ebb_s3_customer *c = NULL;
	struct ebb_err err = {0};

	setenv("T_KEY", KEY, 1);
	ck_assert_msg(ebb_s3_customer_open("env:T_KEY", &c, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(headers(c, EBB_S3_PUT, "k", h), 3);
	ck_assert_str_eq(h[0].name, "x-amz-server-side-encryption-customer-algorithm");
	ck_assert_str_eq(h[0].value, "AES256");
	ck_assert_str_eq(h[1].value, KEY);
	ck_assert_str_eq(h[2].name, "x-amz-server-side-encryption-customer-key-md5");
	ck_assert_str_eq(h[2].value, SUM);
	ck_assert_uint_eq(headers(c, EBB_S3_COPY, "k", h), 6);
	ck_assert_str_eq(h[1].name, "x-amz-copy-source-server-side-encryption-customer-key");
	ck_assert_uint_eq(headers(c, EBB_S3_DELETE, "k", h), 0);
	ck_assert_uint_eq(headers(c, EBB_S3_LIST, NULL, h), 0);
	ck_assert_uint_eq(headers(c, EBB_S3_HEAD, NULL, h), 0);
	ck_assert_uint_eq(headers(NULL, EBB_S3_PUT, "k", h), 0);
	ebb_s3_customer_free(c);
}
END_TEST

START_TEST(no_keys)
{
	static const struct {
		const char *value, *source, *message;
	} cases[] = {
		{"c2hvcnQ=", "env:T_KEY", "32 bytes in base64"},
		{"not base64", "env:T_KEY", "32 bytes in base64"},
		{"", "env:T_KEY", "the environment has no T_KEY"},
		{KEY, KEY, "never the key itself"},
		{KEY, "file:/nonexistent/key", "cannot read the encryption key in '/nonexistent/key'"},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(cases); i++) {
		struct ebb_s3_customer *c = NULL;
		struct ebb_err err = {0};

		setenv("T_KEY", cases[i].value, 1);
		ck_assert_int_lt(ebb_s3_customer_open(cases[i].source, &c, &err), 0);
		ck_assert_msg(strstr(err.msg, cases[i].message), "%s", err.msg);
		ck_assert_msg(!strstr(err.msg, cases[i].value) || !*cases[i].value, "shown: %s", err.msg);
	}
}
END_TEST

EBB_UNIT_MAIN("s3_customer", who_carries_it, no_keys)
