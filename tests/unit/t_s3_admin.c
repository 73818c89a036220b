/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lifecycle rules that a store drops, and restores, which no real server at hand can do: against a stub. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/s3.h"
#include "scanners/s3_admin.h"
#include "scanners/s3_expiry.h"
#include "tests/support/stub_http.h"
#include "tests/support/unit.h"

#define RULE(id, more) "<Rule><ID>" id "</ID><Status>Enabled</Status>" more "</Rule>"
#define CONFIG(rules) "<LifecycleConfiguration>" rules "</LifecycleConfiguration>"
#define DAYS "<Expiration><Days>3</Days></Expiration>"

static const char *form(const char *doc)
{
	static struct ebb_buf out;
	struct ebb_err err = {0};

	ebb_buf_release(&out);
	ebb_buf_init(&out, 10000);
	ck_assert_msg(ebb_s3_admin_lifecycle_form(doc, strlen(doc), &out, &err) == 0, "%s", err.msg);
	return out.data ? out.data : "";
}

START_TEST(equal_rules_have_one_form)
{
	static const char one[] = CONFIG(RULE("b", "<Filter><Prefix></Prefix></Filter>" DAYS)
					 RULE("a", "<Filter><And><Prefix>x/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>" DAYS));
	static const char other[] = CONFIG(RULE("a", DAYS "<Prefix>x/</Prefix><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>")
					   RULE("b", DAYS));
	char text[500];

	strcpy(text, form(one));
	ck_assert_str_eq(text, form(other));
	ck_assert_ptr_nonnull(strstr(text, "Tag/Value/k/=v"));
	ck_assert_ptr_nonnull(strstr(text, "Expiration/Days/=3"));
	ck_assert_str_ne(text, form(CONFIG(RULE("a", DAYS) RULE("b", DAYS))));
}
END_TEST

static int note_expiry(void *ctx, const struct ebb_s3_expiry *e)
{
	struct ebb_buf *out = ctx;

	return ebb_buf_addf(out, "%s=%lld/%lld%s;", e->prefix, (long long)e->days, (long long)e->newer, e->filtered ? "?" : "");
}

START_TEST(when_old_versions_go)
{
	static const char doc[] = CONFIG(
		RULE("a", "<Filter><Prefix>x/</Prefix></Filter><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>")
		RULE("b", DAYS)
		RULE("c", "<Filter><And><Prefix>y/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><NoncurrentVersionExpiration>"
			  "<NewerNoncurrentVersions>2</NewerNoncurrentVersions><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>")
		"<Rule><ID>d</ID><Status>Disabled</Status><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>"
		RULE("e", "<NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration>"));
	struct ebb_buf out = EBB_BUF_INIT(1000);

	ck_assert_int_eq(ebb_s3_expiry_read(doc, strlen(doc), note_expiry, &out, NULL), 0);
	ck_assert_str_eq(out.data, "x/=7/0;y/=3/2?;=30/0;");
	ck_assert_int_eq(ebb_s3_expiry_read("<a", 2, note_expiry, &out, NULL), -EBB_ECORRUPT);
	ebb_buf_release(&out);
}
END_TEST

START_TEST(what_is_no_configuration_is_corrupt)
{
	struct ebb_buf out = EBB_BUF_INIT(1000);
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_s3_admin_lifecycle_form("<a/>", 4, &out, &err), -EBB_ECORRUPT);
	ebb_buf_release(&out);
}
END_TEST

/* A bucket that keeps what it understands. */
struct bucket {
	char rules[2000];
	const char *drops;	/* an element that it drops */
	const char *restore;	/* header of HEAD */
};

static void keep_rules(struct bucket *b, const struct ebb_stub_request *req)
{
	snprintf(b->rules, sizeof(b->rules), "%.*s", (int)req->body_len, (const char *)req->body);
	char *at = b->drops ? strstr(b->rules, b->drops) : NULL;
	if (at)
		memmove(at, at + strlen(b->drops), strlen(at + strlen(b->drops)) + 1);
}

