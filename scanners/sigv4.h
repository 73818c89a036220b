/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * AWS Signature Version 4: pure functions from a request, credentials and a time to the text that
 * proves who asks. Source: AWS General Reference, "Signing AWS API requests"; S3 API Reference,
 * "Authenticating Requests (AWS Signature Version 4)".
 *
 * For S3, paths are encoded once and never normalised: "//" and ".." are parts of keys. The same
 * functions sign for STS, whose only path is "/".
 *
 * Threads: a struct ebb_sigv4_key belongs to one thread at a time; the rest may be called from any.
 */
#ifndef EBB_SCANNERS_SIGV4_H
#define EBB_SCANNERS_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct ebb_creds;

/* Hex SHA-256 of a body, with its NUL. */
#define EBB_SIGV4_HASH 65

/* Payload of presigned URLs, and of bodies that are not hashed. */
#define EBB_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

/* A query parameter or a header. */
struct ebb_sigv4_pair {
	const char *name;
	const char *value;
};

struct ebb_sigv4_request {
	const char *method;
	const char *path;			/* encoded, as it is sent; begins with '/' */
	const struct ebb_sigv4_pair *query;	/* not encoded, in any order */
	size_t nquery;
	/*
	 * Those to sign, in any order, names in any case: host, x-amz-date, every other x-amz-*, and
	 * x-amz-content-sha256 for S3. Names that stand twice are joined in their order.
	 */
	const struct ebb_sigv4_pair *headers;
	size_t nheaders;
	const char *payload;			/* EBB_SIGV4_HASH text or EBB_SIGV4_UNSIGNED */
};

/* The signing key of a day, kept because four of six HMACs go into it. Zero it first. */
struct ebb_sigv4_key {
	char scope[160];	/* access key, date, region and service it is for; "" when there is none */
	uint8_t key[32];
};

/* Append @len bytes percent-encoded: all but A-Z a-z 0-9 - _ . ~ and, if asked, '/'. 0 or -EBB_ENOMEM. */
int ebb_sigv4_encode(struct ebb_buf *out, const char *p, size_t len, bool keep_slash);

/* Append the canonical query, as it is sent: encoded, sorted, joined by '&'. 0 or -EBB_ENOMEM. */
int ebb_sigv4_query(struct ebb_buf *out, const struct ebb_sigv4_pair *query, size_t n);

/* @now as x-amz-date wants it, "20130524T000000Z". */
void ebb_sigv4_date(int64_t now, char out[17]);

/* Hex SHA-256 of @len bytes. */
int ebb_sigv4_hash(const void *p, size_t len, char out[EBB_SIGV4_HASH], struct ebb_err *err);

/* The intermediate texts, for tests and for messages about refused signatures. 0 or -EBB_ENOMEM. */
int ebb_sigv4_canonical(const struct ebb_sigv4_request *req, struct ebb_buf *out);
int ebb_sigv4_to_sign(const struct ebb_sigv4_request *req, const char *region, const char *service,
		      int64_t now, struct ebb_buf *out, struct ebb_err *err);

/*
 * Append the value of the Authorization header:
 *
 *   AWS4-HMAC-SHA256 Credential=ID/20130524/us-east-1/s3/aws4_request,
 *   SignedHeaders=host;x-amz-date,Signature=0123...            (on one line, a space after each comma)
 *
 * @now  the same time as in x-amz-date.
 * @key  used when it fits, else made anew.
 * @return  0, -EBB_ENOMEM, -EBB_EINVAL (region or access key over 60 bytes).
 */
int ebb_sigv4_sign(const struct ebb_sigv4_request *req, const struct ebb_creds *creds,
		   const char *region, const char *service, int64_t now, struct ebb_sigv4_key *key,
		   struct ebb_buf *out, struct ebb_err *err);

/*
 * Append the query of a presigned URL, which whoever holds it can use for @seconds (1 to 604,800,
 * else -EBB_EINVAL). @req->headers holds host and what the user must send too; its payload is not
 * looked at.
 */
int ebb_sigv4_presign(const struct ebb_sigv4_request *req, const struct ebb_creds *creds,
		      const char *region, const char *service, int64_t now, unsigned seconds,
		      struct ebb_buf *out, struct ebb_err *err);

/* Forget a key. */
void ebb_sigv4_key_clear(struct ebb_sigv4_key *key);

#endif
