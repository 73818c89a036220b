/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Residency: where the objects of a dataset may lie, and through where their bytes may pass.
 *
 * A dataset may be pinned to jurisdictions (`residency: [AE]`). Then an action may bring its objects only to a store in one of them, and only
 * through a machine in one of them: whatever is not done by the store itself passes through the machine that ebb runs on (the configuration's
 * `jurisdiction:`), which holds parts of it for a while. Unknown is no. The trash and temporaries of an object lie in its own store or in the
 * destination's, so they are where these are.
 *
 * Asked when planning (decide.c) and once more before each operation (agent/apply.c).
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_RESIDENCY_H
#define EBB_POLICIES_RESIDENCY_H

#include "policies/rules.h"

/*
 * May the action be done to that object?
 *
 * @to      destination store, or NULL: it stays in its own.
 * @return  NULL: yes; otherwise why not (constant).
 */
const char *ebb_residency_forbids(const struct ebb_rules *rules, enum ebb_action_id action, const char *key, size_t len, const char *to);

/* Do the bytes of an object pass through this machine? @to as above. */
bool ebb_residency_passes(enum ebb_action_id action, const char *to);

#endif
