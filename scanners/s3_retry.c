/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_retry.h"

#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/mem.h"

#define LONGEST (20 * EBB_CLOCK_SECOND)
#define LONGEST_ASKED (300 * EBB_CLOCK_SECOND)
#define COST 10		/* tenths, as EBB_S3_RETRY_REFUND */

/* Codes of error documents. Source: S3 API Reference, "Error responses"; the second half are other stores' and services'. */
static const struct {
	const char *code;
	enum ebb_s3_verdict verdict;
	int rc;
} codes[] = {
	{"SlowDown", EBB_S3_THROTTLE, EBB_ETHROTTLE},
	{"ServiceUnavailable", EBB_S3_THROTTLE, EBB_ETHROTTLE},
	{"TooManyRequests", EBB_S3_THROTTLE, EBB_ETHROTTLE},
	{"RequestLimitExceeded", EBB_S3_THROTTLE, EBB_ETHROTTLE},
	{"Throttling", EBB_S3_THROTTLE, EBB_ETHROTTLE},
	{"ThrottlingException", EBB_S3_THROTTLE, EBB_ETHROTTLE},
	{"BandwidthLimitExceeded", EBB_S3_THROTTLE, EBB_ETHROTTLE},
	{"InternalError", EBB_S3_RETRY, EBB_ETRANSIENT},
	{"OperationAborted", EBB_S3_RETRY, EBB_ETRANSIENT},
	{"ConditionalRequestConflict", EBB_S3_RETRY, EBB_ETRANSIENT},
	{"RequestTimeout", EBB_S3_RETRY, EBB_ETRANSIENT},
	{"IncompleteBody", EBB_S3_RETRY, EBB_ETRANSIENT},
	{"BadDigest", EBB_S3_RETRY, EBB_EMISMATCH},
	{"XAmzContentSHA256Mismatch", EBB_S3_RETRY, EBB_EMISMATCH},
	{"RequestTimeTooSkewed", EBB_S3_SKEW, EBB_ESTORE},
	{"RequestExpired", EBB_S3_SKEW, EBB_ESTORE},
	{"ExpiredToken", EBB_S3_EXPIRED, EBB_ESTORE},
	{"ExpiredTokenException", EBB_S3_EXPIRED, EBB_ESTORE},
	{"TokenRefreshRequired", EBB_S3_EXPIRED, EBB_ESTORE},
	{"InvalidToken", EBB_S3_EXPIRED, EBB_ESTORE},
	{"InvalidAccessKeyId", EBB_S3_EXPIRED, EBB_ESTORE},
	{"SignatureDoesNotMatch", EBB_S3_FINAL, EBB_ESTORE},
	{"NoSuchBucket", EBB_S3_FINAL, EBB_ESTORE},
	{"NoSuchKey", EBB_S3_FINAL, EBB_ENOENT},
	{"NoSuchVersion", EBB_S3_FINAL, EBB_ENOENT},
	{"NoSuchUpload", EBB_S3_FINAL, EBB_ENOENT},
	{"PreconditionFailed", EBB_S3_FINAL, EBB_ECHANGED},
	{"InvalidObjectState", EBB_S3_FINAL, EBB_EASLEEP},
	{"InvalidStorageClass", EBB_S3_FINAL, EBB_ENOTSUP},
	{"NotImplemented", EBB_S3_FINAL, EBB_ENOTSUP},
	{"MethodNotAllowed", EBB_S3_FINAL, EBB_ENOTSUP},
	{"InvalidRange", EBB_S3_FINAL, EBB_ECORRUPT},
	{"QuotaExceeded", EBB_S3_FINAL, EBB_ENOSPC},
	{"PermanentRedirect", EBB_S3_FINAL, EBB_ECONFIG},
	{"TemporaryRedirect", EBB_S3_FINAL, EBB_ECONFIG},
	{"AuthorizationHeaderMalformed", EBB_S3_FINAL, EBB_ECONFIG},
	{"AccessDenied", EBB_S3_FINAL, EBB_EACCES},
};

