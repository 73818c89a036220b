/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a schema, a newline, and rows of CSV. Keys come out whole or the row is refused; texts lie in their line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/inventory_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ebb_inventory_csv_row row;
	char *text = malloc(size + 1), *p, *nl;
	struct ebb_inventory_csv c;

	memcpy(text, data, size);
	text[size] = '\0';
	p = strchr(text, '\n');
	if (p && p < text + size) {
		*p++ = '\0';
		if (ebb_inventory_csv_schema(&c, text, NULL) == 0)
			for (; p < text + size; p = nl + 1) {
				nl = memchr(p, '\n', (size_t)(text + size - p));
				nl = nl ? nl : text + size;
				if (ebb_inventory_csv_row(&c, p, (size_t)(nl - p), &row) &&
				    (row.key_len == 0 || row.key_len > EBB_KEY_MAX || memchr(row.key, 0, row.key_len) ||
				     (row.etag.p && (row.etag.p < p || row.etag.p + row.etag.len > nl))))
					abort();
			}
	}
	free(text);
	return 0;
}
