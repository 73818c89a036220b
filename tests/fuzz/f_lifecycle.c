/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lifecycle configurations: any bytes are read or refused, and what is written of them reads back the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lifecycle_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *written(const char *text, size_t len)
{
	struct ebb_arena arena;
	struct ebb_lifecycle lc;
	char *out = NULL;

	ebb_arena_init(&arena, 0);
	if (ebb_lifecycle_json_read(text, len, "x.json", &arena, &lc, NULL) == 0) {
		json_t *o = ebb_lifecycle_json_write(&lc);

		out = json_dumps(o, JSON_COMPACT);
		json_decref(o);
		if (!out)
			abort();
	}
	ebb_arena_release(&arena);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *first = written((const char *)data, size);
	char *again = first ? written(first, strlen(first)) : NULL;

	if (first && (!again || strcmp(first, again) != 0))
		abort();
	free(first);
	free(again);
	return 0;
}
