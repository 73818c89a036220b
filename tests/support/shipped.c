/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/shipped.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/books.h"
#include "core/err.h"

/* Tests lie in build/CONFIG/tests/GROUP, from where the program's own search does not reach. */
static void find_source(void)
{
	const char *src = getenv("EBB_SRC");
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/contrib/prices", src ? src : ".");
	setenv("EBB_PRICES", dir, 1);
}

void ebb_shipped_load(struct ebb_shipped *s)
{
	struct ebb_err err = {0};
	char path[PATH_MAX];
	const char **names;

	find_source();
	ebb_arena_init(&s->arena, 0);
	s->books = ebb_price_books_new(&s->arena, EBB_SHIPPED_NOW);
	names = ebb_books_names(&s->arena);
	for (; s->books && names && *names; names++)
		if (!ebb_books_find(*names, path) ||
		    ebb_books_add(&s->arena, s->books, path, NULL, NULL, &err) < 0) {
			fprintf(stderr, "%s: %s\n", *names, err.msg);
			exit(1);
		}
	if (!s->books || !names || !ebb_price_count(s->books)) {
		fprintf(stderr, "no price books in %s\n", getenv("EBB_PRICES"));
		exit(1);
	}
}

void ebb_shipped_release(struct ebb_shipped *s)
{
	ebb_arena_release(&s->arena);
}
