/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a pattern, a newline, a key. Compiling and matching must neither crash nor disagree:
 * whatever matches begins with the prefix, has captures inside the key, and is reached from every
 * key before it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policies/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ebb_glob *g, const char *key, size_t len)
{
	struct ebb_glob_span spans[EBB_GLOB_WILDCARDS];
	size_t plen;
	const char *prefix = ebb_glob_prefix(g, &plen);
	bool match = ebb_glob_match(g, key, len);

	if (len <= 4096 && ebb_glob_capture(g, key, len, spans) != match)
		abort();
	if (!match)
		return;
	if (len < plen || memcmp(key, prefix, plen) != 0 || !ebb_glob_reaches(g, key, len))
		abort();
	for (size_t i = 0; len <= 4096 && i < ebb_glob_captures(g); i++)
		if (spans[i].p < key || spans[i].p + spans[i].len > key + len || spans[i].len == 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *key;
	struct ebb_arena arena;
	struct ebb_glob *g;

	memcpy(text, data, size);
	text[size] = '\0';
	key = strchr(text, '\n');
	if (key) {
		*key++ = '\0';
		ebb_arena_init(&arena, 16u << 20);
		if (ebb_glob_compile(&arena, text, &g, NULL) == 0)
			check(g, key, strlen(key));
		ebb_arena_release(&arena);
	}
	free(text);
	return 0;
}
