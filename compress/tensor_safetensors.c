/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * safetensors (huggingface/safetensors, README): length of a JSON object, the object, tensors. Each
 * member but "__metadata__" describes one tensor: dtype, shape, and its bytes counted from behind
 * the object.
 *
 * The JSON is scanned, not parsed into a tree: strings are compared as they stand (an escaped "dtype"
 * is not recognised and makes the header a lie, as it does for the format's own reader).
 */
#include <inttypes.h>
#include <string.h>

#include "compress/tensor_map.h"
#include "core/le.h"
#include "core/mem.h"

#define HEADER_MAX 100000000	/* the format's own limit */
#define DEPTH_MAX 16

struct json {
	const char *p, *end;
};

struct text {
	const char *p;
	size_t len;
};

/* Next byte that is no space, 0 at the end; not taken. */
static char peek(struct json *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
		j->p++;
	return j->p < j->end ? *j->p : 0;
}

static bool take(struct json *j, char c)
{
	bool ok = c && peek(j) == c;

	j->p += ok;
	return ok;
}

static bool string(struct json *j, struct text *ret)
{
	if (!take(j, '"'))
		return false;
	ret->p = j->p;
	for (; j->p < j->end && *j->p != '"'; j->p++) {
		if (*j->p == '\\' && ++j->p == j->end)
			return false;
	}
	ret->len = (size_t)(j->p - ret->p);
	return take(j, '"');
}

static bool is(const struct text *t, const char *s)
{
	return t->len == strlen(s) && memcmp(t->p, s, t->len) == 0;
}

static bool number(struct json *j, uint64_t *ret)
{
	uint64_t v = 0;
	char c = peek(j);

	if (c < '0' || c > '9')
		return false;
	for (; j->p < j->end && *j->p >= '0' && *j->p <= '9'; j->p++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*j->p - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

/* Skip any value: the string, or up to the end of the bracket, or a word. */
static bool skip(struct json *j)
{
	unsigned depth = 0;
	struct text t;

	do {
		char c = peek(j);

		if (c == '"') {
			if (!string(j, &t))
				return false;
		} else if (c == '{' || c == '[') {
			j->p++;
			if (++depth > DEPTH_MAX)
				return false;
		} else if (c == '}' || c == ']') {
			j->p++;
			if (depth-- == 0)
				return false;
		} else if (c == 0 || (depth == 0 && (c == ',' || c == ':'))) {
			return false;
		} else {
			j->p++; /* a letter of a number or word, a comma or colon within brackets */
			if (depth == 0) {
				while (j->p < j->end && !strchr(",}] \t\r\n", *j->p))
					j->p++;
			}
		}
	} while (depth);
	return true;
}

/* The product of the shape. */
static bool shape(struct json *j, uint64_t *ret)
{
	uint64_t n;

	*ret = 1;
	if (!take(j, '['))
		return false;
	if (take(j, ']'))
		return true;
	do {
		if (!number(j, &n) || __builtin_mul_overflow(*ret, n, ret))
			return false;
	} while (take(j, ','));
	return take(j, ']');
}

static bool offsets(struct json *j, uint64_t *begin, uint64_t *end)
{
	return take(j, '[') && number(j, begin) && take(j, ',') && number(j, end) && take(j, ']');
}

static struct ebb_tensor_hint hint_of(const struct text *dtype)
{
	static const struct {
		const char *name;
		struct ebb_tensor_hint hint;
	} types[] = {
		{"F64", {8, true}},  {"F32", {4, true}},  {"F16", {2, true}},  {"BF16", {2, true}},
		{"I64", {8, false}}, {"I32", {4, false}}, {"I16", {2, false}}, {"I8", {1, false}},
		{"U64", {8, false}}, {"U32", {4, false}}, {"U16", {2, false}}, {"U8", {1, false}},
		{"BOOL", {1, false}}, {"F8_E4M3", {1, true}}, {"F8_E5M2", {1, true}},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(types); i++) {
		if (is(dtype, types[i].name))
			return types[i].hint;
	}
	return (struct ebb_tensor_hint){0};
}

/* The description of one tensor. 1 or negative. */
static int tensor(struct json *j, const struct text *name, uint64_t base, struct ebb_tensor_map *m,
		  struct ebb_err *err)
{
	struct text key, dtype = {"", 0};
	uint64_t elements = 0, begin = 1, end = 0, bytes;
	bool ok = take(j, '{'), shaped = false;

	while (ok) {
		if (!(ok = string(j, &key) && take(j, ':')))
			break;
		if (is(&key, "dtype"))
			ok = string(j, &dtype);
		else if (is(&key, "shape"))
			ok = shaped = shape(j, &elements);
		else if (is(&key, "data_offsets"))
			ok = offsets(j, &begin, &end);
		else
			ok = skip(j);
		if (!take(j, ','))
			break;
	}
	struct ebb_tensor_hint hint = hint_of(&dtype);
	ok = ok && take(j, '}') && shaped && dtype.len && begin <= end && end <= INT64_MAX - base;
	if (ok && hint.width)
		ok = !__builtin_mul_overflow(elements, hint.width, &bytes) && bytes == end - begin;
	if (!ok)
		return ebb_err_set(err, EBB_ENOTSUP,
				   "safetensors: the header lies about tensor '%.*s', or is damaged",
				   (int)(name->len < 200 ? name->len : 200), name->p);
	int r = ebb_tensor_map_add(m, base + begin, base + end, hint, err);
	return r < 0 ? r : 1;
}

static bool looks(const uint8_t *p, size_t len)
{
	(void)len;
	return ebb_le_get64(p) >= 2 && ebb_le_get64(p) <= HEADER_MAX && p[8] == '{';
}

static int read(const uint8_t *p, size_t len, struct ebb_tensor_map *m, uint64_t *ret_need,
		struct ebb_err *err)
{
	uint64_t base = 8 + ebb_le_get64(p);
	struct json j = {(const char *)p + 8, (const char *)p + base};
	struct text name = {"", 0};
	int r = 1;

	*ret_need = base;
	if (len < base)
		return 0;
	take(&j, '{');
	if (take(&j, '}'))
		return 1;
	do {
		if (!string(&j, &name) || !take(&j, ':'))
			return ebb_err_set(err, EBB_ENOTSUP, "safetensors: the header is damaged");
		if (!is(&name, "__metadata__"))
			r = tensor(&j, &name, base, m, err);
		else if (!skip(&j))
			r = ebb_err_set(err, EBB_ENOTSUP, "safetensors: the header is damaged");
	} while (r == 1 && take(&j, ','));
	if (r == 1 && (!take(&j, '}') || peek(&j) != 0))
		r = ebb_err_set(err, EBB_ENOTSUP, "safetensors: the header is damaged");
	return r;
}

const struct ebb_tensor_kind ebb_tensor_safetensors = {"safetensors", looks, read};
