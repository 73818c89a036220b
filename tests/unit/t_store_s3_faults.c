/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The S3 store against a stub: damage, cut connections and lies, which a real server cannot be made to do. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/store_s3.h"
#include "tests/support/stub_http.h"
#include "tests/support/unit.h"

#define CONTENT "0123456789"
#define MD5 "781e5e245d69b566979b86e28d23f2c7"
#define FACTS(etag) "ETag: \"" etag "\"\r\nLast-Modified: Fri, 24 May 2013 00:00:00 GMT\r\n"

/* One object "o", whose server behaves as the test says. */
struct bucket {
	const char *etag;	/* of the object, as a header */
	bool exists;
	unsigned gets, puts, deletes;
	void (*get)(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply);
	void (*put)(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply);
};

static void answer_error(struct ebb_stub_reply *reply, int status, const char *body)
{
	reply->status = status;
	reply->body = body;
	reply->body_len = strlen(body);
}

static void serve(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	struct bucket *b = ctx;

	reply->headers = b->etag;
	if (strstr(req->target, "?versioning")) {
		answer_error(reply, 200, "<VersioningConfiguration/>");
	} else if (strcmp(req->method, "PUT") == 0) {
		b->puts++;
		b->put(b, req, reply);
	} else if (strcmp(req->method, "DELETE") == 0) {
		b->deletes++;
		b->exists = false;
		reply->status = 204;
	} else if (!b->exists) {
		reply->status = 404;
	} else if (strcmp(req->method, "HEAD") == 0) {
		reply->body = CONTENT;
		reply->body_len = strlen(CONTENT);
	} else {
		b->gets++;
		b->get(b, req, reply);
	}
}

struct setup {
	struct ebb_stub *stub;
	struct ebb_store *s;
};

static struct setup up(struct bucket *b)
{
	struct setup u = {.stub = ebb_stub_start(serve, b)};
	const struct ebb_store_config cfg = {.name = "s", .type = "s3", .bucket = "lake", .endpoint = ebb_stub_url(u.stub)};
	struct ebb_err err = {0};

	setenv("no_proxy", "127.0.0.1", 1);
	setenv("AWS_ACCESS_KEY_ID", "ID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	ck_assert_msg(ebb_store_open(&cfg, &u.s, &err) == 0, "%s", err.msg);
	return u;
}

static void down(struct setup *u)
{
	ebb_store_close(u->s);
	ebb_stub_stop(u->stub);
}

/* Read the object to its end; what came is in @out. */
static int read_all(struct ebb_store *s, char out[64], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	size_t len = 0;
	int64_t n;
	int rc = ebb_store_read_open(s, "o", NULL, &r, err);

	if (rc < 0)
		return rc;
	while ((n = ebb_store_read(r, out + len, 63 - len, err)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	return (int)n;
}

/* --- Reading --- */

/* The first answers break off after three bytes; each further one begins where the last ended. */
static void get_piecemeal(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	static char headers[300];
	char range[64];
	size_t from = 0;

	if (ebb_stub_header(req, "range", range, sizeof(range))) {
		from = strtoul(range + strlen("bytes="), NULL, 10);
		snprintf(headers, sizeof(headers), FACTS(MD5) "Content-Range: bytes %zu-9/10\r\n", from);
		reply->headers = headers;
		reply->status = 206;
		ck_assert(ebb_stub_header(req, "if-match", range, sizeof(range)));
	}
	reply->body = &CONTENT[from];
	reply->body_len = strlen(CONTENT) - from;
	reply->cut = b->gets <= 3;
	reply->cut_after = 3;
}

START_TEST(a_body_that_breaks_off_is_continued)
{
	struct bucket b = {.etag = FACTS(MD5), .exists = true, .get = get_piecemeal};
	struct setup u = up(&b);
	struct ebb_err err = {0};
	char got[64];

	ck_assert_msg(read_all(u.s, got, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(got, CONTENT);
	ck_assert_uint_eq(b.gets, 4);
	down(&u);
}
END_TEST

static void get_wrong(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)b;
	(void)req;
	reply->body = "012345678X";
	reply->body_len = 10;
}

START_TEST(damaged_bytes_are_found)
{
	struct bucket b = {.etag = FACTS(MD5), .exists = true, .get = get_wrong};
	struct setup u = up(&b);
	struct ebb_err err = {0};
	char got[64];

	ck_assert_int_eq(read_all(u.s, got, &err), -EBB_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, MD5));
	down(&u);
}
END_TEST

static void get_changed(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	get_piecemeal(b, req, reply);
	if (b->gets > 1)
		reply->headers = FACTS("00000000000000000000000000000000") "Content-Range: bytes 3-9/10\r\n";
}

START_TEST(an_object_that_changes_is_not_continued)
{
	struct bucket b = {.etag = FACTS(MD5), .exists = true, .get = get_changed};
	struct setup u = up(&b);
	struct ebb_err err = {0};
	char got[64];

	ck_assert_int_eq(read_all(u.s, got, &err), -EBB_ECHANGED);
	down(&u);
}
END_TEST

/* Ranges are ignored: the whole object comes. */
static void get_whole(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)b;
	(void)req;
	reply->body = CONTENT;
	reply->body_len = strlen(CONTENT);
}

START_TEST(a_range_that_is_none_is_refused)
{
	struct bucket b = {.etag = FACTS(MD5), .exists = true, .get = get_whole};
	struct setup u = up(&b);
	struct ebb_err err = {0};
	char buf[4];

	ck_assert_int_eq(ebb_store_read_range(u.s, "o", NULL, 2, buf, 4, &err), -EBB_ECORRUPT);
	down(&u);
}
END_TEST

static void get_archived(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)b;
	(void)req;
	answer_error(reply, 403, "<Error><Code>InvalidObjectState</Code><Message>archived</Message></Error>");
}

START_TEST(archived_objects_say_so)
{
	struct bucket b = {.etag = FACTS(MD5) "x-amz-storage-class: GLACIER\r\n", .exists = true, .get = get_archived};
	struct setup u = up(&b);
	struct ebb_err err = {0};
	char got[64];

	ck_assert_int_eq(read_all(u.s, got, &err), -EBB_EASLEEP);
	ck_assert_ptr_nonnull(strstr(err.msg, "InvalidObjectState"));
	down(&u);
}
END_TEST

static void get_one_byte(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)b;
	(void)req;
	reply->status = 206;
	reply->headers = FACTS(MD5) "Content-Range: bytes 0-0/10\r\n";
	reply->body = CONTENT;
	reply->body_len = 1;
}

