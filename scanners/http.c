/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/http.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "core/clock.h"
#include "core/completion.h"

#define CONNECTIONS 64
#define CONNECT_SECONDS 10L
#define IDLE_SECONDS 60
#define LIMIT ((size_t)64 << 10)
#define HEADER_MAX ((size_t)256 << 10)
#define SPARE_MAX 64		/* easy handles kept for reuse */
#define POLL_MS 60000		/* nothing depends on it: whoever has news wakes the loop */

/*
 * How a call goes: start puts it into the inbox, the loop takes it from there into the waiting list
 * (when it is not to start yet) or to libcurl, and ends it. Cancel and resume put it into the inbox
 * again with a bit that says why.
 */
enum state {
	STARTED = 1 << 0,	/* the loop has it or will have it; cleared just before done */
	INBOX = 1 << 1,		/* on h->inbox */
	FRESH = 1 << 2,		/* in the inbox to be started */
	CANCEL = 1 << 3,	/* in the inbox to be cancelled */
	RESUME = 1 << 4		/* in the inbox to be resumed */
};

struct ebb_http_transfer {
	struct ebb_http_call *call;
	CURL *easy;
	struct curl_slist *lines;
	char why[CURL_ERROR_SIZE];
	int verdict;		/* what a callback ended the call with, or 0 */
};

struct ebb_http {
	CURLM *multi;
	pthread_t thread;
	pthread_mutex_t mutex;	/* protects inbox, stop and the states of calls */
	struct ebb_http_call *inbox;
	bool stop;
	/* The loop's own. */
	struct ebb_http_call *waiting;	/* not to start yet */
	struct ebb_http_transfer **live;
	size_t nlive, size;
	CURL *spare[SPARE_MAX];
	size_t nspare;
};

/* --- Ending --- */

static int code_of(CURLcode c)
{
	switch (c) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_WEIRD_SERVER_REPLY:
		return EBB_ETRANSIENT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return EBB_ESTORE;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return EBB_ECONFIG;
	case CURLE_OUT_OF_MEMORY:
		return EBB_ENOMEM;
	default:
		return EBB_EIO;
	}
}

/* Tell the owner. The call may be gone or started again when this returns. */
static void finish(struct ebb_http *h, struct ebb_http_call *call, int rc)
{
	call->rc = rc;
	call->transfer = NULL;
	pthread_mutex_lock(&h->mutex);
	call->state &= ~(unsigned)STARTED;
	if (call->state & INBOX) {	/* cancelled or resumed just now: too late */
		struct ebb_http_call **p = &h->inbox;

		while (*p != call)
			p = &(*p)->next;
		*p = call->next;
	}
	call->state = 0;
	pthread_mutex_unlock(&h->mutex);
	call->done(call);
}

static void end_transfer(struct ebb_http *h, size_t i, CURLcode result, int cancelled)
{
	struct ebb_http_transfer *t = h->live[i];
	struct ebb_http_call *call = t->call;
	curl_off_t up = 0, down = 0;
	long asked = 0, answered = 0;
	int rc = 0;

	curl_multi_remove_handle(h->multi, t->easy);
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &asked);
	curl_easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &answered);
	call->sent = (int64_t)up + asked;
	call->received = (int64_t)down + answered;
	if (cancelled)
		rc = ebb_err_set(&call->err, EBB_ECANCELLED, "cancelled");
	else if (t->verdict)
		rc = ebb_err_set(&call->err, -t->verdict, "refused the answer");
	else if (result != CURLE_OK)
		rc = ebb_err_set(&call->err, code_of(result), "%s",
				 t->why[0] ? t->why : curl_easy_strerror(result));
	if (h->nspare < SPARE_MAX)
		h->spare[h->nspare++] = t->easy;
	else
		curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->lines);
	free(t);
	h->live[i] = h->live[--h->nlive];
	finish(h, call, rc);
}

static size_t place_of(const struct ebb_http *h, const struct ebb_http_transfer *t)
{
	size_t i = 0;

	while (i < h->nlive && h->live[i] != t)
		i++;
	return i;
}

