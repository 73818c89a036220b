/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/listing.h"

#include "policies/cost_requests.h"

uint64_t ebb_listing_requests(uint64_t objects)
{
	return objects / EBB_COST_LISTED + (objects % EBB_COST_LISTED != 0);
}

int ebb_listing_cost(const struct ebb_config *c, const struct ebb_config_store *cs, uint64_t requests,
		     struct ebb_money *ret, struct ebb_err *err)
{
	struct ebb_bill b;
	int64_t keys;

	if (!cs->open.bucket || !cs->price)
		return 0;
	if (requests > INT64_MAX || __builtin_mul_overflow((int64_t)requests, EBB_COST_LISTED, &keys))
		return ebb_err_set(err, EBB_ERANGE, "store '%s': too many requests to price", cs->open.name);
	ebb_bill_clear(&b);
	ebb_cost_requests_list(&b, EBB_BILL_ONCE, cs->price, keys);
	if (b.missing)
		return 0;
	int r = ebb_bill_money(ebb_bill_sum(&b, EBB_BILL_ONCE), ebb_price_currency(c->prices), ret, err);
	return r < 0 ? r : 1;
}
