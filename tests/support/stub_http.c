/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/stub_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 256

struct connection {
	struct ebb_stub *stub;
	int fd;
	pthread_t thread;
};

struct ebb_stub {
	ebb_stub_handler *fn;
	void *ctx;
	int fd;
	char url[64];
	pthread_t thread;
	pthread_mutex_t mutex;	/* protects what follows */
	unsigned requests, n;
	bool stop;
	struct connection connections[CONNECTIONS];
};

static void die(const char *what)
{
	perror(what);
	abort();
}

static bool send_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Returns false when the connection is to end. */
static bool answer(int fd, const struct ebb_stub_request *req, const struct ebb_stub_reply *reply)
{
	char head[4096], length[64] = "";
	bool head_only = strcmp(req->method, "HEAD") == 0;
	size_t len = reply->cut || reply->reset ? reply->cut_after : reply->body_len;

	if (!reply->headers || !strcasestr(reply->headers, "content-length:"))
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", reply->body_len);
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %d Stub\r\n%s%s\r\n",
			 reply->status ? reply->status : 200, length, reply->headers ? reply->headers : "");
	if (n < 0 || (size_t)n >= sizeof(head))
		abort();
	if (reply->reset && !reply->cut_after) {
		const struct linger at_once = {1, 0};

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		return false;
	}
	if (!send_all(fd, head, (size_t)n) || (!head_only && len && !send_all(fd, reply->body, len)))
		return false;
	if (reply->reset) {
		const struct linger at_once = {1, 0};

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	}
	return !reply->cut && !reply->reset;
}

struct input {
	char *data;
	size_t len, size;
};

static bool more(int fd, struct input *in)
{
	if (in->len + 65536 + 1 > in->size) {
		in->size = in->size * 2 + 65536 + 1;
		in->data = realloc(in->data, in->size);
		if (!in->data)
			die("realloc");
	}
	ssize_t n = recv(fd, in->data + in->len, 65536, 0);
	if (n <= 0)
		return false;
	in->len += (size_t)n;
	in->data[in->len] = '\0';
	return true;
}

bool ebb_stub_header(const struct ebb_stub_request *req, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);

	for (const char *p = req->headers; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			continue;
		p += n + 1;
		p += strspn(p, " ");
		snprintf(out, size, "%.*s", (int)strcspn(p, "\r\n"), p);
		return true;
	}
	return false;
}

/* One request; false when the connection is over. */
static bool serve(struct ebb_stub *s, int fd, struct input *in)
{
	char *end, method[16], target[8192], length[32];
	struct ebb_stub_request req = {0};
	struct ebb_stub_reply reply = {0};

	while (!in->data || !(end = strstr(in->data, "\r\n\r\n")))
		if (!more(fd, in))
			return false;
	size_t head = (size_t)(end - in->data) + 4;
	char *lines = strndup(in->data, head - 2);
	if (!lines || sscanf(lines, "%15s %8191s", method, target) != 2)
		abort();
	req.method = method;
	req.target = target;
	req.headers = strchr(lines, '\n') + 1;
	req.body_len = ebb_stub_header(&req, "content-length", length, sizeof(length)) ? strtoul(length, NULL, 10)
										       : 0;
	bool ok = true;
	while (ok && in->len < head + req.body_len)
		ok = more(fd, in);
	if (ok) {
		req.body = in->data + head;
		pthread_mutex_lock(&s->mutex);
		req.number = s->requests++;
		pthread_mutex_unlock(&s->mutex);
		s->fn(s->ctx, &req, &reply);
		ok = answer(fd, &req, &reply);
		in->len -= head + req.body_len;
		memmove(in->data, in->data + head + req.body_len, in->len + 1);
	}
	free(lines);
	return ok;
}

static void *talk(void *arg)
{
	struct connection *c = arg;
	struct input in = {0};

	while (serve(c->stub, c->fd, &in))
		;
	free(in.data);
	pthread_mutex_lock(&c->stub->mutex);
	close(c->fd);
	c->fd = -1;
	pthread_mutex_unlock(&c->stub->mutex);
	return NULL;
}

static void *listen_on(void *arg)
{
	struct ebb_stub *s = arg;
	const int one = 1;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		pthread_mutex_lock(&s->mutex);
		if (s->stop) {
			close(fd);
		} else {
			if (s->n == CONNECTIONS)
				abort();
			struct connection *c = &s->connections[s->n++];

			*c = (struct connection){.stub = s, .fd = fd};
			if (pthread_create(&c->thread, NULL, talk, c) != 0)
				die("pthread_create");
		}
		pthread_mutex_unlock(&s->mutex);
	}
	return NULL;
}

struct ebb_stub *ebb_stub_start(ebb_stub_handler *fn, void *ctx)
{
	struct ebb_stub *s = calloc(1, sizeof(*s));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	if (!s)
		die("calloc");
	s->fn = fn;
	s->ctx = ctx;
	pthread_mutex_init(&s->mutex, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s->fd, 128) < 0 ||
	    getsockname(s->fd, (struct sockaddr *)&at, &len) < 0)
		die("cannot listen");
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
	if (pthread_create(&s->thread, NULL, listen_on, s) != 0)
		die("pthread_create");
	return s;
}

const char *ebb_stub_url(const struct ebb_stub *s)
{
	return s->url;
}

unsigned ebb_stub_requests(struct ebb_stub *s)
{
	pthread_mutex_lock(&s->mutex);
	unsigned n = s->requests;
	pthread_mutex_unlock(&s->mutex);
	return n;
}

unsigned ebb_stub_connections(struct ebb_stub *s)
{
	pthread_mutex_lock(&s->mutex);
	unsigned n = s->n;
	pthread_mutex_unlock(&s->mutex);
	return n;
}

void ebb_stub_stop(struct ebb_stub *s)
{
	pthread_mutex_lock(&s->mutex);
	s->stop = true;
	for (unsigned i = 0; i < s->n; i++)
		if (s->connections[i].fd >= 0)
			shutdown(s->connections[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->mutex);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	for (unsigned i = 0; i < s->n; i++)
		pthread_join(s->connections[i].thread, NULL);
	close(s->fd);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}
