/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OCI image layout: index.json names manifests by digest, these name configuration and layers; all of them are blobs/ALGORITHM/HEX. Manifests are small
 * (the specification asks registries for 4 MiB), so every blob up to that size that is such a document is followed. Source: OCI Image Format
 * Specification 1.1, image-layout.md, manifest.md, image-index.md.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "agent/ref.h"

#define MANIFEST_MAX (INT64_C(4) << 20)

/* Length of the layout's prefix when @key is ROOT/blobs/ALGORITHM/HEX. False for others. */
static bool is_blob(const char *key, size_t len, size_t *ret_root)
{
	size_t dir = ebb_ref_dir(key, len), hex = len - dir, alg = dir ? ebb_ref_dir(key, dir - 1) : 0, blobs = alg ? ebb_ref_dir(key, alg - 1) : 0;

	if (hex < 32 || hex > 128 || strspn(key + dir, "0123456789abcdef") < hex || alg - blobs != 6 || memcmp(key + blobs, "blobs/", 6) != 0 || dir <= alg + 1)
		return false;
	*ret_root = blobs;
	return true;
}

static bool wants(const char *key, size_t len)
{
	size_t root;

	return ebb_ref_named(key, len, "index.json") || is_blob(key, len, &root);
}

static bool skips(const char *key, size_t len, int64_t size)
{
	size_t root;

	return size > MANIFEST_MAX && is_blob(key, len, &root);
}

/* "sha256:HEX" to ROOT/blobs/sha256/HEX. */
static const char *tell(json_t *descriptor, const char *key, size_t root, struct ebb_ref_out *out)
{
	const char *digest = json_string_value(json_object_get(descriptor, "digest")), *colon = digest ? strchr(digest, ':') : NULL;
	char path[EBB_KEY_MAX + 256];

	if (!colon || strchr(digest, '/') || strlen(digest) > 200)
		return "it names a blob by no digest";
	memcpy(path, key, root);
	int n = snprintf(path + root, sizeof(path) - root, "blobs/%.*s/%s", (int)(colon - digest), digest, colon + 1);
	ebb_ref_tell_len(out, EBB_FACTS_REF, path, root + (size_t)n);
	return NULL;
}

static const char *each(json_t *list, const char *key, size_t root, struct ebb_ref_out *out)
{
	const char *why = NULL;
	json_t *d;
	size_t i;

	json_array_foreach(list, i, d)
		if (!why)
			why = tell(d, key, root, out);
	return why;
}

static const char *understand(json_t *doc, const char *key, size_t root, bool top, struct ebb_ref_out *out)
{
	json_t *manifests = json_object_get(doc, "manifests"), *layers = json_object_get(doc, "layers"), *config = json_object_get(doc, "config");
	json_t *blobs = json_object_get(doc, "blobs"), *subject = json_object_get(doc, "subject");
	char path[EBB_KEY_MAX + 16];
	const char *why;

	if (!json_is_array(manifests) && !json_is_array(layers) && !json_is_array(blobs))
		return NULL;	/* another index.json, or a blob that is no manifest */
	memcpy(path, key, root);
	memcpy(path + root, top ? "oci-layout" : "index.json", 10);
	ebb_ref_tell_len(out, EBB_FACTS_FAMILY, key, root);
	ebb_ref_tell_len(out, EBB_FACTS_REF, path, root + 10);
	if ((why = each(manifests, key, root, out)) || (why = each(layers, key, root, out)) || (why = each(blobs, key, root, out)) ||
	    (config && (why = tell(config, key, root, out))))
		return why;
	return subject ? tell(subject, key, root, out) : NULL;
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	size_t root = 0, skip = 0;
	bool blob = is_blob(f->key, f->key_len, &root);

	if (!blob)
		root = ebb_ref_dir(f->key, f->key_len);
	while (skip < f->len && strchr(" \t\r\n", f->bytes[skip]))
		skip++;
	if (blob && f->len && (skip == f->len || f->bytes[skip] != '{'))
		return NULL;	/* a layer */
	json_t *doc = json_loadb(f->bytes, f->len, 0, NULL);
	if (!doc && (blob || f->len == 0))
		ebb_ref_tell_len(out, EBB_FACTS_FAMILY, f->key, root);
	if (!doc)
		return blob || f->len == 0 || memmem(f->bytes, f->len, "manifests", 9) ? "it is no JSON, or was not read" : NULL;
	const char *why = understand(doc, f->key, root, !blob, out);
	json_decref(doc);
	return why;
}

extern const struct ebb_ref ebb_ref_oci;
const struct ebb_ref ebb_ref_oci = {
	.name = "oci",
	.covers = "OCI image layouts: index.json, manifests up to 4 MiB, their blobs",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
	.skips = skips,
};
