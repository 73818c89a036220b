/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small read-only web server: answers that were made before, under fixed paths, and one that is made for each question.
 *
 * Questions may take long. They are answered one after the other, in the order in which they came, while pages that are there go out as fast as
 * ever; so all of them need the memory of one. When 64 wait, who comes next is told to ask again (503 with Retry-After).
 *
 * Who may ask: requests whose Host is a name that the server was told (loopback names always), so that a page from elsewhere in the
 * user's browser cannot read it by pointing a name of its own here; and, where a token is set, only with it (`Authorization: Bearer TOKEN`).
 * GET and HEAD only. Answers say that they may load nothing and be framed nowhere.
 *
 * Threads: ebb_serve_put may be called from any thread while requests are answered; a page is replaced whole, and one that is being
 * sent stays until it was. The ask function is called by a thread of its own, never twice at once.
 */
#ifndef EBB_AGENT_SERVE_H
#define EBB_AGENT_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/secret.h"

struct ebb_serve;

/*
 * What a question gets: its path, and a query value by name (NULL when it was not given; lives during the call).
 *
 * @ret_body  from malloc; freed by the server.
 * @return    HTTP status: 200 with a body; 404 or 500 without.
 */
typedef const char *ebb_serve_query_fn(void *query, const char *name);
typedef int ebb_serve_ask_fn(void *ctx, const char *path, ebb_serve_query_fn *value, void *query, char **ret_body,
			     size_t *ret_len, const char **ret_type);

/* All of it lives as long as the server. */
struct ebb_serve_opts {
	const char *listen;		/* "127.0.0.1:8080", "[::1]:8080", or "unix:/path" */
	const char *const *hosts;	/* further names that requests may have, NULL-terminated, or NULL */
	const struct ebb_secret *token;	/* or NULL; must be there for addresses that are no loopback */
	const char *const *asked;	/* paths of questions, NULL-terminated; "/a" is not "/a/b" */
	ebb_serve_ask_fn *ask;
	void *ctx;
};

/*
 * Listen and answer.
 *
 * @return  0; -EBB_EUSAGE: the address is none, or needs a token; -EBB_ESTORE when it cannot be bound; -EBB_ENOMEM.
 */
int ebb_serve_start(const struct ebb_serve_opts *opts, struct ebb_serve **ret, struct ebb_err *err);
void ebb_serve_stop(struct ebb_serve *s);
EBB_CLEANUP_PTR(struct ebb_serve, ebb_serve_stop);

/*
 * Put an answer under @path in place of the one before. @body is from malloc and is taken. @type lives as long as the server.
 *
 * @accept  a media type: whoever names it in Accept gets this answer instead of that which was put under the path without one. NULL: the usual one.
 */
int ebb_serve_put(struct ebb_serve *s, const char *path, const char *accept, char *body, size_t len, const char *type,
		  struct ebb_err *err);

/* Port that is listened on; 0 for a socket file. */
unsigned ebb_serve_port(const struct ebb_serve *s);

#endif
