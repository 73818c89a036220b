/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/completion.h"
#include "core/text.h"
#include "scanners/s3_auth.h"
#include "scanners/s3_retry.h"
#include "scanners/s3_customer.h"
#include "scanners/s3_xml.h"

#define CONNECTIONS 64
#define ATTEMPTS 8		/* most requests for one call, beside those that set something right */
#define BACKOFF (100 * INT64_C(1000000))
#define ANSWER_MAX ((size_t)1 << 20)
#define SKEW_MAX (600 * EBB_CLOCK_SECOND)
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define REGION_MAX 64
#define BASE_MAX 512

struct ebb_s3 {
	char *bucket, *endpoint, *profile, *ca_file;	/* the last three may be NULL */
	bool path_style, requester_pays;
	struct ebb_s3_customer *customer;	/* or NULL */
	char home[REGION_MAX];		/* the region as configured: where credentials come from */
	const struct ebb_clock *clock;
	int64_t backoff;
	struct ebb_http *http;
	struct ebb_s3_auth *auth;
	pthread_mutex_t mutex;		/* protects what follows */
	bool closing;			/* nothing more goes out */
	char region[REGION_MAX];
	int64_t skew;			/* the server's clock minus ours */
	uint64_t random;
	struct ebb_s3_gate gate;
	struct ebb_s3_call *waiting, **last;	/* for a slot, in order */
	struct ebb_s3_call *parked;	/* for credentials; they hold their slots */
	struct ebb_s3_count counts[EBB_S3_OP_COUNT];
};

/* Bits of call->fixed. */
enum { FIXED_SKEW = 1, FIXED_REGION = 2, FIXED_CREDS = 4, FED = 8 };

static void launch(struct ebb_s3 *s, struct ebb_s3_call *c, int64_t not_before);

/* --- Where requests go --- */

/* Scheme, host and path in front of the key. The lock is held. */
static void place(const struct ebb_s3 *s, char scheme[16], char host[BASE_MAX], bool *ret_in_path)
{
	char authority[BASE_MAX];

	if (s->endpoint) {
		const char *sep = strstr(s->endpoint, "://");

		snprintf(scheme, 16, "%.*s", (int)(sep - s->endpoint), s->endpoint);
		snprintf(authority, sizeof(authority), "%s", sep + 3);
	} else {
		snprintf(scheme, 16, "https");
		snprintf(authority, sizeof(authority), "s3.%s.amazonaws.com%s", s->region,
			 strncmp(s->region, "cn-", 3) == 0 ? ".cn" : "");
	}
	*ret_in_path = s->path_style;
	if (s->path_style)
		memcpy(host, authority, sizeof(authority));
	else if ((size_t)snprintf(host, BASE_MAX, "%s.%s", s->bucket, authority) >= BASE_MAX)
		host[BASE_MAX - 1] = '\0';	/* lengths were checked at open */
}

/* A host that is no name to put a bucket in front of. */
static bool needs_path_style(const char *endpoint, const char *bucket)
{
	if (strchr(bucket, '.'))
		return true;	/* a certificate for *.host covers one label */
	if (!endpoint)
		return false;
	const char *host = strstr(endpoint, "://") + 3;
	size_t n = strcspn(host, ":/");
	bool name = false;

	for (size_t i = 0; i < n; i++)
		name = name || isalpha((unsigned char)host[i]);
	return !name || host[0] == '[' || (n == 9 && strncmp(host, "localhost", 9) == 0);
}

/* --- Building and signing --- */

static int no_memory(struct ebb_s3_call *c)
{
	return ebb_err_set(&c->err, EBB_ENOMEM, "no memory for a request");
}

static int build_url(struct ebb_s3_call *c, const char *scheme, const char *host, const char *bucket,
		     size_t *ret_path)
{
	ebb_buf_clear(&c->url);
	int rc = ebb_buf_addf(&c->url, "%s://%s", scheme, host);
	*ret_path = c->url.len;
	rc = rc ? rc : ebb_buf_addc(&c->url, '/');
	if (!rc && bucket)
		rc = ebb_buf_addf(&c->url, "%s%s", bucket, c->key ? "/" : "");
	if (!rc && c->key)
		rc = ebb_sigv4_encode(&c->url, c->key, strlen(c->key), true);
	return rc;
}