/* State of an object with these headers, which a GET answers as @get; how many were sent to *ret_gets. */
static enum ebb_store_sleep state_of(const char *headers,
				     void (*get)(struct bucket *, const struct ebb_stub_request *, struct ebb_stub_reply *),
				     unsigned *ret_gets, struct ebb_store_rest *ret_rest)
{
	struct bucket b = {.etag = headers, .exists = true, .get = get};
	struct setup u = up(&b);
	enum ebb_store_sleep state = EBB_STORE_AWAKE;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_store_sleep(u.s, "o", NULL, &state, ret_rest, &err) == 0, "%s", err.msg);
	*ret_gets = b.gets;
	down(&u);
	return state;
}

START_TEST(whether_an_object_sleeps_is_found_out)
{
	unsigned gets;
	struct ebb_store_rest rest;

	ck_assert_int_eq(state_of(FACTS(MD5) "x-amz-storage-class: GLACIER\r\n", get_archived, &gets, &rest), EBB_STORE_ASLEEP);
	ck_assert_uint_eq(gets, 1);
	/* only called so: one byte of it can be read */
	ck_assert_int_eq(state_of(FACTS(MD5) "x-amz-storage-class: GLACIER\r\n", get_one_byte, &gets, &rest), EBB_STORE_AWAKE);
	/* a tier says so itself, and what it gives back it gives back for good */
	ck_assert_int_eq(state_of(FACTS(MD5) "x-amz-storage-class: INTELLIGENT_TIERING\r\nx-amz-archive-status: ARCHIVE_ACCESS\r\n",
				  get_archived, &gets, &rest), EBB_STORE_ASLEEP);
	ck_assert_int_eq(rest.tier, EBB_STORE_TIER_ARCHIVE);
	ck_assert_uint_eq(gets, 0);
	ck_assert_int_eq(state_of(FACTS(MD5) "x-amz-storage-class: INTELLIGENT_TIERING\r\nx-amz-archive-status: DEEP_ARCHIVE_ACCESS\r\n"
					     "x-amz-restore: ongoing-request=\"true\"\r\n", get_archived, &gets, &rest), EBB_STORE_THAWING);
	ck_assert_int_eq(rest.tier, EBB_STORE_TIER_DEEP);
	ck_assert_int_eq(state_of(FACTS(MD5) "x-amz-storage-class: INTELLIGENT_TIERING\r\n", get_archived, &gets, &rest), EBB_STORE_AWAKE);
	ck_assert_uint_eq(gets, 0);
	ck_assert_int_eq(state_of(FACTS(MD5) "x-amz-storage-class: GLACIER\r\nx-amz-restore: ongoing-request=\"true\"\r\n",
				  get_archived, &gets, &rest), EBB_STORE_THAWING);
	ck_assert_int_eq(state_of(FACTS(MD5) "x-amz-storage-class: GLACIER\r\n"
					     "x-amz-restore: ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\"\r\n",
				  get_archived, &gets, &rest), EBB_STORE_THAWED);
	ck_assert_uint_eq(gets, 0);
	ck_assert_int_eq(rest.expires, INT64_C(1356048000) * 1000000000);
	ck_assert_int_eq(state_of(FACTS(MD5), get_archived, &gets, &rest), EBB_STORE_AWAKE);
	ck_assert_uint_eq(gets, 0);
}
END_TEST

/* --- Writing --- */