static enum ebb_s3_verdict by_status(int status, int *ret_rc)
{
	static const struct {
		int status;
		enum ebb_s3_verdict verdict;
		int rc;
	} rows[] = {
		{503, EBB_S3_THROTTLE, EBB_ETHROTTLE}, {429, EBB_S3_THROTTLE, EBB_ETHROTTLE},
		{500, EBB_S3_RETRY, EBB_ETRANSIENT},   {502, EBB_S3_RETRY, EBB_ETRANSIENT},
		{504, EBB_S3_RETRY, EBB_ETRANSIENT},   {408, EBB_S3_RETRY, EBB_ETRANSIENT},
		{404, EBB_S3_FINAL, EBB_ENOENT},       {412, EBB_S3_FINAL, EBB_ECHANGED},
		{304, EBB_S3_FINAL, EBB_ECHANGED},     {403, EBB_S3_FINAL, EBB_EACCES},
		{401, EBB_S3_FINAL, EBB_ESTORE},       {416, EBB_S3_FINAL, EBB_ECORRUPT},
		{405, EBB_S3_FINAL, EBB_ENOTSUP},      {501, EBB_S3_FINAL, EBB_ENOTSUP},
		{301, EBB_S3_FINAL, EBB_ECONFIG},      {307, EBB_S3_FINAL, EBB_ECONFIG},
		{507, EBB_S3_FINAL, EBB_ENOSPC},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(rows); i++)
		if (rows[i].status == status) {
			*ret_rc = -rows[i].rc;
			return rows[i].verdict;
		}
	*ret_rc = -EBB_EIO;
	return EBB_S3_FINAL;
}

/* Failures of signing that HEAD cannot name, for want of a body. */
static bool unnamed(const struct ebb_s3_outcome *o)
{
	return o->head && (o->status == 400 || o->status == 403);
}

enum ebb_s3_verdict ebb_s3_retry_judge(const struct ebb_s3_outcome *o, int *ret_rc)
{
	if (o->rc < 0) {
		*ret_rc = o->rc;
		return o->rc == -EBB_ETRANSIENT ? EBB_S3_RETRY : EBB_S3_FINAL;
	}
	if (o->status / 100 == 2 && !*o->code) {
		*ret_rc = 0;
		return EBB_S3_FINAL;
	}
	enum ebb_s3_verdict verdict = by_status(o->status, ret_rc);
	for (size_t i = 0; *o->code && i < EBB_ARRAY_LEN(codes); i++)
		if (strcmp(codes[i].code, o->code) == 0) {
			*ret_rc = -codes[i].rc;
			verdict = codes[i].verdict;
		}
	if (verdict != EBB_S3_FINAL)
		return verdict;
	if (o->region && (o->status == 301 || o->status == 307 || o->status == 400))
		return EBB_S3_REGION;
	if (o->skewed && (o->status == 403 || unnamed(o)))
		return EBB_S3_SKEW;
	return unnamed(o) && o->session ? EBB_S3_EXPIRED : EBB_S3_FINAL;
}

int64_t ebb_s3_retry_delay(unsigned attempt, int64_t base, int64_t after, uint64_t *random)
{
	unsigned shift = attempt ? attempt - 1 : 0;
	int64_t most = shift > 30 || base > (LONGEST >> shift) ? LONGEST : base << shift;

	/* splitmix64, by Sebastiano Vigna (public domain) */
	uint64_t z = (*random += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	int64_t delay = (int64_t)(z % ((uint64_t)most + 1));
	if (after > LONGEST_ASKED)
		after = LONGEST_ASKED;
	return after > delay ? after : delay;
}

void ebb_s3_retry_gate_init(struct ebb_s3_gate *g, unsigned max)
{
	*g = (struct ebb_s3_gate){.max = max, .limit = max, .halved = INT64_MIN,
				  .budget = EBB_S3_RETRY_BUDGET * COST};
}

bool ebb_s3_retry_enter(struct ebb_s3_gate *g)
{
	if (g->inflight >= g->limit)
		return false;
	g->inflight++;
	return true;
}

void ebb_s3_retry_leave(struct ebb_s3_gate *g, bool ok)
{
	g->inflight--;
	if (!ok)
		return;
	if (g->budget < EBB_S3_RETRY_BUDGET * COST)
		g->budget += EBB_S3_RETRY_REFUND;
	if (g->limit < g->max && ++g->successes >= g->limit) {
		g->limit++;
		g->successes = 0;
	}
}

void ebb_s3_retry_throttled(struct ebb_s3_gate *g, int64_t sent, int64_t now)
{
	if (sent < g->halved)
		return;	/* it was sent before the endpoint could feel the last halving */
	g->limit = g->limit > 1 ? g->limit / 2 : 1;
	g->halved = now;
	g->successes = 0;
}

bool ebb_s3_retry_pay(struct ebb_s3_gate *g)
{
	if (g->budget < COST)
		return false;
	g->budget -= COST;
	return true;
}
