/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client against a stub: what no real server does on demand. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "scanners/s3.h"
#include "scanners/s3_list.h"
#include "tests/support/stub_http.h"
#include "tests/support/unit.h"

#define ERROR(code) "<Error><Code>" code "</Code><Message>because</Message></Error>"

/* --- Credentials that change --- */

static int generation;

static int test_creds(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err)
{
	char id[20];

	(void)ctx;
	snprintf(id, sizeof(id), "ID%d", __atomic_add_fetch(&generation, 1, __ATOMIC_RELAXED));
	return ebb_creds_set(ret, id, "secret", "token", INT64_MAX, err);
}

static const struct ebb_creds_provider provider = {.name = "test", .get = test_creds};

static struct ebb_s3 *client(struct ebb_stub *stub, unsigned connections)
{
	const struct ebb_s3_config cfg = {.bucket = "lake", .region = "us-east-1",
					  .endpoint = ebb_stub_url(stub), .connections = connections,
					  .provider = &provider, .backoff = 1000000};
	struct ebb_s3 *s = NULL;
	struct ebb_err err = {0};

	setenv("no_proxy", "127.0.0.1", 1);
	ck_assert_msg(ebb_s3_open(&cfg, &s, &err) == 0, "%s", err.msg);
	return s;
}

static int get(struct ebb_s3 *s, const char *key, struct ebb_s3_call *c, struct ebb_err *err)
{
	ebb_s3_call_init(c, EBB_S3_GET, "GET", key);
	return ebb_s3_do(s, c, err);
}

/* --- Answers by script: one for each request in turn, the last for all others --- */

struct script {
	const struct ebb_stub_reply *replies;
	size_t n;
	char seen[16][300];	/* target and a header of each request */
	const char *header;
};

static void play(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	struct script *s = ctx;
	char value[200] = "";

	if (s->header)
		ebb_stub_header(req, s->header, value, sizeof(value));
	if (req->number < 16)
		snprintf(s->seen[req->number], sizeof(s->seen[0]), "%.60s %.200s", req->target, value);
	*reply = s->replies[req->number < s->n ? req->number : s->n - 1];
}

#define BODY(text) .body = (text), .body_len = sizeof(text) - 1
static const struct ebb_stub_reply fine = {BODY("content")};

