/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a price book in YAML. It is read, or refused with words that a terminal can show; what was read is asked for its classes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/yaml.h"
#include "core/utf8.h"
#include "policies/price.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebb_tree_node *doc;
	struct ebb_arena arena;
	struct ebb_err err = {0};

	ebb_arena_init(&arena, 64u << 20);
	struct ebb_price_books *books = ebb_price_books_new(&arena, INT64_C(1795460400000000000));
	int r = ebb_yaml_parse(&arena, "book", data, size, &doc, &err);
	if (r == 0 && books)
		r = ebb_price_books_add(books, doc, &err);
	if (r < 0 && (!*err.msg || !ebb_utf8_valid(err.msg, strlen(err.msg))))
		abort();
	if (r == 0 && books && !ebb_price_currency(books))
		abort();
	ebb_arena_release(&arena);
	return 0;
}
