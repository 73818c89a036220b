/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/units.h"
#include "tests/support/unit.h"

#define S INT64_C(1000000000)
#define DAY (86400 * S)

typedef int parser(const char *s, int64_t *ret, struct ebb_err *err);

struct row {
	const char *text;
	int64_t value;
};

static void parses(parser *parse, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ebb_err err = {0};
		int64_t got = -1;
		ck_assert_msg(!parse(rows[i].text, &got, &err), "%s", err.msg);
		ck_assert_msg(got == rows[i].value, "%s: %lld", rows[i].text, (long long)got);
	}
}

static void refuses(parser *parse, const char *text, int code, const char *message)
{
	struct ebb_err err = {0};
	int64_t got = 77;

	ck_assert_msg(parse(text, &got, &err) == -code, "%s", text);
	ck_assert_str_eq(err.msg, message);
	ck_assert_int_eq(got, 77);
}

START_TEST(bytes_are_read)
{
	static const struct row rows[] = {
		{"0", 0}, {"4096", 4096}, {"7B", 7}, {"1KiB", 1024}, {"256 KiB", 262144},
		{"1.5GiB", 1610612736}, {"1KB", 1000}, {"1kB", 1000}, {"2.5MB", 2500000},
		{"10TiB", INT64_C(10995116277760)}, {"1PiB", INT64_C(1) << 50},
		{"7EiB", INT64_C(7) << 60}, {"9EB", INT64_C(9000000000000000000)},
		{"0.5KiB", 512}, {"9223372036854775807", INT64_MAX}, {"1.000000KB", 1000},
	};

	parses(ebb_units_parse_bytes, rows, EBB_ARRAY_LEN(rows));
}
END_TEST

START_TEST(bytes_are_refused)
{
	static const char *const unknown[] = {"1K", "1kib", "1M", "1GIB", "1b", "1 ", "1  KiB",
					      "1KiB ", "1KiBs"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(unknown); i++) {
		char want[256];
		snprintf(want, sizeof(want), "'%s' is not a size: units are B, "
			 "KiB MiB GiB TiB PiB EiB (1024), KB MB GB TB PB EB (1000)", unknown[i]);
		refuses(ebb_units_parse_bytes, unknown[i], EBB_EINVAL, want);
	}
	refuses(ebb_units_parse_bytes, "-1", EBB_EINVAL,
		"'-1' is not a size: write it as 256KiB, 1.5GB or 4096");
	refuses(ebb_units_parse_bytes, "", EBB_EINVAL,
		"'' is not a size: write it as 256KiB, 1.5GB or 4096");
	refuses(ebb_units_parse_bytes, "0.1KiB", EBB_EINVAL,
		"'0.1KiB' is not a size: it is not a whole number of bytes");
	refuses(ebb_units_parse_bytes, "8EiB", EBB_ERANGE, "'8EiB' does not fit");
	refuses(ebb_units_parse_bytes, "99999999999999999999999999999999999999999", EBB_ERANGE,
		"'99999999999999999999999999999999999999999' does not fit");
}
END_TEST

START_TEST(bytes_are_written)
{
	static const struct row human[] = {
		{"0 B", 0}, {"1023 B", 1023}, {"1.0 KiB", 1024}, {"1.5 GiB", 1610612736},
		{"1.0 MiB", 1048575}, {"1023.9 KiB", 1048524}, {"1.0 MiB", 1048525},
		{"1.2 KiB", 1280}, {"1.1 KiB", 1126}, {"-2.0 KiB", -2048},
		{"8.0 EiB", INT64_MAX}, {"-8.0 EiB", INT64_MIN},
		{"10.0 TiB", INT64_C(10995116277760)},
	};
	static const struct row exact[] = {
		{"0B", 0}, {"1023B", 1023}, {"256KiB", 262144}, {"10GB", INT64_C(10000000000)},
		{"1536MiB", 1610612736}, {"7EiB", INT64_C(7) << 60},
		{"9223372036854775807B", INT64_MAX},
		{"-1KiB", -1024}, {"-8EiB", INT64_MIN},
	};
	char out[EBB_UNITS_TEXT];

	for (size_t i = 0; i < EBB_ARRAY_LEN(human); i++)
		ck_assert_str_eq(ebb_units_format_bytes(human[i].value, out), human[i].text);
	for (size_t i = 0; i < EBB_ARRAY_LEN(exact); i++)
		ck_assert_str_eq(ebb_units_exact_bytes(exact[i].value, out), exact[i].text);
}
END_TEST

