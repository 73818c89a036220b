/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/money.h"
#include "tests/support/unit.h"

static struct ebb_money usd(int64_t nano)
{
	return (struct ebb_money){.nano = nano, .currency = "USD"};
}

static struct ebb_decimal dec(const char *s)
{
	struct ebb_decimal d;

	ck_assert_int_eq(ebb_decimal_parse(s, &d, NULL), 0);
	return d;
}

START_TEST(currencies)
{
	static const char *const bad[] = {"", "US", "usd", "USDT", "U$D", "\303\211UR"};

	ck_assert(ebb_money_is_currency("AED"));
	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++)
		ck_assert(!ebb_money_is_currency(bad[i]));
	struct ebb_money m = usd(7);
	struct ebb_err err = {0};
	ck_assert_int_eq(ebb_money_of(dec("1"), "usd", &m, &err), -EBB_EINVAL);
	ck_assert_str_eq(err.msg,
			 "'usd' is not a currency: three capital letters are, such as USD");
	ck_assert_int_eq(m.nano, 7);
}
END_TEST

START_TEST(of_rounds_to_nano_ties_to_even)
{
	struct ebb_money m;

	ck_assert_int_eq(ebb_money_of(dec("12.34"), "USD", &m, NULL), 0);
	ck_assert_int_eq(m.nano, INT64_C(12340000000));
	ck_assert_str_eq(m.currency, "USD");
	ck_assert_int_eq(ebb_money_of(dec("0.0000000005"), "USD", &m, NULL), 0);
	ck_assert_int_eq(m.nano, 0);
	ck_assert_int_eq(ebb_money_of(dec("0.0000000015"), "USD", &m, NULL), 0);
	ck_assert_int_eq(m.nano, 2);
	ck_assert_int_eq(ebb_money_of(dec("-0.00000000251"), "USD", &m, NULL), 0);
	ck_assert_int_eq(m.nano, -3);
	ck_assert_int_eq(ebb_money_of(dec("1e10"), "USD", &m, NULL), -EBB_ERANGE);
}
END_TEST

START_TEST(charges)
{
	struct ebb_money m;
	struct ebb_err err = {0};

	/* 1 GiB for a month at 0.023 */
	ck_assert_int_eq(ebb_money_charge(INT64_C(1) << 30, dec("0.023"), INT64_C(1) << 30, "USD",
		&m, NULL), 0);
	ck_assert_int_eq(m.nano, 23000000);
	/* 1 byte: 0.0214 nano rounds away; 1000 bytes: 21.42 */
	ck_assert_int_eq(ebb_money_charge(1, dec("0.023"), INT64_C(1) << 30, "USD", &m, NULL), 0);
	ck_assert_int_eq(m.nano, 0);
	ck_assert_int_eq(ebb_money_charge(1000, dec("0.023"), INT64_C(1) << 30, "USD", &m, NULL),
		0);
	ck_assert_int_eq(m.nano, 21);
	/* 1 EiB for the hours of a month: byte-hours pass 64 bits, the amount does not */
	ck_assert_int_eq(ebb_money_charge((__int128)(INT64_C(1) << 60) * 744, dec("0.0230"),
					  (INT64_C(1) << 30) * 744, "USD", &m, NULL), 0);
	ck_assert_int_eq(m.nano, INT64_C(24696061952000000));
	/* 10,000 requests at 0.05 per 1,000 */
	ck_assert_int_eq(ebb_money_charge(10000, dec("0.05"), 1000, "USD", &m, NULL), 0);
	ck_assert_int_eq(m.nano, 500000000);
	ck_assert_int_eq(ebb_money_charge(INT64_MAX, dec("1"), 1, "USD", &m, &err), -EBB_ERANGE);
	ck_assert_str_eq(err.msg, "an amount of USD does not fit");
}
END_TEST

START_TEST(converts)
{
	struct ebb_money m;

	ck_assert_int_eq(ebb_money_convert(usd(100 * EBB_MONEY_UNIT), dec("3.6725"), "AED", &m,
		NULL), 0);
	ck_assert_int_eq(m.nano, INT64_C(367250000000));
	ck_assert_str_eq(m.currency, "AED");
}
END_TEST

START_TEST(sums_keep_currency_and_overflow)
{
	struct ebb_money sum = {0};
	struct ebb_money eur = {.nano = 1, .currency = "EUR"};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_money_add(sum, usd(5), &sum, NULL), 0);
	ck_assert_str_eq(sum.currency, "USD");
	ck_assert_int_eq(ebb_money_sub(sum, usd(7), &sum, NULL), 0);
	ck_assert_int_eq(sum.nano, -2);
	ck_assert_int_eq(ebb_money_add(sum, eur, &sum, &err), -EBB_EINVAL);
	ck_assert_str_eq(err.msg, "USD and EUR do not mix without an exchange rate");
	ck_assert_int_eq(ebb_money_sub(sum, eur, &sum, NULL), -EBB_EINVAL);
	ck_assert_int_eq(ebb_money_add(usd(INT64_MAX), usd(1), &sum, NULL), -EBB_ERANGE);
	ck_assert_int_eq(ebb_money_sub(usd(INT64_MIN), usd(1), &sum, NULL), -EBB_ERANGE);
	ck_assert_int_eq(sum.nano, -2);
}
END_TEST

