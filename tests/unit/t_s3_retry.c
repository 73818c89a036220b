/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/mem.h"
#include "scanners/s3_retry.h"
#include "tests/support/unit.h"

START_TEST(every_answer_has_one_verdict)
{
	static const struct {
		struct ebb_s3_outcome o;
		enum ebb_s3_verdict verdict;
		int rc;
	} rows[] = {
		{{.status = 200, .code = ""}, EBB_S3_FINAL, 0},
		{{.status = 206, .code = ""}, EBB_S3_FINAL, 0},
		{{.status = 204, .code = ""}, EBB_S3_FINAL, 0},
		{{.status = 200, .code = "InternalError"}, EBB_S3_RETRY, EBB_ETRANSIENT},
		{{.status = 200, .code = "SlowDown"}, EBB_S3_THROTTLE, EBB_ETHROTTLE},
		{{.status = 503, .code = "SlowDown"}, EBB_S3_THROTTLE, EBB_ETHROTTLE},
		{{.status = 503, .code = ""}, EBB_S3_THROTTLE, EBB_ETHROTTLE},
		{{.status = 429, .code = ""}, EBB_S3_THROTTLE, EBB_ETHROTTLE},
		{{.status = 500, .code = ""}, EBB_S3_RETRY, EBB_ETRANSIENT},
		{{.status = 502, .code = ""}, EBB_S3_RETRY, EBB_ETRANSIENT},
		{{.status = 400, .code = "RequestTimeout"}, EBB_S3_RETRY, EBB_ETRANSIENT},
		{{.status = 400, .code = "BadDigest"}, EBB_S3_RETRY, EBB_EMISMATCH},
		{{.rc = -EBB_ETRANSIENT, .code = ""}, EBB_S3_RETRY, EBB_ETRANSIENT},
		{{.rc = -EBB_ESTORE, .code = ""}, EBB_S3_FINAL, EBB_ESTORE},
		{{.rc = -EBB_ECANCELLED, .code = ""}, EBB_S3_FINAL, EBB_ECANCELLED},
		{{.status = 404, .code = "NoSuchKey"}, EBB_S3_FINAL, EBB_ENOENT},
		{{.status = 404, .code = "", .head = true}, EBB_S3_FINAL, EBB_ENOENT},
		{{.status = 404, .code = "NoSuchBucket"}, EBB_S3_FINAL, EBB_ESTORE},
		{{.status = 412, .code = "PreconditionFailed"}, EBB_S3_FINAL, EBB_ECHANGED},
		{{.status = 304, .code = ""}, EBB_S3_FINAL, EBB_ECHANGED},
		{{.status = 403, .code = "AccessDenied"}, EBB_S3_FINAL, EBB_EACCES},
		{{.status = 403, .code = "AccessDenied", .session = true}, EBB_S3_FINAL, EBB_EACCES},
		{{.status = 403, .code = "AccessDenied", .skewed = true}, EBB_S3_SKEW, EBB_EACCES},
		{{.status = 403, .code = "RequestTimeTooSkewed", .skewed = true}, EBB_S3_SKEW, EBB_ESTORE},
		{{.status = 403, .code = "", .head = true, .skewed = true}, EBB_S3_SKEW, EBB_EACCES},
		{{.status = 403, .code = "", .head = true, .session = true}, EBB_S3_EXPIRED, EBB_EACCES},
		{{.status = 400, .code = "", .head = true, .session = true}, EBB_S3_EXPIRED, EBB_EIO},
		{{.status = 400, .code = "ExpiredToken"}, EBB_S3_EXPIRED, EBB_ESTORE},
		{{.status = 403, .code = "InvalidAccessKeyId"}, EBB_S3_EXPIRED, EBB_ESTORE},
		{{.status = 403, .code = "SignatureDoesNotMatch"}, EBB_S3_FINAL, EBB_ESTORE},
		{{.status = 403, .code = "InvalidObjectState"}, EBB_S3_FINAL, EBB_EASLEEP},
		{{.status = 400, .code = "InvalidStorageClass"}, EBB_S3_FINAL, EBB_ENOTSUP},
		{{.status = 501, .code = "NotImplemented"}, EBB_S3_FINAL, EBB_ENOTSUP},
		{{.status = 301, .code = "PermanentRedirect", .region = true}, EBB_S3_REGION, EBB_ECONFIG},
		{{.status = 301, .code = "PermanentRedirect"}, EBB_S3_FINAL, EBB_ECONFIG},
		{{.status = 400, .code = "AuthorizationHeaderMalformed", .region = true}, EBB_S3_REGION, EBB_ECONFIG},
		{{.status = 400, .code = "", .head = true, .region = true, .session = true}, EBB_S3_REGION, EBB_EIO},
		{{.status = 416, .code = "InvalidRange"}, EBB_S3_FINAL, EBB_ECORRUPT},
		{{.status = 400, .code = "SomethingNew"}, EBB_S3_FINAL, EBB_EIO},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(rows); i++) {
		int rc = 1;

		ck_assert_msg(ebb_s3_retry_judge(&rows[i].o, &rc) == rows[i].verdict && rc == -rows[i].rc,
			      "row %zu: %d %s", i, rows[i].o.status, rows[i].o.code);
	}
}
END_TEST