static void expect_after(const struct ebb_stub_reply *first, int repeat, int attempts)
{
	struct ebb_stub_reply replies[10];
	struct script script = {.replies = replies, .n = (size_t)repeat + 1};
	struct ebb_err err = {0};
	struct ebb_s3_call c;

	for (int i = 0; i < repeat; i++)
		replies[i] = *first;
	replies[repeat] = fine;
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 0);
	ck_assert_msg(get(s, "k", &c, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(c.attempts, (unsigned)attempts);
	ck_assert_str_eq(c.http.answer.data, "content");
	ebb_s3_call_release(&c);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}

START_TEST(what_passes_is_tried_again)
{
	static const struct ebb_stub_reply passing[] = {
		{.status = 503, BODY(ERROR("SlowDown"))},
		{.status = 503, .headers = "Retry-After: 0\r\n"},
		{.status = 500, BODY(ERROR("InternalError"))},
		{.reset = true},
		{BODY("cut off in the middle"), .cut = true, .cut_after = 5},
		{BODY("cut off in the middle"), .reset = true, .cut_after = 5},
	};

	expect_after(&passing[_i], 2, 3);
}
END_TEST

START_TEST(what_does_not_pass_ends)
{
	static const struct ebb_stub_reply slow = {.status = 503, BODY(ERROR("SlowDown"))};
	struct script script = {.replies = &slow, .n = 1};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 32);
	struct ebb_s3_count counts[EBB_S3_OP_COUNT];
	struct ebb_err err = {0};
	struct ebb_s3_call c;

	ck_assert_int_eq(get(s, "odd\nkey", &c, &err), -EBB_ETHROTTLE);
	ck_assert_str_eq(err.msg, "get of 'odd\\nkey' in bucket 'lake': 503 SlowDown: because");
	ck_assert_uint_eq(c.attempts, 8);
	ck_assert_uint_le(ebb_s3_limit(s), 4);
	ebb_s3_counts(s, counts);
	ck_assert_int_eq(counts[EBB_S3_GET].requests, 8);
	ck_assert_int_eq(counts[EBB_S3_GET].repeated, 7);
	ck_assert_int_eq(counts[EBB_S3_GET].failed, 1);
	ck_assert_int_gt(counts[EBB_S3_GET].received, 8 * 50);
	ebb_s3_call_release(&c);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(failures_have_codes_and_messages)
{
	static const struct ebb_stub_reply missing = {.status = 404, BODY(ERROR("NoSuchKey"))};
	struct script script = {.replies = &missing, .n = 1};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 0);
	struct ebb_err err = {0};
	struct ebb_s3_call c;

	ck_assert_int_eq(get(s, "k", &c, &err), -EBB_ENOENT);
	ck_assert_str_eq(err.msg, "get of 'k' in bucket 'lake': 404 NoSuchKey: because");
	ck_assert_uint_eq(c.attempts, 1);
	ebb_s3_call_release(&c);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(expired_credentials_are_replaced_once)
{
	static const struct ebb_stub_reply replies[] = {{.status = 400, BODY(ERROR("ExpiredToken"))}, {BODY("ok")}};
	struct script script = {.replies = replies, .n = 2, .header = "authorization"};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 0);
	struct ebb_err err = {0};
	struct ebb_s3_call c;

	ck_assert_int_eq(get(s, "k", &c, &err), 0);
	ck_assert_ptr_nonnull(strstr(script.seen[0], "Credential=ID1/"));
	ck_assert_ptr_nonnull(strstr(script.seen[0], "x-amz-security-token"));
	ck_assert_ptr_nonnull(strstr(script.seen[1], "Credential=ID2/"));
	ebb_s3_call_release(&c);
	script.n = 1;	/* for ever */
	ck_assert_int_eq(get(s, "k", &c, &err), -EBB_ESTORE);
	ck_assert_uint_eq(c.attempts, 2);
	ebb_s3_call_release(&c);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(a_clock_that_is_off_is_corrected)
{
	static const struct ebb_stub_reply replies[] = {
		{.status = 403, .headers = "Date: Fri, 24 May 2013 01:00:00 GMT\r\n", BODY(ERROR("RequestTimeTooSkewed"))},
		{BODY("ok")},
	};
	struct script script = {.replies = replies, .n = 2, .header = "x-amz-date"};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_clock clock = ebb_clock_fixed(INT64_C(1369353600000000000));	/* 2013-05-24T00:00:00Z */
	const struct ebb_s3_config cfg = {.bucket = "lake", .endpoint = ebb_stub_url(stub), .clock = &clock,
					  .provider = &provider};
	struct ebb_s3 *s = NULL;
	struct ebb_err err = {0};
	struct ebb_s3_call c;

	setenv("no_proxy", "127.0.0.1", 1);
	ck_assert_int_eq(ebb_s3_open(&cfg, &s, &err), 0);
	ck_assert_int_eq(get(s, "k", &c, &err), 0);
	ck_assert_str_eq(script.seen[0], "/lake/k 20130524T000000Z");
	ck_assert_str_eq(script.seen[1], "/lake/k 20130524T010000Z");
	ebb_s3_call_release(&c);
	ck_assert_int_eq(get(s, "k", &c, &err), 0);
	ck_assert_str_eq(script.seen[2], "/lake/k 20130524T010000Z");
	ebb_s3_call_release(&c);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(a_bucket_is_followed_to_its_region)
{
	static const struct ebb_stub_reply replies[] = {
		{.status = 301, .headers = "x-amz-bucket-region: eu-west-1\r\n", BODY(ERROR("PermanentRedirect"))},
		{BODY("ok")},
		{.status = 400, BODY("<Error><Code>AuthorizationHeaderMalformed</Code><Region>RegionOne</Region></Error>")},
		{BODY("ok")},
		{.status = 301, .headers = "x-amz-bucket-region: evil.example/\r\n", BODY(ERROR("PermanentRedirect"))},
	};
	struct script script = {.replies = replies, .n = 5, .header = "authorization"};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 0);
	struct ebb_err err = {0};
	struct ebb_s3_call c;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(get(s, "k", &c, &err), i < 2 ? 0 : -EBB_ECONFIG);
		ebb_s3_call_release(&c);
	}
	ck_assert_ptr_nonnull(strstr(script.seen[0], "/us-east-1/s3/"));
	ck_assert_ptr_nonnull(strstr(script.seen[1], "/eu-west-1/s3/"));
	ck_assert_ptr_nonnull(strstr(script.seen[3], "/RegionOne/s3/"));
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(a_copy_that_fails_late_is_tried_again)
{
	static const struct ebb_stub_reply replies[] = {
		{BODY(ERROR("InternalError"))},
		{BODY("")},
		{BODY("<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>")},
	};
	struct script script = {.replies = replies, .n = 3};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 0);
	struct ebb_err err = {0};
	struct ebb_s3_call c;

	ebb_s3_call_init(&c, EBB_S3_COPY, "PUT", "k");
	ck_assert_msg(ebb_s3_do(s, &c, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(c.attempts, 3);
	ebb_s3_call_release(&c);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(header_injection_is_refused)
{
	struct script script = {.replies = &fine, .n = 1};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 0);
	struct ebb_err err = {0};
	struct ebb_s3_call c;

	ebb_s3_call_init(&c, EBB_S3_PUT, "PUT", "k");
	ebb_s3_call_header(&c, "x-amz-meta-a", "1\r\nx-amz-acl: public-read");
	ck_assert_int_eq(ebb_s3_do(s, &c, &err), -EBB_EINVAL);
	ck_assert_uint_eq(ebb_stub_requests(stub), 0);
	ebb_s3_call_release(&c);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

/* --- Many at once --- */

struct batch {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int done, failed;
};

static void count(struct ebb_s3_call *c)
{
	struct batch *b = c->ctx;

	pthread_mutex_lock(&b->mutex);
	b->done++;
	b->failed += c->rc < 0;
	pthread_cond_signal(&b->cond);
	pthread_mutex_unlock(&b->mutex);
}

/* Every third request is throttled. */
static void throttle(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)ctx;
	*reply = req->number % 3 == 1 ? (struct ebb_stub_reply){.status = 503, BODY(ERROR("SlowDown"))} : fine;
}

#define CALLS 60

START_TEST(many_calls_survive_throttling)
{
	struct batch b = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
	struct ebb_stub *stub = ebb_stub_start(throttle, NULL);
	struct ebb_s3 *s = client(stub, 16);
	struct ebb_s3_call *calls = calloc(CALLS, sizeof(*calls));

	for (int i = 0; i < CALLS; i++) {
		ebb_s3_call_init(&calls[i], EBB_S3_GET, "GET", "k");
		calls[i].done = count;
		calls[i].ctx = &b;
		ebb_s3_start(s, &calls[i]);
	}
	pthread_mutex_lock(&b.mutex);
	while (b.done < CALLS)
		pthread_cond_wait(&b.cond, &b.mutex);
	pthread_mutex_unlock(&b.mutex);
	ck_assert_int_eq(b.failed, 0);
	for (int i = 0; i < CALLS; i++)
		ebb_s3_call_release(&calls[i]);
	free(calls);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(closing_ends_what_is_under_way)
{
	static const struct ebb_stub_reply busy = {.status = 503, .headers = "Retry-After: 60\r\n"};
	struct script script = {.replies = &busy, .n = 1};
	struct batch b = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 2);
	struct ebb_s3_call calls[6];

	for (int i = 0; i < 6; i++) {
		ebb_s3_call_init(&calls[i], EBB_S3_GET, "GET", "k");
		calls[i].done = count;
		calls[i].ctx = &b;
		ebb_s3_start(s, &calls[i]);
	}
	ebb_s3_cancel(s, &calls[5]);
	ebb_s3_free(s);
	ck_assert_int_eq(b.done, 6);
	ck_assert_int_eq(b.failed, 6);
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(calls[i].rc, -EBB_ECANCELLED);
		ebb_s3_call_release(&calls[i]);
	}
	ebb_stub_stop(stub);
}
END_TEST

/* --- Listing --- */

#define ENTRY(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
#define LISTING(more, entries) "<ListBucketResult><IsTruncated>" more "</IsTruncated>" entries "</ListBucketResult>"

START_TEST(pages_end_where_the_range_ends)
{
	static const struct ebb_stub_reply replies[] = {
		{BODY(LISTING("true", ENTRY("a") ENTRY("b")))},
		{BODY(LISTING("true", ENTRY("c") ENTRY("d")))},
	};
	struct script script = {.replies = replies, .n = 2};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 0);
	struct ebb_s3_list l = {.until = "d"};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_s3_list_do(s, &l, &err), 0);
	ck_assert_uint_eq(l.page.n, 2);
	ck_assert(l.more);
	ck_assert_str_eq(l.next, "b");
	char after[10];
	snprintf(after, sizeof(after), "%s", l.next);
	l.after = after;
	ck_assert_int_eq(ebb_s3_list_do(s, &l, &err), 0);
	ck_assert_uint_eq(l.page.n, 1);
	ck_assert(!l.more);
	ck_assert_str_eq(script.seen[1], "/lake?encoding-type=url&list-type=2&max-keys=1000&start-afte ");
	ebb_s3_list_release(&l);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(pages_that_lie_are_corrupt)
{
	static const struct ebb_stub_reply lies[] = {
		{BODY(LISTING("false", ENTRY("b") ENTRY("a")))},
		{BODY(LISTING("false", ENTRY("b") ENTRY("b")))},
		{BODY(LISTING("true", ""))},
		{BODY(LISTING("false", ENTRY("a")))},	/* not after `after` */
		{BODY("<ListBucketResult><Contents><Key>b</Key>")},
		{BODY("<html>proxy</html>")},
	};
	struct script script = {.replies = &lies[_i], .n = 1};
	struct ebb_stub *stub = ebb_stub_start(play, &script);
	struct ebb_s3 *s = client(stub, 0);
	struct ebb_s3_list l = {.after = "a"};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_s3_list_do(s, &l, &err), -EBB_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "'lake'"));
	ebb_s3_list_release(&l);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

