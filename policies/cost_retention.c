/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/cost_retention.h"

#include "core/date.h"

int64_t ebb_cost_retention_days(const struct ebb_price_class *c, int64_t age_ns)
{
	int64_t days = age_ns > 0 ? age_ns / EBB_DATE_DAY_NS : 0;

	return days < c->min_days ? c->min_days - days : 0;
}

void ebb_cost_retention(struct ebb_bill *b, enum ebb_bill_side side,
			const struct ebb_price_class *c, struct ebb_cost_load load, int64_t age_ns,
			bool moved)
{
	int64_t left = moved && c->moves_free_early ? 0 : ebb_cost_retention_days(c, age_ns);

	ebb_bill_add(b, side, "early deletion", c, &c->item[EBB_PRICE_STORAGE],
		     ebb_cost_storage_billed(c, load) * left, EBB_COST_MONTH_DAYS);
}
