/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base64.h"

#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int ebb_base64_encode(struct ebb_buf *out, const void *p, size_t len, struct ebb_err *err)
{
	const unsigned char *s = p;

	if (ebb_buf_reserve(out, ebb_mem_mul(len / 3 + (len % 3 != 0), 4)) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for base64");
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		unsigned group = (unsigned)s[i] << 16;
		char quad[4];

		group |= n > 1 ? (unsigned)s[i + 1] << 8 : 0;
		group |= n > 2 ? s[i + 2] : 0;
		for (size_t j = 0; j < 4; j++)
			quad[j] = j <= n ? alphabet[group >> (18 - 6 * j) & 63] : '=';
		ebb_buf_add(out, quad, sizeof(quad));
	}
	return 0;
}

static int value_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/*
 * Decode four characters, of which the last @pad are padding.
 *
 * @return  0, or -1 on a foreign character or on bits that no encoder sets.
 */
static int decode_quad(const char *quad, size_t pad, unsigned char out[3])
{
	unsigned group = 0;

	for (size_t i = 0; i < 4; i++) {
		int v = i < 4 - pad ? value_of(quad[i]) : 0;

		if (v < 0)
			return -1;
		group = group << 6 | (unsigned)v;
	}
	if (group & ((1u << 8 * pad) - 1))
		return -1;
	out[0] = (unsigned char)(group >> 16);
	out[1] = (unsigned char)(group >> 8);
	out[2] = (unsigned char)group;
	return 0;
}

int ebb_base64_decode(struct ebb_buf *out, const char *text, size_t len, struct ebb_err *err)
{
	size_t before = out->len;
	size_t pad = 0;

	if (len % 4)
		return ebb_err_set(err, EBB_EINVAL, "base64 of %zu characters is cut off", len);
	if (len)
		pad = text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
	if (ebb_buf_reserve(out, len / 4 * 3 - pad) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for %zu characters of base64", len);

	for (size_t i = 0; i < len; i += 4) {
		size_t skip = i + 4 == len ? pad : 0;
		unsigned char bytes[3];

		if (decode_quad(text + i, skip, bytes) < 0) {
			out->len = before;
			out->data[before] = '\0';
			return ebb_err_set(err, EBB_EINVAL,
					   "not base64 at character %zu", i + 1);
		}
		ebb_buf_add(out, bytes, 3 - skip);
	}
	return 0;
}
