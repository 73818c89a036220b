/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: manifest.json of an inventory, a NUL, and its data file, plain or gzipped. Records come in key order, or the report is refused with words. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/inventory.h"
#include "tests/support/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	char key[EBB_KEY_MAX];
	size_t len;
};

static void put(const char *path, const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "w");

	if (!f || (size && fwrite(data, size, 1, f) != 1) || fclose(f))
		abort();
}

static int on_class(void *ctx, const char *name, int64_t *ret_code, struct ebb_err *err)
{
	(void)ctx;
	(void)name;
	(void)err;
	*ret_code = 1;
	return 0;
}

static int on_record(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct seen *s = ctx;

	(void)err;
	if (rec->key_len == 0 || rec->key_len > EBB_KEY_MAX)
		abort();
	if (s->len && ebb_record_key_cmp(s->key, s->len, rec->key, rec->key_len) >= 0)
		abort();
	memcpy(s->key, rec->key, rec->key_len);
	s->len = rec->key_len;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *dir;
	static char manifest[4200], rows[4200];
	const uint8_t *nul = memchr(data, 0, size);
	struct ebb_inventory_result result = {0};
	struct ebb_err err = {0};
	struct seen seen = {.len = 0};
	const struct ebb_inventory_fns fns = {on_class, on_record, &seen};

	if (!nul)
		return 0;
	if (!dir) {
		dir = ebb_scratch_new();
		snprintf(manifest, sizeof(manifest), "%s/manifest.json", dir);
		snprintf(rows, sizeof(rows), "%s/d", dir);
	}
	put(manifest, data, (size_t)(nul - data));
	put(rows, nul + 1, size - (size_t)(nul - data) - 1);
	const struct ebb_inventory_opts opts = {.manifest = manifest, .tmp = dir, .memory = 1 << 20};
	if (ebb_inventory_read(&opts, &fns, &result, &err) < 0 && !*err.msg)
		abort();
	return 0;
}
