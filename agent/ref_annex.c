/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * git-annex: a repository whose .git/config (config, where it is bare) has a section [annex] keeps its objects in annex/objects beside it. Which branch refers to
 * which of them only git knows, so all of them stay: `git annex unused` and `git annex drop` are made for it. Source: git-annex, internals.
 */
#include <string.h>

#include "agent/ref.h"

static bool wants(const char *key, size_t len)
{
	size_t dir = ebb_ref_dir(key, len);

	return ebb_ref_named(key, len, "config") && dir > 4 && memcmp(key + dir - 5, ".git/", 5) == 0;
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	size_t dir = ebb_ref_dir(f->key, f->key_len);
	char prefix[EBB_KEY_MAX + 16];

	/* an empty one was not read: it may be of git-annex */
	if (f->len && !memmem(f->bytes, f->len, "[annex]", 7) && !memmem(f->bytes, f->len, "[annex ", 7))
		return NULL;
	memcpy(prefix, f->key, dir);
	memcpy(prefix + dir, "annex/", 6);
	ebb_ref_tell_hold(out, prefix, dir + 6, "git-annex: any branch may refer to it (git annex unused knows)");
	return NULL;
}

extern const struct ebb_ref ebb_ref_annex;
const struct ebb_ref ebb_ref_annex = {
	.name = "annex",
	.covers = "git-annex: all objects stay, since branches are not read",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