static int add_pair_line(struct ebb_buf *lines, const struct ebb_sigv4_pair *p)
{
	return ebb_buf_addf(lines, "%s: %s%c", p->name, p->value, '\0');
}

/* Pointers to the lines, which lie one behind the other with a NUL each. */
static int point_at_lines(struct ebb_s3_call *c, size_t n)
{
	if (n > c->line_size) {
		const char **more = reallocarray(c->line, n, sizeof(*more));

		if (!more)
			return -EBB_ENOMEM;
		c->line = more;
		c->line_size = n;
	}
	size_t i = 0;
	for (const char *p = c->lines.data; p < c->lines.data + c->lines.len; p += strlen(p) + 1)
		c->line[i++] = p;
	c->http.headers = c->line;
	c->http.nheaders = i;
	return 0;
}

struct target {
	char scheme[16], host[BASE_MAX], region[REGION_MAX];
	bool in_path;
	int64_t now;
};

static struct target target_of(struct ebb_s3 *s)
{
	struct target t;

	pthread_mutex_lock(&s->mutex);
	place(s, t.scheme, t.host, &t.in_path);
	memcpy(t.region, s->region, sizeof(t.region));
	t.now = ebb_clock_now(s->clock) + s->skew;
	pthread_mutex_unlock(&s->mutex);
	return t;
}

static int build_lines(struct ebb_s3 *s, struct ebb_s3_call *c, const struct target *t,
		       struct ebb_sigv4_request *req)
{
	char date[17];
	bool session = false;
	size_t n = 0;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_sigv4_pair *all = calloc(c->nheaders + 4 + EBB_S3_CUSTOMER_HEADERS, sizeof(*all));

	if (!all)
		return -EBB_ENOMEM;
	ebb_sigv4_date(t->now, date);
	all[n++] = (struct ebb_sigv4_pair){"host", t->host};
	all[n++] = (struct ebb_sigv4_pair){"x-amz-date", date};
	all[n++] = (struct ebb_sigv4_pair){"x-amz-content-sha256", c->payload};
	if (s->requester_pays)
		all[n++] = (struct ebb_sigv4_pair){"x-amz-request-payer", "requester"};
	n += ebb_s3_customer_headers(s->customer, c, all + n);
	if (c->nheaders)
		memcpy(all + n, c->headers, c->nheaders * sizeof(*all));
	n += c->nheaders;
	ebb_buf_clear(&c->lines);
	for (size_t i = 0; i < n; i++)
		if (add_pair_line(&c->lines, &all[i]) < 0)
			return -EBB_ENOMEM;
	req->headers = all;
	req->nheaders = n;
	int rc = ebb_s3_auth_sign(s->auth, req, t->region, t->now, &c->lines, &session, &c->err);
	return rc ? rc : point_at_lines(c, n + 2);
}

static int build(struct ebb_s3 *s, struct ebb_s3_call *c)
{
	struct target t = target_of(s);
	size_t path;

	int rc = build_url(c, t.scheme, t.host, t.in_path ? s->bucket : NULL, &path);
	if (rc == 0 && !c->payload[0] && c->body)
		rc = ebb_sigv4_hash(c->body, c->body_len, c->payload, &c->err);
	else if (!c->payload[0])
		memcpy(c->payload, EMPTY_SHA256, EBB_SIGV4_HASH);
	if (rc < 0)
		return rc;
	EBB_CLEANUP(ebb_mem_freep) char *encoded = strdup(c->url.data + path);
	struct ebb_sigv4_request req = {.method = c->method, .path = encoded, .query = c->query,
					.nquery = c->nquery, .payload = c->payload};
	if (!encoded)
		return -EBB_ENOMEM;
	rc = build_lines(s, c, &t, &req);
	if (rc == 0 && c->nquery) {
		rc = ebb_buf_addc(&c->url, '?');
		rc = rc ? rc : ebb_sigv4_query(&c->url, c->query, c->nquery);
	}
	return rc;
}

