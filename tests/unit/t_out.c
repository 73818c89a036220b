/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/jsonline.h"
#include "agent/jsonput.h"
#include "agent/out.h"
#include "tests/support/unit.h"

static FILE *mem(char **text, size_t *len)
{
	return open_memstream(text, len);
}

START_TEST(tables_are_aligned)
{
	static const struct ebb_out_col cols[] = {{"name", false}, {"size", true}, {"", false}};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, 3);
	char *text = NULL;
	size_t len;
	FILE *f = mem(&text, &len);

	ebb_out_cell(t, "a");
	ebb_out_cell(t, "%d", 1000);
	ebb_out_cell(t, "x");
	ebb_out_cell_name(t, "\xc3\xa9t\xc3\xa9\n", 6);
	ebb_out_cell(t, "7");
	ebb_out_cell(t, "%s", "");
	ebb_out_rule(t);
	ebb_out_cell(t, "total");
	ebb_out_cell(t, "1007");
	ebb_out_cell(t, "end");
	ck_assert_int_eq(ebb_out_table_print(t, f, 2, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text, "  name   size\n"
			       "  a      1000  x\n"
			       "  \xc3\xa9t\xc3\xa9\\n     7\n"
			       "  ----------------\n"
			       "  total  1007  end\n");
	free(text);
}
END_TEST

START_TEST(no_heading_without_titles)
{
	static const struct ebb_out_col cols[] = {{"", false}, {"", true}};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, 2);
	char *text = NULL;
	size_t len;
	FILE *f = mem(&text, &len);

	ebb_out_cell(t, "a");
	ebb_out_cell(t, "b");
	ck_assert_int_eq(ebb_out_table_print(t, f, 0, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text, "a  b\n");
	free(text);
}
END_TEST

START_TEST(numbers_for_people)
{
	char b[EBB_OUT_TEXT_MAX];
	struct ebb_money m = {.nano = INT64_C(12345000000), .currency = "USD"};
	const int64_t hour = INT64_C(3600) * 1000000000;

	ck_assert_str_eq(ebb_out_count(1234567, b), "1,234,567");
	ck_assert_str_eq(ebb_out_bytes(1536, b), "1.5 KiB");
	ck_assert_str_eq(ebb_out_bytes(UINT64_MAX, b), "8.0 EiB");
	ck_assert_str_eq(ebb_out_share(1, 8, b), "12.5 %");
	ck_assert_str_eq(ebb_out_share(1, 0, b), "");
	ck_assert_str_eq(ebb_out_things(0, "object", b), "0 objects");
	ck_assert_str_eq(ebb_out_things(1, "object", b), "1 object");
	ck_assert_str_eq(ebb_out_things(1234, "object", b), "1,234 objects");
	ck_assert_str_eq(ebb_out_money(&m, b), "12.34 USD");
	ck_assert_str_eq(ebb_out_ago(0, 3 * hour, b), "3h ago");
	ck_assert_str_eq(ebb_out_ago(3 * hour, 0, b), "just now");
}
END_TEST

START_TEST(bars_show_the_smallest_part)
{
	char b[EBB_OUT_TEXT_MAX];

	ck_assert_str_eq(ebb_out_bar(0, 100, b), "");
	ck_assert_str_eq(ebb_out_bar(1, 1000000, b), "");
	ck_assert_str_eq(ebb_out_bar(4, 10000, b), "");
	ck_assert_str_eq(ebb_out_bar(5, 10000, b), "#");
	ck_assert_str_eq(ebb_out_bar(50, 100, b), "##########");
	ck_assert_uint_eq(strlen(ebb_out_bar(100, 100, b)), 20);
	ck_assert_str_eq(ebb_out_bar(5, 0, b), "");
}
END_TEST