/* --- What libcurl tells --- */

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct ebb_http_transfer *t = ctx;
	struct ebb_http_call *call = t->call;
	long status = 0;

	n *= size;
	if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) {	/* also after 100 Continue */
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		call->status = (int)status;
		ebb_buf_clear(&call->header);
		return n;
	}
	if (n > 2 && ebb_buf_add(&call->header, p, n) < 0) {
		t->verdict = ebb_err_set(&call->err, EBB_ERANGE, "headers over %zu bytes", HEADER_MAX);
		return 0;
	}
	return n;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct ebb_http_transfer *t = ctx;
	struct ebb_http_call *call = t->call;
	int rc;

	n *= size;
	if (call->sink && call->status / 100 == 2) {
		rc = n ? call->sink(call, p, n) : 0;
		if (rc == EBB_HTTP_PAUSE)
			return CURL_WRITEFUNC_PAUSE;
	} else {
		rc = ebb_buf_add(&call->answer, p, n);
		if (rc < 0)
			ebb_err_set(&call->err, EBB_ERANGE, "the answer is longer than %zu bytes",
				    call->answer.cap);
		rc = rc < 0 ? -EBB_ERANGE : 0;
	}
	if (rc < 0) {
		t->verdict = rc;
		return 0;
	}
	return n;
}

/* --- Starting --- */

static bool add_line(struct ebb_http_transfer *t, const char *line)
{
	struct curl_slist *more = curl_slist_append(t->lines, line);

	if (more)
		t->lines = more;
	return more != NULL;
}

/*
 * What is not asked for must not be sent: libcurl's own Accept, Content-Type and Expect. A header
 * with an empty value is written with a semicolon there.
 */
static bool set_lines(struct ebb_http_transfer *t)
{
	const struct ebb_http_call *call = t->call;
	bool ok = true, typed = false;

	for (size_t i = 0; ok && i < call->nheaders; i++) {
		const char *line = call->headers[i], *colon = strchr(line, ':');

		typed = typed || strncasecmp(line, "content-type:", 13) == 0;
		if (colon && colon[1 + strspn(colon + 1, " ")] == '\0') {
			char *empty = strndup(line, (size_t)(colon - line) + 1);

			if (empty)
				empty[colon - line] = ';';
			ok = empty && add_line(t, empty);
			free(empty);
		} else {
			ok = add_line(t, line);
		}
	}
	ok = ok && add_line(t, "Expect:") && add_line(t, "Accept:");
	if (ok && !typed)
		ok = add_line(t, "Content-Type:");
	if (ok)
		curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
	return ok;
}

static void set_method(CURL *e, const struct ebb_http_call *call)
{
	if (strcmp(call->method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	if (call->body) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body);
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method);
}

static bool configure(struct ebb_http_transfer *t)
{
	const struct ebb_http_call *call = t->call;
	CURL *e = t->easy;
	long idle = call->idle ? (long)call->idle : IDLE_SECONDS;

	curl_easy_setopt(e, CURLOPT_URL, call->url);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_USERAGENT, EBB_HTTP_USER_AGENT);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT,
			 idle < CONNECT_SECONDS ? idle : CONNECT_SECONDS);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, idle);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 256L << 10);
	curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
	curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	if (call->ca_file) {
		curl_easy_setopt(e, CURLOPT_CAINFO, call->ca_file);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->why);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	set_method(e, call);
	return set_lines(t);
}

static bool make_room(struct ebb_http *h)
{
	if (h->nlive < h->size)
		return true;
	size_t size = h->size ? h->size * 2 : 64;
	struct ebb_http_transfer **more = realloc(h->live, size * sizeof(*more));

	if (!more)
		return false;
	h->live = more;
	h->size = size;
	return true;
}

static CURL *easy_of(struct ebb_http *h)
{
	if (!h->nspare)
		return curl_easy_init();
	CURL *e = h->spare[--h->nspare];
	curl_easy_reset(e);	/* options go, connections stay */
	return e;
}