/* --- Ending --- */

static struct ebb_s3_call *next_waiting(struct ebb_s3 *s)
{
	struct ebb_s3_call *c = s->waiting;

	if (!c || !ebb_s3_retry_enter(&s->gate))
		return NULL;
	s->waiting = c->next;
	if (!s->waiting)
		s->last = &s->waiting;
	c->next = NULL;
	return c;
}

/* "head of 'key' in bucket 'lake': 403 AccessDenied: message" */
static void tell(const struct ebb_s3 *s, struct ebb_s3_call *c, const char *why)
{
	char key[EBB_TEXT_QUOTED], status[16] = "";

	if (c->http.status)
		snprintf(status, sizeof(status), "%d ", c->http.status);
	ebb_err_clear(&c->err);
	ebb_err_set(&c->err, -c->rc, "%s of %s%s%sbucket '%s': %s%s%s%s", ebb_s3_call_op_name(c->op),
		    c->key ? "'" : "", c->key ? ebb_text_quotes(c->key, key, sizeof(key)) : "",
		    c->key ? "' in " : "", s->bucket, status, c->code, *c->code && *why ? ": " : "", why);
}

/* Give the slot back, let the next ones in, and tell the owner, who may free the call. */
static void finish(struct ebb_s3 *s, struct ebb_s3_call *c, bool holds_slot)
{
	struct ebb_s3_call *next;

	pthread_mutex_lock(&s->mutex);
	s->counts[c->op].failed += c->rc < 0;
	if (holds_slot)
		ebb_s3_retry_leave(&s->gate, c->rc == 0 || c->http.status / 100 == 4);
	pthread_mutex_unlock(&s->mutex);
	c->done(c);
	for (;;) {
		pthread_mutex_lock(&s->mutex);
		next = next_waiting(s);
		pthread_mutex_unlock(&s->mutex);
		if (!next)
			break;
		launch(s, next, 0);
	}
}

static void fail(struct ebb_s3 *s, struct ebb_s3_call *c, int rc)
{
	struct ebb_err why = c->err;

	c->rc = rc;
	tell(s, c, why.msg[0] ? why.msg : ebb_err_name(rc));
	finish(s, c, true);
}

/* --- Judging --- */

static int64_t seconds_of(const struct ebb_s3_call *c, const char *name)
{
	char text[16];

	ebb_s3_call_got(c, name, text, sizeof(text));
	return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 8
		       ? atoll(text) * EBB_CLOCK_SECOND
		       : 0;
}

/* The store began with 200 before it knew how it would end: then the document says so. */
static bool ends_in_body(const struct ebb_s3_call *c)
{
	return c->op == EBB_S3_COPY || c->op == EBB_S3_UPLOAD_COPY || c->op == EBB_S3_UPLOAD_COMPLETE;
}

static void read_error(struct ebb_s3_call *c, struct ebb_buf *message)
{
	const struct ebb_buf *a = &c->http.answer;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf code = EBB_BUF_INIT(sizeof(c->code) - 1);
	bool success = c->http.status / 100 == 2;

	c->code[0] = '\0';
	if (c->http.rc < 0 || (success && !ends_in_body(c)))
		return;
	if (ebb_s3_xml_find(a->data, a->len, "Error", "Code", &code)) {
		snprintf(c->code, sizeof(c->code), "%s", code.len ? code.data : "");
		ebb_s3_xml_find(a->data, a->len, "Error", "Message", message);
	} else if (success && !(a->len && strstr(a->data, "Result"))) {
		snprintf(c->code, sizeof(c->code), "InternalError");	/* cut off before it said anything */
	}
}

