/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/pool.h"
#include "core/queue.h"

#define PAGES 16
#define THREADS 2
#define CONNECTIONS 256
#define TIMEOUT_SECONDS 30
#define NOTHING_HERE "there is nothing here\n"
#define WAITING 64		/* questions; the other connections are for pages */

/* An answer; freed when nobody holds it any more. libmicrohttpd counts who sends it. */
struct page {
	const char *path, *accept;
	struct MHD_Response *response;
};

/* A question and its answer. The request is put aside (suspended) meanwhile; @status is 0 until then. */
struct question {
	struct MHD_Connection *connection;
	char *path;
	int status;
	char *body;
	size_t len;
	const char *type;
};

struct ebb_serve {
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;		/* protects pages */
	struct page pages[PAGES];
	size_t npages;
	ebb_serve_ask_fn *ask;
	void *ctx;
	const char *const *asked;
	struct ebb_queue questions;
	struct ebb_pool *answering;	/* one worker, one job: answer_all() */
	const char *const *hosts;
	const struct ebb_secret *token;
	char *listen_host;
	char *socket_path;		/* removed at the end */
	unsigned port;
};

/* --- Answers --- */

static const struct {
	const char *name, *value;
} headers[] = {
	{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cache-Control", "no-store"},
	{"Vary", "Accept"},
};

static struct MHD_Response *response_of(char *body, size_t len, const char *type)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);

	if (!r) {
		free(body);
		return NULL;
	}
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < EBB_ARRAY_LEN(headers); i++)
		MHD_add_response_header(r, headers[i].name, headers[i].value);
	return r;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int ebb_serve_put(struct ebb_serve *s, const char *path, const char *accept, char *body, size_t len, const char *type,
		  struct ebb_err *err)
{
	struct MHD_Response *r = response_of(body, len, type), *old = NULL;
	size_t i = 0;

	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	pthread_mutex_lock(&s->lock);
	while (i < s->npages && (strcmp(s->pages[i].path, path) != 0 || !same_text(s->pages[i].accept, accept)))
		i++;
	if (i < PAGES) {
		old = i < s->npages ? s->pages[i].response : NULL;
		s->pages[i] = (struct page){path, accept, r};
		s->npages += i == s->npages;
	}
	pthread_mutex_unlock(&s->lock);
	if (old)
		MHD_destroy_response(old);
	return 0;
}

static enum MHD_Result plain(struct MHD_Connection *c, unsigned status, const char *text)
{
	char *body = strdup(text);
	struct MHD_Response *r = body ? response_of(body, strlen(body), "text/plain; charset=utf-8") : NULL;

	if (!r)
		return MHD_NO;
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result done = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return done;
}

/* --- Who may ask --- */

/* Is @host, without its port, @name? Letters in any case. */
static bool is_host(const char *host, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(host, name, n) == 0 && (host[n] == 0 || (host[n] == ':' && !strchr(host + n + 1, ':')));
}

static bool host_known(const struct ebb_serve *s, const char *host)
{
	static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};

	if (s->socket_path)
		return true;
	if (!host)
		return false;
	for (size_t i = 0; i < EBB_ARRAY_LEN(loopback); i++)
		if (is_host(host, loopback[i]))
			return true;
	for (size_t i = 0; s->hosts && s->hosts[i]; i++)
		if (is_host(host, s->hosts[i]))
			return true;
	return is_host(host, s->listen_host);
}

/* Compared to the last byte whatever the first difference, so that time tells nothing. */
static bool token_given(const struct ebb_serve *s, const char *header)
{
	static const char scheme[] = "Bearer ";
	size_t len;
	const char *want = ebb_secret_expose(s->token, &len);
	unsigned differ = 0;

	if (!header || strncmp(header, scheme, sizeof(scheme) - 1) != 0)
		return false;
	header += sizeof(scheme) - 1;
	if (strlen(header) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)want[i] ^ (unsigned char)header[i];
	return differ == 0;
}

/* --- Requests --- */

static const char *query_value(void *query, const char *name)
{
	return MHD_lookup_connection_value(query, MHD_GET_ARGUMENT_KIND, name);
}

