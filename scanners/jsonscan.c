/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/jsonscan.h"

#include <string.h>

/* Which of the paths lead through the object at hand is a bit each. */
#define PATHS_MAX 32

struct scan {
	const char *p, *end;
	const char *const *paths;
	size_t n;
	struct ebb_jsonscan_value *ret;
	int depth;
};

static void blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool take(struct scan *s, char c)
{
	blanks(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool string(struct scan *s, struct ebb_jsonscan_value *ret)
{
	if (!take(s, '"'))
		return false;
	*ret = (struct ebb_jsonscan_value){.p = s->p, .string = true};
	for (; s->p < s->end && *s->p != '"'; s->p++) {
		if ((unsigned char)*s->p < ' ')
			return false;
		if (*s->p == '\\' && ++s->p == s->end)
			return false;
	}
	if (s->p == s->end)
		return false;
	ret->len = (size_t)(s->p++ - ret->p);
	return true;
}

/* A number, true, false or null; only their letters are checked. */
static bool word(struct scan *s, struct ebb_jsonscan_value *ret)
{
	*ret = (struct ebb_jsonscan_value){.p = s->p};
	while (s->p < s->end && strchr("+-.0123456789Eaeflnrstu", *s->p) && *s->p)
		s->p++;
	ret->len = (size_t)(s->p - ret->p);
	if (ret->len == 4 && memcmp(ret->p, "null", 4) == 0)
		*ret = (struct ebb_jsonscan_value){.len = 4};
	return ret->len > 0;
}

static bool value(struct scan *s, uint32_t paths, size_t done, struct ebb_jsonscan_value *ret);

static bool array(struct scan *s)
{
	struct ebb_jsonscan_value v;

	if (take(s, ']'))
		return true;
	do {
		if (!value(s, 0, 0, &v))
			return false;
	} while (take(s, ','));
	return take(s, ']');
}

/* One member. @paths: those that lead here, their first @done bytes being how. */
static bool member(struct scan *s, uint32_t paths, size_t done)
{
	struct ebb_jsonscan_value name, v;
	uint32_t on = 0, here = 0;

	if (!string(s, &name) || !take(s, ':'))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const char *rest = s->paths[i] + done;

		if (!(paths & UINT32_C(1) << i) || strncmp(rest, name.p, name.len) != 0)
			continue;
		if (rest[name.len] == '.')
			on |= UINT32_C(1) << i;
		else if (rest[name.len] == '\0')
			here |= UINT32_C(1) << i;
	}
	if (!value(s, on, done + name.len + 1, &v))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (here & UINT32_C(1) << i)
			s->ret[i] = v;
	return true;
}

static bool object(struct scan *s, uint32_t paths, size_t done)
{
	if (take(s, '}'))
		return true;
	do {
		if (!member(s, paths, done))
			return false;
	} while (take(s, ','));
	return take(s, '}');
}

static bool value(struct scan *s, uint32_t paths, size_t done, struct ebb_jsonscan_value *ret)
{
	bool good;

	blanks(s);
	if (s->p == s->end)
		return false;
	if (*s->p == '"')
		return string(s, ret);
	if (*s->p != '{' && *s->p != '[')
		return word(s, ret);
	if (s->depth++ == EBB_JSONSCAN_DEPTH)
		return false;
	*ret = (struct ebb_jsonscan_value){.p = s->p};
	good = *s->p++ == '{' ? object(s, paths, done) : array(s);
	ret->len = (size_t)(s->p - ret->p);
	s->depth--;
	return good;
}

bool ebb_jsonscan_find(const char *p, size_t len, const char *const *paths, size_t n, struct ebb_jsonscan_value *ret)
{
	struct scan s = {.p = p, .end = p + len, .paths = paths, .n = n < PATHS_MAX ? n : PATHS_MAX, .ret = ret};
	uint32_t all = s.n == PATHS_MAX ? UINT32_MAX : (UINT32_C(1) << s.n) - 1;

	memset(ret, 0, n * sizeof(*ret));
	if (!take(&s, '{') || !object(&s, all, 0))
		return false;
	blanks(&s);
	return s.p == s.end;
}

bool ebb_jsonscan_each(struct ebb_jsonscan_value array, size_t *at, struct ebb_jsonscan_value *ret)
{
	struct scan s = {.p = array.p, .end = array.p ? array.p + array.len : NULL};

	if (!array.p || array.string || array.len < 2 || *array.p != '[')
		return false;
	s.p += *at ? *at : 1;
	if (*at && !take(&s, ','))
		return false;
	if (!value(&s, 0, 0, ret))
		return false;
	*at = (size_t)(s.p - array.p);
	return true;
}

static int hex4(const char *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *d = p[i] ? strchr(digits, p[i] | (p[i] >= 'A' ? 0x20 : 0)) : NULL;

		if (!d)
			return -1;
		v = v << 4 | (int)(d - digits);
	}
	return v;
}

static size_t utf8(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Decode the escape at *at, behind its backslash. Returns bytes written, 0 when it is none. */
static size_t escape(const char **at, const char *end, char out[4])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit = **at ? strchr(from, **at) : NULL;
	int c, low;

	if (hit) {
		out[0] = to[hit - from];
		(*at)++;
		return 1;
	}
	if (**at != 'u' || end - *at < 5)
		return 0;
	c = hex4(*at + 1);
	*at += 5;
	if (c <= 0 || (c >= 0xdc00 && c < 0xe000))
		return 0;
	if (c < 0xd800 || c >= 0xe000)
		return utf8((uint32_t)c, out);
	if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return 0;
	low = hex4(*at + 2);
	*at += 6;
	if (low < 0xdc00 || low >= 0xe000)
		return 0;
	return utf8(0x10000 + ((uint32_t)(c - 0xd800) << 10) + (uint32_t)(low - 0xdc00), out);
}

int64_t ebb_jsonscan_string(struct ebb_jsonscan_value v, char *out, size_t cap)
{
	const char *p, *end;
	size_t n = 0;

	if (!v.p || !v.string)
		return -1;
	p = v.p;
	end = p + v.len;
	while (p < end) {
		char one[4];
		size_t len = 1;

		if (*p != '\\') {
			one[0] = *p++;
		} else {
			if (++p == end)
				return -1;
			len = escape(&p, end, one);
		}
		if (len == 0 || n + len > cap)
			return -1;
		memcpy(out + n, one, len);
		n += len;
	}
	return (int64_t)n;
}

int64_t ebb_jsonscan_number(struct ebb_jsonscan_value v)
{
	int64_t n = 0;

	if (!v.p || v.len == 0 || v.len > 18)
		return -1;
	for (size_t i = 0; i < v.len && v.p[i] != '.'; i++) { /* CloudTrail writes 113.0 */
		if (v.p[i] < '0' || v.p[i] > '9')
			return -1;
		n = n * 10 + (v.p[i] - '0');
	}
	return n;
}

bool ebb_jsonscan_is(struct ebb_jsonscan_value v, const char *s)
{
	return v.p && v.string && v.len == strlen(s) && memcmp(v.p, s, v.len) == 0;
}
