/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packs in plans: objects in them that rules with `packed` delete, and packs that rules pack anew. What is in a pack is asked of the catalogue
 * (packs.h), so no store is read.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_PLAN_PACKS_H
#define EBB_AGENT_PLAN_PACKS_H

#include "agent/app.h"
#include "core/snap.h"
#include "policies/decide.h"

/*
 * Decide about the packs that lie in @st. Without rules about packs nothing is looked at.
 *
 * @ret_missing  packs that are not in the catalogue are added to it.
 * @return       0; as ebb_decide_block; -EBB_ENOMEM.
 */
int ebb_plan_packs(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *st, struct ebb_decide *d,
		   ebb_decide_fn *fn, void *ctx, size_t *ret_missing, struct ebb_err *err);

/*
 * After a scan of @store: packs that are not in the catalogue are read (their ends: one request each, two where they hold many objects), if
 * there are rules about packs. What cannot be read is told, and left.
 *
 * @return  0; -EBB_ECANCELLED; -EBB_ENOMEM; what the index returns.
 */
int ebb_plan_packs_learn(struct ebb_app *app, struct ebb_index *ix, const char *store, struct ebb_err *err);

/* Does the configuration have rules about packs? */
bool ebb_plan_packs_wanted(const struct ebb_rules *rules);

#endif