static void launch(struct ebb_http *h, struct ebb_http_call *call)
{
	struct ebb_http_transfer *t = calloc(1, sizeof(*t));

	if (t) {
		t->call = call;
		t->easy = easy_of(h);
	}
	if (t && t->easy && make_room(h) && configure(t) &&
	    curl_multi_add_handle(h->multi, t->easy) == CURLM_OK) {
		call->transfer = t;
		h->live[h->nlive++] = t;
		return;
	}
	if (t) {
		curl_slist_free_all(t->lines);
		curl_easy_cleanup(t->easy);
		free(t);
	}
	finish(h, call, ebb_err_set(&call->err, EBB_ENOMEM, "no memory for a request"));
}

/* --- The loop --- */

static void drop_waiting(struct ebb_http *h, struct ebb_http_call *call)
{
	for (struct ebb_http_call **p = &h->waiting; *p; p = &(*p)->later)
		if (*p == call) {
			*p = call->later;
			return;
		}
}

static void cancel(struct ebb_http *h, struct ebb_http_call *call)
{
	if (call->transfer) {
		end_transfer(h, place_of(h, call->transfer), CURLE_OK, 1);
		return;
	}
	drop_waiting(h, call);
	finish(h, call, ebb_err_set(&call->err, EBB_ECANCELLED, "cancelled"));
}

/* Take one call from the inbox; what is asked for it; NULL when empty. */
static struct ebb_http_call *take(struct ebb_http *h, unsigned *ret_what, bool *ret_stop)
{
	pthread_mutex_lock(&h->mutex);
	struct ebb_http_call *call = h->inbox;
	if (call) {
		h->inbox = call->next;
		call->next = NULL;
		*ret_what = call->state;
		call->state = STARTED;
	}
	*ret_stop = h->stop;
	pthread_mutex_unlock(&h->mutex);
	return call;
}

static void obey(struct ebb_http *h, bool *ret_stop)
{
	struct ebb_http_call *call;
	unsigned what;

	while ((call = take(h, &what, ret_stop))) {
		if (what & CANCEL) {
			cancel(h, call);
		} else if (what & FRESH) {
			if (call->not_before > ebb_clock_monotonic()) {
				call->later = h->waiting;
				h->waiting = call;
			} else {
				launch(h, call);
			}
		} else if ((what & RESUME) && call->transfer) {
			curl_easy_pause(call->transfer->easy, CURLPAUSE_CONT);
		}
	}
}

/* Launch what is due; milliseconds until the next is. */
static int launch_due(struct ebb_http *h)
{
	int64_t now = ebb_clock_monotonic(), next = INT64_MAX;

	for (struct ebb_http_call **p = &h->waiting, *call; (call = *p);) {
		if (call->not_before <= now) {
			*p = call->later;
			launch(h, call);	/* adds nothing here: what is started goes to the inbox */
			continue;
		}
		if (call->not_before < next)
			next = call->not_before;
		p = &call->later;
	}
	int64_t ms = next == INT64_MAX ? POLL_MS : (next - now) / 1000000 + 1;
	return ms > POLL_MS ? POLL_MS : (int)ms;
}

static void reap(struct ebb_http *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left))) {
		struct ebb_http_transfer *t;
		CURLcode result = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		end_transfer(h, place_of(h, t), result, 0);
	}
}

static void *loop(void *arg)
{
	struct ebb_http *h = arg;
	bool stop = false;
	int running;

	for (;;) {
		obey(h, &stop);
		if (stop)
			break;
		int ms = launch_due(h);
		curl_multi_perform(h->multi, &running);
		reap(h);
		curl_multi_poll(h->multi, NULL, 0, ms, NULL);
	}
	/* Owners may start more from their done: those are in the inbox and go the same way. */
	do {
		while (h->nlive)
			end_transfer(h, h->nlive - 1, CURLE_OK, 1);
		while (h->waiting)
			cancel(h, h->waiting);
		obey(h, &stop);
	} while (h->nlive || h->waiting);
	return NULL;
}

/* --- For everybody --- */

static void wake(struct ebb_http *h, struct ebb_http_call *call, unsigned what)
{
	pthread_mutex_lock(&h->mutex);
	if (what & CANCEL)
		call->cancelled = true;
	if (what & FRESH) {
		call->state = STARTED;
		what |= call->cancelled ? CANCEL : 0u;
	}
	if (call->state & STARTED) {
		if (!(call->state & INBOX)) {
			/* To the end: calls start in the order in which they came. */
			struct ebb_http_call **p = &h->inbox;

			while (*p)
				p = &(*p)->next;
			*p = call;
			call->next = NULL;
		}
		call->state |= INBOX | what;
	}
	pthread_mutex_unlock(&h->mutex);
	curl_multi_wakeup(h->multi);
}