/* The worker's job: one question after the other, until the server stops. Who waits then is told to come again. */
static int answer_all(void *arg, struct ebb_err *err)
{
	struct ebb_serve *s = arg;
	void *item;

	(void)err;
	while (ebb_queue_pop(&s->questions, &item)) {
		struct question *q = item;

		q->status = ebb_pool_cancelled(s->answering) ? MHD_HTTP_SERVICE_UNAVAILABLE
			  : s->ask(s->ctx, q->path, query_value, q->connection, &q->body, &q->len, &q->type);
		MHD_resume_connection(q->connection);
	}
	return 0;
}

/* Put the request aside until its question was answered: the server then calls for it again, with the question as its state. */
static enum MHD_Result put_aside(struct ebb_serve *s, struct MHD_Connection *c, const char *path, void **state)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q || !(q->path = strdup(path))) {
		free(q);
		return MHD_NO;
	}
	q->connection = c;
	q->type = "text/html; charset=utf-8";
	*state = q;
	MHD_suspend_connection(c);
	if (!ebb_queue_try_push(&s->questions, q)) {
		q->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		MHD_resume_connection(c);
	}
	return MHD_YES;
}

static enum MHD_Result answered(struct question *q)
{
	if (q->status != MHD_HTTP_OK)
		return plain(q->connection, (unsigned)q->status,
			     q->status == MHD_HTTP_NOT_FOUND	     ? NOTHING_HERE
			     : q->status == MHD_HTTP_SERVICE_UNAVAILABLE ? "too many questions wait: ask again\n"
									 : "this could not be answered\n");
	struct MHD_Response *r = response_of(q->body, q->len, q->type);
	q->body = NULL;
	if (!r)
		return MHD_NO;
	enum MHD_Result done = MHD_queue_response(q->connection, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return done;
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode how)
{
	struct question *q = *state;

	(void)ctx;
	(void)c;
	(void)how;
	if (!q)
		return;
	free(q->path);
	free(q->body);
	free(q);
	*state = NULL;
}

static bool is_question(const struct ebb_serve *s, const char *path)
{
	for (size_t i = 0; s->asked[i]; i++)
		if (strcmp(s->asked[i], path) == 0)
			return true;
	return false;
}

/* The page that was put under a path for what the request accepts, else the usual one; NULL: none. With the lock held. */
static struct MHD_Response *page_of(const struct ebb_serve *s, const char *url, const char *accept)
{
	struct MHD_Response *usual = NULL;

	for (size_t i = 0; i < s->npages; i++) {
		if (strcmp(s->pages[i].path, url) != 0)
			continue;
		if (!s->pages[i].accept)
			usual = s->pages[i].response;
		else if (accept && strstr(accept, s->pages[i].accept))
			return s->pages[i].response;
	}
	return usual;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *size, void **state)
{
	struct ebb_serve *s = ctx;
	enum MHD_Result done = MHD_NO;

	(void)version;
	(void)data;
	if (*state)
		return answered(*state);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		*size = 0;
		return plain(c, MHD_HTTP_METHOD_NOT_ALLOWED, "this server only tells\n");
	}
	if (!host_known(s, MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST)))
		return plain(c, MHD_HTTP_MISDIRECTED_REQUEST, "this server does not know that name; see --host\n");
	if (s->token &&
	    !token_given(s, MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION)))
		return plain(c, MHD_HTTP_UNAUTHORIZED, "a token is needed\n");
	pthread_mutex_lock(&s->lock);
	struct MHD_Response *page = page_of(s, url, MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	if (page)
		done = MHD_queue_response(c, MHD_HTTP_OK, page);
	pthread_mutex_unlock(&s->lock);
	if (page)
		return done;
	return is_question(s, url) ? put_aside(s, c, url, state) : plain(c, MHD_HTTP_NOT_FOUND, NOTHING_HERE);
}

/* --- Listening --- */

static int listen_unix(struct ebb_serve *s, const char *path, struct ebb_err *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(a.sun_path) || !*path) {
		close(fd);
		return ebb_err_set(err, EBB_EUSAGE, "'%s' cannot name a socket", path);
	}
	strcpy(a.sun_path, path);
	mode_t mask = umask(0077);
	int r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&a, sizeof(a));
	int why = errno;
	umask(mask);
	if (r < 0 || listen(fd, CONNECTIONS) < 0) {
		if (fd >= 0)
			close(fd);
		return ebb_err_set(err, EBB_ESTORE, "cannot listen at '%s': %s", path, strerror(r < 0 ? why : errno));
	}
	s->socket_path = strdup(path);
	return s->socket_path ? fd : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* "HOST:PORT" or "[HOST]:PORT" with a numeric host. */
