/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/cost_move.h"

#include <string.h>

#include "policies/cost_requests.h"
#include "policies/cost_retention.h"

#define ONCE INT64_C(1000000)

bool ebb_cost_move_is_transition(const struct ebb_price_class *from,
				 const struct ebb_price_class *to)
{
	const struct ebb_price_figure *a = &from->item[EBB_PRICE_STORAGE];
	const struct ebb_price_figure *b = &to->item[EBB_PRICE_STORAGE];

	return strcmp(from->provider, to->provider) == 0 && strcmp(from->region, to->region) == 0 &&
	       ebb_price_known(&to->item[EBB_PRICE_TRANSITION]) && ebb_price_known(a) &&
	       ebb_price_known(b) &&
	       b->tiers[0].atto * a->per <= a->tiers[0].atto * b->per;
}

void ebb_cost_move(struct ebb_bill *b, const struct ebb_cost_move *m)
{
	bool moved = m->to && !m->egress && !m->rewritten && !m->written &&
		     ebb_cost_move_is_transition(m->from, m->to);
	struct ebb_cost_load in = m->load;

	ebb_cost_retention(b, EBB_BILL_ONCE, m->from, m->load, m->age_ns, moved);
	if (!m->to)
		return;
	if (moved) {
		ebb_cost_requests_transition(b, EBB_BILL_ONCE, m->to, m->load.objects);
		return;
	}
	ebb_cost_retrieval(b, EBB_BILL_ONCE, m->from, m->load, ONCE, m->thaw);
	if (m->egress)
		ebb_bill_add(b, EBB_BILL_ONCE, "egress", m->from, m->egress, m->load.bytes, 1);
	if (m->written)
		in.bytes = m->written;
	ebb_cost_requests_write(b, EBB_BILL_ONCE, m->to, in);
}
