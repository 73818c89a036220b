/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/tariff.h"

#include <string.h>

#include "core/err.h"

/* A month is MONTH_NUM/MONTH_DEN days. */
#define MONTH_NUM 487
#define MONTH_DEN 16

#define GIB ((int64_t)1 << 30)

/* Ticks in a nano-unit. */
#define NANO ((ebb_tariff_num)1000 * GIB * MONTH_NUM)

/* --- from price books --- */

/* 10^-18 in 10^-12 */
#define ATTO_PER_PICO 1000000

/* Highest price, 17.59 a GiB or request: with EBB_TARIFF_BYTES, sums of days stay in range. */
#define PICO_MAX ((__int128)1 << 44)

/* What so many units cost. */
static int pico(const struct ebb_price_figure *f, int64_t units, int64_t *ret, struct ebb_err *err)
{
	__int128 p = (ebb_price_flat(f, units, 1) + ATTO_PER_PICO / 2) / ATTO_PER_PICO;

	if (p > PICO_MAX)
		return ebb_err_set(err, EBB_ERANGE, "a price is too high to simulate with");
	*ret = (int64_t)p;
	return 0;
}

static int add_sinks(struct ebb_tariff_class *to, const struct ebb_price_class *c,
		     struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->nsinks; i++) {
		if (c->sink[i].opt_in || to->nsinks == EBB_TARIFF_SINKS)
			continue;
		to->sink[to->nsinks].after_days = (int32_t)c->sink[i].after_days;
		r = pico(&c->sink[i].storage, GIB, &to->sink[to->nsinks].storage, err);
		to->nsinks++;
	}
	return r;
}

int ebb_tariff_add(struct ebb_tariff *t, const struct ebb_price_class *c, struct ebb_err *err)
{
	const struct ebb_price_figure *move = &c->item[EBB_PRICE_TRANSITION];
	struct ebb_tariff_class to = {
		.name = c->name,
		.watched_from = c->monitored_from,
		.min_bytes = c->min_bytes,
		.overhead = c->overhead,
		.overhead_hot = c->overhead_standard,
		.min_days = (int32_t)c->min_days,
		.offline = c->offline,
	};
	int r;

	if (!ebb_price_known(move))
		move = &c->item[EBB_PRICE_PUT];
	if (t->n == EBB_TARIFF_MAX)
		return ebb_err_set(err, EBB_ECONFIG, "more than %d classes", EBB_TARIFF_MAX);
	if (!ebb_price_known(&c->item[EBB_PRICE_STORAGE]) || !ebb_price_known(move))
		return ebb_err_set(err, EBB_ECONFIG, "class %s has no price for %s in %s", c->name,
				   ebb_price_known(move) ? "storage" : "requests", c->region);
	r = pico(&c->item[EBB_PRICE_STORAGE], GIB, &to.storage, err);
	if (r == 0)
		r = pico(&c->item[EBB_PRICE_RETRIEVAL], GIB, &to.retrieval, err);
	if (r == 0)
		r = pico(&c->item[EBB_PRICE_MONITORING], 1, &to.watch, err);
	if (r == 0)
		r = pico(move, 1, &to.move, err);
	if (r == 0)
		r = add_sinks(&to, c, err);
	if (r == 0)
		t->class[t->n++] = to;
	return r;
}

int ebb_tariff_find(const struct ebb_tariff *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->class[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Bytes that are billed for an object, at the class's own rate. */
static int64_t billed(const struct ebb_tariff_class *c, int64_t size)
{
	return (size < c->min_bytes ? c->min_bytes : size) + c->overhead;
}

static ebb_tariff_num day_at(const struct ebb_tariff *t, const struct ebb_tariff_class *c,
			     int64_t price, int64_t size)
{
	return ((ebb_tariff_num)billed(c, size) * price +
		(ebb_tariff_num)c->overhead_hot * t->class[0].storage) *
	       MONTH_DEN;
}

ebb_tariff_num ebb_tariff_storage(const struct ebb_tariff *t, int class, int64_t size)
{
	const struct ebb_tariff_class *c = &t->class[class];

	return day_at(t, c, c->storage, size);
}

ebb_tariff_num ebb_tariff_retrieval(const struct ebb_tariff *t, int class, int64_t bytes)
{
	return (ebb_tariff_num)bytes * t->class[class].retrieval * MONTH_NUM;
}

ebb_tariff_num ebb_tariff_entry(const struct ebb_tariff *t, int class)
{
	return (ebb_tariff_num)t->class[class].move * GIB * MONTH_NUM;
}

ebb_tariff_num ebb_tariff_leave(const struct ebb_tariff *t, const struct ebb_tariff_place *p,
				int64_t size)
{
	const struct ebb_tariff_class *c = &t->class[p->class];
	ebb_tariff_num cost = ebb_tariff_retrieval(t, p->class, size);

	if (p->days < c->min_days)
		cost += (c->min_days - p->days) * ebb_tariff_storage(t, p->class, size);
	return cost;
}

ebb_tariff_num ebb_tariff_move(const struct ebb_tariff *t, struct ebb_tariff_place *p, int class,
			       int64_t size)
{
	ebb_tariff_num cost;

	if (class == p->class)
		return 0;
	cost = ebb_tariff_leave(t, p, size) + ebb_tariff_entry(t, class);
	*p = (struct ebb_tariff_place){.class = class};
	return cost;
}

ebb_tariff_num ebb_tariff_day(const struct ebb_tariff *t, struct ebb_tariff_place *p, int64_t size,
			      int64_t bytes)
{
	const struct ebb_tariff_class *c = &t->class[p->class];
	ebb_tariff_num cost = bytes > 0 ? ebb_tariff_retrieval(t, p->class, bytes) : 0;
	int64_t price = c->storage;

	if (size >= c->watched_from) {
		for (int i = 0; i < c->nsinks && p->unread >= c->sink[i].after_days; i++)
			price = c->sink[i].storage;
		cost += (ebb_tariff_num)c->watch * GIB * MONTH_DEN;
	}
	p->days++;
	p->unread = bytes < 0 ? p->unread + 1 : 0;
	return cost + day_at(t, c, price, size);
}

int ebb_tariff_money(const struct ebb_tariff *t, ebb_tariff_num ticks, struct ebb_money *ret,
		     struct ebb_err *err)
{
	int64_t nano;
	int r = ebb_decimal_ratio(ticks, 0, NANO, &nano, err);

	if (r < 0)
		return r;
	ret->nano = nano;
	memcpy(ret->currency, t->currency, sizeof(ret->currency));
	return 0;
}
