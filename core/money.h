/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Money: integer nano-units of one currency.
 *
 * An amount is nano / 10^9 units of `currency`, from about -9.2 to +9.2 billion units. Sums are
 * exact, so a total is the sum of its rows to the last digit. Rounding happens only where an amount
 * comes into being (ebb_money_charge, ebb_money_of, ebb_money_convert): to the nearest nano-unit,
 * ties to even. Amounts of different currencies never meet: -EBB_EINVAL, and the message names
 * both.
 *
 * A zeroed struct is an amount without currency: adding to it gives it the other's currency, so
 * that a sum may start at (struct ebb_money){0}. It means "nothing yet", never "free": unpriced is
 * not an amount.
 *
 * Threads: values; every function may be called from any thread.
 */
#ifndef EBB_CORE_MONEY_H
#define EBB_CORE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/decimal.h"

struct ebb_err;

#define EBB_MONEY_UNIT INT64_C(1000000000)	/* nano-units in one unit */
#define EBB_MONEY_TEXT 40			/* room for any amount as text, with NUL */

struct ebb_money {
	int64_t nano;
	char currency[4];	/* ISO 4217: three capital letters; "" only in a zeroed struct */
};

/* Are these three capital letters? Which of them are in use is not asked. */
bool ebb_money_is_currency(const char *s);

/*
 * An amount of @d units, rounded to nano-units.
 *
 * @currency  as ebb_money_is_currency() accepts it.
 * @return    0, -EBB_EINVAL (currency), -EBB_ERANGE.
 */
int ebb_money_of(struct ebb_decimal d, const char *currency, struct ebb_money *ret,
		 struct ebb_err *err);

/*
 * What @quantity costs at @price per @divisor: round(quantity * price / divisor), computed exactly
 * and rounded once. Storage for a month: bytes * hours at price per GiB-month, divisor 2^30 * hours
 * in month.
 *
 * @quantity  bytes, requests, byte-hours ...; |quantity| < 2^127.
 * @divisor   what one price buys, in the unit of @quantity; > 0.
 * @return    0, -EBB_EINVAL (currency), -EBB_ERANGE.
 */
int ebb_money_charge(__int128 quantity, struct ebb_decimal price, int64_t divisor,
		     const char *currency, struct ebb_money *ret, struct ebb_err *err);

/*
 * The amount in another currency, at @rate units of it for one unit of @m.
 *
 * @return  0, -EBB_EINVAL (currency), -EBB_ERANGE.
 */
int ebb_money_convert(struct ebb_money m, struct ebb_decimal rate, const char *currency,
		      struct ebb_money *ret, struct ebb_err *err);

/* Exact sum, difference. @ret may be one of the operands. Returns 0, -EBB_EINVAL, -EBB_ERANGE. */
int ebb_money_add(struct ebb_money a, struct ebb_money b, struct ebb_money *ret,
		  struct ebb_err *err);
int ebb_money_sub(struct ebb_money a, struct ebb_money b, struct ebb_money *ret,
		  struct ebb_err *err);

/*
 * Compare: *ret_order is negative, zero or positive as @a is less than, equal to or more than @b.
 *
 * @return  0 or -EBB_EINVAL (currencies differ).
 */
int ebb_money_cmp(struct ebb_money a, struct ebb_money b, int *ret_order, struct ebb_err *err);

/*
 * Read "500 USD", "-0.25 EUR", "12.5USD": a plain decimal, spaces or none, a currency.
 *
 * @return  0; -EBB_EINVAL when it is not of this form or is finer than nano-units; -EBB_ERANGE.
 */
int ebb_money_parse(const char *s, struct ebb_money *ret, struct ebb_err *err);

/*
 * Text, returned as @out. The exact forms parse back. Without a currency there is only the number.
 *   format  exact, at least two digits behind the point: "12.34 USD", "0.000000046 USD"
 *   nano    exact, always nine digits behind the point: "12.340000000 USD"; lines up in columns
 *   human   thousands separated, rounded to two digits, ties to even: "1,234.57 USD"; amounts below
 *           0.01 get two significant digits: "0.0042 USD". Only zero is "0.00 USD".
 */
const char *ebb_money_format(struct ebb_money m, char out[EBB_MONEY_TEXT]);
const char *ebb_money_nano(struct ebb_money m, char out[EBB_MONEY_TEXT]);
const char *ebb_money_human(struct ebb_money m, char out[EBB_MONEY_TEXT]);

#endif