START_TEST(compares)
{
	struct ebb_money eur = {.nano = 1, .currency = "EUR"};
	int order = 9;

	ck_assert_int_eq(ebb_money_cmp(usd(1), usd(2), &order, NULL), 0);
	ck_assert_int_lt(order, 0);
	ck_assert_int_eq(ebb_money_cmp(usd(2), usd(2), &order, NULL), 0);
	ck_assert_int_eq(order, 0);
	ck_assert_int_eq(ebb_money_cmp(usd(2), (struct ebb_money){0}, &order, NULL), 0);
	ck_assert_int_gt(order, 0);
	ck_assert_int_eq(ebb_money_cmp(usd(2), eur, &order, NULL), -EBB_EINVAL);
}
END_TEST

static void refused(const char *s, int code, const char *message)
{
	struct ebb_money m = usd(7);
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_money_parse(s, &m, &err), -code);
	ck_assert_str_eq(err.msg, message);
	ck_assert_int_eq(m.nano, 7);
}

START_TEST(parses)
{
	struct ebb_money m;

	ck_assert_int_eq(ebb_money_parse("500 USD", &m, NULL), 0);
	ck_assert_int_eq(m.nano, 500 * EBB_MONEY_UNIT);
	ck_assert_int_eq(ebb_money_parse("12.5EUR", &m, NULL), 0);
	ck_assert_str_eq(m.currency, "EUR");
	ck_assert_int_eq(ebb_money_parse("-0.000000001  AED", &m, NULL), 0);
	ck_assert_int_eq(m.nano, -1);
	refused("500", EBB_EINVAL, "'500' is not money: write it as 12.50 USD");
	refused("$5", EBB_EINVAL, "'$5' is not money: write it as 12.50 USD");
	refused("5 usd", EBB_EINVAL, "'5 usd' is not money: write it as 12.50 USD");
	refused("USD 5", EBB_EINVAL, "'USD 5' is not money: write it as 12.50 USD");
	refused("1,000 USD", EBB_EINVAL, "'1,000 USD' is not money: write it as 12.50 USD");
	refused("5 USD ", EBB_EINVAL, "'5 USD ' is not money: write it as 12.50 USD");
	refused("5. USD", EBB_EINVAL, "'5. USD' is not money: write it as 12.50 USD");
	refused("0.0000000001 USD", EBB_EINVAL, "'0.0000000001 USD' is finer than a nano-USD");
	refused("10000000000 USD", EBB_ERANGE, "'10000000000 USD' does not fit");
}
END_TEST

START_TEST(exact_forms)
{
	char out[EBB_MONEY_TEXT];

	ck_assert_str_eq(ebb_money_format(usd(INT64_C(12340000000)), out), "12.34 USD");
	ck_assert_str_eq(ebb_money_format(usd(46), out), "0.000000046 USD");
	ck_assert_str_eq(ebb_money_format(usd(INT64_C(1001000000)), out), "1.001 USD");
	ck_assert_str_eq(ebb_money_format(usd(0), out), "0.00 USD");
	ck_assert_str_eq(ebb_money_format(usd(INT64_MIN), out), "-9223372036.854775808 USD");
	ck_assert_str_eq(ebb_money_format((struct ebb_money){0}, out), "0.00");
	ck_assert_str_eq(ebb_money_nano(usd(INT64_C(12340000000)), out), "12.340000000 USD");
	ck_assert_str_eq(ebb_money_nano(usd(-1), out), "-0.000000001 USD");
}
END_TEST

START_TEST(human_form_never_hides_an_amount)
{
	static const struct {
		int64_t nano;
		const char *text;
	} rows[] = {
		{0, "0.00 USD"}, {INT64_C(1234567000000), "1,234.57 USD"},
		{INT64_C(12345000000), "12.34 USD"},
		{INT64_C(12355000000), "12.36 USD"}, {INT64_C(12345000001), "12.35 USD"},
		{INT64_C(999995000001), "1,000.00 USD"}, {4200000, "0.0042 USD"},
		{4250000, "0.0042 USD"},
		{9800000, "0.0098 USD"}, {9990000, "0.010 USD"}, {10000000, "0.01 USD"},
		{50000000, "0.05 USD"}, {1, "0.000000001 USD"}, {96, "0.000000096 USD"},
		{-4200000, "-0.0042 USD"}, {INT64_MIN, "-9,223,372,036.85 USD"},
		{INT64_MAX, "9,223,372,036.85 USD"},
	};
	char out[EBB_MONEY_TEXT];

	for (size_t i = 0; i < EBB_ARRAY_LEN(rows); i++)
		ck_assert_str_eq(ebb_money_human(usd(rows[i].nano), out), rows[i].text);
}
END_TEST

EBB_UNIT_MAIN("money", currencies, of_rounds_to_nano_ties_to_even, charges, converts,
	sums_keep_currency_and_overflow, compares, parses, exact_forms,
	human_form_never_hides_an_amount)
