/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of one bucket: signed requests, repeated where repeating helps, as many at a time as the endpoint bears.
 *
 * What is done without asking the caller: waiting and repeating (s3_retry.h), setting the clock by the server's, following a
 * bucket to its region, new credentials when the old ones end. Each of the last three once per request.
 *
 * Threads: every function but open and free may be called from any thread; ebb_s3_do not from a callback.
 */
#ifndef EBB_SCANNERS_S3_H
#define EBB_SCANNERS_S3_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"
#include "scanners/creds.h"
#include "scanners/s3_call.h"

/* Strings are copied. NULL or 0 where not said. */
struct ebb_s3_config {
	const char *bucket;
	const char *region;	/* NULL: $AWS_REGION, $AWS_DEFAULT_REGION, else us-east-1; corrected by the first redirect */
	const char *endpoint;	/* "http[s]://host[:port]"; NULL: AWS */
	const char *profile;
	const char *ca_file;
	bool path_style;	/* also without it for hosts that are addresses, "localhost", and bucket names with dots */
	bool requester_pays;
	const char *customer_key;	/* where the key of SSE-C is, as for ebb_s3_customer_open; NULL: none */
	unsigned connections;	/* most requests at a time; 0: 64 */
	const struct ebb_clock *clock;			/* signs requests; NULL: the machine's */
	const struct ebb_creds_provider *provider;	/* NULL: all of creds.c */
	int64_t backoff;	/* longest first pause before a repetition, ns; 0: 100 ms */
};

struct ebb_s3;

/*
 * Get credentials and start a loop. Sends no request to the store.
 *
 * @return  0; -EBB_ECONFIG for a bucket or endpoint that cannot be; -EBB_ESTORE without credentials; -EBB_ENOMEM.
 */
int ebb_s3_open(const struct ebb_s3_config *cfg, struct ebb_s3 **ret, struct ebb_err *err);

/* Calls on their way end with -EBB_ECANCELLED first. NULL is a no-op. */
void ebb_s3_free(struct ebb_s3 *s);
EBB_CLEANUP_PTR(struct ebb_s3, ebb_s3_free);

/* Hand a call over; `done` follows exactly once. Calls beyond what the endpoint bears wait in order. */
void ebb_s3_start(struct ebb_s3 *s, struct ebb_s3_call *call);

/* The same, and wait. Returns call->rc, its message in @err. `done` is set by this function. */
int ebb_s3_do(struct ebb_s3 *s, struct ebb_s3_call *call, struct ebb_err *err);

/* Go on after a sink that paused; end a call early (done comes with -EBB_ECANCELLED unless it has ended). */
void ebb_s3_resume(struct ebb_s3 *s, struct ebb_s3_call *call);
void ebb_s3_cancel(struct ebb_s3 *s, struct ebb_s3_call *call);

/* What an operation has cost so far. */
struct ebb_s3_count {
	int64_t requests;	/* sent, repetitions included */
	int64_t repeated;	/* of these, repetitions */
	int64_t failed;		/* calls that ended with an error */
	int64_t sent, received;	/* bytes on the wire, without TLS */
};

/* Counters of all operations, by enum ebb_s3_op. */
void ebb_s3_counts(struct ebb_s3 *s, struct ebb_s3_count ret[EBB_S3_OP_COUNT]);

/* How many requests the endpoint bears at a time, as far as is known now. */
unsigned ebb_s3_limit(struct ebb_s3 *s);

/* The bucket's name; lives as long as the client. */
const char *ebb_s3_bucket(const struct ebb_s3 *s);

/* Whether one can be told to copy from the other's bucket: the same servers and region, asked by the same account. */
bool ebb_s3_same_place(const struct ebb_s3 *a, const struct ebb_s3 *b);

/* "https://host" of requests now, for messages and for telling one store from another. Into @out of @size bytes. */
void ebb_s3_endpoint(struct ebb_s3 *s, char *out, size_t size);

#endif
