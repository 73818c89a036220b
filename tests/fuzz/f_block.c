/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes: a block opens and can be read to its end, or is refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebb_block_iter *it = malloc(sizeof(*it));
	char *copy = malloc(size ? size : 1); /* exact size, so that a step outside is seen */
	struct ebb_record r;
	struct ebb_block b;

	memcpy(copy, data, size);
	if (ebb_block_open(&b, copy, size, NULL) == 0) {
		ebb_block_iter_init(it, &b);
		while (ebb_block_iter_next(it, &r, NULL) == 1)
			if (r.key_len == 0 || r.key_len > EBB_KEY_MAX)
				abort();
	}
	free(copy);
	free(it);
	return 0;
}
