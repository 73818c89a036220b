/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/money.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/text.h"
#include "core/units.h"

#define NANO_DIGITS 9

bool ebb_money_is_currency(const char *s)
{
	for (int i = 0; i < 3; i++)
		if (s[i] < 'A' || s[i] > 'Z')
			return false;
	return !s[3];
}

static int check_currency(const char *s, struct ebb_err *err)
{
	char quoted[EBB_TEXT_QUOTED];

	if (ebb_money_is_currency(s))
		return 0;
	return ebb_err_set(err, EBB_EINVAL,
			   "'%s' is not a currency: three capital letters are, such as USD",
			   ebb_text_quotes(s, quoted, sizeof(quoted)));
}

static void fill(struct ebb_money *m, int64_t nano, const char *currency)
{
	struct ebb_money made = {.nano = nano};

	memcpy(made.currency, currency, sizeof(made.currency));
	*m = made;
}

int ebb_money_charge(__int128 quantity, struct ebb_decimal price, int64_t divisor,
		     const char *currency, struct ebb_money *ret, struct ebb_err *err)
{
	__int128 product;
	int64_t nano;
	int r = check_currency(currency, err);

	if (r < 0)
		return r;
	if (__builtin_mul_overflow(quantity, price.mant, &product) ||
	    ebb_decimal_ratio(product, NANO_DIGITS - price.scale, divisor, &nano, NULL) < 0)
		return ebb_err_set(err, EBB_ERANGE, "an amount of %s does not fit", currency);
	fill(ret, nano, currency);
	return 0;
}

int ebb_money_of(struct ebb_decimal d, const char *currency, struct ebb_money *ret,
		 struct ebb_err *err)
{
	return ebb_money_charge(1, d, 1, currency, ret, err);
}

int ebb_money_convert(struct ebb_money m, struct ebb_decimal rate, const char *currency,
		      struct ebb_money *ret, struct ebb_err *err)
{
	return ebb_money_charge(m.nano, rate, EBB_MONEY_UNIT, currency, ret, err);
}

static int check_same(struct ebb_money a, struct ebb_money b, struct ebb_err *err)
{
	if (!*a.currency || !*b.currency || !strcmp(a.currency, b.currency))
		return 0;
	return ebb_err_set(err, EBB_EINVAL, "%s and %s do not mix without an exchange rate",
			   a.currency, b.currency);
}

int ebb_money_add(struct ebb_money a, struct ebb_money b, struct ebb_money *ret,
		  struct ebb_err *err)
{
	const char *currency = *a.currency ? a.currency : b.currency;
	int64_t nano;
	int r = check_same(a, b, err);

	if (r < 0)
		return r;
	if (__builtin_add_overflow(a.nano, b.nano, &nano))
		return ebb_err_set(err, EBB_ERANGE, "a sum of %s does not fit", currency);
	fill(ret, nano, currency);
	return 0;
}

int ebb_money_sub(struct ebb_money a, struct ebb_money b, struct ebb_money *ret,
		  struct ebb_err *err)
{
	const char *currency = *a.currency ? a.currency : b.currency;
	int64_t nano;
	int r = check_same(a, b, err);

	if (r < 0)
		return r;
	if (__builtin_sub_overflow(a.nano, b.nano, &nano))
		return ebb_err_set(err, EBB_ERANGE, "a difference of %s does not fit", currency);
	fill(ret, nano, currency);
	return 0;
}

int ebb_money_cmp(struct ebb_money a, struct ebb_money b, int *ret_order, struct ebb_err *err)
{
	int r = check_same(a, b, err);

	if (r < 0)
		return r;
	*ret_order = (a.nano > b.nano) - (a.nano < b.nano);
	return 0;
}

int ebb_money_parse(const char *s, struct ebb_money *ret, struct ebb_err *err)
{
	size_t number = strspn(s, "+-.0123456789");
	const char *currency = s + number + strspn(s + number, " ");
	char quoted[EBB_TEXT_QUOTED];
	struct ebb_decimal d;
	int64_t nano = 0;
	bool exact = true;

	ebb_text_quotes(s, quoted, sizeof(quoted));
	int r = ebb_decimal_parse_n(s, number, &d, NULL);
	if (r == -EBB_EINVAL || !ebb_money_is_currency(currency))
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not money: write it as 12.50 USD",
				   quoted);
	if (!r)
		r = ebb_decimal_scaled(d, NANO_DIGITS, &nano, &exact, NULL);
	if (r < 0)
		return ebb_err_set(err, EBB_ERANGE, "'%s' does not fit", quoted);
	if (!exact)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is finer than a nano-%s", quoted,
				   currency);
	fill(ret, nano, currency);
	return 0;
}

static uint64_t magnitude(int64_t n)
{
	return n < 0 ? -(uint64_t)n : (uint64_t)n;
}

/* Print whole.fraction, the fraction cut to @digits, after the sign and before the currency. */
static const char *print(char out[EBB_MONEY_TEXT], struct ebb_money m, const char *whole,
			 uint64_t fraction, int digits)
{
	snprintf(out, EBB_MONEY_TEXT, "%s%.19s.%09u", m.nano < 0 ? "-" : "", whole,
		 (unsigned)fraction % 1000000000u);
	char *end = out + strlen(out) - (NANO_DIGITS - digits);
	snprintf(end, EBB_MONEY_TEXT - (size_t)(end - out), "%s%.3s", *m.currency ? " " : "",
		 m.currency);
	return out;
}

static const char *print_exact(struct ebb_money m, char out[EBB_MONEY_TEXT], int digits)
{
	uint64_t n = magnitude(m.nano);
	char whole[24];

	snprintf(whole, sizeof(whole), "%llu", (unsigned long long)(n / EBB_MONEY_UNIT));
	return print(out, m, whole, n % EBB_MONEY_UNIT, digits);
}

const char *ebb_money_nano(struct ebb_money m, char out[EBB_MONEY_TEXT])
{
	return print_exact(m, out, NANO_DIGITS);
}

const char *ebb_money_format(struct ebb_money m, char out[EBB_MONEY_TEXT])
{
	uint64_t n = magnitude(m.nano);
	int digits = NANO_DIGITS;

	for (; digits > 2 && n % 10 == 0; n /= 10)
		digits--;
	return print_exact(m, out, digits);
}

const char *ebb_money_human(struct ebb_money m, char out[EBB_MONEY_TEXT])
{
	uint64_t n = magnitude(m.nano);
	uint64_t step = EBB_MONEY_UNIT / 100;	/* worth of the last digit shown */
	int digits = 2;
	char whole[EBB_UNITS_TEXT];

	if (n && n < step)
		for (; step > 1 && n < 10 * step - step / 20; step /= 10)
			digits++;
	uint64_t rest = n % step;
	n -= rest;
	if (rest > step / 2 || (rest && rest == step / 2 && n / step % 2))
		n += step;
	ebb_units_format_count((int64_t)(n / EBB_MONEY_UNIT), whole);
	return print(out, m, whole, n % EBB_MONEY_UNIT, digits);
}
