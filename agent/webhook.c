/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/webhook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/clock.h"
#include "core/mem.h"
#include "scanners/http.h"

#define UNIT (EBB_CLOCK_SECOND / 2)
#define LONGEST (10 * EBB_CLOCK_SECOND)
#define ANSWER_SECONDS 20

static bool again(const struct ebb_http_call *c)
{
	if (c->rc < 0)
		return c->rc == -EBB_ETRANSIENT;
	return c->status == 408 || c->status == 429 || c->status >= 500;
}

/* How long to wait before the next try: between half and all of the pause, or what the server asks for. */
static int64_t pause_of(const struct ebb_http_call *c, int64_t unit, int try)
{
	size_t len;
	const char *after = c->rc == 0 ? ebb_http_header(c, "Retry-After", &len) : NULL;
	int64_t wait = unit << try;
	uint32_t r = 0;

	if (after && len && *after >= '0' && *after <= '9')
		wait = strtol(after, NULL, 10) * EBB_CLOCK_SECOND;
	else if (getrandom(&r, sizeof(r), GRND_NONBLOCK) == sizeof(r))
		wait = wait / 2 + (int64_t)((__int128)(wait / 2) * r >> 32);
	return wait < LONGEST ? wait : LONGEST;
}

static int failed(const struct ebb_http_call *c, const char *url, int tries, struct ebb_err *err)
{
	if (c->rc < 0)
		return ebb_err_set(err, EBB_EPARTIAL, "'%s' did not take the alerts: %s (%d tries)", url, c->err.msg, tries);
	return ebb_err_set(err, EBB_EPARTIAL, "'%s' did not take the alerts: it answered %d (%d tries)", url, c->status, tries);
}

static int post(struct ebb_http *http, struct ebb_http_call *call, int64_t unit, struct ebb_err *err)
{
	for (int try = 0;; try++) {
		ebb_err_clear(&call->err);
		call->rc = ebb_http_do(http, call, &call->err);
		if (call->rc == -EBB_ENOMEM)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		if (call->rc == 0 && call->status >= 200 && call->status < 300)
			return 0;
		if (!again(call) || try + 1 == EBB_WEBHOOK_TRIES)
			return failed(call, call->url, try + 1, err);
		call->not_before = ebb_clock_monotonic() + pause_of(call, unit, try);
	}
}

int ebb_webhook_post(const char *url, const struct ebb_secret *token, const char *body, size_t len, int64_t unit,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_http_freep) struct ebb_http *http = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *bearer = NULL;
	size_t secret_len = 0;
	const char *secret = token ? ebb_secret_expose(token, &secret_len) : NULL;
	const char *headers[2] = {"Content-Type: application/json"};
	struct ebb_http_call call = {
		.method = "POST", .url = url, .headers = headers, .nheaders = secret ? 2 : 1, .body = body, .body_len = len,
		.idle = ANSWER_SECONDS,
	};
	int r = ebb_http_open(1, &http, err);

	if (r == 0 && secret && asprintf(&bearer, "Authorization: Bearer %.*s", (int)secret_len, secret) < 0)
		r = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	headers[1] = bearer;
	if (r == 0)
		r = post(http, &call, unit ? unit : UNIT, err);
	ebb_http_call_release(&call);
	if (bearer)
		explicit_bzero(bearer, strlen(bearer));
	return r;
}
