/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/cost_retrieval.h"

#define MILLION INT64_C(1000000)

void ebb_cost_retrieval_part(struct ebb_bill *b, enum ebb_bill_side side,
			     const struct ebb_price_class *c, __int128 requests, __int128 bytes,
			     int64_t over)
{
	ebb_bill_add(b, side, "reading requests", c, &c->item[EBB_PRICE_GET], requests, over);
	ebb_bill_add(b, side, "bytes retrieved", c, &c->item[EBB_PRICE_RETRIEVAL], bytes, over);
}

/* The slowest speed on offer that is at least as fast. */
static const struct ebb_price_restore *offered(const struct ebb_price_class *c,
					       enum ebb_price_speed speed)
{
	int i = speed;

	while (i < EBB_PRICE_SPEEDS - 1 && !ebb_price_known(&c->restore[i].retrieval))
		i++;
	return &c->restore[i];
}

void ebb_cost_retrieval_restore(struct ebb_bill *b, enum ebb_bill_side side,
				const struct ebb_price_class *c, struct ebb_cost_load load,
				int64_t reads, struct ebb_cost_thaw thaw)
{
	const struct ebb_price_restore *restore = offered(c, thaw.speed);

	if (!c->offline)
		return;
	ebb_bill_add(b, side, "restore requests", c, &restore->request,
		     (__int128)load.objects * reads, MILLION);
	ebb_bill_add(b, side, "bytes restored", c, &restore->retrieval, load.bytes * reads, MILLION);
	ebb_bill_add(b, side, EBB_COST_COPIES, c->standard,
		     &c->standard->item[EBB_PRICE_STORAGE], load.bytes * reads * thaw.days,
		     MILLION * EBB_COST_MONTH_DAYS);
}

/* When objects sink into the archive: the last place that the owner has to switch on is the deep one, the first the other. */
static int64_t days_awake(const struct ebb_price_class *tiering, bool deep)
{
	int64_t days = 0;

	for (size_t i = 0; i < tiering->nsinks; i++)
		if (tiering->sink[i].opt_in && (deep || !days))
			days = tiering->sink[i].after_days;
	return days;
}

int64_t ebb_cost_retrieval_tiered(struct ebb_bill *b, enum ebb_bill_side side, const struct ebb_price_class *tiering,
				  const struct ebb_price_class *archive, struct ebb_cost_load load, enum ebb_price_speed speed)
{
	const struct ebb_price_restore *expedited = &archive->restore[EBB_PRICE_EXPEDITED];
	int64_t end = days_awake(tiering, !ebb_price_known(&expedited->retrieval)), at = 0;

	if (speed == EBB_PRICE_EXPEDITED) {
		ebb_bill_add(b, side, "restore requests", archive, &expedited->request, (__int128)load.objects, 1);
		ebb_bill_add(b, side, "bytes restored", archive, &expedited->retrieval, load.bytes, 1);
	}
	const struct ebb_price_figure *f = &tiering->item[EBB_PRICE_STORAGE];
	for (size_t i = 0; i <= tiering->nsinks && at < end; i++) {
		const struct ebb_price_sink *next = i < tiering->nsinks ? &tiering->sink[i] : NULL;
		int64_t to = next && next->after_days < end ? next->after_days : end;

		if (next && next->opt_in)
			continue; /* that may be switched off by then: the dearer place before it counts */
		ebb_bill_add(b, side, EBB_COST_TIERS, tiering, f, load.bytes * (to - at), EBB_COST_MONTH_DAYS);
		at = to;
		f = next ? &next->storage : f;
	}
	return end;
}

void ebb_cost_retrieval(struct ebb_bill *b, enum ebb_bill_side side,
			const struct ebb_price_class *c, struct ebb_cost_load load, int64_t reads,
			struct ebb_cost_thaw thaw)
{
	ebb_cost_retrieval_restore(b, side, c, load, reads, thaw);
	if (!c->offline)
		ebb_cost_retrieval_part(b, side, c, (__int128)load.objects * reads,
					load.bytes * reads, MILLION);
	else
		ebb_bill_add(b, side, "reading requests", c, &c->item[EBB_PRICE_GET],
			     (__int128)load.objects * reads, MILLION);
}
