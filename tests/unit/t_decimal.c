/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>

#include "core/decimal.h"
#include "core/err.h"
#include "core/mem.h"
#include "tests/support/unit.h"

#define MOST "170141183460469231731687303715884105727"	/* 2^127 - 1 */
#define LEAST "-170141183460469231731687303715884105727"

static struct ebb_decimal dec(const char *s)
{
	struct ebb_decimal d;
	struct ebb_err err = {0};

	ck_assert_msg(!ebb_decimal_parse(s, &d, &err), "%s: %s", s, err.msg);
	return d;
}

static const char *text(struct ebb_decimal d)
{
	static char out[EBB_DECIMAL_TEXT];

	return ebb_decimal_format(d, out);
}

START_TEST(parses_into_one_form)
{
	static const char *const table[][2] = {
		{"0", "0"}, {"-0", "0"}, {"0.000", "0"}, {"0e99999999", "0"}, {"0e-99", "0"},
		{"0.0230", "0.023"}, {"+5", "5"}, {"-5.50", "-5.5"}, {"007", "7"}, {"100", "100"},
		{"1e-3", "0.001"}, {"1E3", "1000"}, {"1.5e+2", "150"}, {"12.5e-1", "1.25"},
		{"1000e-3", "1"}, {"0.0004", "0.0004"}, {MOST, MOST}, {LEAST, LEAST},
		{"0.000000000000000000000000000000000001",
		 "0.000000000000000000000000000000000001"},
		{"1.0000000000000000000000000000000000000000000000000000", "1"},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(table); i++)
		ck_assert_str_eq(text(dec(table[i][0])), table[i][1]);
	ck_assert_int_eq(dec("1.50").scale, 1);
	ck_assert_int_eq(dec("0.00").scale, 0);
}
END_TEST

static void refused(const char *s, int code, const char *message)
{
	struct ebb_decimal d = {.mant = 77, .scale = 7};
	struct ebb_err err = {0};

	ck_assert_msg(ebb_decimal_parse(s, &d, &err) == -code, "%s", s);
	ck_assert_str_eq(err.msg, message);
	ck_assert(d.mant == 77 && d.scale == 7);
}

START_TEST(refuses_what_is_no_number)
{
	refused("", EBB_EINVAL, "'' is not a number");
	refused("-", EBB_EINVAL, "'-' is not a number");
	refused(".5", EBB_EINVAL, "'.5' is not a number");
	refused("5.", EBB_EINVAL, "'5.' is not a number");
	refused("1,000", EBB_EINVAL, "'1,000' is not a number");
	refused(" 1", EBB_EINVAL, "' 1' is not a number");
	refused("1 ", EBB_EINVAL, "'1 ' is not a number");
	refused("1e", EBB_EINVAL, "'1e' is not a number");
	refused("1e+", EBB_EINVAL, "'1e+' is not a number");
	refused("1.2.3", EBB_EINVAL, "'1.2.3' is not a number");
	refused("0x10", EBB_EINVAL, "'0x10' is not a number");
	refused("nan", EBB_EINVAL, "'nan' is not a number");
	refused("+-1", EBB_EINVAL, "'+-1' is not a number");
	refused("\n", EBB_EINVAL, "'\\n' is not a number");
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
	refused("1e39", EBB_ERANGE, "'1e39' has too many digits");
	refused("1e999999999999", EBB_ERANGE, "'1e999999999999' has too many digits");
	refused("1e-37", EBB_ERANGE, "'1e-37' has too many digits");
	refused("1e-999999999999", EBB_ERANGE, "'1e-999999999999' has too many digits");
	refused("170141183460469231731687303715884105728", EBB_ERANGE,
		"'170141183460469231731687303715884105728' has too many digits");
}
END_TEST

START_TEST(parse_n_stops_at_length)
{
	struct ebb_decimal d;

	ck_assert_int_eq(ebb_decimal_parse_n("1.5GiB", 3, &d, NULL), 0);
	ck_assert_str_eq(text(d), "1.5");
	ck_assert_int_eq(ebb_decimal_parse_n("1\0002", 3, &d, NULL), -EBB_EINVAL);
}
END_TEST

START_TEST(compares_across_scales)
{
	static const char *const rising[] = {
		LEAST, "-5", "-0.5", "-0.000000000000000000000000000000000001", "0",
		"0.000000000000000000000000000000000001", "0.5", "0.51", "1", "10", MOST,
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(rising); i++)
		for (size_t j = 0; j < EBB_ARRAY_LEN(rising); j++) {
			int got = ebb_decimal_cmp(dec(rising[i]), dec(rising[j]));
			ck_assert_msg((got > 0) - (got < 0) == (i > j) - (i < j), "%s ? %s",
				      rising[i], rising[j]);
		}
}
END_TEST

