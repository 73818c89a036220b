/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Delta Lake: TABLE/_delta_log/VERSION.json, a line an action. Files that any of them adds are referred to, also those that a later one removes, since readers go
 * back in time until VACUUM. The log must be whole from version 0: each version refers to the one before. Not read: checkpoints in Parquet and deletion
 * vectors; a table with one of them stays whole. Source: Delta Transaction Log Protocol.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "agent/ref.h"

#define LOG "_delta_log/"
#define DIGITS 20

/* Length of the table's prefix when the key lies directly in its log; false otherwise. */
static bool in_log(const char *key, size_t len, size_t *ret_table)
{
	size_t dir = ebb_ref_dir(key, len), log = sizeof(LOG) - 1;

	if (dir < log || memcmp(key + dir - log, LOG, log) != 0 || (dir > log && key[dir - log - 1] != '/'))
		return false;
	*ret_table = dir - log;
	return true;
}

static bool is_version(const char *key, size_t len, long long *ret)
{
	size_t dir = ebb_ref_dir(key, len);

	return len - dir == DIGITS + 5 && strspn(key + dir, "0123456789") == DIGITS && ebb_ref_ends(key, len, ".json") &&
	       sscanf(key + dir, "%20lld", ret) == 1;
}

static bool is_checkpoint(const char *key, size_t len)
{
	return ebb_ref_named(key, len, "_last_checkpoint") || (ebb_ref_ends(key, len, ".parquet") && memmem(key, len, ".checkpoint.", 12));
}

static bool wants(const char *key, size_t len)
{
	long long v;
	size_t table;

	return in_log(key, len, &table) && (is_version(key, len, &v) || is_checkpoint(key, len));
}

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Paths are URLs, relative to the table or absolute. */
static const char *file(const char *url, const char *key, size_t table, struct ebb_ref_out *out)
{
	char path[EBB_KEY_MAX + 1];
	size_t n = table;

	if (!url || !*url)
		return "it names a file by no path";
	if (strstr(url, "://") || *url == '/' || strstr(url, ".."))
		return "it names files outside of the table";
	memcpy(path, key, table);
	for (; *url && n < sizeof(path); url++) {
		int hi = *url == '%' ? digit(url[1]) : -1, lo = hi >= 0 ? digit(url[2]) : -1;

		path[n++] = lo >= 0 ? (char)(hi << 4 | lo) : *url;
		url += lo >= 0 ? 2 : 0;
	}
	if (n == sizeof(path) || memchr(path + table, '\0', n - table))
		return "it names a file by no path";
	ebb_ref_tell_len(out, EBB_FACTS_REF, path, n);
	return NULL;
}

static const char *action(json_t *o, const char *key, size_t table, struct ebb_ref_out *out)
{
	static const char *const kinds[] = {"add", "cdc"};
	const char *why = json_is_object(o) ? NULL : "a line of it is no JSON object";

	for (size_t i = 0; i < 2 && !why; i++) {
		json_t *a = json_object_get(o, kinds[i]);

		if (a && json_is_object(json_object_get(a, "deletionVector")))
			return "its deletion vectors are not read";
		if (a)
			why = file(json_string_value(json_object_get(a, "path")), key, table, out);
	}
	if (json_object_get(o, "checkpointMetadata") || json_object_get(o, "sidecar"))
		return "its checkpoints are not read";
	return why;
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	const char *p = f->bytes, *why = NULL;
	size_t table = 0, len = f->len;
	char before[EBB_KEY_MAX + 1];
	long long version = 0;

	in_log(f->key, f->key_len, &table);
	ebb_ref_tell_len(out, EBB_FACTS_FAMILY, f->key, table);
	if (is_checkpoint(f->key, f->key_len))
		return "a checkpoint of a Delta table, whose Parquet is not read";
	if (len == 0)
		return "it is empty, or was not read";
	ebb_ref_tell_len(out, EBB_FACTS_BELOW, f->key, table + sizeof(LOG) - 1);
	if (is_version(f->key, f->key_len, &version) && version > 0) {
		memcpy(before, f->key, f->key_len);
		snprintf(before + f->key_len - DIGITS - 5, DIGITS + 6, "%020lld.json", version - 1);
		ebb_ref_tell_len(out, EBB_FACTS_REF, before, f->key_len);
	}
	while (len > 0 && !why) {
		const char *nl = memchr(p, '\n', len);
		size_t n = nl ? (size_t)(nl - p) : len;
		json_t *o = n ? json_loadb(p, n, 0, NULL) : NULL;

		if (n)
			why = action(o, f->key, table, out);
		json_decref(o);
		p += nl ? n + 1 : n;
		len -= nl ? n + 1 : n;
	}
	return why;
}

extern const struct ebb_ref ebb_ref_delta;
const struct ebb_ref ebb_ref_delta = {
	.name = "delta",
	.covers = "Delta Lake: logs of JSON from version 0; a table with a Parquet checkpoint or deletion vectors stays whole",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
