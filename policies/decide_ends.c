/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/decide_ends.h"

#include <stdint.h>

/* What a class costs in a store. Looked up once: there are few, and millions of objects in them. */
const struct ebb_price_class *ebb_decide_ends_price(struct ebb_decide_ends *e, const struct ebb_rules_store *s, const char *class)
{
	struct ebb_decide_ends_priced *p = &e->priced[((uintptr_t)s / sizeof(*s) + (uintptr_t)class) % EBB_DECIDE_ENDS_PRICED];

	if (p->store != s || p->class != class)
		*p = (struct ebb_decide_ends_priced){s, class, ebb_price_find(e->prices, s->provider, s->region, class)};
	return p->price;
}

const struct ebb_price_class *ebb_decide_ends_class(struct ebb_decide_ends *e, const struct ebb_rules_store *s,
						    const struct ebb_record *r)
{
	return s ? ebb_decide_ends_price(e, s, ebb_rules_class(e->rules, s->name, r)) : NULL;
}

/* What an hour of processor costs beside a store. */
static const struct ebb_price_figure *cpu_of(struct ebb_decide_ends *e, const struct ebb_rules_store *s)
{
	if (e->cpu_store != s) {
		e->cpu_store = s;
		e->cpu = ebb_price_service(e->prices, s->provider, "cpu");
	}
	return e->cpu;
}

int64_t ebb_decide_ends_age(const struct ebb_decide_ends *e, const struct ebb_rules_store *s,
			    const struct ebb_record *r)
{
	bool own = ebb_record_has(r, EBB_F_CLASS) &&
		   (!s->class || r->f[EBB_F_CLASS] != ebb_record_class_code(s->class));

	if (own || !ebb_record_has(r, EBB_F_MTIME) || r->f[EBB_F_MTIME] > e->now)
		return 0;
	return e->now - r->f[EBB_F_MTIME];
}

static const char *provider_of(const struct ebb_rules_store *s)
{
	return s->provider ? s->provider : "";
}

/* A copy that goes and one that stays. */
static void ends_of_copies(struct ebb_decide_ends *e, const struct ebb_rules_store *from,
			   const struct ebb_rules_store *with, const struct ebb_record *copy,
			   struct ebb_cost_ends *ret)
{
	if (!from || !with)
		return;
	ret->with = ebb_decide_ends_class(e, with, copy);
	ret->apart[0] = ebb_price_egress(e->prices, provider_of(from), from->region, provider_of(with), with->region);
	ret->apart[1] = ebb_price_egress(e->prices, provider_of(with), with->region, provider_of(from), from->region);
}

struct ebb_cost_ends ebb_decide_ends_of(struct ebb_decide_ends *e, const struct ebb_action *a)
{
	const struct ebb_rules_store *from = ebb_rules_store(e->rules, a->store);
	const struct ebb_rules_store *to =
		a->to_store ? ebb_rules_store(e->rules, a->to_store) : NULL;
	struct ebb_cost_ends ends = {
		.from = ebb_decide_ends_class(e, from, a->obj),
		.age_ns = from ? ebb_decide_ends_age(e, from, a->obj) : 0,
		.cpu = from ? cpu_of(e, from) : NULL,
		.now = e->now,
		.currency = ebb_price_currency(e->prices),
	};

	if (a->to_class && a->to_store)
		ends.to = to ? ebb_decide_ends_price(e, to, a->to_class) : NULL;
	else if (a->to_class && from)
		ends.to = ebb_decide_ends_price(e, from, a->to_class);
	else
		ends.to = to ? ebb_decide_ends_class(e, to, NULL) : ends.from;
	ends.checked = to && to->checked;
	if (from && to) {
		ends.egress = ebb_price_egress(e->prices, from->provider, from->region,
					       to->provider ? to->provider : "", to->region);
		ends.back = ebb_price_egress(e->prices, to->provider, to->region, provider_of(from), from->region);
	}
	if (a->id == EBB_ACTION_DEDUP && a->with)
		ends_of_copies(e, from, ebb_rules_store(e->rules, a->with_store), a->with, &ends);
	return ends;
}
