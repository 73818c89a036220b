/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the index tells of how datasets are read (policies/habits.h), for plans with `class: auto`.
 *
 * A store of more than EBB_HABIT_SCAN_OBJECTS objects is sampled by whole blocks at even distances, so that a plan takes
 * hardly longer and the same index gives the same answer.
 */
#ifndef EBB_AGENT_HABIT_SCAN_H
#define EBB_AGENT_HABIT_SCAN_H

#include "core/snap.h"
#include "policies/decide.h"

#define EBB_HABIT_SCAN_OBJECTS (INT64_C(1) << 20)

/*
 * Have @d know the habits of the datasets in @stores; does nothing where no rule asks for them.
 *
 * @arena   holds what is learned; must outlive @d.
 * @return  0, -EBB_ENOMEM, -EBB_ECORRUPT, -EBB_EINDEX.
 */
int ebb_habit_scan_tell(struct ebb_arena *arena, struct ebb_snap *snap, const struct ebb_index_store *stores, size_t n,
			const struct ebb_rules *rules, int64_t now, struct ebb_decide *d, struct ebb_err *err);

#endif
