/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/webhook.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tests/support/stub_http.h"
#include "tests/support/unit.h"

#define SHORT 1000000 /* a millisecond */
static const char body[] = "{\"alerts\":[]}";

static struct ebb_err err;

/* What the server answers, request by request; the last stands for all further ones. */
struct script {
	const int *status;
	unsigned n;
	bool reset_first;
	char auth[64], type[64], got[64], method[8];
};

static void answer(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	struct script *s = ctx;

	reply->status = s->status[req->number < s->n ? req->number : s->n - 1];
	reply->reset = s->reset_first && req->number == 0;
	if (!ebb_stub_header(req, "Authorization", s->auth, sizeof(s->auth)))
		*s->auth = 0;
	ebb_stub_header(req, "Content-Type", s->type, sizeof(s->type));
	snprintf(s->got, sizeof(s->got), "%.*s", (int)req->body_len, (const char *)req->body);
	snprintf(s->method, sizeof(s->method), "%s", req->method);
	if (reply->status == 302)
		reply->headers = "Location: http://127.0.0.1:9/\r\n";
	if (reply->status == 429)
		reply->headers = "Retry-After: 0\r\n";
}

/* Post to a server with that script; the number of requests into *requests. */
static int post(struct script *s, const struct ebb_secret *token, unsigned *requests)
{
	struct ebb_stub *stub = ebb_stub_start(answer, s);
	char url[100];

	snprintf(url, sizeof(url), "%s/hook", ebb_stub_url(stub));
	ebb_err_clear(&err);
	int r = ebb_webhook_post(url, token, body, sizeof(body) - 1, SHORT, &err);
	*requests = ebb_stub_requests(stub);
	ebb_stub_stop(stub);
	return r;
}

START_TEST(it_arrives_with_its_token)
{
	static const int status[] = {204};
	struct script s = {status, 1, false, "", "", "", ""};
	EBB_CLEANUP(ebb_secret_freep) struct ebb_secret *token = ebb_secret_new("s3cret", 6);
	unsigned n;

	ck_assert_msg(post(&s, token, &n) == 0, "%s", err.msg);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(s.method, "POST");
	ck_assert_str_eq(s.auth, "Bearer s3cret");
	ck_assert_str_eq(s.type, "application/json");
	ck_assert_str_eq(s.got, body);
	ck_assert_int_eq(post(&s, NULL, &n), 0);
	ck_assert_str_eq(s.auth, "");
}
END_TEST

START_TEST(what_may_succeed_later_is_tried_again)
{
	static const int status[] = {503, 429, 200};
	struct script s = {status, 3, false, "", "", "", ""};
	unsigned n;

	ck_assert_msg(post(&s, NULL, &n) == 0, "%s", err.msg);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(s.got, body);
	s = (struct script){status + 2, 1, true, "", "", "", ""};
	ck_assert_msg(post(&s, NULL, &n) == 0, "%s", err.msg);
	ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(the_budget_ends)
{
	static const int status[] = {500};
	struct script s = {status, 1, false, "", "", "", ""};
	unsigned n;

	ck_assert_int_eq(post(&s, NULL, &n), -EBB_EPARTIAL);
	ck_assert_uint_eq(n, EBB_WEBHOOK_TRIES);
	ck_assert_msg(strstr(err.msg, "answered 500 (4 tries)") != NULL, "%s", err.msg);
}
END_TEST

/* A refusal is final, and so is a redirect: the token goes nowhere else. */
START_TEST(what_is_refused_is_not_repeated)
{
	static const int refused[] = {403}, elsewhere[] = {302};
	struct script s = {refused, 1, false, "", "", "", ""};
	unsigned n;

	ck_assert_int_eq(post(&s, NULL, &n), -EBB_EPARTIAL);
	ck_assert_uint_eq(n, 1);
	s.status = elsewhere;
	ck_assert_int_eq(post(&s, NULL, &n), -EBB_EPARTIAL);
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(nobody_there_is_told)
{
	ck_assert_int_eq(ebb_webhook_post("http://127.0.0.1:1/", NULL, body, sizeof(body) - 1, SHORT, &err), -EBB_EPARTIAL);
	ck_assert_msg(strstr(err.msg, "127.0.0.1:1") && strstr(err.msg, "4 tries"), "%s", err.msg);
}
END_TEST

EBB_UNIT_MAIN("webhook", it_arrives_with_its_token, what_may_succeed_later_is_tried_again, the_budget_ends,
	      what_is_refused_is_not_repeated, nobody_there_is_told)
