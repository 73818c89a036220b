/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules as a provider's own lifecycle rules, where they say the same: so that what a provider does
 * by itself, at any scale, runs there.
 *
 * A lifecycle rule knows a prefix, sizes and the age of an object, and moves, or removes for good.
 * It knows no reads, no other conditions, no "or" and "not", no patterns, no datasets, no order of
 * rules, no money and no trash. What cannot be said is refused with the reason, never approximated,
 * but for one thing: a move that pays fees per object gets an explicit smallest size, below which
 * it would not pay back.
 *
 * Rules about what a bucket hides (`versions:`) are carried out nowhere else. Order is nothing to them, but where an earlier rule
 * keeps objects they may take none of their versions.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_NATIVE_H
#define EBB_POLICIES_NATIVE_H

#include "policies/lifecycle.h"
#include "policies/price.h"
#include "policies/rules.h"

/* What begins the ID of rules that came from here. */
#define EBB_NATIVE_ID "ebb: "

/* Room for a reason. */
#define EBB_NATIVE_WHY 256

/*
 * Rule number @i for objects of @store.
 *
 * @ret      everything in it lives in @arena or in the rules.
 * @why      when it cannot be said: the reason.
 * @return   1; 0 with @why; -EBB_ENOMEM.
 */
int ebb_native_rule(const struct ebb_rules *r, size_t i, const struct ebb_rules_store *store,
		    const struct ebb_price_books *prices, struct ebb_arena *arena,
		    struct ebb_lifecycle_rule *ret, char why[EBB_NATIVE_WHY], struct ebb_err *err);

/*
 * The smallest object that pays back within @life_ns what it costs once to move it, in bytes: the
 * filter of a rule. EBB_LIFECYCLE_SMALL where prices are not known; INT64_MAX when none does.
 */
int64_t ebb_native_smallest(const struct ebb_price_class *from, const struct ebb_price_class *to,
			    int64_t life_ns);

#endif