/* The region that an answer names, if it is another one. */
static bool other_region(struct ebb_s3 *s, const struct ebb_s3_call *c, char out[REGION_MAX])
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(REGION_MAX - 1);

	ebb_s3_call_got(c, "x-amz-bucket-region", out, REGION_MAX);
	if (!*out && c->http.status / 100 != 2 &&
	    ebb_s3_xml_find(c->http.answer.data, c->http.answer.len, "Error", "Region", &text) && text.len)
		snprintf(out, REGION_MAX, "%s", text.data);
	for (const char *p = out; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-')
			return false;	/* it becomes part of a host name */
	pthread_mutex_lock(&s->mutex);
	bool other = *out && strcmp(out, s->region) != 0;
	pthread_mutex_unlock(&s->mutex);
	return other;
}

static bool skewed(struct ebb_s3 *s, const struct ebb_s3_call *c, int64_t *ret_skew)
{
	char text[64];
	int64_t date = ebb_http_date(ebb_s3_call_got(c, "date", text, sizeof(text)));

	if (!date)
		return false;
	*ret_skew = date - ebb_clock_now(s->clock);
	pthread_mutex_lock(&s->mutex);
	int64_t off = *ret_skew - s->skew;
	pthread_mutex_unlock(&s->mutex);
	return off > SKEW_MAX || off < -SKEW_MAX;
}

static bool first_time(struct ebb_s3_call *c, unsigned bit)
{
	bool first = !(c->fixed & bit);

	c->fixed |= bit;
	return first;
}

/* Another one may have set the same right meanwhile: then the new signature is enough. */
static bool repair(struct ebb_s3 *s, struct ebb_s3_call *c, enum ebb_s3_verdict verdict,
		   const char *region, int64_t skew)
{
	bool again = false;

	if (verdict == EBB_S3_SKEW && (again = skew && first_time(c, FIXED_SKEW))) {
		pthread_mutex_lock(&s->mutex);
		s->skew = skew;
		pthread_mutex_unlock(&s->mutex);
	} else if (verdict == EBB_S3_REGION && (again = first_time(c, FIXED_REGION))) {
		pthread_mutex_lock(&s->mutex);
		memcpy(s->region, region, REGION_MAX);
		pthread_mutex_unlock(&s->mutex);
	}
	if (again)
		launch(s, c, 0);
	return again;
}

static void park(struct ebb_s3 *s, struct ebb_s3_call *c)
{
	pthread_mutex_lock(&s->mutex);
	c->next = s->parked;
	s->parked = c;
	pthread_mutex_unlock(&s->mutex);
	ebb_s3_auth_refresh(s->auth);	/* after it is parked, so that what follows finds it */
}

/* Try again after a pause, if that is still allowed. */
static bool repeat(struct ebb_s3 *s, struct ebb_s3_call *c, enum ebb_s3_verdict verdict)
{
	int64_t now = ebb_clock_monotonic();
	bool again = false;
	int64_t pause = 0;

	pthread_mutex_lock(&s->mutex);
	if (verdict == EBB_S3_THROTTLE)
		ebb_s3_retry_throttled(&s->gate, c->sent, now);
	if (c->attempts < ATTEMPTS && !(c->fixed & FED) && ebb_s3_retry_pay(&s->gate)) {
		again = true;
		s->counts[c->op].repeated++;
		pause = ebb_s3_retry_delay(c->attempts, s->backoff, seconds_of(c, "retry-after"), &s->random);
	}
	pthread_mutex_unlock(&s->mutex);
	if (again)
		launch(s, c, now + pause);
	return again;
}

