/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Totals are the sums of the rows, in whatever order and grouping; text parses back; the human form
 * never hides an amount; what costs more never gets cheaper by rounding.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/money.h"
#include "tests/support/seed.h"

#define ROUNDS 20000
#define ROWS 50

static struct ebb_money usd(int64_t nano)
{
	return (struct ebb_money){.nano = nano, .currency = "USD"};
}

static void add(struct ebb_money *sum, struct ebb_money m)
{
	struct ebb_err err = {0};

	EBB_SEED_CHECK(!ebb_money_add(*sum, m, sum, &err), "%s", err.msg);
}

static void sums(struct ebb_prng *r)
{
	struct ebb_money rows[ROWS], forward = {0}, backward = {0}, left = {0}, right = {0};
	int64_t plain = 0;

	for (int i = 0; i < ROWS; i++) {
		rows[i] = usd(ebb_prng_int64(r) / ROWS);
		plain += rows[i].nano;
		add(&forward, rows[i]);
		add(i < ROWS / 3 ? &left : &right, rows[i]);
	}
	for (int i = ROWS; i > 0; i--)
		add(&backward, rows[i - 1]);
	add(&left, right);
	EBB_SEED_CHECK(forward.nano == plain && backward.nano == plain && left.nano == plain,
		       "%" PRId64, plain);
	for (int i = 0; i < ROWS; i++)
		EBB_SEED_CHECK(!ebb_money_sub(forward, rows[i], &forward, NULL), "row %d", i);
	EBB_SEED_CHECK(!forward.nano, "%" PRId64, forward.nano);
}

static void text(int64_t nano)
{
	char out[EBB_MONEY_TEXT];
	struct ebb_money back;

	ebb_money_format(usd(nano), out);
	EBB_SEED_CHECK(!ebb_money_parse(out, &back, NULL) && back.nano == nano, "%s", out);
	ebb_money_nano(usd(nano), out);
	EBB_SEED_CHECK(!ebb_money_parse(out, &back, NULL) && back.nano == nano, "%s", out);
	ebb_money_human(usd(nano), out);
	EBB_SEED_CHECK(!nano == !strpbrk(out, "123456789"), "%" PRId64 " became %s", nano, out);
}

static struct ebb_money charge(__int128 quantity, struct ebb_decimal price, int64_t divisor)
{
	struct ebb_money m;
	struct ebb_err err = {0};

	EBB_SEED_CHECK(!ebb_money_charge(quantity, price, divisor, "USD", &m, &err), "%s", err.msg);
	return m;
}

/* Against division in 128 bits, which is exact for these sizes. */
static void charges(struct ebb_prng *r)
{
	int64_t quantity = (int64_t)ebb_prng_below(r, UINT64_C(1) << ebb_prng_below(r, 51));
	int64_t divisor = 1 + (int64_t)ebb_prng_below(r, UINT64_C(1) << 31);
	struct ebb_decimal price = {.mant = 1 + (int64_t)ebb_prng_below(r, 9) +
					    10 * (int64_t)ebb_prng_below(r, 1000), .scale = 7};
	if (price.mant % 10 == 0)
		price.mant++;
	int64_t nano = charge(quantity, price, divisor).nano;
	__int128 twice = (__int128)quantity * price.mant * 100 * 2 - (__int128)nano * divisor * 2;

	EBB_SEED_CHECK(twice <= divisor && twice >= -(__int128)divisor, "%" PRId64 " / %" PRId64,
		       quantity, divisor);
	EBB_SEED_CHECK((twice != divisor && twice != -(__int128)divisor) || nano % 2 == 0,
		       "tie: %" PRId64 " / %" PRId64, quantity, divisor);
	EBB_SEED_CHECK(charge(quantity + 1, price, divisor).nano >= nano, "%" PRId64, quantity);
	EBB_SEED_CHECK(charge(-(__int128)quantity, price, divisor).nano == -nano, "%" PRId64,
		quantity);
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();

	for (int i = 0; i < ROUNDS; i++) {
		sums(&r);
		text(ebb_prng_int64(&r));
		charges(&r);
	}
	return 0;
}
