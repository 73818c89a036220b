/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stores as the header of a plan names them, so that apply can see that they are the same.
 *
 * Threads: any.
 */
#ifndef EBB_AGENT_PLANSTORE_H
#define EBB_AGENT_PLANSTORE_H

#include "agent/config.h"
#include "agent/planhead.h"
#include "core/index.h"
#include "core/snap.h"

/* As the last scan saw it. Borrows from @st. */
struct ebb_planhead_store ebb_planstore_scanned(const struct ebb_index_store *st);

/*
 * As the index knows it, or when it was never scanned what stands there now.
 *
 * @arena   holds what the result refers to, beside the configuration's name.
 * @return  0; -EBB_ESTORE and what opening returns; -EBB_ENOMEM.
 */
int ebb_planstore_find(struct ebb_snap *snap, const struct ebb_config_store *cs, struct ebb_arena *arena,
		       struct ebb_planhead_store *ret, struct ebb_err *err);

#endif