static void on_done(struct ebb_http_call *http)
{
	struct ebb_s3_call *c = http->ctx;
	struct ebb_s3 *s = c->client;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf message = EBB_BUF_INIT(500);
	char region[REGION_MAX] = "";
	int64_t skew = 0;

	pthread_mutex_lock(&s->mutex);
	s->counts[c->op].requests++;
	s->counts[c->op].sent += http->sent;
	s->counts[c->op].received += http->received;
	pthread_mutex_unlock(&s->mutex);
	read_error(c, &message);
	struct ebb_s3_outcome o = {.rc = http->rc, .status = http->status, .code = c->code,
				   .head = strcmp(c->method, "HEAD") == 0};
	if (http->rc == 0 && http->status >= 300) {
		o.region = other_region(s, c, region);
		o.skewed = skewed(s, c, &skew);
		o.session = true;
	}
	enum ebb_s3_verdict verdict = ebb_s3_retry_judge(&o, &c->rc);
	if ((verdict == EBB_S3_RETRY || verdict == EBB_S3_THROTTLE) && repeat(s, c, verdict))
		return;
	if (repair(s, c, verdict, region, skew))
		return;
	if (verdict == EBB_S3_EXPIRED && first_time(c, FIXED_CREDS)) {
		park(s, c);
		return;
	}
	if (c->rc < 0)
		tell(s, c, http->rc < 0 ? http->err.msg : message.len ? message.data : "");
	finish(s, c, true);
}

static int feed(struct ebb_http_call *http, const void *p, size_t len)
{
	struct ebb_s3_call *c = http->ctx;
	int rc = c->sink(c, p, len);

	if (rc == 0)
		c->fixed |= FED;	/* what was handed on cannot be taken back by a repetition */
	else if (rc < 0)
		ebb_err_set(&http->err, -rc, "%s", c->err.msg);
	return rc;
}

/* --- Sending --- */

/* The call has a slot. */
static void launch(struct ebb_s3 *s, struct ebb_s3_call *c, int64_t not_before)
{
	pthread_mutex_lock(&s->mutex);
	int64_t now = ebb_clock_now(s->clock) + s->skew;
	bool closing = s->closing;
	pthread_mutex_unlock(&s->mutex);
	if (closing) {
		fail(s, c, -EBB_ECANCELLED);
		return;
	}
	if (!ebb_s3_auth_usable(s->auth, now) && first_time(c, FIXED_CREDS)) {
		park(s, c);
		return;
	}
	int rc = c->broken ? c->broken : build(s, c);
	if (rc < 0) {
		if (!c->err.msg[0])
			no_memory(c);
		fail(s, c, rc);
		return;
	}
	c->http.method = c->method;
	c->http.url = c->url.data;
	/* some stores want a length with every PUT and POST */
	c->http.body = c->body || c->method[0] != 'P' ? c->body : "";
	c->http.body_len = c->body_len;
	c->http.ca_file = s->ca_file;
	c->http.idle = c->idle;
	c->http.limit = c->limit ? c->limit : ANSWER_MAX;
	c->http.sink = c->sink ? feed : NULL;
	c->http.done = on_done;
	c->http.ctx = c;
	c->http.not_before = not_before;
	c->attempts++;
	c->sent = not_before ? not_before : ebb_clock_monotonic();
	ebb_http_start(s->http, &c->http);
}

/* New credentials, or none: on with those that waited for them. */
static void on_refreshed(void *owner, int rc, const struct ebb_err *why)
{
	struct ebb_s3 *s = owner;

	pthread_mutex_lock(&s->mutex);
	struct ebb_s3_call *c = s->parked;
	s->parked = NULL;
	pthread_mutex_unlock(&s->mutex);
	while (c) {
		struct ebb_s3_call *next = c->next;

		c->next = NULL;
		if (rc < 0) {
			ebb_err_clear(&c->err);
			ebb_err_set(&c->err, EBB_ESTORE, "%s", why->msg);
			fail(s, c, -EBB_ESTORE);
		} else {
			launch(s, c, 0);
		}
		c = next;
	}
}

void ebb_s3_start(struct ebb_s3 *s, struct ebb_s3_call *c)
{
	c->client = s;
	c->attempts = 0;
	c->fixed = 0;
	c->http.cancelled = false;
	c->next = NULL;
	c->rc = 0;
	c->code[0] = '\0';
	ebb_err_clear(&c->err);
	pthread_mutex_lock(&s->mutex);
	bool in = !s->waiting && ebb_s3_retry_enter(&s->gate);
	if (!in) {
		*s->last = c;
		s->last = &c->next;
	}
	pthread_mutex_unlock(&s->mutex);
	if (in)
		launch(s, c, 0);
}

