/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/secret.h"
#include "tests/support/unit.h"

#define NOON (INT64_C(1709208000) * EBB_CLOCK_SECOND + 250999999)	/* 2024-02-29 */
#define HEAD_TEXT "2024-02-29T12:00:00.25Z "
#define HEAD_JSON "{\"time\":\"2024-02-29T12:00:00.25Z\",\"level\":\"info\",\"msg\":"

static struct ebb_clock noon;
static struct ebb_buf out;
static struct ebb_log text, json;

static void collect(void *context, enum ebb_log_level level, const char *line, size_t len)
{
	(void)level;
	ck_assert_int_eq(ebb_buf_add(context, line, len), 0);
}

static void begin(void)
{
	noon = ebb_clock_fixed(NOON);
	ebb_buf_init(&out, 10 << 20);
	ebb_log_init(&text, EBB_LOG_INFO, EBB_LOG_TEXT, &noon, collect, &out);
	ebb_log_init(&json, EBB_LOG_INFO, EBB_LOG_JSON, &noon, collect, &out);
}

static void end(void)
{
	ebb_log_release(&text);
	ebb_log_release(&json);
	ebb_buf_release(&out);
}

static void expect(const char *line)
{
	ck_assert_str_eq(out.data, line);
	ebb_buf_clear(&out);
}

START_TEST(levels_and_null)
{
	begin();
	ck_assert(ebb_log_enabled(&text, EBB_LOG_ERROR));
	ck_assert(ebb_log_enabled(&text, EBB_LOG_INFO));
	ck_assert(!ebb_log_enabled(&text, EBB_LOG_DEBUG));
	ck_assert(!ebb_log_enabled(NULL, EBB_LOG_ERROR));
	ebb_log_printf(&text, EBB_LOG_DEBUG, "x");
	ebb_log_printf(NULL, EBB_LOG_ERROR, "x");
	ebb_log_write(NULL, EBB_LOG_ERROR, "x", NULL, 0);
	ck_assert_uint_eq(out.len, 0);
	ebb_log_printf(&text, EBB_LOG_ERROR, "cannot open '%s'", "f");
	expect(HEAD_TEXT "error: cannot open 'f'\n");
	end();
}
END_TEST

START_TEST(level_names)
{
	enum ebb_log_level level = EBB_LOG_INFO;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_log_level_of("debug", &level, NULL), 0);
	ck_assert_int_eq(level, EBB_LOG_DEBUG);
	ck_assert_int_eq(ebb_log_level_of("warning", &level, &err), -EBB_EINVAL);
	ck_assert_str_eq(err.msg,
		"unknown log level 'warning'; valid are error, warn, info, debug");
	ck_assert_int_eq(level, EBB_LOG_DEBUG);
}
END_TEST

START_TEST(fields_in_both_formats)
{
	begin();
	const struct ebb_log_field fields[] = {
		ebb_log_str("store", "lake"), ebb_log_str("key", "a b"), ebb_log_str("none", NULL),
		ebb_log_int("size", INT64_MIN), ebb_log_bool("dry", true),
		ebb_log_bytes("raw", "x\0y", 3),
	};
	ebb_log_write(&text, EBB_LOG_WARN, "moved", fields, EBB_ARRAY_LEN(fields));
	expect(HEAD_TEXT "warn: moved store=lake key=\"a b\" none=\"\" size=-9223372036854775808 "
	       "dry=true raw=x\\u{0000}y\n");
	ebb_log_write(&json, EBB_LOG_INFO, "moved", fields, EBB_ARRAY_LEN(fields));
	expect(HEAD_JSON "\"moved\",\"store\":\"lake\",\"key\":\"a b\",\"none\":\"\","
	       "\"size\":-9223372036854775808,\"dry\":true,\"raw\":\"x\\u0000y\"}\n");
	end();
}
END_TEST

START_TEST(odd_bytes_stay_in_their_line)
{
	static const char odd[] = "a\nb\033[0m\377\342\200\256\303\251\"\\";

	begin();
	ebb_log_write(&text, EBB_LOG_INFO, odd, NULL, 0);
	expect(HEAD_TEXT "info: a\\nb\\u{001b}[0m\\xff\\u{202e}\303\251\\\"\\\\\n");
	ebb_log_write(&json, EBB_LOG_INFO, odd, NULL, 0);
	expect(HEAD_JSON "\"a\\nb\\u001b[0m\\\\xff\\u202e\303\251\\\"\\\\\"}\n");
	end();
}
END_TEST

START_TEST(secrets_are_not_shown)
{
	EBB_CLEANUP(ebb_secret_freep) struct ebb_secret *secret = ebb_secret_new("hunter2", 7);

	begin();
	struct ebb_log_field fields[] = {ebb_log_secret("key", secret), ebb_log_secret("no", NULL)};
	ebb_log_write(&text, EBB_LOG_INFO, "signed", fields, 2);
	expect(HEAD_TEXT "info: signed key=*** no=\"\"\n");
	end();
}
END_TEST

START_TEST(failures_carry_their_code)
{
	struct ebb_err err = {0};

	begin();
	ebb_err_set(&err, EBB_ETHROTTLE, "slow down");
	ebb_log_failure(&json, EBB_LOG_INFO, &err);
	expect(HEAD_JSON "\"slow down\",\"error\":\"throttled\"}\n");
	end();
}
END_TEST

START_TEST(long_lines_are_cut_but_whole)
{
	char big[9000];

	begin();
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	const struct ebb_log_field fields[] = {ebb_log_str("big", big), ebb_log_int("n", 1)};
	ebb_log_write(&json, EBB_LOG_INFO, "m", fields, 2);
	expect(HEAD_JSON "\"m\",\"n\":1,\"cut\":true}\n");
	ebb_log_printf(&text, EBB_LOG_INFO, "%s", big);
	ck_assert_uint_lt(out.len, 2100);
	ck_assert_str_eq(out.data + out.len - 5, "a...\n");
	ebb_buf_clear(&out);

	/* Every length of a field around the end of the line: never too long, always closed. */
	for (size_t len = 8000; len < 8200; len++) {
		struct ebb_log_field field = ebb_log_bytes("k", big, len);
		ebb_log_write(&json, EBB_LOG_INFO, "m", &field, 1);
		ck_assert_uint_le(out.len, EBB_LOG_LINE);
		ck_assert_str_eq(out.data + out.len - 2, "}\n");
		ebb_buf_clear(&out);
	}
	end();
}
END_TEST

static void *chatter(void *arg)
{
	for (int i = 0; i < 500; i++)
		ebb_log_printf(arg, EBB_LOG_INFO, "hello");
	return NULL;
}

START_TEST(lines_of_many_threads_do_not_mix)
{
	pthread_t threads[4];

	begin();
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, chatter, &text);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);

	static const char line[] = HEAD_TEXT "info: hello\n";
	ck_assert_uint_eq(out.len, 2000 * strlen(line));
	for (size_t i = 0; i < 2000; i++)
		ck_assert_int_eq(memcmp(out.data + i * strlen(line), line, strlen(line)), 0);
	end();
}
END_TEST

EBB_UNIT_MAIN("log", levels_and_null, level_names, fields_in_both_formats,
	odd_bytes_stay_in_their_line, secrets_are_not_shown, failures_carry_their_code,
	long_lines_are_cut_but_whole, lines_of_many_threads_do_not_mix)