START_TEST(durations_are_read)
{
	static const struct row rows[] = {
		{"0s", 0}, {"1s", S}, {"90d", 90 * DAY}, {"5min", 300 * S}, {"1.5h", 5400 * S},
		{"2w", 14 * DAY}, {"1mo", 30 * DAY}, {"1y", 365 * DAY}, {"1d12h", 36 * 3600 * S},
		{"1y 6mo 2w 1d 1h 1min 1s", 365 * DAY + 180 * DAY + 15 * DAY + 3661 * S},
		{"90 d", 90 * DAY}, {"0.000000001s", 1}, {"292y", 292 * 365 * DAY},
	};

	parses(ebb_units_parse_duration, rows, EBB_ARRAY_LEN(rows));
}
END_TEST

START_TEST(durations_are_refused)
{
	parser *parse = ebb_units_parse_duration;

	refuses(parse, "5m", EBB_EINVAL,
		"'5m' is not a duration: write 5min or 5mo");
	refuses(parse, "1d5m", EBB_EINVAL,
		"'1d5m' is not a duration: write 5min or 5mo");
	refuses(parse, "90", EBB_EINVAL, "'90' is not a duration: units are s min h d w mo y");
	refuses(parse, "90days", EBB_EINVAL,
		"'90days' is not a duration: units are s min h d w mo y");
	refuses(parse, "1D", EBB_EINVAL, "'1D' is not a duration: units are s min h d w mo y");
	refuses(parse, "", EBB_EINVAL, "'' is not a duration: write it as 90d, 1.5h or 1d12h");
	refuses(parse, "-1d", EBB_EINVAL,
		"'-1d' is not a duration: write it as 90d, 1.5h or 1d12h");
	refuses(parse, "1d ", EBB_EINVAL,
		"'1d ' is not a duration: write it as 90d, 1.5h or 1d12h");
	refuses(parse, "12h1d", EBB_EINVAL,
		"'12h1d' is not a duration: larger units come first, each once: 1d12h");
	refuses(parse, "1d1d", EBB_EINVAL,
		"'1d1d' is not a duration: larger units come first, each once: 1d12h");
	refuses(parse, "0.0000000001s", EBB_EINVAL,
		"'0.0000000001s' is not a duration: it is finer than a nanosecond");
	refuses(parse, "293y", EBB_ERANGE, "'293y' does not fit");
	refuses(parse, "292y11mo", EBB_ERANGE, "'292y11mo' does not fit");
}
END_TEST

START_TEST(durations_are_written)
{
	static const struct row exact[] = {
		{"0s", 0}, {"90d", 90 * DAY}, {"1d12h", 36 * 3600 * S},
		{"1min0.5s", 60 * S + S / 2},
		{"0.000000001s", 1}, {"-1h", -3600 * S},
		{"106751d23h47min16.854775807s", INT64_MAX},
	};
	static const struct row human[] = {
		{"0s", 0}, {"0s", 1}, {"0.25s", S / 4 + 7}, {"59s", 60 * S - 1}, {"5min", 300 * S},
		{"5min 1s", 301 * S}, {"1d 12h", 36 * 3600 * S + 7}, {"1y 35d", 400 * DAY + 5},
		{"-2h", -7200 * S}, {"1d 1s", DAY + S},
	};
	char out[EBB_UNITS_TEXT];

	for (size_t i = 0; i < EBB_ARRAY_LEN(exact); i++)
		ck_assert_str_eq(ebb_units_exact_duration(exact[i].value, out), exact[i].text);
	for (size_t i = 0; i < EBB_ARRAY_LEN(human); i++)
		ck_assert_str_eq(ebb_units_format_duration(human[i].value, out), human[i].text);
}
END_TEST

START_TEST(percentages)
{
	static const struct row rows[] = {
		{"5%", 50000}, {"0%", 0}, {"100%", 1000000}, {"0.25%", 2500}, {"0.0001%", 1},
		{"150%", 1500000}, {"5 %", 50000},
	};
	char out[EBB_UNITS_TEXT];

	parses(ebb_units_parse_percent, rows, EBB_ARRAY_LEN(rows));
	refuses(ebb_units_parse_percent, "5", EBB_EINVAL,
		"'5' is not a percentage: write it as 5%");
	refuses(ebb_units_parse_percent, "-5%", EBB_EINVAL,
		"'-5%' is not a percentage: write it as 5%");
	refuses(ebb_units_parse_percent, "5%%", EBB_EINVAL,
		"'5%%' is not a percentage: write it as 5%");
	refuses(ebb_units_parse_percent, "0.00001%", EBB_EINVAL,
		"'0.00001%' is not a percentage: four digits behind the point at most");
	refuses(ebb_units_parse_percent, "9999999999999999%", EBB_ERANGE,
		"'9999999999999999%' does not fit");
	for (size_t i = 0; i < 6; i++)
		ck_assert_str_eq(ebb_units_exact_percent(rows[i].value, out), rows[i].text);
	ck_assert_str_eq(ebb_units_exact_percent(INT64_MIN, out), "-922337203685477.5808%");
}
END_TEST

