/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/accesslog.h"

#include <stdio.h>
#include <unistd.h>

#include "core/units.h"
#include "scanners/jsonscan.h"
#include "tests/support/unit.h"

static struct {
	struct ebb_accesslog_event e[64];
	char source[64][300], path[64][5000];
	size_t n;
	uint64_t damaged[64];
	size_t ndamaged;
	struct ebb_accesslog_stats stats;
} got;

static int on_event(void *ctx, const struct ebb_accesslog_event *e, struct ebb_err *err)
{
	(void)ctx;
	(void)err;
	ck_assert_uint_lt(got.n, 64);
	got.e[got.n] = *e;
	snprintf(got.source[got.n], sizeof(got.source[0]), "%.*s", (int)e->source.len, e->source.p);
	snprintf(got.path[got.n], sizeof(got.path[0]), "%.*s", (int)e->path.len, e->path.p);
	got.n++;
	return 0;
}

static void on_damaged(void *ctx, uint64_t line)
{
	(void)ctx;
	got.damaged[got.ndamaged++ % 64] = line;
}

/* Read @text as a file; returns what the reader did. */
static int log_of(const char *text, size_t len)
{
	const struct ebb_accesslog_fns fns = {.event = on_event, .damaged = on_damaged};
	FILE *f = tmpfile();
	int rc;

	memset(&got, 0, sizeof(got));
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	rewind(f);
	rc = ebb_accesslog_read(fileno(f), NULL, &fns, &got.stats, NULL);
	fclose(f);
	return rc;
}

static int64_t at(const char *time)
{
	int64_t ns = 0;

	ck_assert_int_eq(ebb_units_parse_time(time, &ns, NULL), 0);
	return ns;
}

static void read_is(size_t i, const char *source, const char *path, const char *time, int64_t bytes)
{
	ck_assert_uint_lt(i, got.n);
	ck_assert(got.e[i].read);
	ck_assert_str_eq(got.source[i], source);
	ck_assert_str_eq(got.path[i], path);
	ck_assert_int_eq(got.e[i].time, at(time));
	ck_assert_int_eq(got.e[i].bytes, bytes);
}

#define OWNER "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
#define TAIL                                                                                       \
	" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 " \
	"ECDHE-RSA-AES128-GCM-SHA256 AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.2\n"
#define LINE(op, key, request, status, sent, agent)                                                \
	OWNER " lake [06/Feb/2019:00:01:57 +0000] 192.0.2.3 " OWNER " DD6CC733AEXAMPLE " op " " key " \"" request       \
	      "\" " status " - " sent " 4406583 41754 28 \"-\" \"" agent "\"" TAIL

/* The examples of the user guide, shortened behind the version id. */
START_TEST(s3_server_access_logs)
{
	static const char text[] = OWNER
		" amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 " OWNER
		" 3E57427F3EXAMPLE REST.GET.VERSIONING - \"GET /amzn-s3-demo-bucket1?versioning HTTP/1.1\" 200 - 113 - 7 - \"-\" "
		"\"S3Console/0.4\"" TAIL OWNER " amzn-s3-demo-bucket1 [06/Feb/2019:00:01:57 +0000] 192.0.2.3 " OWNER
		" DD6CC733AEXAMPLE REST.PUT.OBJECT s3-dg.pdf \"PUT /amzn-s3-demo-bucket1/s3-dg.pdf HTTP/1.1\" 200 - - 4406583 41754 28 "
		"\"-\" \"S3Console/0.4\"" TAIL LINE("REST.GET.OBJECT", "photos/2019/08/puppy.jpg",
						    "GET /lake/photos/2019/08/puppy.jpg?x-foo=bar HTTP/1.1", "200", "2662992", "S3Console/0.4")
			LINE("REST.GET.OBJECT", "a", "GET /lake/a HTTP/1.1", "206", "10", "ebb/0.2.0")
				LINE("REST.HEAD.OBJECT", "a", "HEAD /lake/a HTTP/1.1", "200", "-", "x")
					LINE("REST.GET.OBJECT", "a", "GET /lake/a HTTP/1.1", "404", "10", "x")
						LINE("REST.COPY.OBJECT_GET", "a", "PUT /lake/b HTTP/1.1", "200", "-", "x")
							LINE("S3.EXPIRE.OBJECT", "a", "-", "-", "-", "-");

	ck_assert_int_eq(log_of(text, sizeof(text) - 1), 0);
	ck_assert_uint_eq(got.stats.records, 8);
	ck_assert_uint_eq(got.ndamaged, 0);
	ck_assert_str_eq(got.source[0], "amzn-s3-demo-bucket1");
	ck_assert_int_eq(got.e[0].time, at("2019-02-06T00:00:38Z"));
	ck_assert(!got.e[0].read && !got.e[1].read && !got.e[4].read && !got.e[5].read && !got.e[7].read);
	read_is(2, "lake", "photos/2019/08/puppy.jpg", "2019-02-06T00:01:57Z", 2662992);
	read_is(3, "lake", "a", "2019-02-06T00:01:57Z", 10);
	ck_assert(got.e[3].own && !got.e[2].own);
	read_is(6, "lake", "a", "2019-02-06T00:01:57Z", 0);
	ck_assert_uint_ne(got.e[3].id, got.e[6].id); /* two lines of one request */
}
END_TEST

