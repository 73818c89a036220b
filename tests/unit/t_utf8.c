/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "tests/support/unit.h"

START_TEST(every_code_point_round_trips)
{
	for (uint32_t point = 0; point <= 0x110010; point++) {
		unsigned char s[4];
		uint32_t got = 0;
		size_t n;

		if (point < 0x80) {
			s[0] = (unsigned char)point;
			n = 1;
		} else if (point < 0x800) {
			s[0] = (unsigned char)(0xc0 | point >> 6);
			n = 2;
		} else if (point < 0x10000) {
			s[0] = (unsigned char)(0xe0 | point >> 12);
			n = 3;
		} else {
			s[0] = (unsigned char)(0xf0 | point >> 18);
			n = 4;
		}
		for (size_t i = 1; i < n; i++)
			s[i] = 0x80 | (point >> 6 * (n - 1 - i) & 0x3f);
		size_t want = point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? 0 : n;
		if (ebb_utf8_decode(s, n, &got) != want || (want && got != point) ||
		    ebb_utf8_valid(s, n) != (want != 0))
			ck_abort_msg("code point %x", (unsigned)point);
		if (n > 1)
			ck_assert_uint_eq(ebb_utf8_decode(s, n - 1, &got), 0);
	}
}
END_TEST

START_TEST(refuses)
{
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "\xed\xa0\x80", "\xc3(", "\xe2\x82(", "abcdefgh\xff", "abcdefghijk\xc3",
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++)
		ck_assert_msg(!ebb_utf8_valid(bad[i], strlen(bad[i])), "row %zu", i);
}
END_TEST

START_TEST(edges)
{
	uint32_t point = 77;

	ck_assert(ebb_utf8_valid("", 0));
	ck_assert(ebb_utf8_valid("a\0b", 3));
	ck_assert(ebb_utf8_valid("0123456789abcdef\303\251 0123456789", 29));
	ck_assert_uint_eq(ebb_utf8_decode("", 0, &point), 0);
	ck_assert_uint_eq(ebb_utf8_decode("\xff", 1, &point), 0);
	ck_assert_uint_eq(point, 77);
}
END_TEST

EBB_UNIT_MAIN("utf8", every_code_point_round_trips, refuses, edges)
