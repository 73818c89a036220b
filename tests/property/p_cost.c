/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P9
 *
 * The cost model on the books that ship, and on random figures: volume tiers are continuous, costs
 * grow with size, time and reads, and never fall below what a day-by-day meter charges (P9); the
 * same question has the same answer.
 */
#include <math.h>
#include <string.h>

#include "core/date.h"
#include "core/mem.h"
#include "policies/cost_retention.h"
#include "policies/quote.h"
#include "tests/support/meter.h"
#include "tests/support/seed.h"
#include "tests/support/shipped.h"

#define ROUNDS 1000
#define GIB (INT64_C(1) << 30)

static struct ebb_shipped s;
static struct ebb_prng rng;
static int compared;

static int64_t below(int64_t n)
{
	return (int64_t)ebb_prng_below(&rng, (uint64_t)n);
}

/* Any size up to a TiB, small ones as likely as large ones. */
static int64_t any_size(void)
{
	return below((INT64_C(1) << below(41)) + 1);
}

/* A class with a price; the same provider and region as @near when that is given. */
static const struct ebb_price_class *any_class(const struct ebb_price_class *near)
{
	for (;;) {
		const struct ebb_price_class *c =
			ebb_price_get(s.books, (size_t)below((int64_t)ebb_price_count(s.books)));

		if (!ebb_price_find(s.books, c->provider, c->region, c->name) ||
		    !ebb_price_known(&c->item[EBB_PRICE_STORAGE]))
			continue;
		if (!near || (strcmp(c->provider, near->provider) == 0 &&
			      strcmp(c->region, near->region) == 0))
			return c;
	}
}

/* --- Tiers --- */

static void tiers_are_continuous(void)
{
	struct ebb_price_tier tiers[4];
	struct ebb_price_figure f = {.per = below(2) ? GIB : 1000, .step = 1, .tiers = tiers,
				     .ntiers = 1 + (size_t)below(4)};
	__int128 a, b, parts, whole;

	for (size_t i = 0; i < f.ntiers; i++) {
		tiers[i].from = (i ? tiers[i - 1].from + 1 : 0) + below(1000 * f.per);
		tiers[i].atto = below(INT64_C(1000000000000000000));
	}
	a = (__int128)below(4000) * f.per + below(f.per);
	b = (__int128)below(4000) * f.per + below(f.per);
	whole = ebb_price_marginal(&f, 0, a + b);
	parts = ebb_price_marginal(&f, 0, a) + ebb_price_marginal(&f, a, b);
	EBB_SEED_CHECK(whole == parts, "parts of a volume cost something else");
	EBB_SEED_CHECK(ebb_price_marginal(&f, 0, a + 1) >= ebb_price_marginal(&f, 0, a),
		       "more costs less");
	/* One unit more never costs more than the dearest tier's price. */
	__int128 step = ebb_price_marginal(&f, a, 1);
	for (size_t i = 0; i < f.ntiers; i++)
		step = step > tiers[i].atto / f.per + 2 ? step : 0;
	EBB_SEED_CHECK(step == 0, "a jump between tiers");
}

/* --- Growing --- */

static __int128 sum_of(const struct ebb_quote *q, enum ebb_bill_side side)
{
	struct ebb_bill b;

	ebb_quote_bill(q, &b);
	return ebb_bill_sum(&b, side);
}

static struct ebb_quote any_quote(void)
{
	const struct ebb_price_class *from = any_class(NULL);

	return (struct ebb_quote){
		.load = ebb_cost_load(1 + below(1000), any_size()),
		.from = from,
		.to = any_class(from),
		.reads = below(3000000),
		.age_ns = below(200) * EBB_DATE_DAY_NS,
		.stored = -1,
		.rewritten = below(2),
		.thaw = EBB_COST_THAW,
	};
}

static void more_costs_more(void)
{
	struct ebb_quote q = any_quote(), more = q;
	int side = (int)below(EBB_BILL_SIDES);
	__int128 before = sum_of(&q, (enum ebb_bill_side)side), after;

	/* Classes that tier by themselves begin to at a size, and end when they are read. */
	if (q.from->nsinks || q.to->nsinks)
		return;
	switch (below(3)) {
	case 0:
		more.load.bytes += (__int128)more.load.objects * (1 + below(1 << 20));
		break;
	case 1:
		more.reads += 1 + below(1000000);
		break;
	default:
		more.age_ns -= more.age_ns ? 1 : 0;
		break;
	}
	after = sum_of(&more, (enum ebb_bill_side)side);
	EBB_SEED_CHECK(after >= before, "more costs less: %s to %s (%s %s)", q.from->name,
		       q.to->name, q.from->provider, q.from->region);
}

static void time_costs_more(void)
{
	const struct ebb_price_class *c = any_class(NULL);
	struct ebb_cost_load load = ebb_cost_load(1 + below(1000), any_size());
	int64_t days = below(1000);
	struct ebb_bill a, b;

	ebb_bill_clear(&a);
	ebb_bill_clear(&b);
	ebb_cost_storage(&a, EBB_BILL_ONCE, c, load, ebb_cost_days(days));
	ebb_cost_storage(&b, EBB_BILL_ONCE, c, load, ebb_cost_days(days + 1));
	EBB_SEED_CHECK(ebb_bill_sum(&b, EBB_BILL_ONCE) >= ebb_bill_sum(&a, EBB_BILL_ONCE),
		       "a day more costs less");
}

