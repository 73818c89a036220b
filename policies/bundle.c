/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/bundle.h"

#include "core/err.h"
#include "policies/cost.h"
#include "policies/cost_move.h"
#include "policies/cost_requests.h"

static int amounts(const struct ebb_bill *b, const char *currency, struct ebb_bundle *ret,
		   struct ebb_err *err)
{
	struct ebb_money before = {0}, after = {0};
	int r = ebb_bill_money(ebb_bill_sum(b, EBB_BILL_ONCE), currency, &ret->one_off, err);

	if (r == 0)
		r = ebb_bill_money(ebb_bill_sum(b, EBB_BILL_BEFORE), currency, &before, err);
	if (r == 0)
		r = ebb_bill_money(ebb_bill_sum(b, EBB_BILL_AFTER), currency, &after, err);
	return r < 0 ? r : ebb_money_sub(before, after, &ret->saving, err);
}

int ebb_bundle_price(const struct ebb_price_class *from, const struct ebb_price_class *to,
		     int64_t objects, int64_t bytes, const char *currency, struct ebb_bundle *ret,
		     struct ebb_err *err)
{
	struct ebb_bundle out = {
		.objects = objects,
		.bytes = bytes,
		.packs = bytes / EBB_BUNDLE_PACK + (bytes % EBB_BUNDLE_PACK != 0),
	};
	struct ebb_cost_load small = {objects, bytes}, packed = {out.packs, bytes};
	struct ebb_bill b;
	int r;

	ebb_bill_clear(&b);
	ebb_cost_retrieval(&b, EBB_BILL_ONCE, from, small, 1000000, EBB_COST_THAW);
	ebb_cost_requests_write(&b, EBB_BILL_ONCE, to, packed);
	ebb_cost_proof(&b, to, out.packs, bytes);
	ebb_cost_storage(&b, EBB_BILL_BEFORE, from, small, EBB_COST_MONTH);
	ebb_cost_storage(&b, EBB_BILL_AFTER, to, packed, EBB_COST_MONTH);
	if (b.missing)
		return 0;
	r = amounts(&b, currency, &out, err);
	if (r < 0 || out.saving.nano <= 0)
		return r;
	*ret = out;
	return 1;
}
