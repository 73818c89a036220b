/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: bytes that somebody sends to `ebb serve`. Whatever they are, the page that wants the token is never given without it, and the server goes on.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "fuzzers-do-not-guess-this"
#define PAGE "the page that is not for everybody"

static int answer(void *ctx, const char *path, ebb_serve_query_fn *value, void *query, char **ret_body, size_t *ret_len,
		  const char **ret_type)
{
	const char *store = value(query, "store"), *prefix = value(query, "prefix");

	(void)ctx;
	*ret_type = "text/plain";
	int n = asprintf(ret_body, PAGE " %s %s %s", path, store ? store : "", prefix ? prefix : "");
	*ret_len = (size_t)n;
	return n < 0 ? 500 : 200;
}

static struct ebb_serve *start(void)
{
	static const char *const asked[] = {"/browse", NULL}, *const hosts[] = {"h", NULL};
	struct ebb_secret *token = ebb_secret_new(TOKEN, strlen(TOKEN));
	struct ebb_serve_opts opts = {.listen = "127.0.0.1:0", .hosts = hosts, .asked = asked, .ask = answer, .token = token};
	struct ebb_serve *s = NULL;

	if (!token || ebb_serve_start(&opts, &s, NULL) < 0 ||
	    ebb_serve_put(s, "/", NULL, strdup(PAGE), strlen(PAGE), "text/plain", NULL) < 0)
		abort();
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ebb_serve *s;
	static char text[1 << 16];
	size_t len = 0;
	ssize_t n;

	if (size > sizeof(text))
		return 0;
	if (!s)
		s = start();
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ebb_serve_port(s))};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	/* it may close while we still send, and a closing side keeps no port waiting */
	const struct linger linger = {.l_onoff = 1};
	/* a request that is not whole gets no answer for half a minute */
	const struct timeval patience = {.tv_usec = 30000};
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		abort();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)!send(fd, data, size, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	while (len < sizeof(text) - 1 && (n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	close(fd);
	if (memmem(text, len, PAGE, strlen(PAGE)) && !memmem(data, size, TOKEN, strlen(TOKEN)))
		abort();
	return 0;
}
