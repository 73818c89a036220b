/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/jsonput.h"

#include <string.h>

#include "agent/out.h"
#include "core/base64.h"
#include "core/mem.h"
#include "core/utf8.h"

/* Keep the first failure. */
static void fail(struct ebb_jsonput *j, int r)
{
	if (!j->bad)
		j->bad = r;
}

static int told(const struct ebb_jsonput *j, struct ebb_err *err)
{
	if (j->bad == -EBB_EINVAL)
		return ebb_err_set(err, EBB_EINVAL, "text that is not UTF-8 cannot be written as JSON");
	return ebb_err_set(err, EBB_ENOMEM, "out of memory for JSON");
}

/* Mostly there is room. The NUL behind the bytes is put by whoever gives the buffer away. */
static inline void add(struct ebb_jsonput *j, const char *p, size_t len)
{
	struct ebb_buf *b = &j->b;

	if (len >= b->size - b->len) {
		fail(j, ebb_buf_add(b, p, len));
		return;
	}
	memcpy(b->data + b->len, p, len);
	b->len += len;
}

static void finish(struct ebb_buf *b)
{
	if (b->data)
		b->data[b->len] = '\0';
}

void ebb_jsonput_begin(struct ebb_jsonput *j, const char *name)
{
	if (j->comma)
		add(j, ",", 1);
	j->comma = true;
	if (!name)
		return;
	add(j, "\"", 1);
	add(j, name, strlen(name));
	add(j, "\":", 2);
}

void ebb_jsonput_open(struct ebb_jsonput *j, const char *name, char c)
{
	ebb_jsonput_begin(j, name);
	add(j, &c, 1);
	j->comma = false;
}

void ebb_jsonput_shut(struct ebb_jsonput *j, char c)
{
	add(j, &c, 1);
	j->comma = true;
}

/* A byte that may not stand in a string as it is, as jansson writes it. */
static void escape(struct ebb_jsonput *j, unsigned char c)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = c ? strchr(plain, c) : NULL;
	char text[8] = {'\\', at ? letters[at - plain] : 'u'};

	if (!at)
		snprintf(text + 2, sizeof(text) - 2, "%04X", c);
	add(j, text, at ? 2 : 6);
}

/* Bytes at the beginning, a multiple of eight, that stand in a string as they are: almost all of almost every key. */
static size_t plain_bytes(const char *s, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
	size_t i = 0;
	uint64_t w;

	for (; i + sizeof(w) <= len; i += sizeof(w)) {
		memcpy(&w, s + i, sizeof(w));
		uint64_t quotes = w ^ ones * '"', slashes = w ^ ones * '\\';

		/* a byte below 0x20, or 0 after the exclusive or; borrows only add false alarms */
		if (((w - ones * 0x20) | (quotes - ones) | (slashes - ones)) & ~w & high)
			break;
	}
	return i;
}

static void quote(struct ebb_jsonput *j, const char *s, size_t len)
{
	size_t plain = 0;

	add(j, "\"", 1);
	for (size_t i = plain_bytes(s, len); i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		add(j, s + plain, i - plain);
		escape(j, c);
		plain = i + 1;
	}
	add(j, s + plain, len - plain);
	add(j, "\"", 1);
}

void ebb_jsonput_quote(struct ebb_jsonput *j, const char *s)
{
	size_t len = strlen(s);

	if (!ebb_utf8_valid(s, len))
		fail(j, -EBB_EINVAL);
	quote(j, s, len);
}

void ebb_jsonput_raw(struct ebb_jsonput *j, const char *text)
{
	add(j, text, strlen(text));
}

void ebb_jsonput_string(struct ebb_jsonput *j, const char *name, const char *s)
{
	ebb_jsonput_begin(j, name);
	ebb_jsonput_quote(j, s);
}

void ebb_jsonput_number(struct ebb_jsonput *j, const char *name, const char *text)
{
	ebb_jsonput_begin(j, name);
	ebb_jsonput_raw(j, text);
}

void ebb_jsonput_int(struct ebb_jsonput *j, const char *name, int64_t n)
{
	char text[24], *p = text + sizeof(text);
	uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

	/* by hand: printf would take half of the time that a row takes */
	do
		*--p = (char)('0' + rest % 10);
	while (rest /= 10);
	if (n < 0)
		*--p = '-';
	ebb_jsonput_begin(j, name);
	add(j, p, (size_t)(text + sizeof(text) - p));
}

void ebb_jsonput_string_or_null(struct ebb_jsonput *j, const char *name, const char *s)
{
	if (s)
		ebb_jsonput_string(j, name, s);
	else
		ebb_jsonput_number(j, name, "null");
}

void ebb_jsonput_int_or_null(struct ebb_jsonput *j, const char *name, bool known, int64_t n)
{
	if (known)
		ebb_jsonput_int(j, name, n);
	else
		ebb_jsonput_number(j, name, "null");
}

void ebb_jsonput_base64(struct ebb_jsonput *j, const char *name, const void *p, size_t len)
{
	ebb_jsonput_begin(j, name);
	add(j, "\"", 1);
	fail(j, ebb_base64_encode(&j->b, p, len, NULL));
	add(j, "\"", 1);
}

void ebb_jsonput_bytes(struct ebb_jsonput *j, const char *name, const void *p, size_t len)
{
	char b64[64];

	if (ebb_utf8_valid(p, len)) {
		ebb_jsonput_begin(j, name);
		quote(j, p, len);
		return;
	}
	snprintf(b64, sizeof(b64), "%s_b64", name);
	ebb_jsonput_base64(j, b64, p, len);
}

void ebb_jsonput_text(struct ebb_jsonput *j, const char *name, const char *s)
{
	if (s)
		ebb_jsonput_bytes(j, name, s, strlen(s));
}

int ebb_jsonput_append(struct ebb_jsonput *j, struct ebb_buf *out, struct ebb_err *err)
{
	size_t before = out->len;

	*out = j->b;
	if (j->bad)
		out->len = before;
	finish(out);
	return j->bad ? told(j, err) : 0;
}

int ebb_jsonput_end(struct ebb_jsonput *j, FILE *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf room = j->b;

	fail(j, ebb_buf_addc(&room, '\n'));
	if (j->bad)
		return told(j, err);
	fwrite(room.data, 1, room.len, out);
	return ebb_out_flush(out, err);
}