static void expect_key(const char *key, size_t len, const char *json)
{
	char *text = NULL;
	size_t n;
	FILE *f = mem(&text, &n);
	json_t *o = json_object();

	ck_assert_int_eq(ebb_out_json_key(o, key, len), 0);
	ck_assert_int_eq(ebb_out_json(f, o, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text, json);
	free(text);
}

START_TEST(keys_are_text_or_base64_never_both)
{
	expect_key("a/b", 3, "{\"path\":\"a/b\"}\n");
	expect_key("a\nb", 3, "{\"path\":\"a\\nb\"}\n");
	expect_key("", 0, "{\"path\":\"\"}\n");
	expect_key("\xff\xfe", 2, "{\"path_b64\":\"//4=\"}\n");
}
END_TEST

START_TEST(records_show_what_is_known)
{
	struct ebb_record r = {.key = "f", .key_len = 1};
	char *text = NULL;
	size_t n;
	FILE *f = mem(&text, &n);
	json_t *o = json_object();

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, 5);
	ebb_record_set(&r, EBB_F_MTIME, INT64_C(1700000000123456789));
	ebb_record_set(&r, EBB_F_MODE, 0100640);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_RELATIME);
	ebb_record_set(&r, EBB_F_FLAGS, EBB_FLAG_LINKED_TWIN);
	ck_assert_int_eq(ebb_out_json_record(o, &r, NULL), 0);
	ck_assert_int_eq(ebb_out_json(f, o, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text, "{\"path\":\"f\",\"kind\":\"file\",\"size\":5,\"mode\":\"0640\","
			       "\"mtime\":\"2023-11-14T22:13:20.123456789Z\",\"evidence\":\"relatime\","
			       "\"linked_twin\":true}\n");
	free(text);
}
END_TEST

START_TEST(failures_reach_the_caller)
{
	struct ebb_err err = {0};
	FILE *f = fopen("/dev/full", "w");

	ck_assert_int_eq(ebb_out_json(stdout, NULL, &err), -EBB_ENOMEM);
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_out_json_key(NULL, "a", 1), -1);
	ck_assert_ptr_nonnull(f);
	fputs("x", f);
	ck_assert_int_eq(ebb_out_flush(f, &err), -EBB_EPARTIAL);
	ck_assert_int_eq(err.code, EBB_EPARTIAL);
	ck_assert_int_eq(err.sys, ENOSPC);
	fclose(f);
}
END_TEST

/* What plans and journals are made of are the bytes that jansson would write. */
START_TEST(json_piece_by_piece_is_what_jansson_writes)
{
	char text[300] = "\xc3\xa9 \xf0\x9f\x98\x80 \"\\/\x7f";
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(4096), want = EBB_BUF_INIT(4096);
	struct ebb_jsonput j;
	size_t len = strlen(text);

	for (int c = 1; c < 0x80; c++)
		text[len++] = (char)c;
	ck_assert_int_eq(ebb_buf_adds(&out, "before"), 0);
	ck_assert_int_eq(ebb_buf_adds(&want, "before"), 0);
	j = (struct ebb_jsonput){.b = out};
	ebb_jsonput_open(&j, NULL, '{');
	ebb_jsonput_string(&j, "s", text);
	ebb_jsonput_bytes(&j, "z", "a\0b", 3);
	ebb_jsonput_bytes(&j, "k", "\xff\xfe", 2);
	ebb_jsonput_int(&j, "least", INT64_MIN);
	ebb_jsonput_int(&j, "most", INT64_MAX);
	ebb_jsonput_int_or_null(&j, "none", false, 1);
	ebb_jsonput_open(&j, "list", '[');
	ebb_jsonput_string_or_null(&j, NULL, NULL);
	ebb_jsonput_int(&j, NULL, 0);
	ebb_jsonput_shut(&j, ']');
	ebb_jsonput_shut(&j, '}');
	ck_assert_int_eq(ebb_jsonput_append(&j, &out, NULL), 0);
	ck_assert_int_eq(ebb_jsonline_dump(&want, json_pack("{s:s, s:s%, s:s, s:I, s:I, s:n, s:[n, i]}", "s", text, "z", "a\0b",
							    (size_t)3, "k_b64", "//4=", "least", (json_int_t)INT64_MIN, "most",
							    (json_int_t)INT64_MAX, "none", "list", 0), NULL), 0);
	ck_assert_str_eq(out.data, want.data);

	j = (struct ebb_jsonput){.b = out};
	ebb_jsonput_string(&j, "s", "\xff");
	ck_assert_int_eq(ebb_jsonput_append(&j, &out, NULL), -EBB_EINVAL);
	ck_assert_str_eq(out.data, want.data);
}
END_TEST

START_TEST(nothing_is_styled_but_terminals)
{
	char *text = NULL;
	size_t n;
	FILE *f = mem(&text, &n);

	ck_assert_str_eq(ebb_out_bold(f), "");
	ck_assert_str_eq(ebb_out_plain(f), "");
	fclose(f);
	free(text);
}
END_TEST

EBB_UNIT_MAIN("out", tables_are_aligned, no_heading_without_titles, numbers_for_people,
	      bars_show_the_smallest_part, keys_are_text_or_base64_never_both, records_show_what_is_known,
	      failures_reach_the_caller, json_piece_by_piece_is_what_jansson_writes, nothing_is_styled_but_terminals)
