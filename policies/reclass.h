/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Another class in the same store: what `tier` with `class: NAME` or `class: auto` does to an
 * object. Named classes are looked up; `auto` asks auto_pick.h with what the record knows.
 *
 * `auto` never takes a class with fewer copies than the plain one, nor one that must be restored
 * before it is read: such a trade is for a rule to name.
 *
 * Pure. Threads: belongs to one thread.
 */
#ifndef EBB_POLICIES_RECLASS_H
#define EBB_POLICIES_RECLASS_H

#include "core/buf.h"
#include "policies/auto_pick.h"
#include "policies/habits.h"
#include "policies/rules.h"

/* What the rule says where `auto` decides. */
#define EBB_RECLASS_AUTO "auto"

struct ebb_reclass;

/* Lives in @arena; borrows @prices. NULL when memory is short. */
struct ebb_reclass *ebb_reclass_new(struct ebb_arena *arena,
				    const struct ebb_price_books *prices);

/* An object, and what is known for sure (of its reads also what is likely where a rule trusts logs). */
struct ebb_reclass_object {
	const struct ebb_rules_store *store;
	const struct ebb_price_class *from;	/* NULL: no price */
	const struct ebb_record *rec;
	int64_t in_class_ns;	/* time in its class */
	int64_t idle_ns;	/* time without a read */
	int64_t now;
	const struct ebb_habits *habits;	/* of datasets; NULL: not known */
};

enum ebb_reclass_verdict {
	EBB_RECLASS_MOVE,
	EBB_RECLASS_STAY,	/* it costs least where it is */
	EBB_RECLASS_UNKNOWN,	/* nothing is known of its reads */
	EBB_RECLASS_UNPRICED	/* the class it is in, or all others there, have no price */
};

/*
 * Where an object should be.
 *
 * @ret      the class to move to, when that is the verdict.
 * @saving   what is expected to be saved a month, reads and the return included.
 * @return   the verdict, -EBB_ERANGE, or -EBB_ENOMEM.
 */
int ebb_reclass_auto(struct ebb_reclass *c, const struct ebb_reclass_object *o,
		     const struct ebb_price_class **ret, struct ebb_money *saving,
		     struct ebb_err *err);

/* Why the last object should move: "; ..." added to @why. What does not fit is left out. */
void ebb_reclass_why(const struct ebb_reclass *c, struct ebb_buf *why);

#endif