START_TEST(pauses_grow_and_are_random)
{
	const int64_t base = 100000000, cap = 20 * EBB_CLOCK_SECOND;
	uint64_t random = 1;

	for (unsigned attempt = 1; attempt < 70; attempt++) {
		int64_t most = attempt > 8 ? cap : base << (attempt - 1), least = INT64_MAX, largest = 0;

		for (int i = 0; i < 200; i++) {
			int64_t d = ebb_s3_retry_delay(attempt, base, 0, &random);

			least = d < least ? d : least;
			largest = d > largest ? d : largest;
		}
		ck_assert_int_le(largest, most < cap ? most : cap);
		ck_assert_int_ge(least, 0);
		ck_assert_int_lt(least, most / 4);
		ck_assert_int_gt(largest, most / 2);
	}
}
END_TEST

START_TEST(the_server_may_ask_for_longer)
{
	uint64_t random = 1;

	ck_assert_int_eq(ebb_s3_retry_delay(1, 1000, 7 * EBB_CLOCK_SECOND, &random), 7 * EBB_CLOCK_SECOND);
	ck_assert_int_eq(ebb_s3_retry_delay(1, 1000, 9999 * EBB_CLOCK_SECOND, &random), 300 * EBB_CLOCK_SECOND);
}
END_TEST

START_TEST(throttling_halves_once_and_success_brings_it_back)
{
	struct ebb_s3_gate g;

	ebb_s3_retry_gate_init(&g, 16);
	for (int i = 0; i < 16; i++)
		ck_assert(ebb_s3_retry_enter(&g));
	ck_assert(!ebb_s3_retry_enter(&g));
	ebb_s3_retry_throttled(&g, 100, 200);
	ck_assert_uint_eq(g.limit, 8);
	ebb_s3_retry_throttled(&g, 150, 210);	/* was on its way already */
	ck_assert_uint_eq(g.limit, 8);
	ebb_s3_retry_throttled(&g, 220, 230);
	ck_assert_uint_eq(g.limit, 4);
	for (int i = 0; i < 16; i++)
		ebb_s3_retry_leave(&g, false);
	ck_assert_uint_eq(g.limit, 4);
	for (unsigned n = 0; g.limit < 16; n++) {
		ck_assert_uint_lt(n, 16 * 16);
		ck_assert(ebb_s3_retry_enter(&g));
		ebb_s3_retry_leave(&g, true);
	}
	for (int i = 0; i < 10; i++)
		ebb_s3_retry_throttled(&g, 1000 + i, 1000 + i);
	ck_assert_uint_eq(g.limit, 1);
}
END_TEST

START_TEST(repetitions_have_a_budget)
{
	struct ebb_s3_gate g;
	int paid = 0;

	ebb_s3_retry_gate_init(&g, 4);
	while (ebb_s3_retry_pay(&g))
		paid++;
	ck_assert_int_eq(paid, EBB_S3_RETRY_BUDGET);
	for (int i = 0; i < 10; i++) {
		ck_assert(ebb_s3_retry_enter(&g));
		ebb_s3_retry_leave(&g, true);
	}
	ck_assert(ebb_s3_retry_pay(&g));
	ck_assert(!ebb_s3_retry_pay(&g));
}
END_TEST

EBB_UNIT_MAIN("s3_retry", every_answer_has_one_verdict, pauses_grow_and_are_random, the_server_may_ask_for_longer,
	      throttling_halves_once_and_success_brings_it_back, repetitions_have_a_budget)
