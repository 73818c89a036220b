/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Symlinks: what they point to is referred to, within the store or in another one on the same machine. What must stay when one leads nowhere: the repository of a
 * hub cache; the objects of git-annex, where that is usual (the content is elsewhere) and any branch may refer to any object; else the folder of
 * the link, but not the whole store for a link at its root.
 */
#include <string.h>

#include "agent/ref.h"

static bool wants(const char *key, size_t len)
{
	(void)key;
	return len > 0;
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	size_t repo = ebb_ref_hf_repo(f->key, f->key_len), dir = ebb_ref_dir(f->key, f->key_len);
	bool annex = f->len && memmem(f->bytes, f->len, ".git/annex/objects/", 19);

	if (!annex && (repo || dir))
		ebb_ref_tell_len(out, EBB_FACTS_FAMILY, f->key, repo ? repo : dir);
	if (f->len == 0)
		return "its target is not known";
	if (memchr(f->bytes, '\0', f->len))
		return "its target is no path";
	ebb_ref_tell_len(out, EBB_FACTS_LINK, f->bytes, f->len);
	return NULL;
}

extern const struct ebb_ref ebb_ref_link;
const struct ebb_ref ebb_ref_link = {
	.name = "link",
	.covers = "symlinks: farms, snapshots of hub caches",
	.kind = EBB_KIND_SYMLINK,
	.wants = wants,
	.read = read,
};
