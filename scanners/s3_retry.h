/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an answer of an object store means and what to do about it; pure, so that every case can be tested without a server.
 *
 * Threads: every function may be called from any thread; a gate belongs to whoever holds its owner's lock.
 */
#ifndef EBB_SCANNERS_S3_RETRY_H
#define EBB_SCANNERS_S3_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* One attempt as it ended. */
struct ebb_s3_outcome {
	int rc;			/* of the HTTP call: 0 when an answer came */
	int status;
	const char *code;	/* of the error document, "" without one (answers to HEAD have none) */
	bool head;		/* the method was HEAD */
	bool session;		/* signed with a session token, which may have expired */
	bool region;		/* the answer names another region than the one signed for */
	bool skewed;		/* the answer's date is more than ten minutes from what was signed */
};

enum ebb_s3_verdict {
	EBB_S3_FINAL,		/* as it is: success, or a failure that a repetition would repeat */
	EBB_S3_RETRY,		/* again, after a pause */
	EBB_S3_THROTTLE,	/* the same, with less at once */
	EBB_S3_SKEW,		/* set the clock by the answer, sign again */
	EBB_S3_REGION,		/* sign for the region that the answer names */
	EBB_S3_EXPIRED		/* get new credentials, sign again */
};

/*
 * @ret_rc  0 for success (2xx without an error document), else the negative code that the caller gets when it is not tried
 *          again:
 *            ENOENT     no such key, version or upload            ESTORE   no such bucket, bad credentials
 *            EEXIST     -                                         EACCES   forbidden
 *            ECHANGED   a precondition failed (412, 304)          ENOTSUP  501, 405, unknown class, archived
 *            EMISMATCH  the store got other bytes than were sent  ECORRUPT no such range
 *            ETHROTTLE, ETRANSIENT  see core/err.h                ECONFIG  another region or endpoint
 *            EIO        anything else, and what the HTTP call returned
 */
enum ebb_s3_verdict ebb_s3_retry_judge(const struct ebb_s3_outcome *o, int *ret_rc);

/*
 * How long to wait before attempt @attempt (1: the first repetition): anything from 0 to @base * 2^(@attempt - 1), at most 20 s
 * ("full jitter"), but not less than the server asks for. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog.
 *
 * @base    ns.
 * @after   what Retry-After said, ns; 0 without one. Over 5 minutes counts as 5 minutes.
 * @random  state of the generator; any value.
 */
int64_t ebb_s3_retry_delay(unsigned attempt, int64_t base, int64_t after, uint64_t *random);

/* Most repetitions that an endpoint is owed at a time, and what a success pays back, in tenths. */
#define EBB_S3_RETRY_BUDGET 100
#define EBB_S3_RETRY_REFUND 1

/*
 * How much may be asked of an endpoint at a time. Throttling halves `limit`, once for all requests that were on their way;
 * a full round of successes adds one. Repetitions cost from a budget, so that a broken server is not asked several times as
 * often as a healthy one.
 */
struct ebb_s3_gate {
	unsigned max, limit, inflight;
	unsigned successes;	/* since limit last changed */
	int64_t halved;		/* when; monotonic ns */
	unsigned budget;	/* tenths of repetitions left */
};

void ebb_s3_retry_gate_init(struct ebb_s3_gate *g, unsigned max);

/* Take a slot; false when there is none. Give it back with ebb_s3_retry_leave. */
bool ebb_s3_retry_enter(struct ebb_s3_gate *g);

/* Give a slot back; @ok: the request succeeded. */
void ebb_s3_retry_leave(struct ebb_s3_gate *g, bool ok);

/* The endpoint throttled a request that was sent at @sent (monotonic ns). @now as well. */
void ebb_s3_retry_throttled(struct ebb_s3_gate *g, int64_t sent, int64_t now);

/* Pay for a repetition; false when the budget is used up. */
bool ebb_s3_retry_pay(struct ebb_s3_gate *g);

#endif
