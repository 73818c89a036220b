/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>

#include "core/base64.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "tests/support/unit.h"

/* RFC 4648, section 10. */
static const char *const vectors[][2] = {
	{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\377\376\373", "//77"},
};

START_TEST(vectors_both_ways)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(vectors); i++) {
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(100);
		const char *plain = vectors[i][0], *text = vectors[i][1];

		ck_assert_int_eq(ebb_base64_encode(&b, plain, strlen(plain), NULL), 0);
		ck_assert_str_eq(b.data, text);
		ebb_buf_clear(&b);
		ck_assert_int_eq(ebb_base64_decode(&b, text, strlen(text), NULL), 0);
		ck_assert_str_eq(b.data, plain);
	}
}
END_TEST

START_TEST(appends)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(100);

	ebb_buf_adds(&b, "x=");
	ebb_base64_encode(&b, "foo", 3, NULL);
	ebb_base64_decode(&b, "Zm8=", 4, NULL);
	ck_assert_str_eq(b.data, "x=Zm9vfo");
}
END_TEST

START_TEST(refuses_all_but_canonical)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm 9",
		"Zm-v", "Zm9v=", "=m9v", "Zm=v",
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++) {
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(100);
		struct ebb_err err = {0};

		ebb_buf_adds(&b, "kept");
		ck_assert_int_eq(ebb_base64_decode(&b, bad[i], strlen(bad[i]), &err), -EBB_EINVAL);
		ck_assert_int_eq(err.code, EBB_EINVAL);
		ck_assert_str_eq(b.data, "kept");
	}
}
END_TEST

START_TEST(every_byte_and_no_memory)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(344);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(256);
	unsigned char all[256];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	ck_assert_int_eq(ebb_base64_encode(&text, all, sizeof(all), NULL), 0);
	ck_assert_int_eq(ebb_base64_decode(&back, text.data, text.len, NULL), 0);
	ck_assert_mem_eq(back.data, all, sizeof(all));
	ck_assert_int_eq(ebb_base64_encode(&text, "x", 1, NULL), -EBB_ENOMEM);
	ck_assert_int_eq(ebb_base64_decode(&back, "Zg==", 4, NULL), -EBB_ENOMEM);
	ck_assert_uint_eq(text.len, 344);
	ck_assert_uint_eq(back.len, 256);
}
END_TEST

EBB_UNIT_MAIN("base64", vectors_both_ways, appends, refuses_all_but_canonical,
	every_byte_and_no_memory)