/* Objects priced one by one cost what their histogram by powers of two does. */
static void bins_cost_what_their_objects_do(void)
{
	const struct ebb_price_class *c = any_class(NULL);
	struct ebb_cost_load bins[64] = {0};
	struct ebb_bill one, bulk;
	__int128 each = 0, all = 0;

	for (int i = 0; i < 50; i++) {
		int64_t size = any_size();
		int bin = size ? 64 - __builtin_clzll((unsigned long long)size) : 0;

		bins[bin].objects++;
		bins[bin].bytes += size;
		ebb_bill_clear(&one);
		ebb_cost_storage(&one, EBB_BILL_ONCE, c, ebb_cost_load(1, size), EBB_COST_MONTH);
		each += ebb_bill_sum(&one, EBB_BILL_ONCE);
	}
	for (int i = 0; i < 64; i++) {
		ebb_bill_clear(&bulk);
		ebb_cost_storage(&bulk, EBB_BILL_ONCE, c, bins[i], EBB_COST_MONTH);
		all += ebb_bill_sum(&bulk, EBB_BILL_ONCE);
	}
	/* Every line is rounded by half a unit at most. */
	EBB_SEED_CHECK(each - all <= 250 && all - each <= 250, "bulk costs something else in %s",
		       c->name);
}

/* --- Against the meter --- */

/* One object changes class and lies there for some months, read at even intervals. */
static void estimate_is_not_below_the_meter(void)
{
	struct ebb_quote q = any_quote();
	int64_t months = 1 + below(14), every = 1 + below(45), days = months * every;
	bool moved = !q.rewritten && ebb_cost_move_is_transition(q.from, q.to);
	struct ebb_meter m;
	struct ebb_bill b;
	long double estimate;

	q.load.bytes /= q.load.objects;
	q.load.objects = 1;
	q.reads = below(2) ? 30 * INT64_C(1000000) / every + 1 : 0;
	ebb_quote_bill(&q, &b);
	if (b.missing || q.to == q.from)
		return;
	ebb_meter_start(&m, q.from, (int64_t)q.load.bytes, q.age_ns / EBB_DATE_DAY_NS);
	ebb_meter_change(&m, q.to, moved);
	/* Settled: what is never read again has been idle for long. */
	m.idle = q.reads ? 0 : 10000;
	for (int64_t day = 1; day <= days; day++) {
		ebb_meter_day(&m);
		if (q.reads && day % every == 0)
			ebb_meter_read(&m);
	}
	compared++;
	estimate = ((long double)ebb_bill_sum(&b, EBB_BILL_ONCE) +
		    (long double)ebb_bill_sum(&b, EBB_BILL_AFTER) * (long double)days / 30) /
		   1e18L;
	EBB_SEED_CHECK(estimate >= m.bill * (1 - 1e-12L) - 1e-15L,
		       "%.12Lg estimated, %.12Lg charged: %lld bytes, %s to %s (%s %s), %lld days",
		       estimate, m.bill, (long long)q.load.bytes, q.from->name, q.to->name,
		       q.from->provider, q.from->region, (long long)days);
	EBB_SEED_CHECK(q.reads || estimate <= m.bill * (1 + 1e-9L) + 1e-5L ||
			       q.load.bytes > 5 * GIB,
		       "%.12Lg estimated, only %.12Lg charged", estimate, m.bill);
}

static void deleting_is_not_below_the_meter(void)
{
	struct ebb_quote q = any_quote();
	struct ebb_meter m;
	struct ebb_bill b;

	q.to = NULL;
	q.load = ebb_cost_load(1, (int64_t)(q.load.bytes / q.load.objects));
	ebb_quote_bill(&q, &b);
	ebb_meter_start(&m, q.from, (int64_t)q.load.bytes, q.age_ns / EBB_DATE_DAY_NS);
	ebb_meter_delete(&m);
	long double off = (long double)ebb_bill_sum(&b, EBB_BILL_ONCE) / 1e18L - m.bill;
	EBB_SEED_CHECK(fabsl(off) <= m.bill * 1e-12L + 1e-15L, "off by %Lg", off);
}

static void same_question_same_answer(void)
{
	struct ebb_quote q = any_quote();
	struct ebb_bill a, b;

	memset(&a, 0, sizeof(a));
	memset(&b, 0xff, sizeof(b));
	ebb_quote_bill(&q, &a);
	ebb_quote_bill(&q, &b);
	EBB_SEED_CHECK(a.n == b.n, "other lines");
	for (size_t i = 0; i < a.n; i++)
		EBB_SEED_CHECK(a.line[i].amount == b.line[i].amount &&
				       a.line[i].figure == b.line[i].figure,
			       "another amount");
}

int main(void)
{
	rng = ebb_seed_start();
	ebb_shipped_load(&s);
	for (int i = 0; i < ROUNDS; i++) {
		tiers_are_continuous();
		more_costs_more();
		time_costs_more();
		bins_cost_what_their_objects_do();
		estimate_is_not_below_the_meter();
		deleting_is_not_below_the_meter();
		same_question_same_answer();
	}
	ebb_shipped_release(&s);
	EBB_SEED_CHECK(compared > ROUNDS / 2, "only %d moves were compared", compared);
	return 0;
}