START_TEST(keys_are_decoded_as_often_as_they_were_encoded)
{
	static const char text[] =
		LINE("REST.GET.OBJECT", "my+file%2520name", "GET /lake/my+file%20name HTTP/1.1", "200", "1", "x")
			LINE("REST.GET.OBJECT", "my%20file", "GET /my%20file HTTP/1.1", "200", "1", "x")
				LINE("REST.GET.OBJECT", "a%2520b", "GET /a%2520b HTTP/1.1", "200", "1", "x")
					LINE("REST.GET.OBJECT", "a%252520b", "GET /a%2520b HTTP/1.1", "200", "1", "x");

	ck_assert_int_eq(log_of(text, sizeof(text) - 1), 0);
	ck_assert_str_eq(got.path[0], "my+file name");
	ck_assert_str_eq(got.path[1], "my file");
	ck_assert_str_eq(got.path[2], "a%20b"); /* once: a key that really holds %20 */
	ck_assert_str_eq(got.path[3], "a%20b"); /* twice */
}
END_TEST

START_TEST(web_server_logs)
{
	static const char text[] =
		/* the examples of Apache's documentation */
		"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 2326\n"
		"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 2326 "
		"\"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\"\n"
		"cdn.example.com:443 10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] \"GET /files/a%20b?x=1 HTTP/2.0\" 304 - \"-\" \"curl\"\n"
		"10.0.0.1 - - [10/Oct/2000:13:55:37 +0000] \"HEAD /a HTTP/1.1\" 200 0 \"-\" \"curl\"\n"
		"10.0.0.1 - - [10/Oct/2000:13:55:37 +0000] \"\\x16\\x03\\\"\" 400 0 \"-\" \"-\"\n"
		"10.0.0.1 - - [10/Oct/2000:13:55:37 +0000] \"GET http://h.example/p HTTP/1.1\" 200 5 \"-\" \"ebb/9\"\n";

	ck_assert_int_eq(log_of(text, sizeof(text) - 1), 0);
	ck_assert_uint_eq(got.stats.records, 6);
	read_is(0, "", "/apache_pb.gif", "2000-10-10T20:55:36Z", 2326);
	read_is(1, "", "/apache_pb.gif", "2000-10-10T20:55:36Z", 2326);
	read_is(2, "cdn.example.com", "/files/a b", "2000-10-10T13:55:36Z", 0);
	ck_assert(got.e[2].url && !got.e[3].read && !got.e[4].read);
	read_is(5, "h.example", "/p", "2000-10-10T13:55:37Z", 5);
	ck_assert(got.e[5].own);
	ck_assert_uint_ne(got.e[0].id, got.e[1].id);
}
END_TEST

#define EVENT(name, more)                                                                          \
	"{\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"IAMUser\",\"arn\":\"x\"},\"eventTime\":\"2024-07-02T00:22:11Z\","   \
	"\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"" name                                                          \
	"\",\"userAgent\":\"[aws-cli/2.15]\",\"eventID\":\"1-2-3\"" more "}"

START_TEST(cloudtrail_events)
{
	static const char text[] = "{\"Records\":[\n" EVENT(
		"GetObject",
		",\"requestParameters\":{\"bucketName\":\"lake\",\"Host\":\"s3\",\"key\":\"a\\u00e9\\/b\"},\"additionalEventData\":"
		"{\"bytesTransferredIn\":0,\"bytesTransferredOut\":113}")
		"," EVENT("GetObject", ",\"errorCode\":\"AccessDenied\",\"requestParameters\":{\"bucketName\":\"lake\",\"key\":\"a\"}")
		"," EVENT("CopyObject",
			  ",\"requestParameters\":{\"bucketName\":\"to\",\"key\":\"b\",\"x-amz-copy-source\":\"\\/lake\\/c%20d?versionId=1\"}")
		"," EVENT("PutObject", ",\"requestParameters\":{\"bucketName\":\"lake\",\"key\":\"{]\\\"\"}")
		",{\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"RunInstances\"}]}";

	ck_assert_int_eq(log_of(text, sizeof(text) - 1), 0);
	ck_assert_uint_eq(got.ndamaged, 0);
	ck_assert_uint_eq(got.n, 4);
	read_is(0, "lake", "a\xc3\xa9/b", "2024-07-02T00:22:11Z", 113);
	ck_assert(!got.e[1].read && !got.e[3].read);
	read_is(2, "lake", "c d", "2024-07-02T00:22:11Z", 0);
	ck_assert_str_eq(got.source[3], "lake");
}
END_TEST

#define RGW(op, status, more)                                                                      \
	"{\"bucket\":\"lake\",\"time\":\"2023-11-21T09:22:48.123456Z\",\"remote_addr\":\"::1\",\"user\":\"u\",\"operation\":\"" op   \
	"\",\"uri\":\"GET /lake/x HTTP/1.1\",\"http_status\":\"" status                                                        \
	"\",\"error_code\":\"\",\"bytes_sent\":77,\"object\":\"x\",\"user_agent\":\"aws\",\"trans_id\":\"tx1\"" more "}"

