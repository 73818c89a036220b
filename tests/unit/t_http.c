/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "scanners/http.h"
#include "tests/support/stub_http.h"
#include "tests/support/unit.h"

/* Nothing on the machine may lead loopback away. */
static struct ebb_http *http(unsigned connections)
{
	struct ebb_http *h = NULL;
	struct ebb_err err = {0};

	setenv("no_proxy", "127.0.0.1", 1);
	ck_assert_int_eq(ebb_http_open(connections, &h, &err), 0);
	return h;
}

static char *url(struct ebb_stub *s, const char *path)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s%s", ebb_stub_url(s), path);
	return text;
}

/* --- Asking and answering --- */

static void echo(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	static __thread char text[20000];

	(void)ctx;
	int n = snprintf(text, sizeof(text), "%s %s\n%s\n%.*s", req->method, req->target, req->headers,
			 (int)req->body_len, (const char *)req->body);
	reply->headers = "X-One:  a b \r\nx-two:\r\n";
	reply->body = text;
	reply->body_len = (size_t)n;
	if (strstr(req->target, "404"))
		reply->status = 404;
}

START_TEST(sends_what_is_asked_and_nothing_else)
{
	static const char *const lines[] = {"x-test: 1", "x-empty:"};
	struct ebb_stub *s = ebb_stub_start(echo, NULL);
	struct ebb_http *h = http(0);
	struct ebb_http_call call = {.method = "PUT", .headers = lines, .nheaders = 2, .body = "body",
				     .body_len = 4};
	struct ebb_err err = {0};

	call.url = url(s, "/a//b/../c%20d?x=%2F");
	ck_assert_int_eq(ebb_http_do(h, &call, &err), 0);
	ck_assert_int_eq(call.status, 200);
	ck_assert_ptr_nonnull(strstr(call.answer.data, "PUT /a//b/../c%20d?x=%2F\n"));
	ck_assert_ptr_nonnull(strstr(call.answer.data, "User-Agent: " EBB_HTTP_USER_AGENT "\r\n"));
	ck_assert_ptr_nonnull(strstr(call.answer.data, "x-test: 1\r\n"));
	ck_assert_ptr_nonnull(strstr(call.answer.data, "x-empty:\r\n"));
	ck_assert_ptr_nonnull(strstr(call.answer.data, "Content-Length: 4\r\n"));
	ck_assert_ptr_nonnull(strstr(call.answer.data, "\nbody"));
	ck_assert_ptr_null(strstr(call.answer.data, "Content-Type:"));
	ck_assert_ptr_null(strstr(call.answer.data, "Accept"));
	ck_assert_ptr_null(strstr(call.answer.data, "Expect"));
	ck_assert_int_gt(call.sent, 4);
	ck_assert_int_gt(call.received, (int64_t)call.answer.len);
	ebb_http_call_release(&call);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

START_TEST(headers_are_found_by_name)
{
	struct ebb_stub *s = ebb_stub_start(echo, NULL);
	struct ebb_http *h = http(0);
	struct ebb_http_call call = {.method = "HEAD"};
	struct ebb_err err = {0};
	size_t len;

	call.url = url(s, "/404");
	ck_assert_int_eq(ebb_http_do(h, &call, &err), 0);
	ck_assert_int_eq(call.status, 404);
	const char *one = ebb_http_header(&call, "x-one", &len);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(one, "a b", 3);
	ck_assert_ptr_nonnull(ebb_http_header(&call, "X-TWO", &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_ptr_null(ebb_http_header(&call, "x-on", &len));
	ebb_http_call_release(&call);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

START_TEST(connections_are_reused)
{
	struct ebb_stub *s = ebb_stub_start(echo, NULL);
	struct ebb_http *h = http(1);
	struct ebb_http_call call = {.method = "GET"};
	struct ebb_err err = {0};

	call.url = url(s, "/");
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(ebb_http_do(h, &call, &err), 0);
	ck_assert_uint_eq(ebb_stub_connections(s), 1);
	ck_assert_uint_eq(ebb_stub_requests(s), 20);
	ebb_http_call_release(&call);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

/* --- Many at once --- */

struct batch {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int done, failed;
};

static void count(struct ebb_http_call *call)
{
	struct batch *b = call->ctx;

	pthread_mutex_lock(&b->mutex);
	b->done++;
	b->failed += call->rc < 0;
	pthread_cond_signal(&b->cond);
	pthread_mutex_unlock(&b->mutex);
}

static void wait_for(struct batch *b, int n)
{
	pthread_mutex_lock(&b->mutex);
	while (b->done < n)
		pthread_cond_wait(&b->cond, &b->mutex);
	pthread_mutex_unlock(&b->mutex);
}

START_TEST(many_calls_share_few_connections)
{
	struct batch b = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
	struct ebb_stub *s = ebb_stub_start(echo, NULL);
	struct ebb_http *h = http(4);
	struct ebb_http_call calls[200] = {0};
	const char *to = url(s, "/");

	for (int i = 0; i < 200; i++) {
		calls[i] = (struct ebb_http_call){.method = "GET", .url = to, .done = count, .ctx = &b};
		ebb_http_start(h, &calls[i]);
	}
	wait_for(&b, 200);
	ck_assert_int_eq(b.failed, 0);
	ck_assert_uint_le(ebb_stub_connections(s), 4);
	for (int i = 0; i < 200; i++)
		ebb_http_call_release(&calls[i]);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

/* --- Back-pressure --- */

#define BIG ((size_t)8 << 20)

static void big(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)req;
	reply->body = ctx;
	reply->body_len = BIG;
}

struct slow {
	struct batch batch;
	struct ebb_http *h;
	size_t got, paused;
	bool open;	/* under batch.mutex: the sink may take */
};

static int take_when_open(struct ebb_http_call *call, const void *p, size_t len)
{
	struct slow *s = call->ctx;
	int rc = 0;

	(void)p;
	pthread_mutex_lock(&s->batch.mutex);
	if (!s->open) {
		s->paused++;
		rc = EBB_HTTP_PAUSE;
		pthread_cond_signal(&s->batch.cond);
	} else {
		s->got += len;
		s->open = false;	/* one piece at a time */
	}
	pthread_mutex_unlock(&s->batch.mutex);
	return rc;
}

START_TEST(a_sink_makes_the_server_wait)
{
	EBB_CLEANUP(ebb_mem_freep) char *data = calloc(1, BIG);
	struct slow slow = {{PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0}, NULL, 0, 0, false};
	struct ebb_stub *s = ebb_stub_start(big, data);
	struct ebb_http *h = http(0);
	struct ebb_http_call call = {.method = "GET", .sink = take_when_open, .done = count, .ctx = &slow};

	call.url = url(s, "/");
	ebb_http_start(h, &call);
	pthread_mutex_lock(&slow.batch.mutex);
	for (size_t seen = 0; !slow.batch.done;) {
		while (slow.paused == seen && !slow.batch.done)
			pthread_cond_wait(&slow.batch.cond, &slow.batch.mutex);
		seen = slow.paused;
		slow.open = true;
		pthread_mutex_unlock(&slow.batch.mutex);
		ebb_http_resume(h, &call);
		pthread_mutex_lock(&slow.batch.mutex);
	}
	pthread_mutex_unlock(&slow.batch.mutex);
	ck_assert_int_eq(call.rc, 0);
	ck_assert_uint_eq(slow.got, BIG);
	ck_assert_uint_gt(slow.paused, 10);
	ebb_http_call_release(&call);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

/* --- Ends --- */

static int refuse(struct ebb_http_call *call, const void *p, size_t len)
{
	(void)p;
	(void)len;
	return ebb_err_set(&call->err, EBB_ECORRUPT, "not what was asked for");
}

START_TEST(a_sink_can_refuse)
{
	EBB_CLEANUP(ebb_mem_freep) char *data = calloc(1, BIG);
	struct ebb_stub *s = ebb_stub_start(big, data);
	struct ebb_http *h = http(0);
	struct ebb_http_call call = {.method = "GET", .sink = refuse};
	struct ebb_err err = {0};

	call.url = url(s, "/");
	ck_assert_int_eq(ebb_http_do(h, &call, &err), -EBB_ECORRUPT);
	ck_assert_str_eq(err.msg, "not what was asked for");
	ck_assert_int_lt(call.received, (int64_t)BIG / 2);
	ebb_http_call_release(&call);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

START_TEST(an_answer_over_the_limit_is_refused)
{
	EBB_CLEANUP(ebb_mem_freep) char *data = calloc(1, BIG);
	struct ebb_stub *s = ebb_stub_start(big, data);
	struct ebb_http *h = http(0);
	struct ebb_http_call call = {.method = "GET", .limit = 1000};
	struct ebb_err err = {0};

	call.url = url(s, "/");
	ck_assert_int_eq(ebb_http_do(h, &call, &err), -EBB_ERANGE);
	ebb_http_call_release(&call);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

static void broken(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)ctx;
	reply->body = "half of what was said";
	reply->body_len = 21;
	reply->cut_after = 4;
	if (strstr(req->target, "cut"))
		reply->cut = true;
	else
		reply->reset = true;
	if (strstr(req->target, "early"))
		reply->cut_after = 0;
}

START_TEST(broken_connections_are_transient)
{
	static const char *const paths[] = {"/cut", "/reset", "/reset-early"};
	struct ebb_stub *s = ebb_stub_start(broken, NULL);
	struct ebb_http *h = http(0);
	struct ebb_http_call call = {.method = "GET"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(paths); i++) {
		struct ebb_err err = {0};

		call.url = url(s, paths[i]);
		ck_assert_int_eq(ebb_http_do(h, &call, &err), -EBB_ETRANSIENT);
		ck_assert(err.msg[0]);
	}
	ebb_http_call_release(&call);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

START_TEST(nobody_listening_is_transient_and_no_url_is_not)
{
	struct ebb_http *h = http(0);
	struct ebb_http_call call = {.method = "GET", .url = "http://127.0.0.1:1/"};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_http_do(h, &call, &err), -EBB_ETRANSIENT);
	ebb_err_clear(&err);
	call.url = "ftp://127.0.0.1/";
	ck_assert_int_eq(ebb_http_do(h, &call, &err), -EBB_ECONFIG);
	ebb_http_call_release(&call);
	ebb_http_free(h);
}
END_TEST

START_TEST(cancelled_calls_end)
{
	struct batch b = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
	struct ebb_http *h = http(0);
	struct ebb_http_call late = {.method = "GET", .url = "http://127.0.0.1:1/", .done = count, .ctx = &b};

	late.not_before = ebb_clock_monotonic() + 3600 * EBB_CLOCK_SECOND;
	ebb_http_start(h, &late);
	ebb_http_cancel(h, &late);
	wait_for(&b, 1);
	ck_assert_int_eq(late.rc, -EBB_ECANCELLED);
	ebb_http_cancel(h, &late);	/* too late: nothing happens */
	ebb_http_start(h, &late);
	ebb_http_free(h);
	ck_assert_int_eq(b.done, 2);
	ck_assert_int_eq(late.rc, -EBB_ECANCELLED);
	ebb_http_call_release(&late);
}
END_TEST

START_TEST(a_call_starts_when_it_is_time)
{
	struct ebb_stub *s = ebb_stub_start(echo, NULL);
	struct ebb_http *h = http(0);
	struct ebb_http_call call = {.method = "GET"};
	struct ebb_err err = {0};

	call.url = url(s, "/");
	call.not_before = ebb_clock_monotonic() + 20000000;
	ck_assert_int_eq(ebb_http_do(h, &call, &err), 0);
	ck_assert_int_ge(ebb_clock_monotonic(), call.not_before);
	ebb_http_call_release(&call);
	ebb_http_free(h);
	ebb_stub_stop(s);
}
END_TEST

EBB_UNIT_MAIN("http", sends_what_is_asked_and_nothing_else, headers_are_found_by_name, connections_are_reused,
	      many_calls_share_few_connections, a_sink_makes_the_server_wait, a_sink_can_refuse,
	      an_answer_over_the_limit_is_refused, broken_connections_are_transient,
	      nobody_listening_is_transient_and_no_url_is_not, cancelled_calls_end, a_call_starts_when_it_is_time)
