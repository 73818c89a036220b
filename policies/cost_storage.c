/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/cost_storage.h"

/* Millionths of a day in a month. */
#define MONTH_MICRO_DAYS (INT64_C(1000000) * EBB_COST_MONTH_DAYS)

__int128 ebb_cost_storage_billed(const struct ebb_price_class *c, struct ebb_cost_load load)
{
	__int128 least = (__int128)load.objects * c->min_bytes;

	return load.bytes > least ? load.bytes : least;
}

static bool is_watched(const struct ebb_price_class *c, struct ebb_cost_load load)
{
	return load.bytes >= (__int128)load.objects * c->monitored_from;
}

static void watch(struct ebb_bill *b, enum ebb_bill_side side, const struct ebb_price_class *c,
		  struct ebb_cost_load load, struct ebb_cost_span span)
{
	const struct ebb_price_figure *f = &c->item[EBB_PRICE_MONITORING];

	if (ebb_price_known(f) && is_watched(c, load))
		ebb_bill_add(b, side, "monitoring", c, f, (__int128)load.objects * span.num,
			     span.den);
}

void ebb_cost_storage(struct ebb_bill *b, enum ebb_bill_side side,
		      const struct ebb_price_class *c, struct ebb_cost_load load,
		      struct ebb_cost_span span)
{
	const struct ebb_price_figure *f = &c->item[EBB_PRICE_STORAGE];
	__int128 overhead = (__int128)load.objects * c->overhead;
	__int128 overhead_standard = (__int128)load.objects * c->overhead_standard;

	ebb_bill_add(b, side, "storage", c, f, ebb_cost_storage_billed(c, load) * span.num,
		     span.den);
	ebb_bill_add(b, side, "overhead", c, f, overhead * span.num, span.den);
	ebb_bill_add(b, side, "overhead", c->standard, &c->standard->item[EBB_PRICE_STORAGE],
		     overhead_standard * span.num, span.den);
	watch(b, side, c, load, span);
}

int ebb_cost_storage_bytes(const struct ebb_price_class *c, int64_t bytes, const char *currency,
			   struct ebb_money *ret, struct ebb_err *err)
{
	int r;

	if (!c)
		return 0;
	r = ebb_bill_money(ebb_price_flat(&c->item[EBB_PRICE_STORAGE], bytes, 1), currency, ret, err);
	return r < 0 ? r : 1;
}

void ebb_cost_storage_settled(struct ebb_bill *b, enum ebb_bill_side side,
			      const struct ebb_price_class *c, struct ebb_cost_load load,
			      int64_t reads)
{
	const struct ebb_price_figure *f = &c->item[EBB_PRICE_STORAGE];
	/* Between two reads, in days: from `at` on it lies in place f. */
	int64_t at = 0;

	if (!c->nsinks || !is_watched(c, load)) {
		ebb_cost_storage(b, side, c, load, EBB_COST_MONTH);
		return;
	}
	for (size_t i = 0; i <= c->nsinks; i++) {
		bool last = i == c->nsinks || c->sink[i].opt_in;
		/* A month of reads * interval is one; so days * reads / month is a share of it. */
		__int128 from = (__int128)at * reads;
		__int128 to = last ? MONTH_MICRO_DAYS : (__int128)c->sink[i].after_days * reads;

		if (to > MONTH_MICRO_DAYS)
			to = MONTH_MICRO_DAYS;
		if (to > from)
			ebb_bill_add(b, side, "storage", c, f, load.bytes * (to - from),
				     MONTH_MICRO_DAYS);
		if (last)
			break;
		at = c->sink[i].after_days;
		f = &c->sink[i].storage;
	}
	watch(b, side, c, load, EBB_COST_MONTH);
}

__int128 ebb_cost_storage_byte_hours(const struct ebb_price_class *c, __int128 byte_hours,
				     int64_t hours, __int128 before)
{
	int64_t month = c->month_hours ? c->month_hours : hours;

	/* The last byte counts whole. */
	return ebb_price_marginal(&c->item[EBB_PRICE_STORAGE], before,
				  byte_hours / month + (byte_hours % month != 0));
}
