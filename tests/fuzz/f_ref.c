/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that say what others are for: a key, a newline, a content. Every reader takes any bytes; and names of checkpoints are found in any key,
 * within it and the same a second time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ref.h"
#include "policies/ckpt_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void name(const char *key, size_t len)
{
	static struct ebb_ckpt_name a, b;
	/* of exactly that size, so that nothing behind it can be read */
	char *copy = malloc(len);

	memcpy(copy, key, len);
	if (ebb_ckpt_name_known(copy, len, &a)) {
		if (a.path_len > len || a.step < 0 || a.nmetrics > EBB_CKPT_NAME_METRICS || a.file != (a.path_len == len))
			abort();
		if (!ebb_ckpt_name_known(copy, len, &b) || b.step != a.step || strcmp(a.family, b.family) != 0)
			abort();
	}
	free(copy);
}

static void read(const struct ebb_ref *ref, const char *key, size_t key_len, const char *bytes, size_t len)
{
	struct ebb_arena arena;
	struct ebb_ref_out out = {.arena = &arena};
	struct ebb_ref_file f = {.key = key, .key_len = key_len, .len = len};
	char *copy = malloc(len + 1);

	memcpy(copy, bytes, len);
	f.bytes = copy;
	ebb_arena_init(&arena, 0);
	ref->read(&f, &out);
	for (size_t i = 0; i < out.n; i++)
		if (!out.facts[i].text && !out.bad_memory)
			abort();
	ebb_ref_out_release(&out);
	ebb_arena_release(&arena);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *nl = memchr(data, '\n', size);
	size_t len = nl ? (size_t)(nl - (const char *)data) : 0;
	char key[256];

	if (!nl || len == 0 || len >= sizeof(key) || memchr(data, '\0', len))
		return 0;
	memcpy(key, data, len);
	key[len] = '\0';
	name(key, len);
	for (int kind = EBB_KIND_FILE; kind <= EBB_KIND_SYMLINK; kind++) {
		const struct ebb_ref *ref = ebb_ref_of(key, len, kind);

		if (ref)
			read(ref, key, len, nl + 1, size - len - 1);
	}
	return 0;
}
