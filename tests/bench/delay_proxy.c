/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * usage: delay_proxy PORT MILLISECONDS
 *
 * Forward TCP connections from a free port of the loopback to PORT of the loopback, each byte half of MILLISECONDS later, in both
 * directions: what a request to a server that far away has to wait. Bandwidth is not limited. Prints the port that it listens on; on
 * SIGTERM the number of HTTP requests that went through, and ends.
 *
 * One thread, one poll loop; a piece of data waits in a queue of its direction until it is due.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 65536, CONNECTIONS = 512, QUEUE = 256 };

struct piece {
	int64_t due;
	size_t len, sent;
	char *data;
};

/* One direction of a connection. */
struct flow {
	int from, to;
	struct piece queue[QUEUE];
	size_t first, n;
	int ended;		/* no more comes */
};

struct connection {
	struct flow up, down;
};

static struct connection *connections[CONNECTIONS];
static int64_t delay;
static unsigned long requests;
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int open_socket(uint16_t port, int listening)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	int r = listening ? bind(fd, (struct sockaddr *)&a, sizeof(a)) : connect(fd, (struct sockaddr *)&a, sizeof(a));

	if (fd < 0 || r < 0 || (listening && listen(fd, 512) < 0)) {
		perror("delay_proxy");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int is_request(const char *p, size_t len)
{
	static const char *const methods[] = {"GET /", "HEAD /", "PUT /", "POST /", "DELETE /"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (len >= strlen(methods[i]) && memcmp(p, methods[i], strlen(methods[i])) == 0)
			return 1;
	return 0;
}

/* Take what has come, as long as there is room. */
static void take(struct flow *f, int up)
{
	char *data = malloc(PIECE);
	ssize_t n = data ? recv(f->from, data, PIECE, MSG_DONTWAIT) : -1;

	if (n > 0) {
		requests += (unsigned long)(up && is_request(data, (size_t)n));
		f->queue[(f->first + f->n++) % QUEUE] = (struct piece){now() + delay, (size_t)n, 0, data};
		return;
	}
	free(data);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		f->ended = 1;
}

/* Send what is due. */
static void give(struct flow *f, int64_t t)
{
	while (f->n && f->queue[f->first].due <= t) {
		struct piece *p = &f->queue[f->first];
		ssize_t n = send(f->to, p->data + p->sent, p->len - p->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			f->ended = 1;
		p->sent += n < 0 ? p->len - p->sent : (size_t)n;
		if (p->sent < p->len)
			return;
		free(p->data);
		f->first = (f->first + 1) % QUEUE;
		f->n--;
	}
	if (f->ended && f->n == 0)
		shutdown(f->to, SHUT_WR);
}

static void accept_one(int listener, uint16_t port)
{
	int fd = accept(listener, NULL, NULL), one = 1;
	size_t i = 0;

	while (i < CONNECTIONS && connections[i])
		i++;
	if (fd < 0 || i == CONNECTIONS || !(connections[i] = calloc(1, sizeof(**connections)))) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	connections[i]->up.from = connections[i]->down.to = fd;
	connections[i]->up.to = connections[i]->down.from = open_socket(port, 0);
}

/* Milliseconds until the next piece is due, rounded up; the sockets to look at in @fds. */
static int prepare(struct pollfd *fds, int64_t t)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *c = connections[i];

		fds[2 * i].fd = fds[2 * i + 1].fd = -1;
		if (!c)
			continue;
		struct flow *flows[] = {&c->up, &c->down};
		for (int k = 0; k < 2; k++) {
			struct flow *f = flows[k];

			fds[2 * i + (size_t)k] = (struct pollfd){f->from, f->ended || f->n == QUEUE ? 0 : POLLIN, 0};
			if (f->n && f->queue[f->first].due < next)
				next = f->queue[f->first].due;
		}
	}
	if (next == INT64_MAX)
		return -1;
	return next <= t ? 1 : (int)((next - t) / 1000000) + 1;
}

static void serve(const struct pollfd *fds)
{
	int64_t t = now();

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *c = connections[i];

		if (!c)
			continue;
		if (fds[2 * i].revents)
			take(&c->up, 1);
		if (fds[2 * i + 1].revents)
			take(&c->down, 0);
		give(&c->up, t);
		give(&c->down, t);
		if (c->up.ended && c->down.ended && c->up.n + c->down.n == 0) {
			close(c->up.from);
			close(c->up.to);
			free(c);
			connections[i] = NULL;
		}
	}
}

int main(int argc, char **argv)
{
	static struct pollfd fds[2 * CONNECTIONS + 1];
	struct sigaction act = {.sa_handler = on_term};
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	if (argc != 3) {
		fprintf(stderr, "usage: delay_proxy PORT MILLISECONDS\n");
		return 2;
	}
	uint16_t port = (uint16_t)atoi(argv[1]);
	delay = atoi(argv[2]) * INT64_C(500000);
	sigaction(SIGTERM, &act, NULL);
	int listener = open_socket(0, 1);
	getsockname(listener, (struct sockaddr *)&a, &len);
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	fds[2 * CONNECTIONS] = (struct pollfd){listener, POLLIN, 0};
	while (!stop) {
		fds[2 * CONNECTIONS].revents = 0;
		if (poll(fds, 2 * CONNECTIONS + 1, prepare(fds, now())) < 0 && errno != EINTR)
			return 1;
		serve(fds);
		if (fds[2 * CONNECTIONS].revents)
			accept_one(listener, port);
	}
	printf("%lu\n", requests);
	return 0;
}
