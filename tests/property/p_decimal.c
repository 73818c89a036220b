/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * core/decimal.h against arithmetic as taught in school: numbers as arrays of decimal digits, slow
 * and without any limit that matters here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/decimal.h"
#include "core/err.h"
#include "tests/support/seed.h"

#define ROUNDS 20000
#define DIGITS 200

/* A natural number, lowest digit first. */
struct big {
	unsigned char digit[DIGITS];
};

static struct big big_of(unsigned __int128 v)
{
	struct big b = {{0}};

	for (int i = 0; v; i++, v /= 10)
		b.digit[i] = (unsigned char)(v % 10);
	return b;
}

static struct big big_shift(struct big a, int n)
{
	struct big b = {{0}};

	memcpy(b.digit + n, a.digit, (size_t)(DIGITS - n));
	return b;
}

static struct big big_add(struct big a, struct big b)
{
	int carry = 0;

	for (int i = 0; i < DIGITS; i++) {
		carry += a.digit[i] + b.digit[i];
		a.digit[i] = (unsigned char)(carry % 10);
		carry /= 10;
	}
	return a;
}

/* a - b where a >= b */
static struct big big_sub(struct big a, struct big b)
{
	int borrow = 0;

	for (int i = 0; i < DIGITS; i++) {
		int d = a.digit[i] - b.digit[i] - borrow;
		borrow = d < 0;
		a.digit[i] = (unsigned char)(d + 10 * borrow);
	}
	return a;
}

static struct big big_mul(struct big a, struct big b)
{
	struct big product = {{0}};

	for (int i = 0; i < DIGITS; i++)
		for (int n = b.digit[i]; n > 0; n--)
			product = big_add(product, big_shift(a, i));
	return product;
}

static int big_cmp(struct big a, struct big b)
{
	for (int i = DIGITS - 1; i >= 0; i--)
		if (a.digit[i] != b.digit[i])
			return a.digit[i] < b.digit[i] ? -1 : 1;
	return 0;
}

/* A number of up to @bits bits, short ones as likely as long ones. */
static __int128 random_bits(struct ebb_prng *r, unsigned bits)
{
	unsigned __int128 v = (unsigned __int128)ebb_prng_next(r) << 64 | ebb_prng_next(r);

	return (__int128)(v >> (128 - 1 - ebb_prng_below(r, bits)));
}

/* mant / 10^scale in its one form, through the parser. */
static struct ebb_decimal decimal(__int128 mant, int scale)
{
	struct ebb_decimal d;
	struct ebb_err err = {0};
	char s[100];
	const int64_t split = INT64_C(1000000000000000000);
	int64_t high = (int64_t)(mant / split), low = (int64_t)(mant % split);

	snprintf(s, sizeof(s), "%s%" PRId64 "%018" PRId64 "e-%d", mant < 0 ? "-" : "",
		 high < 0 ? -high : high, low < 0 ? -low : low, scale);
	EBB_SEED_CHECK(!ebb_decimal_parse(s, &d, &err), "%s", err.msg);
	return d;
}

static unsigned __int128 magnitude(__int128 v)
{
	return (unsigned __int128)(v < 0 ? -v : v);
}

/* Is @got, times 10^(scale - got.scale), @want? */
static void expect(struct ebb_decimal got, struct big want, int scale, const char *what)
{
	char out[EBB_DECIMAL_TEXT];

	EBB_SEED_CHECK(got.scale <= scale &&
		       !big_cmp(big_shift(big_of(magnitude(got.mant)), scale - got.scale), want),
		       "%s: %s", what, ebb_decimal_format(got, out));
	EBB_SEED_CHECK(!got.scale || got.mant % 10, "%s: %s is not normal", what, out);
}

static void add_and_multiply(struct ebb_prng *r)
{
	int s = (int)ebb_prng_below(r, 13), t = (int)ebb_prng_below(r, 13);
	__int128 a = random_bits(r, 60), b = random_bits(r, 60);
	struct ebb_decimal x = decimal(a, s), y = decimal(b, t), d;
	struct big wide_a = big_shift(big_of(magnitude(a)), 12 - s);
	struct big wide_b = big_shift(big_of(magnitude(b)), 12 - t);
	int order = big_cmp(wide_a, wide_b);

	EBB_SEED_CHECK(!ebb_decimal_add(x, y, &d, NULL), "add");
	expect(d, big_add(wide_a, wide_b), 12, "add");
	EBB_SEED_CHECK(!ebb_decimal_sub(x, y, &d, NULL), "sub");
	expect(d, order < 0 ? big_sub(wide_b, wide_a) : big_sub(wide_a, wide_b), 12, "sub");
	EBB_SEED_CHECK((d.mant > 0) - (d.mant < 0) == order, "sign of sub");
	EBB_SEED_CHECK(ebb_decimal_cmp(x, y) == order, "cmp");
	EBB_SEED_CHECK(!ebb_decimal_mul(x, y, &d, NULL), "mul");
	expect(d, big_mul(wide_a, wide_b), 24, "mul");
}

static void text(struct ebb_prng *r)
{
	struct ebb_decimal d = decimal(random_bits(r, 124), (int)ebb_prng_below(r, 37)), back;
	char out[EBB_DECIMAL_TEXT];

	if (ebb_prng_below(r, 2))
		d.mant = -d.mant;
	ebb_decimal_format(d, out);
	EBB_SEED_CHECK(!ebb_decimal_parse(out, &back, NULL), "%s", out);
	EBB_SEED_CHECK(back.mant == d.mant && back.scale == d.scale, "%s", out);
	EBB_SEED_CHECK(!ebb_decimal_cmp(d, back), "%s", out);
}

/* r is right when 2 |N - r D| <= D, and r is even when they are equal. */
static void ratio(struct ebb_prng *r)
{
	__int128 num = random_bits(r, 127), den = random_bits(r, 126) + 1;
	int exp = (int)ebb_prng_below(r, 61) - 30;
	struct big n = big_shift(big_of(magnitude(num)), exp > 0 ? exp : 0);
	struct big d = big_shift(big_of(magnitude(den)), exp < 0 ? -exp : 0);
	struct big two127 = big_of((unsigned __int128)1 << 127);
	int64_t got;

	if (ebb_decimal_ratio(num, exp, den, &got, NULL) < 0) {
		struct big limit = big_mul(d, big_of(INT64_MAX));
		EBB_SEED_CHECK(big_cmp(n, limit) > 0 || big_cmp(n, two127) >= 0 ||
			       big_cmp(d, two127) >= 0, "refused without need");
		return;
	}
	struct big product = big_mul(d, big_of((unsigned __int128)got));
	int order = big_cmp(n, product);
	struct big off = order < 0 ? big_sub(product, n) : big_sub(n, product);
	int tie = big_cmp(big_add(off, off), d);
	EBB_SEED_CHECK(tie < 0 || (tie == 0 && got % 2 == 0), "%" PRId64 " is off", got);
	int64_t negative;
	EBB_SEED_CHECK(!ebb_decimal_ratio(-num, exp, den, &negative, NULL) && negative == -got,
		       "%" PRId64, got);
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();

	for (int i = 0; i < ROUNDS; i++) {
		add_and_multiply(&r);
		text(&r);
		ratio(&r);
	}
	return 0;
}
