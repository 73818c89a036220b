/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/utf8.h"

#include <string.h>

/* Length that the first byte announces, 0 for a byte that cannot be first. */
static size_t announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

size_t ebb_utf8_decode(const void *p, size_t len, uint32_t *ret_point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = p;
	size_t n = len ? announced(s[0]) : 0;

	if (!n || n > len)
		return 0;

	uint32_t point = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (s[i] & 0x3f);
	}
	if (point < smallest[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return n;
}

bool ebb_utf8_valid(const void *p, size_t len)
{
	const unsigned char *s = p;
	uint32_t point;

	while (len) {
		uint64_t word;

		/* Most keys are ASCII: eight bytes at a time. */
		while (len >= sizeof(word)) {
			memcpy(&word, s, sizeof(word));
			if (word & UINT64_C(0x8080808080808080))
				break;
			s += sizeof(word);
			len -= sizeof(word);
		}
		if (!len)
			break;

		size_t n = ebb_utf8_decode(s, len, &point);
		if (!n)
			return false;
		s += n;
		len -= n;
	}
	return true;
}
