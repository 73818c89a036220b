/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a trainer goes on: DeepSpeed's `latest` (global_step500), Megatron's latest_checkpointed_iteration.txt (a number, or "release").
 * Both are written when a checkpoint is complete.
 */
#include <string.h>

#include "agent/ref.h"

static bool wants(const char *key, size_t len)
{
	return ebb_ref_named(key, len, "latest") || ebb_ref_named(key, len, "latest_checkpointed_iteration.txt");
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	size_t n = f->len;

	while (n > 0 && (f->bytes[n - 1] == '\n' || f->bytes[n - 1] == '\r' || f->bytes[n - 1] == ' '))
		n--;
	/* many things are called so; only a short word is the name of a checkpoint */
	if (n == 0 || n > 200 || memchr(f->bytes, '\0', n) || memchr(f->bytes, '\n', n))
		return "it names no checkpoint";
	ebb_ref_tell_len(out, EBB_FACTS_LATEST, f->bytes, n);
	return NULL;
}

extern const struct ebb_ref ebb_ref_latest;
const struct ebb_ref ebb_ref_latest = {
	.name = "latest",
	.covers = "latest (DeepSpeed), latest_checkpointed_iteration.txt (Megatron-LM)",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
