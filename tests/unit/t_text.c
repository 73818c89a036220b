/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tests/support/unit.h"

static const char *const words[] = {"size", "age", "idle", "keep_last", "keep_every", "residency"};
static const size_t n_words = EBB_ARRAY_LEN(words);

START_TEST(nearest_by_each_kind_of_edit)
{
	ck_assert_str_eq(ebb_text_nearest("siz", words, n_words), "size");
	ck_assert_str_eq(ebb_text_nearest("sizes", words, n_words), "size");
	ck_assert_str_eq(ebb_text_nearest("sise", words, n_words), "size");
	ck_assert_str_eq(ebb_text_nearest("isze", words, n_words), "size");
	ck_assert_str_eq(ebb_text_nearest("SIZE", words, n_words), "size");
	ck_assert_str_eq(ebb_text_nearest("kepp_lsat", words, n_words), "keep_last");
	ck_assert_str_eq(ebb_text_nearest("size", words, n_words), "size");
}
END_TEST

START_TEST(nothing_near)
{
	char longword[100];

	ck_assert_ptr_null(ebb_text_nearest("colour", words, n_words));
	ck_assert_ptr_null(ebb_text_nearest("soze2", words, n_words));
	ck_assert_ptr_null(ebb_text_nearest("size", words, 0));
	memset(longword, 'a', sizeof(longword));
	longword[99] = '\0';
	ck_assert_ptr_null(ebb_text_nearest(longword, words, n_words));
	const char *const one[] = {longword};
	ck_assert_ptr_null(ebb_text_nearest("aaa", one, 1));
}
END_TEST

START_TEST(first_of_equals_wins)
{
	static const char *const equals[] = {"bat", "cat"};

	ck_assert_str_eq(ebb_text_nearest("hat", equals, 2), "bat");
}
END_TEST

START_TEST(longest_words_fit)
{
	char a[65], b[65];

	memset(a, 'a', 64);
	a[64] = '\0';
	memcpy(b, a, 65);
	b[63] = 'b';
	const char *const one[] = {b};
	ck_assert_str_eq(ebb_text_nearest(a, one, 1), b);
}
END_TEST

START_TEST(suggests)
{
	char out[256], tiny[24];

	ck_assert_str_eq(ebb_text_suggest("sise", words, 3, out, sizeof(out)),
			 "; did you mean 'size'?");
	ck_assert_str_eq(ebb_text_suggest("colour", words, 3, out, sizeof(out)),
			 "; valid are size, age, idle");
	ck_assert_str_eq(ebb_text_suggest("colour", words, 0, out, sizeof(out)), "");
	ck_assert_str_eq(ebb_text_suggest("colour", words, n_words, tiny, sizeof(tiny)),
			 "; valid are size, ag...");
}
END_TEST

static const char *quote(const char *s, size_t len)
{
	static char out[256];

	return ebb_text_quote(s, len, out, sizeof(out));
}

START_TEST(quotes)
{
	ck_assert_str_eq(quote("plain 'text'", 12), "plain 'text'");
	ck_assert_str_eq(quote("", 0), "");
	ck_assert_str_eq(quote("a\nb\rc\td\\e", 9), "a\\nb\\rc\\td\\\\e");
	ck_assert_str_eq(quote("\0\033[31m\177", 7), "\\x00\\x1b[31m\\x7f");
	ck_assert_str_eq(quote("\303\251\342\202\254", 5), "\303\251\342\202\254");
	ck_assert_str_eq(quote("\303(\377", 3), "\\xc3(\\xff");
	ck_assert_str_eq(quote("\302\205", 2), "\\u{0085}");
	ck_assert_str_eq(quote("x\342\200\256y", 5), "x\\u{202e}y");
}
END_TEST

START_TEST(quote_cuts_at_whole_characters)
{
	char out[8];

	ck_assert_str_eq(ebb_text_quotes("1234567", out, sizeof(out)), "1234567");
	ck_assert_str_eq(ebb_text_quotes("12345678", out, sizeof(out)), "1234...");
	ck_assert_str_eq(ebb_text_quotes("12\n\n\n", out, sizeof(out)), "12\\n...");
	ck_assert_str_eq(ebb_text_quotes("123\303\251\303\251", out, sizeof(out)),
			 "123\303\251\303\251");
	ck_assert_str_eq(ebb_text_quotes("123\303\251\303\251x", out, sizeof(out)), "123...");
	char tiny[4];
	ck_assert_str_eq(ebb_text_quotes("12345", tiny, sizeof(tiny)), "...");
}
END_TEST

EBB_UNIT_MAIN("text", nearest_by_each_kind_of_edit, nothing_near, first_of_equals_wins,
	longest_words_fit, suggests, quotes, quote_cuts_at_whole_characters)
