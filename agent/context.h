/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What decisions must know beside the object at hand: checkpoints and their families, and who else uses what. Made once before a plan, an
 * explanation or a look, from the index and the facts of scans alone.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_CONTEXT_H
#define EBB_AGENT_CONTEXT_H

#include "agent/app.h"
#include "policies/ckpt.h"
#include "policies/decide.h"

struct ebb_context;

/*
 * @sources     stores that are decided about; borrowed until free.
 * @everything  also checkpoints that no retain rule meets.
 * @return      0; -EBB_EINDEX, -EBB_ENOMEM, -EBB_ECANCELLED.
 */
int ebb_context_make(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *sources, size_t n, bool everything,
		     struct ebb_context **ret, struct ebb_err *err);
void ebb_context_free(struct ebb_context *c);
EBB_CLEANUP_PTR(struct ebb_context, ebb_context_free);

/* Tell a decider; it must go before the context does. */
void ebb_context_use(struct ebb_context *c, struct ebb_decide *d);

/* NULL: there is no retain rule, and not everything was asked for. */
const struct ebb_ckpts *ebb_context_ckpts(const struct ebb_context *c);

/* What the bucket of a store does with old versions, by its last scan; NULL: the store is not known here. */
const struct ebb_noncurrent *ebb_context_versions(const struct ebb_context *c, const char *store);

#endif