static void signal_done(struct ebb_s3_call *c)
{
	ebb_completion_signal(c->waiter);
}

int ebb_s3_do(struct ebb_s3 *s, struct ebb_s3_call *c, struct ebb_err *err)
{
	struct ebb_completion completion;

	ebb_completion_init(&completion);
	c->waiter = &completion;
	c->done = signal_done;
	ebb_s3_start(s, c);
	ebb_completion_wait(&completion);
	c->waiter = NULL;
	return c->rc < 0 ? ebb_err_set(err, -c->rc, "%s", c->err.msg) : 0;
}

void ebb_s3_resume(struct ebb_s3 *s, struct ebb_s3_call *c)
{
	ebb_http_resume(s->http, &c->http);
}

/* Takes a waiting call out of its list; the lock is held. */
static bool unlist(struct ebb_s3 *s, struct ebb_s3_call *c)
{
	for (struct ebb_s3_call **p = &s->waiting; *p; p = &(*p)->next)
		if (*p == c) {
			*p = c->next;
			if (!*p)
				s->last = p;
			return true;
		}
	return false;
}

void ebb_s3_cancel(struct ebb_s3 *s, struct ebb_s3_call *c)
{
	pthread_mutex_lock(&s->mutex);
	bool waited = unlist(s, c);
	pthread_mutex_unlock(&s->mutex);
	if (waited) {
		c->rc = -EBB_ECANCELLED;
		tell(s, c, "cancelled");
		finish(s, c, false);
		return;
	}
	ebb_http_cancel(s->http, &c->http);
}

/* --- Clients --- */

static const char *environment_region(void)
{
	const char *r = getenv("AWS_REGION");

	if (!r || !*r)
		r = getenv("AWS_DEFAULT_REGION");
	return r && *r ? r : "us-east-1";
}

