/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small HTTP/1.1 server on loopback for what no real server can be made to do: throttling, damage, cut connections.
 * A test gives it a function that answers requests. It is not a model of S3; conformance is tested against a real one.
 *
 * Threads: the handler runs on one thread for each connection, several at a time.
 */
#ifndef EBB_TESTS_SUPPORT_STUB_HTTP_H
#define EBB_TESTS_SUPPORT_STUB_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct ebb_stub_request {
	const char *method;	/* "GET" */
	const char *target;	/* path and query as sent */
	const char *headers;	/* the lines, NUL-terminated */
	const void *body;
	size_t body_len;
	unsigned number;	/* counts all requests of the server, from 0 */
};

/* What to answer; zero is an empty 200. */
struct ebb_stub_reply {
	int status;		/* 0: 200 */
	const char *headers;	/* more lines, each with "\r\n"; NULL: none. Content-Length is made unless given here */
	const void *body;
	size_t body_len;
	bool cut;		/* close the connection after `cut_after` bytes of the body */
	bool reset;		/* the same with a reset */
	size_t cut_after;
};

typedef void ebb_stub_handler(void *ctx, const struct ebb_stub_request *req, struct ebb_stub_reply *reply);

struct ebb_stub;

/* Start a server on a free port of 127.0.0.1; aborts on failure. */
struct ebb_stub *ebb_stub_start(ebb_stub_handler *fn, void *ctx);

/* "http://127.0.0.1:PORT"; lives as long as the server. */
const char *ebb_stub_url(const struct ebb_stub *s);

/* Requests answered so far, and connections accepted. */
unsigned ebb_stub_requests(struct ebb_stub *s);
unsigned ebb_stub_connections(struct ebb_stub *s);

/* Value of a header of a request into @out of @size bytes; false when there is none. */
bool ebb_stub_header(const struct ebb_stub_request *req, const char *name, char *out, size_t size);

void ebb_stub_stop(struct ebb_stub *s);

#endif