static void serve(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	struct bucket *b = ctx;

	if (strstr(req->target, "?restore")) {
		reply->status = b->restore ? 409 : 202;
		reply->body = b->restore ? "<Error><Code>RestoreAlreadyInProgress</Code></Error>" : "";
		reply->body_len = strlen(reply->body);
	} else if (strcmp(req->method, "HEAD") == 0) {
		reply->headers = b->restore;
	} else if (strcmp(req->method, "PUT") == 0) {
		keep_rules(b, req);
	} else if (strcmp(req->method, "DELETE") == 0) {
		b->rules[0] = '\0';
		reply->status = 204;
	} else {
		reply->status = b->rules[0] ? 200 : 404;
		reply->body = b->rules[0] ? b->rules : "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>";
		reply->body_len = strlen(reply->body);
	}
}

static struct ebb_s3 *client(struct ebb_stub *stub)
{
	const struct ebb_s3_config cfg = {.bucket = "lake", .endpoint = ebb_stub_url(stub)};
	struct ebb_s3 *s = NULL;
	struct ebb_err err = {0};

	setenv("no_proxy", "127.0.0.1", 1);
	setenv("AWS_ACCESS_KEY_ID", "ID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	ck_assert_int_eq(ebb_s3_open(&cfg, &s, &err), 0);
	return s;
}

START_TEST(rules_that_lose_a_condition_do_not_stay)
{
	static const char narrow[] = CONFIG(RULE("a", "<Filter><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan></Filter>" DAYS));
	static const char plain[] = CONFIG(RULE("a", DAYS));
	struct bucket b = {.drops = "<ObjectSizeGreaterThan>9</ObjectSizeGreaterThan>"};
	struct ebb_stub *stub = ebb_stub_start(serve, &b);
	struct ebb_s3 *s = client(stub);
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_s3_admin_lifecycle_put(s, narrow, &err), -EBB_EMISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "ObjectSizeGreaterThan"));
	ck_assert_str_eq(b.rules, "");
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_s3_admin_lifecycle_put(s, plain, &err), 0);
	ck_assert_int_eq(ebb_s3_admin_lifecycle_put(s, narrow, &err), -EBB_EMISMATCH);
	ck_assert_str_eq(b.rules, plain);
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(restores_are_asked_for_and_followed)
{
	struct bucket b = {.drops = NULL};
	struct ebb_stub *stub = ebb_stub_start(serve, &b);
	struct ebb_s3 *s = client(stub);
	enum ebb_s3_restored how;
	struct ebb_err err = {0};
	int64_t expires;

	ck_assert_int_eq(ebb_s3_admin_restored(s, "o", &how, &expires, &err), 0);
	ck_assert_int_eq(how, EBB_S3_AWAKE);
	ck_assert_int_eq(ebb_s3_admin_restore(s, "o", 2, "Bulk", &err), 0);
	b.restore = "x-amz-restore: ongoing-request=\"true\"\r\n";
	ck_assert_int_eq(ebb_s3_admin_restore(s, "o", 2, "Bulk", &err), 0);
	ck_assert_int_eq(ebb_s3_admin_restored(s, "o", &how, &expires, &err), 0);
	ck_assert_int_eq(how, EBB_S3_RESTORING);
	b.restore = "x-amz-restore: ongoing-request=\"false\", expiry-date=\"Fri, 24 May 2013 00:00:00 GMT\"\r\n";
	ck_assert_int_eq(ebb_s3_admin_restored(s, "o", &how, &expires, &err), 0);
	ck_assert_int_eq(how, EBB_S3_RESTORED);
	ck_assert_int_eq(expires, INT64_C(1369353600000000000));
	ebb_s3_free(s);
	ebb_stub_stop(stub);
}
END_TEST

EBB_UNIT_MAIN("s3_admin", equal_rules_have_one_form, when_old_versions_go, what_is_no_configuration_is_corrupt,
	      rules_that_lose_a_condition_do_not_stay, restores_are_asked_for_and_followed)