static int write_o(struct ebb_store *s, struct ebb_err *err)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	struct ebb_store_writer *w;

	ck_assert_int_eq(ebb_store_write_open(s, "o", &opts, &w, err), 0);
	ck_assert_int_eq(ebb_store_write(w, CONTENT, strlen(CONTENT), err), 0);
	return ebb_store_write_commit(w, NULL, 0, NULL, err);
}

/* Stored, but the answer is lost; the repetition meets our own object. */
static void put_loses_answer(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	char condition[8] = "";

	ebb_stub_header(req, "if-none-match", condition, sizeof(condition));
	ck_assert_str_eq(condition, "*");
	ck_assert_uint_eq(req->body_len, strlen(CONTENT));
	b->exists = true;
	if (b->puts == 1)
		reply->reset = true;
	else
		answer_error(reply, 412, "<Error><Code>PreconditionFailed</Code></Error>");
}

START_TEST(a_write_whose_answer_was_lost_stands)
{
	struct bucket b = {.etag = FACTS(MD5) "x-amz-meta-ebb-tag: t\r\n", .put = put_loses_answer};
	struct setup u = up(&b);
	struct ebb_err err = {0};

	ck_assert_msg(write_o(u.s, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(b.puts, 2);
	ck_assert_uint_eq(b.deletes, 0);
	down(&u);
}
END_TEST

static void put_meets_another(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)req;
	b->exists = true;
	answer_error(reply, 412, "<Error><Code>PreconditionFailed</Code></Error>");
}

START_TEST(an_object_of_another_is_not_taken_for_ours)
{
	struct bucket b = {.etag = FACTS(MD5), .put = put_meets_another};
	struct setup u = up(&b);
	struct ebb_err err = {0};

	ck_assert_int_eq(write_o(u.s, &err), -EBB_EEXIST);
	ck_assert_uint_eq(b.deletes, 0);
	ck_assert(b.exists);
	down(&u);
}
END_TEST

static void put_fine(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	(void)req;
	(void)reply;
	b->exists = true;
}

START_TEST(bytes_that_arrive_damaged_are_taken_back)
{
	struct bucket b = {.etag = FACTS("00000000000000000000000000000000"), .put = put_fine};
	struct setup u = up(&b);
	struct ebb_err err = {0};

	ck_assert_int_eq(write_o(u.s, &err), -EBB_EMISMATCH);
	ck_assert_uint_eq(b.deletes, 1);
	ck_assert(!b.exists);
	down(&u);
}
END_TEST

static void put_unconditional(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	char condition[8];

	if (ebb_stub_header(req, "if-none-match", condition, sizeof(condition)))
		answer_error(reply, 501, "<Error><Code>NotImplemented</Code></Error>");
	else
		b->exists = true;
}

START_TEST(stores_without_conditions_are_written_to)
{
	struct bucket b = {.etag = FACTS(MD5), .put = put_unconditional};
	struct setup u = up(&b);
	struct ebb_err err = {0};

	ck_assert_msg(write_o(u.s, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(b.puts, 2);
	down(&u);
}
END_TEST

static void put_into_another_class(struct bucket *b, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	put_fine(b, req, reply);
}

START_TEST(a_class_that_is_ignored_is_found)
{
	struct bucket b = {.etag = FACTS(MD5), .put = put_into_another_class};
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t", .class = "GLACIER"};
	struct setup u = up(&b);
	struct ebb_store_writer *w;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_store_write_open(u.s, "o", &opts, &w, &err), 0);
	ck_assert_int_eq(ebb_store_write(w, CONTENT, strlen(CONTENT), &err), 0);
	ck_assert_int_eq(ebb_store_write_commit(w, NULL, 0, NULL, &err), -EBB_EMISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "STANDARD instead of GLACIER"));
	ck_assert(!b.exists);
	down(&u);
}
END_TEST

/* --- Removing --- */

START_TEST(locked_objects_stay)
{
	struct bucket b = {.etag = FACTS(MD5) "x-amz-object-lock-legal-hold: ON\r\n", .exists = true};
	struct setup u = up(&b);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_store_head(u.s, "o", &rec, &err), 0);
	ck_assert_int_eq(ebb_proof_purge(u.s, "o", &rec, EBB_PROOF_PURGE_WORDS, &proof, &err), 0);
	ck_assert_int_eq(ebb_store_remove(u.s, "o", proof, &err), -EBB_EACCES);
	ck_assert_uint_eq(b.deletes, 0);
	down(&u);
}
END_TEST

EBB_UNIT_MAIN("store_s3_faults", a_body_that_breaks_off_is_continued, damaged_bytes_are_found, an_object_that_changes_is_not_continued, a_range_that_is_none_is_refused,
	      archived_objects_say_so, whether_an_object_sleeps_is_found_out, a_write_whose_answer_was_lost_stands, an_object_of_another_is_not_taken_for_ours,
	      bytes_that_arrive_damaged_are_taken_back, stores_without_conditions_are_written_to,
	      a_class_that_is_ignored_is_found, locked_objects_stay)
