/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON half of out.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "agent/out.h"
#include "core/base64.h"
#include "core/buf.h"
#include "core/units.h"
#include "core/utf8.h"

/* Enough for nearly every line; jansson writes to a file piece by piece, which costs more than making the text. */
enum { LINE = 16 * 1024 };

int ebb_out_json(FILE *f, json_t *o, struct ebb_err *err)
{
	char line[LINE];
	bool bad;

	if (!o)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory for JSON");
	errno = 0;
	size_t n = json_dumpb(o, line, sizeof(line) - 1, JSON_COMPACT);
	if (n && n < sizeof(line)) {
		line[n] = '\n';
		bad = fwrite(line, 1, n + 1, f) != n + 1;
	} else {
		bad = json_dumpf(o, f, JSON_COMPACT) || fputc('\n', f) == EOF;
	}
	json_decref(o);
	if (bad || ferror(f))
		return ebb_out_failed(f, err);
	return 0;
}

int ebb_out_json_bytes(json_t *o, const char *name, const char *bytes, size_t len)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(8 * EBB_KEY_MAX);
	char b64[64];

	if (!o)
		return -1;
	if (ebb_utf8_valid(bytes, len))
		return json_object_set_new(o, name, json_stringn(bytes, len));
	snprintf(b64, sizeof(b64), "%s_b64", name);
	if (ebb_base64_encode(&b, bytes, len, NULL))
		return -1;
	return json_object_set_new(o, b64, json_stringn(b.data, b.len));
}

int ebb_out_json_key(json_t *o, const char *key, size_t len)
{
	return ebb_out_json_bytes(o, "path", key, len);
}

int ebb_out_json_put_key(FILE *f, const char *key, size_t len, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(8 * EBB_KEY_MAX);
	size_t plain = 0;

	if (!ebb_utf8_valid(key, len)) {
		if (ebb_base64_encode(&b, key, len, NULL))
			return ebb_err_set(err, EBB_ENOMEM, "out of memory for JSON");
		fputs("\"path_b64\":\"", f);
		fwrite(b.data, 1, b.len, f);
		fputc('"', f);
		return 0;
	}
	fputs("\"path\":\"", f);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)key[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		fwrite(key + plain, 1, i - plain, f);
		fprintf(f, "\\u%04x", c);
		plain = i + 1;
	}
	fwrite(key + plain, 1, len - plain, f);
	fputc('"', f);
	return 0;
}

int ebb_out_json_time(json_t *o, const char *name, int64_t ns)
{
	char text[EBB_UNITS_TEXT];

	return o ? json_object_set_new(o, name, json_string(ebb_units_exact_time(ns, text))) : -1;
}

int ebb_out_json_money(json_t *o, const char *name, const struct ebb_money *m)
{
	char nano[64];

	snprintf(nano, sizeof(nano), "%s_nano", name);
	return o ? json_object_set_new(o, nano, json_integer(m->nano)) : -1;
}

/* Integer fields that are shown as they are. */
static const struct {
	enum ebb_field field;
	const char *name;
} numbers[] = {
	{EBB_F_SIZE, "size"}, {EBB_F_ALLOC, "alloc"}, {EBB_F_UID, "uid"},     {EBB_F_GID, "gid"},
	{EBB_F_NLINK, "nlink"}, {EBB_F_INO, "ino"},     {EBB_F_DEV, "dev"},
	{EBB_F_READS, "reads"}, {EBB_F_RBYTES, "read_bytes"},
};
static const struct {
	enum ebb_field field;
	const char *name;
} times[] = {
	{EBB_F_MTIME, "mtime"}, {EBB_F_ATIME, "atime"}, {EBB_F_CTIME, "ctime"},
	{EBB_F_WINDOW, "evidence_since"}, {EBB_F_UNTIL, "evidence_until"},
};
static const struct {
	int64_t flag;
	const char *name;
} flags[] = {
	{EBB_FLAG_LINKED_TWIN, "linked_twin"}, {EBB_FLAG_UNSEEN, "unseen"},
	{EBB_FLAG_CHANGING, "changing"}, {EBB_FLAG_MOUNT, "mount"},
};

int ebb_out_json_record(json_t *o, const struct ebb_record *r, const struct ebb_names *names)
{
	char mode[8], etag[EBB_RECORD_ETAG_TEXT];
	const char *class = ebb_record_has(r, EBB_F_CLASS) ? ebb_names_get(names, r->f[EBB_F_CLASS]) : NULL;
	size_t id_len = 0;
	const char *id = ebb_record_hidden_id(r->key, r->key_len, &id_len);
	int bad = ebb_out_json_key(o, r->key, ebb_record_plain_len(r->key, r->key_len));

	if (!bad && id)
		bad = json_object_set_new(o, "id", json_stringn(id, id_len));
	if (!bad && ebb_record_has(r, EBB_F_KIND))
		bad = json_object_set_new(o, "kind",
					  json_string(ebb_record_kind_name(r->f[EBB_F_KIND])));
	for (size_t i = 0; !bad && i < EBB_ARRAY_LEN(numbers); i++)
		if (ebb_record_has(r, numbers[i].field))
			bad = json_object_set_new(o, numbers[i].name,
						  json_integer(r->f[numbers[i].field]));
	if (!bad && class)
		bad = json_object_set_new(o, "class", json_string(class));
	if (!bad && ebb_record_etag_text(r, etag))
		bad = json_object_set_new(o, "etag", json_string(etag));
	if (!bad && ebb_record_has(r, EBB_F_MODE)) {
		snprintf(mode, sizeof(mode), "%04o", (unsigned)r->f[EBB_F_MODE] & 07777);
		bad = json_object_set_new(o, "mode", json_string(mode));
	}
	for (size_t i = 0; !bad && i < EBB_ARRAY_LEN(times); i++)
		if (ebb_record_has(r, times[i].field))
			bad = ebb_out_json_time(o, times[i].name, r->f[times[i].field]);
	if (!bad && ebb_record_has(r, EBB_F_EVIDENCE))
		bad = json_object_set_new(o, "evidence",
					  json_string(ebb_record_evidence_name(r->f[EBB_F_EVIDENCE])));
	for (size_t i = 0; !bad && i < EBB_ARRAY_LEN(flags); i++)
		if (r->f[EBB_F_FLAGS] & flags[i].flag)
			bad = json_object_set_new(o, flags[i].name, json_true());
	return bad;
}