START_TEST(counts)
{
	static const struct row rows[] = {{"0", 0}, {"42", 42}, {"9223372036854775807", INT64_MAX}};
	static const struct row shown[] = {
		{"0", 0}, {"999", 999}, {"1,000", 1000}, {"1,234,567", 1234567},
		{"-12,345", -12345},
		{"-9,223,372,036,854,775,808", INT64_MIN},
	};
	char out[EBB_UNITS_TEXT];

	parses(ebb_units_parse_count, rows, EBB_ARRAY_LEN(rows));
	refuses(ebb_units_parse_count, "", EBB_EINVAL,
		"'' is not a count: write it in digits only");
	refuses(ebb_units_parse_count, "-1", EBB_EINVAL,
		"'-1' is not a count: write it in digits only");
	refuses(ebb_units_parse_count, "1,000", EBB_EINVAL,
		"'1,000' is not a count: write it in digits only");
	refuses(ebb_units_parse_count, "9223372036854775808", EBB_ERANGE,
		"'9223372036854775808' does not fit");
	for (size_t i = 0; i < EBB_ARRAY_LEN(shown); i++)
		ck_assert_str_eq(ebb_units_format_count(shown[i].value, out), shown[i].text);
}
END_TEST

START_TEST(times_are_read)
{
	static const struct row rows[] = {
		{"1970-01-01", 0}, {"1970-01-01T00:00:00Z", 0}, {"2000-02-29", 11016 * DAY},
		{"2000-02-29t12:00:00z", 11016 * DAY + 43200 * S}, {"1970-01-01 00:00:01Z", S},
		{"1970-01-01T04:00:00+04:00", 0}, {"1969-12-31T19:00:00-05:00", 0},
		{"1970-01-01T00:00:00.25Z", S / 4}, {"1970-01-01T00:00:00.1234567899Z", 123456789},
		{"2016-12-31T23:59:60Z", 17167 * DAY}, {"1969-12-31T23:59:59.999999999Z", -1},
		{"2262-04-11T23:47:16.854775807Z", INT64_MAX},
		{"1677-09-21T00:12:43.145224192Z", INT64_MIN},
	};

	parses(ebb_units_parse_time, rows, EBB_ARRAY_LEN(rows));
}
END_TEST

START_TEST(times_are_refused)
{
	static const char *const bad[] = {
		"", "2024", "2024-2-9", "2023-02-29", "2024-13-01", "2024-01-01T",
		"2024-01-01T00:00Z",
		"2024-01-01T00:00:00", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
		"2024-01-01T00:00:60Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+4:00",
		"2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00Z ", "02024-01-01", "0000-01-01",
		"2024-01-01Z",
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++) {
		char want[200];
		snprintf(want, sizeof(want), "'%s' is not a time: write it as 2024-02-29 or "
			 "2024-02-29T12:00:00Z", bad[i]);
		refuses(ebb_units_parse_time, bad[i], EBB_EINVAL, want);
	}
	refuses(ebb_units_parse_time, "2263-01-01", EBB_ERANGE, "'2263-01-01' does not fit");
	refuses(ebb_units_parse_time, "1677-09-21T00:12:43.145224191Z", EBB_ERANGE,
		"'1677-09-21T00:12:43.145224191Z' does not fit");
	refuses(ebb_units_parse_time, "0001-01-01", EBB_ERANGE, "'0001-01-01' does not fit");
}
END_TEST

START_TEST(times_are_written)
{
	char out[EBB_UNITS_TEXT];

	ck_assert_str_eq(ebb_units_exact_time(0, out), "1970-01-01T00:00:00Z");
	ck_assert_str_eq(ebb_units_exact_time(S / 4, out), "1970-01-01T00:00:00.25Z");
	ck_assert_str_eq(ebb_units_exact_time(-1, out), "1969-12-31T23:59:59.999999999Z");
	ck_assert_str_eq(ebb_units_exact_time(INT64_MAX, out), "2262-04-11T23:47:16.854775807Z");
	ck_assert_str_eq(ebb_units_exact_time(INT64_MIN, out), "1677-09-21T00:12:43.145224192Z");
	ck_assert_str_eq(ebb_units_format_date(-1, out), "1969-12-31");
}
END_TEST

EBB_UNIT_MAIN("units", bytes_are_read, bytes_are_refused, bytes_are_written, durations_are_read,
	durations_are_refused, durations_are_written, percentages, counts, times_are_read,
	times_are_refused, times_are_written)
