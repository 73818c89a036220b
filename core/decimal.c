/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/decimal.h"

#include <stdbool.h>
#include <string.h>

#include "core/err.h"
#include "core/text.h"

#define INT128_LOWEST ((__int128)((unsigned __int128)1 << 127))

/* Multiply by 10^n. Returns false, with *v in ruins, on overflow. */
static bool shift(__int128 *v, int n)
{
	for (; n > 0 && *v; n--)
		if (__builtin_mul_overflow(*v, 10, v))
			return false;
	return true;
}

/* The one form of a value; false when it needs more digits behind the point than there are. */
static bool normalize(__int128 mant, int scale, struct ebb_decimal *ret)
{
	if (!mant)
		scale = 0;
	for (; scale > 0 && mant % 10 == 0; scale--)
		mant /= 10;
	/* The lowest number has no positive twin: refused, so that negation is always safe. */
	if (scale > EBB_DECIMAL_SCALE || mant == INT128_LOWEST)
		return false;
	*ret = (struct ebb_decimal){.mant = mant, .scale = scale};
	return true;
}

struct reader {
	const char *at, *end;
};

static bool next_is(const struct reader *r, const char *set)
{
	return r->at < r->end && *r->at && strchr(set, *r->at);
}

static bool next_is_digit(const struct reader *r)
{
	return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/*
 * Read digits into *mant. Zeros are held back until another digit follows, so that trailing ones
 * cannot overflow: "1" and a hundred zeros behind the point is 1.
 *
 * @held    zeros not yet multiplied in.
 * @return  number of digits read, -1 on overflow.
 */
static int read_digits(struct reader *r, __int128 *mant, int *held)
{
	int n = 0;

	for (; next_is_digit(r); r->at++) {
		if (n++ > 100000)
			return -1;
		if (*r->at == '0') {
			++*held;
			continue;
		}
		if (!shift(mant, *held + 1) || __builtin_add_overflow(*mant, *r->at - '0', mant))
			return -1;
		*held = 0;
	}
	return n;
}

/* Read an exponent: -1 without digits. Stops growing where every value is out of range. */
static int read_exponent(struct reader *r, int *ret)
{
	bool negative = next_is(r, "-");
	int e = 0;

	if (next_is(r, "+-"))
		r->at++;
	if (!next_is_digit(r))
		return -1;
	for (; next_is_digit(r); r->at++)
		if (e < 1000000)
			e = e * 10 + (*r->at - '0');
	*ret = negative ? -e : e;
	return 0;
}

/* The parts of a number: 0, -EBB_EINVAL, -EBB_ERANGE. */
static int read_number(struct reader *r, struct ebb_decimal *ret)
{
	__int128 mant = 0;
	int held = 0, exp = 0, behind = 0;
	bool negative = next_is(r, "-");

	if (next_is(r, "+-"))
		r->at++;
	int n = read_digits(r, &mant, &held);
	if (n <= 0)
		return n < 0 ? -EBB_ERANGE : -EBB_EINVAL;
	if (next_is(r, ".")) {
		r->at++;
		behind = read_digits(r, &mant, &held);
		if (behind <= 0)
			return behind < 0 ? -EBB_ERANGE : -EBB_EINVAL;
	}
	if (next_is(r, "eE")) {
		r->at++;
		if (read_exponent(r, &exp) < 0)
			return -EBB_EINVAL;
	}
	if (r->at != r->end)
		return -EBB_EINVAL;

	exp += held - behind;
	if (exp > 0 && !shift(&mant, exp))
		return -EBB_ERANGE;
	if (!normalize(negative ? -mant : mant, exp < 0 && mant ? -exp : 0, ret))
		return -EBB_ERANGE;
	return 0;
}

int ebb_decimal_parse_n(const char *s, size_t len, struct ebb_decimal *ret, struct ebb_err *err)
{
	struct reader r = {s, s + len};
	struct ebb_decimal d;
	char quoted[EBB_TEXT_QUOTED];
	int code = read_number(&r, &d);

	if (code == -EBB_EINVAL)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not a number",
				   ebb_text_quote(s, len, quoted, sizeof(quoted)));
	if (code < 0)
		return ebb_err_set(err, EBB_ERANGE, "'%s' has too many digits",
				   ebb_text_quote(s, len, quoted, sizeof(quoted)));
	*ret = d;
	return 0;
}

int ebb_decimal_parse(const char *s, struct ebb_decimal *ret, struct ebb_err *err)
{
	return ebb_decimal_parse_n(s, strlen(s), ret, err);
}

struct ebb_decimal ebb_decimal_of(int64_t n)
{
	return (struct ebb_decimal){.mant = n};
}

static int sign(__int128 v)
{
	return (v > 0) - (v < 0);
}

