/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/jsonline.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compress/digest.h"
#include "core/base64.h"
#include "core/mem.h"

int ebb_jsonline_bad(struct ebb_jsonline *l, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (l->r < 0)
		return l->r;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->r = ebb_err_set(l->err, l->code, "%s:%lld: %s", l->file, (long long)l->line, text);
	return l->r;
}

int ebb_jsonline_parse(struct ebb_jsonline *l, const char *text, size_t len, const char *file,
		       int64_t line, int code, struct ebb_err *err)
{
	json_error_t why;

	*l = (struct ebb_jsonline){.file = file, .line = line, .code = code, .err = err};
	l->o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!l->o)
		return ebb_jsonline_bad(l, "not JSON: %s", why.text);
	if (!json_is_object(l->o))
		return ebb_jsonline_bad(l, "not a JSON object");
	return 0;
}

void ebb_jsonline_release(struct ebb_jsonline *l)
{
	json_decref(l->o);
	*l = (struct ebb_jsonline){0};
}

struct ebb_jsonline ebb_jsonline_sub(struct ebb_jsonline *l, json_t *o)
{
	struct ebb_jsonline sub = *l;

	sub.o = o;
	if (!json_is_object(o))
		ebb_jsonline_bad(&sub, "an object is missing");
	return sub;
}

void ebb_jsonline_join(struct ebb_jsonline *l, const struct ebb_jsonline *sub)
{
	if (l->r == 0)
		l->r = sub->r;
}

/* The member, NULL when it is absent or null. */
static json_t *member(const struct ebb_jsonline *l, const char *name)
{
	json_t *v = l->r < 0 ? NULL : json_object_get(l->o, name);

	return json_is_null(v) ? NULL : v;
}

int64_t ebb_jsonline_int_or(struct ebb_jsonline *l, const char *name, int64_t min, int64_t max,
			    int64_t missing)
{
	const json_t *v = member(l, name);

	if (!v)
		return missing;
	if (!json_is_integer(v)) {
		ebb_jsonline_bad(l, "\"%s\" is not an integer", name);
		return missing;
	}
	int64_t n = json_integer_value(v);
	if (n < min || n > max) {
		ebb_jsonline_bad(l, "\"%s\" is out of range", name);
		return missing;
	}
	return n;
}

int64_t ebb_jsonline_int(struct ebb_jsonline *l, const char *name, int64_t min, int64_t max)
{
	if (l->r == 0 && !member(l, name))
		ebb_jsonline_bad(l, "\"%s\" is missing", name);
	return ebb_jsonline_int_or(l, name, min, max, 0);
}

bool ebb_jsonline_bool(struct ebb_jsonline *l, const char *name)
{
	const json_t *v = member(l, name);

	if (v && !json_is_boolean(v))
		ebb_jsonline_bad(l, "\"%s\" is neither true nor false", name);
	return json_is_true(v);
}

const char *ebb_jsonline_str_or(struct ebb_jsonline *l, const char *name)
{
	const json_t *v = member(l, name);

	if (!v)
		return NULL;
	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v)) {
		ebb_jsonline_bad(l, "\"%s\" is not a string", name);
		return NULL;
	}
	return json_string_value(v);
}

const char *ebb_jsonline_str(struct ebb_jsonline *l, const char *name)
{
	const char *s = ebb_jsonline_str_or(l, name);

	if (!s)
		ebb_jsonline_bad(l, "\"%s\" is missing", name);
	return s;
}

json_t *ebb_jsonline_array(struct ebb_jsonline *l, const char *name)
{
	json_t *v = member(l, name);

	if (!json_is_array(v)) {
		ebb_jsonline_bad(l, "\"%s\" is not an array", name);
		return NULL;
	}
	return v;
}

json_t *ebb_jsonline_object(struct ebb_jsonline *l, const char *name)
{
	json_t *v = member(l, name);

	if (!json_is_object(v)) {
		ebb_jsonline_bad(l, "\"%s\" is not an object", name);
		return NULL;
	}
	return v;
}

void ebb_jsonline_hex(struct ebb_jsonline *l, const char *name, uint8_t *ret, size_t len)
{
	const char *s = ebb_jsonline_str(l, name);

	if (s && ebb_digest_unhex(s, len, ret, NULL) < 0)
		ebb_jsonline_bad(l, "\"%s\" is not %zu hex digits", name, 2 * len);
}

char *ebb_jsonline_bytes(struct ebb_jsonline *l, struct ebb_arena *arena, const char *name,
			 size_t cap, size_t *ret_len)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf raw = EBB_BUF_INIT(cap);
	const json_t *v = member(l, name);
	char b64[64], *copy;

	if (v && !json_is_string(v)) {
		ebb_jsonline_bad(l, "\"%s\" is not a string", name);
		return NULL;
	}
	if (v && ebb_buf_add(&raw, json_string_value(v), json_string_length(v)) < 0) {
		ebb_jsonline_bad(l, "\"%s\" is longer than %zu bytes", name, cap);
		return NULL;
	}
	if (!v) {
		snprintf(b64, sizeof(b64), "%s_b64", name);
		const char *s = ebb_jsonline_str_or(l, b64);
		if (!s)
			return NULL;
		if (ebb_base64_decode(&raw, s, strlen(s), NULL) < 0) {
			ebb_jsonline_bad(l, "\"%s\" is not base64 of at most %zu bytes", b64, cap);
			return NULL;
		}
	}
	copy = ebb_arena_memdup(arena, raw.data, raw.len);
	if (!copy && l->r == 0)
		l->r = ebb_err_set(l->err, EBB_ENOMEM, "%s:%lld: out of memory", l->file,
				   (long long)l->line);
	if (copy)
		*ret_len = raw.len;
	return copy;
}

char *ebb_jsonline_key(struct ebb_jsonline *l, struct ebb_arena *arena, const char *name,
		       size_t *ret_len)
{
	char *key = ebb_jsonline_bytes(l, arena, name, EBB_KEY_MAX, ret_len);

	/* what a key may be is for its store to say: "//" and ".." mean nothing in a bucket */
	if (key && (*ret_len == 0 || memchr(key, 0, *ret_len))) {
		ebb_jsonline_bad(l, "\"%s\" is not a key", name);
		return NULL;
	}
	return key;
}

static int dump_to_buf(const char *p, size_t len, void *ctx)
{
	return ebb_buf_add(ctx, p, len);
}

int ebb_jsonline_dump(struct ebb_buf *out, json_t *o, struct ebb_err *err)
{
	int bad = o ? json_dump_callback(o, dump_to_buf, out, JSON_COMPACT) : -1;

	json_decref(o);
	return bad ? ebb_err_set(err, EBB_ENOMEM, "out of memory for JSON") : 0;
}
