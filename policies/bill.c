/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/bill.h"

#include "core/err.h"

#define NANO_DIGITS 9

static const char *const sides[EBB_BILL_SIDES] = {
	[EBB_BILL_ONCE] = "once",
	[EBB_BILL_BEFORE] = "before",
	[EBB_BILL_AFTER] = "after",
};

const char *ebb_bill_side_name(enum ebb_bill_side s)
{
	return sides[s];
}

static void lack(struct ebb_bill *b, const char *what, const struct ebb_price_class *class)
{
	if (b->missing)
		return;
	b->missing = what;
	b->missing_class = class;
}

void ebb_bill_add(struct ebb_bill *b, enum ebb_bill_side side, const char *what,
		  const struct ebb_price_class *class, const struct ebb_price_figure *figure,
		  __int128 quantity, int64_t over)
{
	if (quantity == 0)
		return;
	if (!figure || !ebb_price_known(figure)) {
		if (!class || *class->provider)
			lack(b, what, class);
		return;
	}
	if (b->n == EBB_BILL_LINES) {
		lack(b, "more than a bill has lines for", class);
		return;
	}
	b->line[b->n++] = (struct ebb_bill_line){
		.side = side,
		.what = what,
		.class = class,
		.figure = figure,
		.quantity = quantity,
		.over = over,
		.before = -1,
		.amount = ebb_price_flat(figure, quantity, over),
	};
}

void ebb_bill_tiers(struct ebb_bill_line *l, __int128 before)
{
	l->before = before;
	l->amount = ebb_price_marginal(l->figure, before, l->quantity / l->over);
}

__int128 ebb_bill_sum(const struct ebb_bill *b, enum ebb_bill_side side)
{
	__int128 sum = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->line[i].side == side)
			sum += b->line[i].amount;
	return sum;
}

const struct ebb_bill_line *ebb_bill_doubtful(const struct ebb_bill *b)
{
	const struct ebb_bill_line *worst = NULL;

	for (size_t i = 0; i < b->n; i++)
		if (b->line[i].amount &&
		    (!worst || b->line[i].figure->confidence > worst->figure->confidence))
			worst = &b->line[i];
	return worst;
}

int ebb_bill_money(__int128 amount, const char *currency, struct ebb_money *ret,
		   struct ebb_err *err)
{
	int64_t nano;
	int r = ebb_decimal_ratio(amount, NANO_DIGITS - EBB_PRICE_DIGITS, 1, &nano, NULL);

	if (r < 0)
		return ebb_err_set(err, EBB_ERANGE, "an amount of %s does not fit", currency);
	return ebb_money_charge(nano, ebb_decimal_of(1), EBB_MONEY_UNIT, currency, ret, err);
}

bool ebb_bill_break_even(const struct ebb_bill *b, int64_t *ret)
{
	__int128 once = ebb_bill_sum(b, EBB_BILL_ONCE), months;
	__int128 saving = ebb_bill_sum(b, EBB_BILL_BEFORE) - ebb_bill_sum(b, EBB_BILL_AFTER);

	if (saving < 0 || (saving == 0 && once > 0))
		return false;
	if (once <= 0) {
		*ret = 0;
		return true;
	}
	if (__builtin_mul_overflow(once, 1000000, &months))
		return false;
	months = months / saving + (months % saving != 0);
	if (months > INT64_MAX)
		return false;
	*ret = (int64_t)months;
	return true;
}

const char *ebb_bill_text(__int128 amount, char out[EBB_DECIMAL_TEXT])
{
	struct ebb_decimal d = {.mant = amount, .scale = EBB_PRICE_DIGITS};

	for (; d.scale > 0 && d.mant % 10 == 0; d.scale--)
		d.mant /= 10;
	return ebb_decimal_format(d, out);
}