int ebb_decimal_cmp(struct ebb_decimal a, struct ebb_decimal b)
{
	if (sign(a.mant) != sign(b.mant))
		return sign(a.mant) - sign(b.mant);
	/* Where bringing one to the scale of the other overflows, its magnitude is the greater. */
	if (a.scale < b.scale) {
		__int128 fine = a.mant;
		if (!shift(&fine, b.scale - a.scale))
			return sign(a.mant);
		return sign(fine - b.mant);
	}
	__int128 fine = b.mant;
	if (!shift(&fine, a.scale - b.scale))
		return -sign(b.mant);
	return sign(a.mant - fine);
}

/* Bring both to the greater scale. */
static bool align(struct ebb_decimal *a, struct ebb_decimal *b)
{
	struct ebb_decimal *coarse = a->scale < b->scale ? a : b;
	int scale = a->scale < b->scale ? b->scale : a->scale;

	if (!shift(&coarse->mant, scale - coarse->scale))
		return false;
	coarse->scale = scale;
	return true;
}

static int overflow(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ERANGE, "the result of a calculation has too many digits");
}

int ebb_decimal_add(struct ebb_decimal a, struct ebb_decimal b, struct ebb_decimal *ret,
		    struct ebb_err *err)
{
	__int128 sum;

	if (!align(&a, &b) || __builtin_add_overflow(a.mant, b.mant, &sum) ||
	    !normalize(sum, a.scale, ret))
		return overflow(err);
	return 0;
}

int ebb_decimal_sub(struct ebb_decimal a, struct ebb_decimal b, struct ebb_decimal *ret,
		    struct ebb_err *err)
{
	b.mant = -b.mant;
	return ebb_decimal_add(a, b, ret, err);
}

int ebb_decimal_mul(struct ebb_decimal a, struct ebb_decimal b, struct ebb_decimal *ret,
		    struct ebb_err *err)
{
	__int128 product;

	if (__builtin_mul_overflow(a.mant, b.mant, &product) ||
	    !normalize(product, a.scale + b.scale, ret))
		return overflow(err);
	return 0;
}

static __int128 gcd(__int128 a, __int128 b)
{
	while (b) {
		__int128 rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Multiply *v by 10^n, taking factors common with *other out of that one instead. */
static bool shift_against(__int128 *v, __int128 *other, int n)
{
	for (; n > 0 && *v; n--) {
		__int128 common = gcd(*other, 10);

		*other /= common;
		if (__builtin_mul_overflow(*v, 10 / common, v))
			return false;
	}
	return true;
}

/* num * 10^exp / den as a fraction in 128 bits, the slow way: common factors leave first. */
static bool reduce(__int128 *num, int exp, __int128 *den)
{
	__int128 common = gcd(*den, *num);

	*num /= common;
	*den /= common;
	if (!shift_against(num, den, exp))
		return false;
	if (shift_against(den, num, -exp))
		return true;
	/* The divisor passes 2^127. Unless the number is as large, the quotient is nothing. */
	if (*num > (__int128)1 << 126)
		return false;
	*num = 0;
	*den = 1;
	return true;
}

int ebb_decimal_ratio(__int128 num, int exp, __int128 den, int64_t *ret, struct ebb_err *err)
{
	bool negative = num < 0;
	__int128 n = negative ? -num : num;
	__int128 d = den;

	if (!shift(&n, exp) || !shift(&d, -exp)) {
		n = negative ? -num : num;
		d = den;
		if (!reduce(&n, exp, &d))
			return overflow(err);
	}

	__int128 whole = n / d;
	__int128 rest = n % d;
	/* rest > d - rest is rest > d / 2 without the doubling that could overflow. */
	if (rest > d - rest || (rest == d - rest && (whole & 1)))
		whole++;
	if (whole > INT64_MAX)
		return overflow(err);
	*ret = negative ? -(int64_t)whole : (int64_t)whole;
	return 0;
}

int ebb_decimal_scaled(struct ebb_decimal d, int digits, int64_t *ret, bool *ret_exact,
		       struct ebb_err *err)
{
	int r = ebb_decimal_ratio(d.mant, digits - d.scale, 1, ret, err);

	if (!r && ret_exact)
		*ret_exact = d.scale <= digits;
	return r;
}

const char *ebb_decimal_format(struct ebb_decimal d, char out[EBB_DECIMAL_TEXT])
{
	char digits[EBB_DECIMAL_TEXT];
	char *at = digits + sizeof(digits);
	unsigned __int128 left = (unsigned __int128)(d.mant < 0 ? -d.mant : d.mant);
	int behind = d.scale;

	*--at = '\0';
	do {
		*--at = (char)('0' + (int)(left % 10));
		left /= 10;
		if (--behind == 0)
			*--at = '.';
	} while (left || behind >= 0);
	if (d.mant < 0)
		*--at = '-';
	return memcpy(out, at, (size_t)(digits + sizeof(digits) - at));
}