void ebb_http_start(struct ebb_http *h, struct ebb_http_call *call)
{
	if (!call->header.cap) {
		ebb_buf_init(&call->header, HEADER_MAX);
		ebb_buf_init(&call->answer, call->limit ? call->limit : LIMIT);
	}
	ebb_buf_clear(&call->header);
	ebb_buf_clear(&call->answer);
	ebb_err_clear(&call->err);
	call->rc = call->status = 0;
	call->sent = call->received = 0;
	wake(h, call, FRESH);
}

void ebb_http_cancel(struct ebb_http *h, struct ebb_http_call *call)
{
	wake(h, call, CANCEL);
}

void ebb_http_resume(struct ebb_http *h, struct ebb_http_call *call)
{
	wake(h, call, RESUME);
}

static void signal_done(struct ebb_http_call *call)
{
	ebb_completion_signal(call->waiter);
}

int ebb_http_do(struct ebb_http *h, struct ebb_http_call *call, struct ebb_err *err)
{
	struct ebb_completion completion;

	ebb_completion_init(&completion);
	call->waiter = &completion;
	call->done = signal_done;
	ebb_http_start(h, call);
	ebb_completion_wait(&completion);
	call->waiter = NULL;
	return call->rc < 0 ? ebb_err_set(err, -call->rc, "%s", call->err.msg) : 0;
}

int64_t ebb_http_date(const char *text)
{
	time_t t = *text ? curl_getdate(text, NULL) : -1;

	return t > 0 && t < INT64_MAX / EBB_CLOCK_SECOND ? t * EBB_CLOCK_SECOND : 0;
}

void ebb_http_call_release(struct ebb_http_call *call)
{
	ebb_buf_release(&call->header);
	ebb_buf_release(&call->answer);
}

const char *ebb_http_header(const struct ebb_http_call *call, const char *name, size_t *ret_len)
{
	size_t nlen = strlen(name);
	const char *p = call->header.data, *end = p ? p + call->header.len : p;

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol ? eol : end;

		if ((size_t)(stop - p) > nlen && p[nlen] == ':' && strncasecmp(p, name, nlen) == 0) {
			for (p += nlen + 1; p < stop && (*p == ' ' || *p == '\t'); p++)
				;
			while (stop > p && (stop[-1] == '\r' || stop[-1] == ' ' || stop[-1] == '\t'))
				stop--;
			*ret_len = (size_t)(stop - p);
			return p;
		}
		p = stop + 1;
	}
	return NULL;
}

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void destroy(struct ebb_http *h)
{
	while (h->nspare)
		curl_easy_cleanup(h->spare[--h->nspare]);
	if (h->multi)
		curl_multi_cleanup(h->multi);
	pthread_mutex_destroy(&h->mutex);
	free(h->live);
	free(h);
}

int ebb_http_open(unsigned connections, struct ebb_http **ret, struct ebb_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ebb_http *h = calloc(1, sizeof(*h));
	long most = connections ? (long)connections : CONNECTIONS;

	if (!h)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for an HTTP loop");
	pthread_once(&once, global_init);	/* not safe against itself in libcurl before 7.84 */
	pthread_mutex_init(&h->mutex, NULL);
	h->multi = curl_multi_init();
	if (h->multi) {
		curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, most);
		curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, most + 8);
	}
	if (!h->multi || pthread_create(&h->thread, NULL, loop, h) != 0) {
		destroy(h);
		return ebb_err_set(err, EBB_ENOMEM, "cannot start an HTTP loop");
	}
	*ret = h;
	return 0;
}

void ebb_http_free(struct ebb_http *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->mutex);
	h->stop = true;
	pthread_mutex_unlock(&h->mutex);
	curl_multi_wakeup(h->multi);
	pthread_join(h->thread, NULL);
	destroy(h);
}
