/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP: one loop in a thread of its own that keeps many requests in flight on few connections
 * (libcurl's multi interface; HTTP/1.1, HTTP/2 where TLS negotiates it).
 *
 * A call is a struct of the caller. Between ebb_http_start and its `done` it belongs to the loop;
 * `done` runs exactly once, on the loop's thread, whatever happens, and may start the same call
 * again or free it. Callbacks must not block: every other request waits for them.
 *
 * Redirects are never followed and nothing is ever retried here: what may be asked again, and how
 * it is then signed, is the caller's knowledge. A body to send lies in memory, so that it can be
 * hashed before and sent again after; how much of that there is at a time is limited by whoever
 * starts calls. A body that comes is buffered up to a cap, or handed to a sink that can make the
 * server wait.
 *
 * TLS is always verified, by the system's authorities or by those of `ca_file`. Proxies are taken
 * from the environment (https_proxy, http_proxy, no_proxy; see curl(1)).
 *
 * Threads: every function may be called from any thread, but ebb_http_do and ebb_http_free not from
 * a callback.
 */
#ifndef EBB_SCANNERS_HTTP_H
#define EBB_SCANNERS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/version.h"

/* By it, access logs tell our own requests from others'. */
#define EBB_HTTP_USER_AGENT "ebb/" EBB_VERSION

struct ebb_http;

/*
 * Start a loop.
 *
 * @connections  most connections at a time to one host; further requests wait for one. 0: 64.
 * @return       0; -EBB_ENOMEM.
 */
int ebb_http_open(unsigned connections, struct ebb_http **ret, struct ebb_err *err);

/* Stop it: calls in flight end with -EBB_ECANCELLED before this returns. NULL is a no-op. */
void ebb_http_free(struct ebb_http *h);
EBB_CLEANUP_PTR(struct ebb_http, ebb_http_free);

/* What a sink returns when it has no room: the same bytes come again after ebb_http_resume. */
#define EBB_HTTP_PAUSE 1

struct ebb_http_call {
	/* --- What to ask. Borrowed until done. --- */
	const char *method;		/* "GET" */
	const char *url;		/* http or https; sent as it stands, no dots removed */
	const char *const *headers;	/* "name: value", @nheaders of them */
	size_t nheaders;
	const void *body;		/* NULL: none. An empty one needs a pointer */
	size_t body_len;
	const char *ca_file;		/* NULL: the system's authorities */
	unsigned idle;			/* seconds without a byte after which to give up; 0: 60 */
	int64_t not_before;		/* ebb_clock_monotonic() to start at; 0: at once */

	/* --- How to take the answer. --- */
	/*
	 * Gets the body piece by piece when the status is 2xx; status and header are there by then.
	 * Returns 0 when it took all, EBB_HTTP_PAUSE when it took nothing, or a negative code that ends
	 * the call with it (and with the message the sink left in `err`). NULL: the body is buffered.
	 */
	int (*sink)(struct ebb_http_call *call, const void *p, size_t len);
	size_t limit;			/* most bytes buffered; more is -EBB_ERANGE. 0: 64 KiB */
	void (*done)(struct ebb_http_call *call);
	void *ctx;			/* the caller's */

	/* --- What came, from done on (status and header also in the sink). --- */
	int rc;				/* 0: an answer came, whatever its status */
	struct ebb_err err;
	int status;
	struct ebb_buf header;		/* lines "Name: value\r\n" without the status line */
	struct ebb_buf answer;		/* the buffered body */
	int64_t sent, received;		/* bytes of headers and bodies on the wire, without TLS */

	/* --- The loop's. --- */
	struct ebb_http_call *next;	/* in the inbox */
	struct ebb_http_call *later;	/* in the loop's list of what is not to start yet; the loop's alone */
	struct ebb_http_transfer *transfer;
	void *waiter;
	unsigned state;
	bool cancelled;
};

/*
 * Hand a call over. Zero it first, fill in what to ask and how to take the answer. A call that was
 * done may be started again; header and answer are emptied then.
 */
void ebb_http_start(struct ebb_http *h, struct ebb_http_call *call);

/*
 * End a call early: done comes with -EBB_ECANCELLED unless it has already ended. The call must
 * still exist. Does not wait for done. A call that is not started ends so when it is started next,
 * since its owner may be about to repeat it; zeroing `cancelled` makes it fit for use again.
 */
void ebb_http_cancel(struct ebb_http *h, struct ebb_http_call *call);

/* Go on after a sink that paused; without effect on a call that is not paused. */
void ebb_http_resume(struct ebb_http *h, struct ebb_http_call *call);

/*
 * Start a call and wait for its end; `done` is set by this function.
 *
 * @return  0 when an answer came, whatever its status; -EBB_ETRANSIENT for what may succeed when
 *          tried again (no connection, reset, timeout, body cut off); -EBB_ESTORE for a certificate
 *          that does not verify; -EBB_ECONFIG for a URL that cannot be; -EBB_ERANGE for an answer
 *          over the limit; -EBB_ECANCELLED; -EBB_ENOMEM; -EBB_EIO.
 */
int ebb_http_do(struct ebb_http *h, struct ebb_http_call *call, struct ebb_err *err);

/* Free header and answer of a call that is not started. A zeroed struct is accepted. */
void ebb_http_call_release(struct ebb_http_call *call);

/*
 * Value of a header of the answer, by its name in any case; the first of several.
 *
 * @return  NULL when there is none; not NUL-terminated, @ret_len bytes without blanks around; lives
 *          as long as the header buffer.
 */
const char *ebb_http_header(const struct ebb_http_call *call, const char *name, size_t *ret_len);

/* A date of a header ("Fri, 24 May 2013 00:00:00 GMT") in ns since the epoch; 0 when it is none. */
int64_t ebb_http_date(const char *text);

#endif
