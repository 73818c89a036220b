/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/text.h"

#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

#define WORD_MAX 64

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * Optimal string alignment over three rows: cell j of row i is the distance between the first i
 * bytes of @a and the first j bytes of @b. Both are at most WORD_MAX long.
 */
static size_t distance(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= blen; j++)
		above[j] = j;
	for (size_t i = 1; i <= alen; i++) {
		row[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);

			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]) &&
			    row[j] > before[j - 2] + 1)
				row[j] = before[j - 2] + 1;
		}
		size_t *oldest = before;
		before = above;
		above = row;
		row = oldest;
	}
	return above[blen];
}

const char *ebb_text_nearest(const char *word, const char *const words[], size_t n)
{
	size_t len = strlen(word);
	size_t best = len < 2 ? 0 : len < 6 ? 1 : len / 3;	/* most edits that are near */
	const char *nearest = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(words[i]);

		if (other > WORD_MAX)
			continue;
		size_t d = distance(word, len, words[i], other);
		if (d < best || (d == best && !nearest)) {
			best = d;
			nearest = words[i];
		}
	}
	return nearest;
}

const char *ebb_text_suggest(const char *word, const char *const words[], size_t n, char *out,
			     size_t size)
{
	const char *nearest = ebb_text_nearest(word, words, n);
	size_t len = 0;

	out[0] = '\0';
	if (nearest) {
		len = (size_t)snprintf(out, size, "; did you mean '%s'?", nearest);
	} else {
		for (size_t i = 0; i < n && len < size; i++)
			len += (size_t)snprintf(out + len, size - len, "%s%s",
						i ? ", " : "; valid are ", words[i]);
	}
	if (len >= size)
		memcpy(out + size - 4, "...", 4);
	return out;
}

bool ebb_text_is_unsafe(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x061c ||
	       point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

/* Write what stands for the first character of @s, and how long that is; return bytes taken. */
static size_t quote_one(const unsigned char *s, size_t len, char out[16], size_t *ret_len)
{
	static const char named[] = "\n\r\t\\", letters[] = "nrt\\";
	const char *at = *s ? strchr(named, *s) : NULL;
	uint32_t point;
	size_t n = ebb_utf8_decode(s, len, &point);

	if (at) {
		*ret_len = (size_t)snprintf(out, 16, "\\%c", letters[at - named]);
		return 1;
	}
	if (!n || (n == 1 && ebb_text_is_unsafe(point))) {
		*ret_len = (size_t)snprintf(out, 16, "\\x%02x", *s);
		return 1;
	}
	if (ebb_text_is_unsafe(point)) {
		*ret_len = (size_t)snprintf(out, 16, "\\u{%04x}", (unsigned)point);
		return n;
	}
	memcpy(out, s, n);
	*ret_len = n;
	return n;
}

const char *ebb_text_quote(const void *p, size_t len, char *out, size_t size)
{
	const unsigned char *s = p;
	size_t used = 0;
	size_t cut = 0;	/* the longest whole-character prefix that leaves room for "..." */

	while (len) {
		char one[16];
		size_t add;
		size_t took = quote_one(s, len, one, &add);

		if (used + add + 1 > size) {
			memcpy(out + cut, "...", 4);
			return out;
		}
		memcpy(out + used, one, add);
		used += add;
		if (used + 4 <= size)
			cut = used;
		s += took;
		len -= took;
	}
	out[used] = '\0';
	return out;
}

const char *ebb_text_quotes(const char *s, char *out, size_t size)
{
	return ebb_text_quote(s, strlen(s), out, size);
}
