/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/serve.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/unit.h"

#define WAITING 64 /* as in serve.c */

static struct ebb_err err;
static const char *const asked[] = {"/ask", NULL};

/* A question that is answered when the test says so. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	int inside, answered, most;
};

static int answer(void *ctx, const char *path, ebb_serve_query_fn *value, void *query, char **ret_body, size_t *ret_len,
		  const char **ret_type)
{
	struct gate *g = ctx;

	ck_assert_str_eq(path, "/ask");
	pthread_mutex_lock(&g->lock);
	if (++g->inside > g->most)
		g->most = g->inside;
	pthread_cond_broadcast(&g->changed);
	while (!g->open)
		pthread_cond_wait(&g->changed, &g->lock);
	g->inside--;
	g->answered++;
	pthread_mutex_unlock(&g->lock);
	*ret_len = (size_t)asprintf(ret_body, "n=%s", value(query, "n"));
	*ret_type = "text/plain";
	return *ret_body ? 200 : 500;
}

static struct ebb_serve *start(struct gate *g)
{
	struct ebb_serve_opts opts = {.listen = "127.0.0.1:0", .asked = asked, .ask = answer, .ctx = g};
	struct ebb_serve *s = NULL;

	ck_assert_msg(ebb_serve_start(&opts, &s, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(ebb_serve_put(s, "/", NULL, strdup("page"), 4, "text/plain", &err), 0);
	return s;
}

static int request(const struct ebb_serve *s, const char *path)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ebb_serve_port(s))};
	struct timeval limit = {.tv_sec = 60};
	char text[200];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
	ck_assert_int_eq(write(fd, text, (size_t)n), n);
	return fd;
}

/* The whole answer; closes @fd. Returns the status. */
static int reply(int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, text + n, size - 1 - n)) > 0)
		n += (size_t)got;
	ck_assert_int_eq(got, 0);
	close(fd);
	text[n] = 0;
	ck_assert_uint_gt(n, 12);
	return atoi(text + 9);
}

static void wait_inside(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	while (g->inside == 0)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void open_gate(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

START_TEST(questions_wait_and_pages_do_not)
{
	struct gate g = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct ebb_serve *s = start(&g);
	int fds[10];
	char text[4096], path[40], want[40];

	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/ask?n=%d", i);
		fds[i] = request(s, path);
	}
	wait_inside(&g);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(reply(request(s, "/"), text, sizeof(text)), 200);
		ck_assert(strstr(text, "\r\n\r\npage"));
	}
	ck_assert_int_eq(reply(request(s, "/other"), text, sizeof(text)), 404);
	open_gate(&g);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(reply(fds[i], text, sizeof(text)), 200);
		snprintf(want, sizeof(want), "\r\n\r\nn=%d", i);
		ck_assert_msg(strstr(text, want), "%s", text);
	}
	ck_assert_int_eq(g.answered, 10);
	ck_assert_int_eq(g.most, 1);
	ebb_serve_stop(s);
}
END_TEST

START_TEST(too_many_are_told_to_come_again)
{
	struct gate g = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct ebb_serve *s = start(&g);
	int fds[WAITING + 21], refused = 0, told = 0;
	char text[4096];

	fds[0] = request(s, "/ask?n=0");
	wait_inside(&g);
	for (int i = 1; i <= WAITING + 20; i++)
		fds[i] = request(s, "/ask?n=0");
	/* This one is behind most of them; it is answered while they wait. */
	ck_assert_int_eq(reply(request(s, "/"), text, sizeof(text)), 200);
	open_gate(&g);
	for (int i = 0; i <= WAITING + 20; i++) {
		int status = reply(fds[i], text, sizeof(text));

		refused += status == 503;
		told += strstr(text, "Retry-After: 1") != NULL;
		ck_assert(status == 503 || status == 200);
	}
	ck_assert_int_eq(refused, told);
	ck_assert_int_eq(refused + g.answered, WAITING + 21);
	ck_assert_int_ge(g.answered, 1 + WAITING);
	ebb_serve_stop(s);
}
END_TEST

static void *stop(void *s)
{
	ebb_serve_stop(s);
	return NULL;
}

START_TEST(stopping_lets_go_of_those_who_wait)
{
	struct gate g = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct ebb_serve *s = start(&g);
	pthread_t t;
	int fds[5];
	char text[4096];

	fds[0] = request(s, "/ask?n=0");
	wait_inside(&g);
	for (int i = 1; i < 5; i++)
		fds[i] = request(s, "/ask?n=0");
	ck_assert_int_eq(reply(request(s, "/"), text, sizeof(text)), 200);
	ck_assert_int_eq(pthread_create(&t, NULL, stop, s), 0);
	open_gate(&g);
	pthread_join(t, NULL);
	ck_assert_int_ge(g.answered, 1);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
}
END_TEST

EBB_UNIT_MAIN("serve", questions_wait_and_pages_do_not, too_many_are_told_to_come_again, stopping_lets_go_of_those_who_wait)
