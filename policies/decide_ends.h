/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What holds at the ends of an action, from rules and price books: the classes and prices where the object lies and where it goes, how long
 * it has been there, egress between them. Pure. Threads: one at a time.
 */
#ifndef EBB_POLICIES_DECIDE_ENDS_H
#define EBB_POLICIES_DECIDE_ENDS_H

#include "policies/action.h"
#include "policies/cost.h"
#include "policies/price.h"
#include "policies/rules.h"

/* Classes that are remembered; there are few, and millions of objects in them. */
#define EBB_DECIDE_ENDS_PRICED 16

/* A class of a store that was looked up, by the address of its name. */
struct ebb_decide_ends_priced {
	const struct ebb_rules_store *store;
	const char *class;
	const struct ebb_price_class *price;
};

/* Set the first three, the rest zero. All borrowed. */
struct ebb_decide_ends {
	const struct ebb_rules *rules;
	const struct ebb_price_books *prices;
	int64_t now;			/* ns since the epoch */
	struct ebb_decide_ends_priced priced[EBB_DECIDE_ENDS_PRICED];
	const struct ebb_rules_store *cpu_store;
	const struct ebb_price_figure *cpu;	/* of cpu_store */
};

/* What a class costs in a store; NULL: nobody knows. */
const struct ebb_price_class *ebb_decide_ends_price(struct ebb_decide_ends *e, const struct ebb_rules_store *s, const char *class);

/* What the class of an object (@r NULL: of what comes into the store) costs there; NULL: nobody knows, or @s is NULL. */
const struct ebb_price_class *ebb_decide_ends_class(struct ebb_decide_ends *e, const struct ebb_rules_store *s, const struct ebb_record *r);

/*
 * How long the object has been in its class, ns. Those in the class that their store declares were written into it; when others came is
 * not known, and the dearest is assumed: 0.
 */
int64_t ebb_decide_ends_age(const struct ebb_decide_ends *e, const struct ebb_rules_store *s, const struct ebb_record *r);

/* Both ends of @a, for the cost model. */
struct ebb_cost_ends ebb_decide_ends_of(struct ebb_decide_ends *e, const struct ebb_action *a);

#endif
