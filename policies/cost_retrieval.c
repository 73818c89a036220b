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
	ebb_bill_add(b, side, "restored copies", c->standard,
		     &c->standard->item[EBB_PRICE_STORAGE], load.bytes * reads * thaw.days,
		     MILLION * EBB_COST_MONTH_DAYS);
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
