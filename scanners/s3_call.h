/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request to an object store: what is asked, and what came.
 *
 * Threads: a call belongs to one thread at a time, and to the client between ebb_s3_start and its `done`.
 */
#ifndef EBB_SCANNERS_S3_CALL_H
#define EBB_SCANNERS_S3_CALL_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "scanners/http.h"
#include "scanners/sigv4.h"

/* Operations, for counting and for messages. Append only: reports keep their order. */
enum ebb_s3_op {
	EBB_S3_LIST,
	EBB_S3_LIST_VERSIONS,
	EBB_S3_LIST_UPLOADS,
	EBB_S3_LIST_PARTS,
	EBB_S3_HEAD,
	EBB_S3_GET,
	EBB_S3_PUT,
	EBB_S3_COPY,
	EBB_S3_DELETE,
	EBB_S3_DELETE_MANY,
	EBB_S3_UPLOAD_CREATE,
	EBB_S3_UPLOAD_PART,
	EBB_S3_UPLOAD_COPY,
	EBB_S3_UPLOAD_COMPLETE,
	EBB_S3_UPLOAD_ABORT,
	EBB_S3_GET_CONFIG,	/* tags, access lists, lifecycle, versioning, location */
	EBB_S3_PUT_CONFIG,
	EBB_S3_RESTORE,
	EBB_S3_OP_COUNT
};

/* "list", "upload-part"; constant. */
const char *ebb_s3_call_op_name(enum ebb_s3_op op);

struct ebb_s3;

struct ebb_s3_call {
	/* --- What to ask: by ebb_s3_call_init and the functions below, or directly. --- */
	enum ebb_s3_op op;
	const char *method;
	const char *key;		/* NULL: the bucket itself */
	const void *body;		/* borrowed until done; NULL: none */
	size_t body_len;
	char payload[EBB_SIGV4_HASH];	/* hex SHA-256 of the body when the caller has it, else "" */
	unsigned idle;			/* as in ebb_http_call */
	/* The body of a 2xx answer, as in ebb_http_call, with the call. A repetition starts from its first byte. */
	int (*sink)(struct ebb_s3_call *call, const void *p, size_t len);
	size_t limit;			/* most bytes of a buffered answer; 0: 1 MiB */
	void (*done)(struct ebb_s3_call *call);	/* on the HTTP loop's thread; must not block */
	void *ctx;

	/* --- What came. --- */
	int rc;				/* 0 for 2xx; what ebb_s3_retry_judge says about others */
	struct ebb_err err;
	char code[64];			/* of the error document, "" without one */
	unsigned attempts;		/* requests sent */
	struct ebb_http_call http;	/* status, header and answer of the last one */

	/* --- The client's. --- */
	struct ebb_arena arena;		/* of names and values */
	struct ebb_sigv4_pair query[12], *headers;
	size_t nquery, nheaders, headers_size;
	int broken;			/* what went wrong while it was made */
	struct ebb_s3 *client;
	void *waiter;
	struct ebb_s3_call *next;
	struct ebb_buf url, lines;
	const char **line;
	size_t line_size;
	int64_t sent;			/* when, monotonic */
	unsigned fixed;			/* verdicts that were acted on once */
};

/* Prepare a call; @key is copied. Memory that fails later is told by the call's end. */
void ebb_s3_call_init(struct ebb_s3_call *c, enum ebb_s3_op op, const char *method, const char *key);

/* Free what it holds; not between start and done. A zeroed struct is accepted. */
void ebb_s3_call_release(struct ebb_s3_call *c);

/* Add a query parameter or a header; both are copied. At most 12 parameters. */
void ebb_s3_call_query(struct ebb_s3_call *c, const char *name, const char *value);
void ebb_s3_call_header(struct ebb_s3_call *c, const char *name, const char *value);
void ebb_s3_call_headerf(struct ebb_s3_call *c, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A header of the answer, into @out of @size bytes, NUL-terminated; "" when there is none or it is longer. */
const char *ebb_s3_call_got(const struct ebb_s3_call *c, const char *name, char *out, size_t size);

#endif