START_TEST(rgw_operation_logs)
{
	static const char file[] = RGW("get_obj", "200", "") "\n" RGW("put_obj", "200", "") "\n" RGW("get_obj", "404", "") "\n";
	static const char shown[] = "{\n  \"bucket_id\": \"1\",\n  \"bucket\": \"lake\",\n  \"log_entries\": [\n" RGW(
		"get_obj", "200", ",\"temp\":{}") ",\n" RGW("get_obj", "206", "") "],\n \"log_sum\": {\"bytes_sent\": 1}}\n";

	ck_assert_int_eq(log_of(file, sizeof(file) - 1), 0);
	ck_assert_uint_eq(got.n, 3);
	read_is(0, "lake", "x", "2023-11-21T09:22:48.123456Z", 77);
	ck_assert(!got.e[1].read && !got.e[2].read);
	ck_assert_int_eq(log_of(shown, sizeof(shown) - 1), 0);
	ck_assert_uint_eq(got.n, 2);
	ck_assert(got.e[0].read && got.e[1].read);
	ck_assert_uint_eq(got.ndamaged, 0);
}
END_TEST

START_TEST(damage_is_told_and_passed)
{
	static const char lines[] = "not a line\n" LINE("REST.GET.OBJECT", "a", "GET /lake/a HTTP/1.1", "200", "1", "x") OWNER
		" lake [06/Feb/2019:00:01\n" LINE("REST.GET.OBJECT", "b", "GET /lake/b HTTP/1.1", "200", "1", "x");
	static const char json[] = RGW("get_obj", "200", "") "\n{\"bucket\":\"lake\",\"oper\n" RGW("get_obj", "200", "") "\n{\"bucket\":\"la"
		"ke\",\"x\":{\n" RGW("get_obj", "200", "") "\n{\"cut\":";

	ck_assert_int_eq(log_of(lines, sizeof(lines) - 1), 0);
	ck_assert_uint_eq(got.n, 2);
	ck_assert_uint_eq(got.ndamaged, 2);
	ck_assert_uint_eq(got.damaged[0], 1);
	ck_assert_uint_eq(got.damaged[1], 3);
	ck_assert_int_eq(log_of(json, sizeof(json) - 1), 0);
	ck_assert_uint_eq(got.n, 3);
	ck_assert_uint_eq(got.ndamaged, 3);
	ck_assert_int_eq(log_of("hello\n", 6), -EBB_EINVAL);
	ck_assert_int_eq(log_of("", 0), 0);
}
END_TEST

START_TEST(a_line_without_end_does_not_fill_memory)
{
	size_t n = 5 * EBB_ACCESSLOG_RECORD_MAX;
	static const char last[] = "\n" LINE("REST.GET.OBJECT", "a", "GET /lake/a HTTP/1.1", "200", "1", "x");
	char *text = malloc(n + sizeof(last));

	memset(text, 'x', n);
	memcpy(text + n, last, sizeof(last));
	ck_assert_int_eq(log_of(text, n + sizeof(last) - 1), 0);
	ck_assert_uint_eq(got.n, 1);
	ck_assert_uint_eq(got.ndamaged, 1);
	memset(text, 'x', n);
	memcpy(text, "{\"a\":\"", 6);
	log_of(text, n);
	ck_assert_uint_ge(got.ndamaged, 1);
	free(text);
}
END_TEST

START_TEST(json_values_by_their_path)
{
	static const char *const paths[] = {"a", "b.c", "b", "d"};
	static const char text[] = " {\"b\":{\"c\":\"\\ud83d\\ude00\\n\",\"a\":1},\"a\":12, \"d\":null,\"x\":[1,[true],{\"a\":2}]} ";
	static const char *const bad[] = {"", "{", "[]", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":1}x", "{\"a\":\"\n\"}", "{\"a\":[1}"};
	struct ebb_jsonscan_value v[4];
	char out[16];

	ck_assert(ebb_jsonscan_find(text, strlen(text), paths, 4, v));
	ck_assert_int_eq(ebb_jsonscan_number(v[0]), 12);
	ck_assert_int_eq(ebb_jsonscan_string(v[1], out, sizeof(out)), 5);
	ck_assert(memcmp(out, "\xf0\x9f\x98\x80\n", 5) == 0);
	ck_assert(v[2].p && *v[2].p == '{');
	ck_assert_ptr_null(v[3].p);
	ck_assert_int_eq(ebb_jsonscan_string(v[1], out, 4), -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!ebb_jsonscan_find(bad[i], strlen(bad[i]), paths, 4, v), "%s", bad[i]);
}
END_TEST

EBB_UNIT_MAIN("accesslog", s3_server_access_logs, keys_are_decoded_as_often_as_they_were_encoded, web_server_logs,
	      cloudtrail_events, rgw_operation_logs, damage_is_told_and_passed,
	      a_line_without_end_does_not_fill_memory, json_values_by_their_path)