static int parse_address(struct ebb_serve *s, const char *text, struct sockaddr_storage *ret, socklen_t *ret_len,
			 struct ebb_err *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	const char *colon = strrchr(text, ':');
	char host[64], *end = NULL;
	long port = colon ? strtol(colon + 1, &end, 10) : -1;
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';

	if (!colon || !colon[1] || *end || port < 0 || port > 65535 || len == 0 || len >= sizeof(host))
		return ebb_err_set(err, EBB_EUSAGE, "'%s' is no address: write 127.0.0.1:8080, [::1]:8080 or unix:/path", text);
	snprintf(host, sizeof(host), "%.*s", (int)(brackets ? len - 2 : len), text + brackets);
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*ret_len = sizeof(*v4);
	} else if (brackets && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*ret_len = sizeof(*v6);
	} else {
		return ebb_err_set(err, EBB_EUSAGE, "'%s' is no numeric address", host);
	}
	bool loopback = ret->ss_family == AF_INET ? (ntohl(v4->sin_addr.s_addr) >> 24) == 127
						  : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	if (!loopback && !s->token)
		return ebb_err_set(err, EBB_EUSAGE, "listening on '%s' for others needs a token: --token-file", text);
	s->listen_host = strndup(text, len);
	return s->listen_host ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int start(struct ebb_serve *s, const char *listen, struct ebb_err *err)
{
	const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	struct sockaddr_storage addr;
	socklen_t len;
	int fd;

	if (strncmp(listen, "unix:", 5) == 0) {
		if ((fd = listen_unix(s, listen + 5, err)) < 0)
			return fd;
		s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
					     MHD_OPTION_THREAD_POOL_SIZE, THREADS, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
					     MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_SECONDS, MHD_OPTION_NOTIFY_COMPLETED,
					     on_completed, s, MHD_OPTION_END);
	} else {
		int r = parse_address(s, listen, &addr, &len, err);

		if (r < 0)
			return r;
		s->daemon = MHD_start_daemon(flags | (addr.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL,
					     on_request, s, MHD_OPTION_SOCK_ADDR, &addr, MHD_OPTION_THREAD_POOL_SIZE,
					     THREADS, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
					     MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_SECONDS, MHD_OPTION_NOTIFY_COMPLETED,
					     on_completed, s, MHD_OPTION_END);
	}
	if (!s->daemon)
		return ebb_err_set(err, EBB_ESTORE, "cannot listen on '%s': %s", listen, strerror(errno));
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	s->port = info && !s->socket_path ? info->port : 0;
	return 0;
}

int ebb_serve_start(const struct ebb_serve_opts *opts, struct ebb_serve **ret, struct ebb_err *err)
{
	struct ebb_serve *s = calloc(1, sizeof(*s));

	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (ebb_queue_init(&s->questions, WAITING, err) < 0) {
		free(s);
		return -EBB_ENOMEM;
	}
	pthread_mutex_init(&s->lock, NULL);
	s->ask = opts->ask;
	s->ctx = opts->ctx;
	s->asked = opts->asked;
	s->hosts = opts->hosts;
	s->token = opts->token;
	int r = ebb_pool_new(1, 1, &s->answering, err);
	if (r == 0)
		r = ebb_pool_submit(s->answering, answer_all, s, err);
	if (r == 0)
		r = start(s, opts->listen, err);
	if (r < 0) {
		ebb_serve_stop(s);
		return r;
	}
	*ret = s;
	return 0;
}

void ebb_serve_stop(struct ebb_serve *s)
{
	if (!s)
		return;
	/* First whoever waits: a request that is put aside cannot be closed. */
	if (s->answering)
		ebb_pool_cancel(s->answering);
	ebb_queue_close(&s->questions);
	ebb_pool_free(s->answering);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	for (size_t i = 0; i < s->npages; i++)
		MHD_destroy_response(s->pages[i].response);
	if (s->socket_path)
		unlink(s->socket_path);
	pthread_mutex_destroy(&s->lock);
	ebb_queue_release(&s->questions);
	free(s->socket_path);
	free(s->listen_host);
	free(s);
}

unsigned ebb_serve_port(const struct ebb_serve *s)
{
	return s->port;
}
