/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DVC: *.dvc and dvc.lock name contents by MD5, and so do the lists of folders in a cache (HASH.dir, JSON). The cache is content-addressed
 * (policies/guard.h). Other commits may name more, so what nobody in sight names stays as well, but in a repository without history (.dvc/config with no_scm = true), whose
 * own cache has no other references. Every value of a member `md5` counts, wherever it stands: rather too many than too few. Sources: DVC, ".dvc files",
 * "dvc.lock", "Internal files".
 */
#include <string.h>

#include "agent/ref.h"
#include "policies/guard.h"

static bool is_config(const char *key, size_t len)
{
	size_t dir = ebb_ref_dir(key, len);

	return ebb_ref_named(key, len, "config") && dir > 4 && memcmp(key + dir - 5, ".dvc/", 5) == 0 && (dir == 5 || key[dir - 6] == '/');
}

static bool wants(const char *key, size_t len)
{
	char hash[EBB_GUARD_HASH + 1];
	size_t prefix;

	if (ebb_ref_ends(key, len, ".dir"))
		return ebb_guard_hash_of(key, len, hash, &prefix);
	return (ebb_ref_ends(key, len, ".dvc") && len > 4 && key[len - 5] != '/') || ebb_ref_named(key, len, "dvc.lock") || is_config(key, len);
}

/* In git's form of INI files; spaces and letters as people write them. */
static bool no_history(const char *p, size_t len)
{
	while (len > 0) {
		const char *nl = memchr(p, '\n', len);
		size_t n = nl ? (size_t)(nl - p) : len, at = 0;
		char packed[32];
		size_t m = 0;

		for (; at < n && m + 1 < sizeof(packed); at++)
			if (p[at] != ' ' && p[at] != '\t' && p[at] != '\r')
				packed[m++] = (char)(p[at] >= 'A' && p[at] <= 'Z' ? p[at] | 0x20 : p[at]);
		packed[m] = '\0';
		if (strcmp(packed, "no_scm=true") == 0)
			return true;
		p += nl ? n + 1 : n;
		len -= nl ? n + 1 : n;
	}
	return false;
}

static const char *config(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	size_t dir = ebb_ref_dir(f->key, f->key_len);
	char prefix[EBB_KEY_MAX + 16];

	if (!no_history(f->bytes, f->len))
		return NULL;
	memcpy(prefix, f->key, dir);
	memcpy(prefix + dir, "cache/", 6);
	ebb_ref_tell_len(out, EBB_FACTS_WHOLE, prefix, dir + 6);
	return NULL;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Behind `md5`, quotes, a colon and spaces: a hash. Other hashes and words (`hash: md5`) are passed over. */
static const char *hashes(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	const char *p = f->bytes, *end = f->bytes + f->len;
	size_t found = 0;

	while ((p = memmem(p, (size_t)(end - p), "md5", 3))) {
		size_t n = 0;

		for (p += 3; p < end && (*p == '"' || *p == '\'' || *p == ' ' || *p == ':');)
			p++;
		while (p + n < end && is_hex(p[n]))
			n++;
		if (n == EBB_GUARD_HASH) {
			ebb_ref_tell_len(out, EBB_FACTS_HASH, p, n);
			found++;
		}
		p += n;
	}
	return found || !memmem(f->bytes, f->len, "md5", 3) ? NULL : "its hashes are not understood";
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	if (is_config(f->key, f->key_len))
		return config(f, out);
	return f->len == 0 ? "it is empty, or was not read" : hashes(f, out);
}

extern const struct ebb_ref ebb_ref_dvc;
const struct ebb_ref ebb_ref_dvc = {
	.name = "dvc",
	.covers = "DVC: *.dvc, dvc.lock and lists of folders; objects that only other commits may name stay",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
