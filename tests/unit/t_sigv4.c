/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The signer against two sets of published vectors: the AWS SigV4 test suite (folder names are kept) and the worked
 * examples of the S3 documentation ("Signature Calculations for the Authorization Header", "Using Query Parameters").
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "core/units.h"
#include "scanners/creds.h"
#include "scanners/sigv4.h"
#include "tests/support/unit.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST {"Host", "example.amazonaws.com"}
#define DATE {"X-Amz-Date", "20150830T123600Z"}
#define TOKEN "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define SUITE_TIME INT64_C(1440938160000000000)	/* 2015-08-30T12:36:00Z */
#define S3_TIME INT64_C(1369353600000000000)	/* 2013-05-24T00:00:00Z */

static struct ebb_creds creds_of(const char *id, const char *secret, const char *token)
{
	struct ebb_creds c = {0};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_creds_set(&c, id, secret, token, INT64_MAX, &err), 0);
	return c;
}

/* --- The suite --- */

struct vector {
	const char *name;
	const char *method, *path;
	struct ebb_sigv4_pair query[4];
	struct ebb_sigv4_pair headers[7];
	const char *signature;
};

static const struct vector suite[] = {
	{"get-vanilla", "GET", "/", {{0}}, {HOST, DATE},
	 "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{"post-vanilla", "POST", "/", {{0}}, {HOST, DATE},
	 "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	{"get-vanilla-query-order-key-case", "GET", "/", {{"Param2", "value2"}, {"Param1", "value1"}},
	 {HOST, DATE}, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	{"get-vanilla-query-order-encoded", "GET", "/",
	 {{"Param-3", "Value3"}, {"Param", "Value2"}, {"\u1234", "Value1"}}, {HOST, DATE},
	 "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
	{"get-vanilla-query-unreserved", "GET", "/", {{UNRESERVED, UNRESERVED}}, {HOST, DATE},
	 "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
	{"get-header-key-duplicate", "GET", "/", {{0}},
	 {HOST, {"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}, DATE},
	 "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
	{"get-header-value-order", "GET", "/", {{0}},
	 {HOST, {"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"},
	  {"My-Header1", "value2"}, DATE},
	 "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
	{"get-header-value-trim", "GET", "/", {{0}},
	 {HOST, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}, DATE},
	 "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
	{"get-slashes-unnormalized", "GET", "//example//", {{0}}, {HOST, DATE},
	 "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
	{"get-vanilla-with-session-token", "GET", "/", {{0}}, {HOST, DATE, {"X-Amz-Security-Token", TOKEN}},
	 "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
	{"get-utf8", "GET", "/%E1%88%B4", {{0}}, {HOST, DATE},
	 "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
};

static struct ebb_sigv4_request request_of(const struct vector *v, const char *payload)
{
	struct ebb_sigv4_request r = {.method = v->method, .path = v->path, .query = v->query,
				      .headers = v->headers, .payload = payload};

	while (r.nquery < 4 && v->query[r.nquery].name)
		r.nquery++;
	while (r.nheaders < 7 && v->headers[r.nheaders].name)
		r.nheaders++;
	return r;
}

START_TEST(signs_as_the_suite_does)
{
	const struct vector *v = &suite[_i];
	struct ebb_sigv4_request r = request_of(v, EMPTY);
	struct ebb_creds c = creds_of("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(1 << 20), out = EBB_BUF_INIT(1 << 20);
	struct ebb_sigv4_key key = {0};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_sigv4_canonical(&r, &text), 0);
	ck_assert_int_eq(
		ebb_sigv4_sign(&r, &c, "us-east-1", "service", SUITE_TIME, &key, &out, &err), 0);
	ck_assert_msg(strstr(out.data, v->signature), "%s: %s of\n%s", v->name, out.data, text.data);
	ebb_creds_release(&c);
}
END_TEST

/* --- The S3 examples --- */

#define BUCKET {"Host", "examplebucket.s3.amazonaws.com"}
#define S3_DATE {"x-amz-date", "20130524T000000Z"}
#define S3_EMPTY {"x-amz-content-sha256", EMPTY}
#define S3_TEXT "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

static const struct vector s3[] = {
	{"GET Object", "GET", "/test.txt", {{0}}, {BUCKET, {"Range", "bytes=0-9"}, S3_EMPTY, S3_DATE},
	 "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
	{"PUT Object", "PUT", "/test%24file.text", {{0}},
	 {BUCKET, {"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-content-sha256", S3_TEXT}, S3_DATE,
	  {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
	 "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
	{"GET Bucket Lifecycle", "GET", "/", {{"lifecycle", ""}}, {BUCKET, S3_EMPTY, S3_DATE},
	 "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	{"Get Bucket (List Objects)", "GET", "/", {{"max-keys", "2"}, {"prefix", "J"}},
	 {BUCKET, S3_EMPTY, S3_DATE}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static struct ebb_creds s3_creds(void)
{
	return creds_of("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL);
}

START_TEST(signs_as_the_s3_examples_do)
{
	const struct vector *v = &s3[_i];
	struct ebb_sigv4_request r = request_of(v, v->method[0] == 'P' ? S3_TEXT : EMPTY);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20);
	struct ebb_creds c = s3_creds();
	struct ebb_sigv4_key key = {0};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_sigv4_sign(&r, &c, "us-east-1", "s3", S3_TIME, &key, &out, &err), 0);
	ck_assert_msg(strstr(out.data, v->signature), "%s: %s", v->name, out.data);
	ebb_creds_release(&c);
}
END_TEST

START_TEST(presigns_as_the_s3_example_does)
{
	static const struct ebb_sigv4_pair host[] = {BUCKET};
	struct ebb_sigv4_request r = {.method = "GET", .path = "/test.txt", .headers = host, .nheaders = 1};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20);
	struct ebb_creds c = s3_creds();
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_sigv4_presign(&r, &c, "us-east-1", "s3", S3_TIME, 86400, &out, &err), 0);
	ck_assert_str_eq(out.data,
			 "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
			 "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
			 "X-Amz-SignedHeaders=host&X-Amz-Signature="
			 "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
	ck_assert_int_eq(ebb_sigv4_presign(&r, &c, "us-east-1", "s3", S3_TIME, 0, &out, &err), -EBB_EINVAL);
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_sigv4_presign(&r, &c, "us-east-1", "s3", S3_TIME, 604801, &out, &err), -EBB_EINVAL);
	ebb_creds_release(&c);
}
END_TEST

/* --- Clauses --- */

START_TEST(headers_sort_by_name_alone)
{
	/* "x-amz-copy-source:" would sort behind "x-amz-copy-source-range:" as a line. */
	static const struct ebb_sigv4_pair h[] = {{"X-Amz-Copy-Source-Range", "r"}, {"x-amz-copy-source", "s"},
						  {"x-amz-meta-a-b", "2"}, {"x-amz-meta-a", "1"}};
	struct ebb_sigv4_request r = {.method = "PUT", .path = "/", .headers = h, .nheaders = 4,
				      .payload = EMPTY};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20);

	ck_assert_int_eq(ebb_sigv4_canonical(&r, &out), 0);
	ck_assert_str_eq(out.data, "PUT\n/\n\nx-amz-copy-source:s\nx-amz-copy-source-range:r\nx-amz-meta-a:1\n"
				   "x-amz-meta-a-b:2\n\nx-amz-copy-source;x-amz-copy-source-range;"
				   "x-amz-meta-a;x-amz-meta-a-b\n" EMPTY);
}
END_TEST

START_TEST(encodes_every_byte)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20);

	ck_assert_int_eq(ebb_sigv4_encode(&out, "a b+c%2F/\x01\xff~", 12, true), 0);
	ck_assert_str_eq(out.data, "a%20b%2Bc%252F/%01%FF~");
	ebb_buf_clear(&out);
	ck_assert_int_eq(ebb_sigv4_encode(&out, "/*", 2, false), 0);
	ck_assert_str_eq(out.data, "%2F%2A");
	ebb_buf_clear(&out);
	ck_assert_int_eq(ebb_sigv4_encode(&out, "", 0, false), 0);
	ck_assert_str_eq(out.data, "");
}
END_TEST

START_TEST(query_sorts_after_encoding)
{
	static const struct ebb_sigv4_pair q[] = {{"b", "2"}, {"a", "2"}, {"a", "1"}, {"a~", ""}, {"a/", ""}};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20);

	ck_assert_int_eq(ebb_sigv4_query(&out, q, 5), 0);
	ck_assert_str_eq(out.data, "a=1&a=2&a%2F=&a~=&b=2");
}
END_TEST

START_TEST(key_follows_day_region_and_access_key)
{
	struct ebb_sigv4_request r = request_of(&suite[0], EMPTY);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20), fresh = EBB_BUF_INIT(1 << 20);
	struct ebb_creds c = creds_of("AKIDEXAMPLE", "secret", NULL), d = creds_of("OTHER", "other", NULL);
	const int64_t day = INT64_C(86400) * 1000000000;
	struct ebb_sigv4_key key = {0};
	struct ebb_err err = {0};

	for (int i = 0; i < 4; i++) {
		const struct ebb_creds *who = i == 3 ? &d : &c;
		const char *region = i == 2 ? "eu-west-1" : "us-east-1";
		struct ebb_sigv4_key none = {0};
		int64_t now = SUITE_TIME + (i >= 1 ? day : 0);

		ebb_buf_clear(&out);
		ebb_buf_clear(&fresh);
		ck_assert_int_eq(ebb_sigv4_sign(&r, who, region, "s3", now, &key, &out, &err), 0);
		ck_assert_int_eq(ebb_sigv4_sign(&r, who, region, "s3", now, &none, &fresh, &err), 0);
		ck_assert_str_eq(out.data, fresh.data);
	}
	ebb_creds_release(&c);
	ebb_creds_release(&d);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	struct ebb_sigv4_request r = request_of(&suite[0], EMPTY);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20);
	struct ebb_creds c = creds_of("AKIDEXAMPLE", "secret", NULL);
	struct ebb_sigv4_key key = {0};
	struct ebb_err err = {0};
	char region[300];

	memset(region, 'r', 299);
	region[299] = '\0';
	ck_assert_int_eq(ebb_sigv4_sign(&r, &c, region, "s3", SUITE_TIME, &key, &out, &err), -EBB_EINVAL);
	ebb_creds_release(&c);
}
END_TEST

int main(void)
{
	Suite *all = suite_create("sigv4");
	TCase *t = tcase_create("sigv4");

	tcase_add_loop_test(t, signs_as_the_suite_does, 0, EBB_ARRAY_LEN(suite));
	tcase_add_loop_test(t, signs_as_the_s3_examples_do, 0, EBB_ARRAY_LEN(s3));
	tcase_add_test(t, presigns_as_the_s3_example_does);
	tcase_add_test(t, headers_sort_by_name_alone);
	tcase_add_test(t, encodes_every_byte);
	tcase_add_test(t, query_sorts_after_encoding);
	tcase_add_test(t, key_follows_day_region_and_access_key);
	tcase_add_test(t, what_does_not_fit_is_refused);
	suite_add_tcase(all, t);

	SRunner *runner = srunner_create(all);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
