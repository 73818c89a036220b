/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What can be said of rules without any object, for `check`.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_POLICIES_RULES_EXPLAIN_H
#define EBB_POLICIES_RULES_EXPLAIN_H

#include "policies/rules.h"

/*
 * Does rule number @rule move objects where the residency of their datasets never lets them lie?
 * Known when the rule asks for a kind, or has a pattern that a dataset covers (its own, or a folder
 * around it), and every dataset that may have an object of the rule forbids the destination.
 *
 * @return  the first such dataset; NULL when there is none, or when it depends on the object.
 */
const struct ebb_rules_dataset *ebb_rules_explain_forbidden(const struct ebb_rules *r, size_t rule);

#endif