static int check(const struct ebb_s3_config *cfg, struct ebb_err *err)
{
	static const char valid[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	const char *b = cfg->bucket, *e = cfg->endpoint;

	if (!b || strlen(b) < 3 || strlen(b) > 63 || strspn(b, valid) != strlen(b))
		return ebb_err_set(err, EBB_ECONFIG, "'%s' is not the name of a bucket (3 to 63 of A-Z a-z 0-9 . - _)",
				   b ? b : "");
	if (cfg->region && (strlen(cfg->region) >= REGION_MAX || strspn(cfg->region, valid) != strlen(cfg->region)))
		return ebb_err_set(err, EBB_ECONFIG, "'%s' is not the name of a region", cfg->region);
	if (!e)
		return 0;
	const char *sep = strstr(e, "://");
	size_t n = strlen(e);
	if (!sep || (strncmp(e, "http://", 7) != 0 && strncmp(e, "https://", 8) != 0) || n > 300 ||
	    strpbrk(sep + 3, "/?#@ ") || !sep[3])
		return ebb_err_set(err, EBB_ECONFIG, "'%s' is not an endpoint (https://host or https://host:port)", e);
	return 0;
}

static char *copy(const char *s, bool *failed)
{
	char *c = s ? strdup(s) : NULL;

	*failed = *failed || (s && !c);
	return c;
}

/* The default port is not written: libcurl does not send it, and the host is signed. */
static void drop_default_port(char *endpoint)
{
	char *colon = endpoint ? strrchr(endpoint, ':') : NULL;

	if (colon && (strcmp(colon, ":443") == 0 ? strncmp(endpoint, "https:", 6) == 0
						 : strcmp(colon, ":80") == 0 && strncmp(endpoint, "http:", 5) == 0))
		*colon = '\0';
}

static int fill(struct ebb_s3 *s, const struct ebb_s3_config *cfg, struct ebb_err *err)
{
	bool failed = false;
	unsigned most = cfg->connections ? cfg->connections : CONNECTIONS;

	s->bucket = copy(cfg->bucket, &failed);
	s->endpoint = copy(cfg->endpoint, &failed);
	s->profile = copy(cfg->profile, &failed);
	s->ca_file = copy(cfg->ca_file, &failed);
	if (failed)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a client of bucket '%s'", cfg->bucket);
	drop_default_port(s->endpoint);
	s->path_style = cfg->path_style || needs_path_style(s->endpoint, s->bucket);
	s->requester_pays = cfg->requester_pays;
	s->clock = cfg->clock ? cfg->clock : &ebb_clock_real;
	s->backoff = cfg->backoff ? cfg->backoff : BACKOFF;
	s->random = (uint64_t)ebb_clock_monotonic();
	s->last = &s->waiting;
	snprintf(s->home, sizeof(s->home), "%s", cfg->region ? cfg->region : environment_region());
	memcpy(s->region, s->home, sizeof(s->region));
	ebb_s3_retry_gate_init(&s->gate, most);
	int rc = cfg->customer_key ? ebb_s3_customer_open(cfg->customer_key, &s->customer, err) : 0;
	if (rc < 0)
		return rc;
	return ebb_http_open(most, &s->http, err);
}

int ebb_s3_open(const struct ebb_s3_config *cfg, struct ebb_s3 **ret, struct ebb_err *err)
{
	int rc = check(cfg, err);
	if (rc < 0)
		return rc;
	struct ebb_s3 *s = calloc(1, sizeof(*s));
	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a client of bucket '%s'", cfg->bucket);
	pthread_mutex_init(&s->mutex, NULL);
	rc = fill(s, cfg, err);
	if (rc == 0) {
		const struct ebb_creds_context ctx = {.http = s->http, .clock = s->clock, .profile = s->profile,
						      .region = s->home};

		rc = ebb_s3_auth_open(&ctx, cfg->provider, on_refreshed, s, &s->auth, err);
	}
	if (rc < 0) {
		ebb_s3_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

static void cancel_all(struct ebb_s3 *s, struct ebb_s3_call *c, bool holds_slot)
{
	while (c) {
		struct ebb_s3_call *next = c->next;

		c->rc = -EBB_ECANCELLED;
		tell(s, c, "cancelled");
		finish(s, c, holds_slot);
		c = next;
	}
}

void ebb_s3_free(struct ebb_s3 *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->mutex);
	s->closing = true;
	struct ebb_s3_call *waiting = s->waiting;
	s->waiting = NULL;
	s->last = &s->waiting;
	pthread_mutex_unlock(&s->mutex);
	cancel_all(s, waiting, false);
	ebb_s3_auth_stop(s->auth);	/* what it hands on still finds the loop */
	ebb_http_free(s->http);
	cancel_all(s, s->parked, true);	/* no thread is left to add to them */
	ebb_s3_auth_free(s->auth);
	pthread_mutex_destroy(&s->mutex);
	ebb_s3_customer_free(s->customer);
	free(s->bucket);
	free(s->endpoint);
	free(s->profile);
	free(s->ca_file);
	free(s);
}

void ebb_s3_counts(struct ebb_s3 *s, struct ebb_s3_count ret[EBB_S3_OP_COUNT])
{
	pthread_mutex_lock(&s->mutex);
	memcpy(ret, s->counts, sizeof(s->counts));
	pthread_mutex_unlock(&s->mutex);
}

unsigned ebb_s3_limit(struct ebb_s3 *s)
{
	pthread_mutex_lock(&s->mutex);
	unsigned limit = s->gate.limit;
	pthread_mutex_unlock(&s->mutex);
	return limit;
}

const char *ebb_s3_bucket(const struct ebb_s3 *s)
{
	return s->bucket;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool ebb_s3_same_place(const struct ebb_s3 *a, const struct ebb_s3 *b)
{
	return same_text(a->endpoint, b->endpoint) && same_text(a->profile, b->profile) && strcmp(a->home, b->home) == 0 &&
	       !a->requester_pays && !b->requester_pays;
}

void ebb_s3_endpoint(struct ebb_s3 *s, char *out, size_t size)
{
	struct target t = target_of(s);

	snprintf(out, size, "%s://%s", t.scheme, t.host);
}
