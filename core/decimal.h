/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Exact decimal numbers: unit prices, rates and factors, as they are written.
 *
 * A value is mant / 10^scale. Invariants: 0 <= scale <= EBB_DECIMAL_SCALE; mant is not divisible by
 * 10 unless scale is 0; |mant| < 2^127. So every value has one form, and equal values are equal
 * member by member. Nothing is ever rounded, except by ebb_decimal_scaled() which says so; what
 * cannot be held exactly is refused with -EBB_ERANGE. No binary floating point anywhere.
 *
 * Threads: values; every function may be called from any thread.
 */
#ifndef EBB_CORE_DECIMAL_H
#define EBB_CORE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ebb_err;

#define EBB_DECIMAL_SCALE 36	/* most digits behind the point */
#define EBB_DECIMAL_TEXT 48	/* room for any value as text, with NUL */

struct ebb_decimal {
	__int128 mant;
	int scale;
};

/*
 * Read all of a number: [+-] digits [. digits] [e [+-] digits], with at least one digit before the
 * point and one after it: "0.0230", "-5", "1e-3" (price files have them). No spaces, no thousands
 * separators.
 *
 * @return  0; -EBB_EINVAL when it is no number; -EBB_ERANGE when it cannot be held exactly.
 */
int ebb_decimal_parse(const char *s, struct ebb_decimal *ret, struct ebb_err *err);

/* The same of the first @len bytes of @s, which need no NUL. */
int ebb_decimal_parse_n(const char *s, size_t len, struct ebb_decimal *ret, struct ebb_err *err);

/* An integer as a decimal. */
struct ebb_decimal ebb_decimal_of(int64_t n);

/* Negative, zero or positive as @a is less than, equal to or greater than @b. Always exact. */
int ebb_decimal_cmp(struct ebb_decimal a, struct ebb_decimal b);

/* Exact sum, difference and product. Each returns 0 or -EBB_ERANGE. */
int ebb_decimal_add(struct ebb_decimal a, struct ebb_decimal b, struct ebb_decimal *ret,
		    struct ebb_err *err);
int ebb_decimal_sub(struct ebb_decimal a, struct ebb_decimal b, struct ebb_decimal *ret,
		    struct ebb_err *err);
int ebb_decimal_mul(struct ebb_decimal a, struct ebb_decimal b, struct ebb_decimal *ret,
		    struct ebb_err *err);

/*
 * @d * 10^@digits as an integer, ties rounded to the even neighbour: 1.2345 with 2 digits is 123.
 *
 * @digits     0 to EBB_DECIMAL_SCALE.
 * @ret_exact  whether nothing was rounded away; may be NULL.
 * @return     0 or -EBB_ERANGE.
 */
int ebb_decimal_scaled(struct ebb_decimal d, int digits, int64_t *ret, bool *ret_exact,
		       struct ebb_err *err);

/*
 * @num * 10^@exp / @den as an integer, ties rounded to the even neighbour. All arithmetic of money
 * comes down to this. Fails only when the result does not fit, or when a step would pass 2^127 even
 * after common factors are removed.
 *
 * @num     |num| < 2^127.
 * @den     > 0.
 * @exp     any; a negative one multiplies @den.
 * @return  0 or -EBB_ERANGE.
 */
int ebb_decimal_ratio(__int128 num, int exp, __int128 den, int64_t *ret, struct ebb_err *err);

/* The value in canonical form, without exponent, as few digits as it takes: "0.023". Is @out. */
const char *ebb_decimal_format(struct ebb_decimal d, char out[EBB_DECIMAL_TEXT]);

#endif
