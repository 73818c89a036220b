/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a mapping of keys to labels in CSV. What was read gives labels for a few keys, from its own arena. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "policies/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"a", "runs/x/1", "team/data/file.bin"};
	struct ebb_labels *l = NULL;
	struct ebb_arena arena;
	struct ebb_err err = {0};

	ebb_arena_init(&arena, 64u << 20);
	int r = ebb_labels_parse(&arena, (const char *)data, size, "f", &l, &err);
	if (r < 0 && (!*err.msg || !ebb_utf8_valid(err.msg, strlen(err.msg))))
		abort();
	for (size_t i = 0; r == 0 && i < ebb_labels_count(l); i++) {
		if (!*ebb_labels_name(l, i))
			abort();
		for (size_t k = 0; k < EBB_ARRAY_LEN(keys); k++) {
			const struct ebb_record rec = {.key = keys[k], .key_len = (uint32_t)strlen(keys[k])};
			const char *v = ebb_labels_value(l, i, "lake", &rec);

			if (v && strlen(v) > size)
				abort();
		}
	}
	ebb_arena_release(&arena);
	return 0;
}
