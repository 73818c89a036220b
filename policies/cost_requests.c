/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/cost_requests.h"

static const struct ebb_price_figure *item(const struct ebb_price_class *c, enum ebb_price_item i)
{
	return &c->item[i];
}

void ebb_cost_requests_transition(struct ebb_bill *b, enum ebb_bill_side side,
				  const struct ebb_price_class *c, int64_t objects)
{
	const struct ebb_price_figure *f = item(c, EBB_PRICE_TRANSITION);

	/* Classes that nothing can be moved into in place are entered by writing. */
	if (ebb_price_known(f))
		ebb_bill_add(b, side, "transition requests", c, f, objects, 1);
	else
		ebb_bill_add(b, side, "requests", c, item(c, EBB_PRICE_PUT), objects, 1);
}

/* Parts of all objects, and the requests that begin and end each. */
static __int128 parts_of(struct ebb_cost_load load)
{
	__int128 parts = load.bytes / EBB_COST_PART + load.objects;
	__int128 most = (__int128)load.objects * EBB_COST_PARTS;

	return (parts < most ? parts : most) + load.objects;
}

void ebb_cost_requests_write(struct ebb_bill *b, enum ebb_bill_side side,
			     const struct ebb_price_class *c, struct ebb_cost_load load)
{
	const struct ebb_price_figure *part = item(c, EBB_PRICE_PART);
	const struct ebb_price_figure *put = item(c, EBB_PRICE_PUT);

	ebb_bill_add(b, side, "requests", c, put, load.objects, 1);
	if (load.bytes > (__int128)load.objects * EBB_COST_WHOLE)
		ebb_bill_add(b, side, "requests for parts", c, ebb_price_known(part) ? part : put,
			     parts_of(load), 1);
	if (ebb_price_known(item(c, EBB_PRICE_UPLOAD)))
		ebb_bill_add(b, side, "bytes written", c, item(c, EBB_PRICE_UPLOAD), load.bytes, 1);
}

void ebb_cost_requests_list(struct ebb_bill *b, enum ebb_bill_side side,
			    const struct ebb_price_class *c, int64_t objects)
{
	ebb_bill_add(b, side, "listing requests", c->standard, item(c->standard, EBB_PRICE_PUT),
		     objects / EBB_COST_LISTED + (objects % EBB_COST_LISTED != 0), 1);
}
