/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as ebb.yaml: parsed into a document, then read as what a configuration holds. Either all of it is understood
 * or there is a message; nothing crashes, and memory stays within the arena's cap.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/yaml.h"
#include "core/mem.h"
#include "policies/price.h"
#include "policies/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As agent/config.c does it, without the files. */
static void compile(struct ebb_arena *arena, const struct ebb_tree_node *root)
{
	static const struct ebb_rules_store stores[] = {
		{.name = "a", .class = "HDD"},
		{.name = "b", .class = "NVME", .jurisdiction = "AE"},
	};
	struct ebb_price_books *books = ebb_price_books_new(arena, 0);
	struct ebb_rules *rules = NULL;
	struct ebb_err err = {0};
	int r = ebb_rules_compile(arena, ebb_tree_get(root, "rules"), ebb_tree_get(root, "datasets"), stores,
				  2, &rules, &err);

	if (r && !*err.msg)
		abort();
	ebb_err_clear(&err);
	if (books && ebb_price_books_add(books, root, &err) && !*err.msg)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	struct ebb_tree_node *root = NULL;
	struct ebb_err err = {0};

	ebb_arena_init(&arena, 64 * 1024 * 1024);
	if (ebb_yaml_parse(&arena, "fuzz.yaml", data, size, &root, &err)) {
		if (!*err.msg || root)
			abort();
		return 0;
	}
	compile(&arena, root);
	return 0;
}