/* --- Where requests go --- */

START_TEST(odd_configurations_are_refused)
{
	static const struct ebb_s3_config bad[] = {
		{.bucket = NULL},
		{.bucket = "ab"},
		{.bucket = "a/b/c"},
		{.bucket = "lake", .endpoint = "127.0.0.1:80"},
		{.bucket = "lake", .endpoint = "ftp://host"},
		{.bucket = "lake", .endpoint = "http://host/path"},
		{.bucket = "lake", .endpoint = "http://"},
		{.bucket = "lake", .region = "eu west"},
	};
	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++) {
		struct ebb_s3_config cfg = bad[i];
		struct ebb_s3 *s = NULL;
		struct ebb_err err = {0};

		cfg.provider = &provider;
		ck_assert_int_eq(ebb_s3_open(&cfg, &s, &err), -EBB_ECONFIG);
		ck_assert(err.msg[0]);
	}
}
END_TEST

START_TEST(endpoints_follow_style_and_region)
{
	static const struct {
		struct ebb_s3_config cfg;
		const char *endpoint;
	} rows[] = {
		{{.bucket = "lake", .region = "eu-west-1"}, "https://lake.s3.eu-west-1.amazonaws.com"},
		{{.bucket = "lake", .region = "cn-north-1"}, "https://lake.s3.cn-north-1.amazonaws.com.cn"},
		{{.bucket = "la.ke", .region = "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com"},
		{{.bucket = "lake", .endpoint = "https://s3.example.org:443"}, "https://lake.s3.example.org"},
		{{.bucket = "lake", .endpoint = "http://s3.example.org:8080"}, "http://lake.s3.example.org:8080"},
		{{.bucket = "lake", .endpoint = "http://s3.example.org", .path_style = true}, "http://s3.example.org"},
		{{.bucket = "lake", .endpoint = "http://127.0.0.1:7480"}, "http://127.0.0.1:7480"},
		{{.bucket = "lake", .endpoint = "http://localhost:7480"}, "http://localhost:7480"},
		{{.bucket = "lake", .endpoint = "http://[::1]:7480"}, "http://[::1]:7480"},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(rows); i++) {
		struct ebb_s3_config cfg = rows[i].cfg;
		struct ebb_s3 *s = NULL;
		struct ebb_err err = {0};
		char text[200];

		cfg.provider = &provider;
		ck_assert_msg(ebb_s3_open(&cfg, &s, &err) == 0, "%s", err.msg);
		ebb_s3_endpoint(s, text, sizeof(text));
		ck_assert_str_eq(text, rows[i].endpoint);
		ebb_s3_free(s);
	}
}
END_TEST

int main(void)
{
	Suite *all = suite_create("s3");
	TCase *t = tcase_create("s3");

	tcase_add_loop_test(t, what_passes_is_tried_again, 0, 6);
	tcase_add_test(t, what_does_not_pass_ends);
	tcase_add_test(t, failures_have_codes_and_messages);
	tcase_add_test(t, expired_credentials_are_replaced_once);
	tcase_add_test(t, a_clock_that_is_off_is_corrected);
	tcase_add_test(t, a_bucket_is_followed_to_its_region);
	tcase_add_test(t, a_copy_that_fails_late_is_tried_again);
	tcase_add_test(t, header_injection_is_refused);
	tcase_add_test(t, many_calls_survive_throttling);
	tcase_add_test(t, closing_ends_what_is_under_way);
	tcase_add_test(t, pages_end_where_the_range_ends);
	tcase_add_loop_test(t, pages_that_lie_are_corrupt, 0, 6);
	tcase_add_test(t, odd_configurations_are_refused);
	tcase_add_test(t, endpoints_follow_style_and_region);
	suite_add_tcase(all, t);

	SRunner *runner = srunner_create(all);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