START_TEST(adds_subtracts_multiplies)
{
	struct ebb_decimal d;

	ck_assert_int_eq(ebb_decimal_add(dec("0.1"), dec("0.2"), &d, NULL), 0);
	ck_assert_str_eq(text(d), "0.3");
	ck_assert_int_eq(ebb_decimal_add(dec("0.75"), dec("0.25"), &d, NULL), 0);
	ck_assert_str_eq(text(d), "1");
	ck_assert_int_eq(ebb_decimal_sub(dec("5"), dec("5.001"), &d, NULL), 0);
	ck_assert_str_eq(text(d), "-0.001");
	ck_assert_int_eq(ebb_decimal_mul(dec("-2.5"), dec("0.4"), &d, NULL), 0);
	ck_assert_str_eq(text(d), "-1");
	ck_assert_int_eq(ebb_decimal_mul(dec("0.0230"), ebb_decimal_of(1024), &d, NULL), 0);
	ck_assert_str_eq(text(d), "23.552");
}
END_TEST

START_TEST(overflow_is_told_and_touches_nothing)
{
	struct ebb_decimal d = {.mant = 77};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_decimal_add(dec(MOST), dec("1"), &d, &err), -EBB_ERANGE);
	ck_assert_int_eq(err.code, EBB_ERANGE);
	ck_assert_int_eq(ebb_decimal_sub(dec(LEAST), dec("1"), &d, NULL), -EBB_ERANGE);
	ck_assert_int_eq(ebb_decimal_add(dec(MOST), dec("0.1"), &d, NULL), -EBB_ERANGE);
	ck_assert_int_eq(ebb_decimal_mul(dec(MOST), dec("2"), &d, NULL), -EBB_ERANGE);
	ck_assert_int_eq(ebb_decimal_mul(dec("1e-20"), dec("1e-20"), &d, NULL), -EBB_ERANGE);
	ck_assert(d.mant == 77);
}
END_TEST

START_TEST(scaled_rounds_ties_to_even)
{
	static const struct {
		const char *in;
		int digits;
		int64_t want;
		bool exact;
	} table[] = {
		{"1.2345", 4, 12345, true}, {"1.2345", 2, 123, false}, {"1.235", 2, 124, false},
		{"1.225", 2, 122, false}, {"0.5", 0, 0, false}, {"1.5", 0, 2, false},
		{"2.5", 0, 2, false}, {"-2.5", 0, -2, false}, {"-1.5", 0, -2, false},
		{"2.500001", 0, 3, false}, {"7", 3, 7000, true}, {"0.02", 9, 20000000, true},
		{"1e-36", 0, 0, false}, {"9223372036854775807", 0, INT64_MAX, true},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(table); i++) {
		int64_t got;
		bool exact;
		ck_assert_int_eq(ebb_decimal_scaled(dec(table[i].in), table[i].digits, &got, &exact,
						    NULL), 0);
		ck_assert_int_eq(got, table[i].want);
		ck_assert_int_eq(exact, table[i].exact);
	}
	int64_t kept = 5;
	ck_assert_int_eq(ebb_decimal_scaled(dec("9223372036854775808"), 0, &kept, NULL, NULL),
			 -EBB_ERANGE);
	ck_assert_int_eq(kept, 5);
}
END_TEST

START_TEST(ratio_survives_large_steps)
{
	const __int128 two126 = (__int128)1 << 126;
	int64_t got;

	/* 2^126 * 10^20 / (2^126 * 10^18): the steps pass 2^127, the result does not. */
	ck_assert_int_eq(ebb_decimal_ratio(two126, 2, two126, &got, NULL), 0);
	ck_assert_int_eq(got, 100);
	ck_assert_int_eq(ebb_decimal_ratio(two126, 2, two126 / 4, &got, NULL), 0);
	ck_assert_int_eq(got, 400);
	ck_assert_int_eq(ebb_decimal_ratio(two126, -40, 1, &got, NULL), 0);
	ck_assert_int_eq(got, 0);
	ck_assert_int_eq(ebb_decimal_ratio(-7, 0, 2, &got, NULL), 0);
	ck_assert_int_eq(got, -4);
	ck_assert_int_eq(ebb_decimal_ratio(0, 100000, 3, &got, NULL), 0);
	ck_assert_int_eq(got, 0);
	ck_assert_int_eq(ebb_decimal_ratio(1, 19, 1, &got, NULL), -EBB_ERANGE);
	ck_assert_int_eq(ebb_decimal_ratio(1, 18, 1, &got, NULL), 0);
	ck_assert_int_eq(got, INT64_C(1000000000000000000));
}
END_TEST

EBB_UNIT_MAIN("decimal", parses_into_one_form, refuses_what_is_no_number,
	refuses_what_does_not_fit, parse_n_stops_at_length, compares_across_scales,
	adds_subtracts_multiplies, overflow_is_told_and_touches_nothing,
	scaled_rounds_ties_to_even, ratio_survives_large_steps)
