/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hub cache of Hugging Face: models--ORG--NAME/refs/REF holds a commit; its files lie in snapshots/COMMIT/, mostly as symlinks to blobs/HASH (ref_link.c),
 * as files where symlinks do not work. A blob that no snapshot has is garbage. Source: huggingface_hub, "Understand caching".
 */
#include <string.h>

#include "agent/ref.h"

static const char *const kinds[] = {"models--", "datasets--", "spaces--"};

size_t ebb_ref_hf_repo(const char *key, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *slash = memchr(key + at, '/', len - at);

		if (!slash)
			return 0;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
			size_t n = strlen(kinds[i]);

			if ((size_t)(slash - key) - at > n && memcmp(key + at, kinds[i], n) == 0)
				return (size_t)(slash + 1 - key);
		}
		at = (size_t)(slash + 1 - key);
	}
	return 0;
}

static bool wants(const char *key, size_t len)
{
	size_t repo = ebb_ref_hf_repo(key, len);

	return repo && len - repo > 5 && memcmp(key + repo, "refs/", 5) == 0;
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	size_t repo = ebb_ref_hf_repo(f->key, f->key_len), n = f->len;
	char below[EBB_KEY_MAX + 64];

	ebb_ref_tell_len(out, EBB_FACTS_FAMILY, f->key, repo);
	while (n > 0 && (f->bytes[n - 1] == '\n' || f->bytes[n - 1] == ' '))
		n--;
	if (n < 7 || n > 64 || repo + n + 16 > sizeof(below))
		return "it names no commit";
	for (size_t i = 0; i < n; i++)
		if (!strchr("0123456789abcdef", f->bytes[i]) || !f->bytes[i])
			return "it names no commit";
	memcpy(below, f->key, repo);
	memcpy(below + repo, "snapshots/", 10);
	memcpy(below + repo + 10, f->bytes, n);
	below[repo + 10 + n] = '/';
	ebb_ref_tell_len(out, EBB_FACTS_BELOW, below, repo + n + 11);
	return NULL;
}

extern const struct ebb_ref ebb_ref_hf;
const struct ebb_ref ebb_ref_hf = {
	.name = "hf",
	.covers = "Hugging Face hub cache: refs, snapshots, blobs",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
