/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps for objects that are deleted in their pack: op->key is the pack, op->with_key the object as it was named, `to` its tombstone.
 *
 * Threads: as steps.h.
 */
#ifndef EBB_AGENT_STRIKE_H
#define EBB_AGENT_STRIKE_H

#include "agent/steps.h"

/* Write the tombstone. -EBB_EEXIST when it stands and no earlier attempt may have made it; what the store returns. */
int ebb_strike_write(struct ebb_steps_ctx *c, struct ebb_err *err);

/* On the way back: the proof that op->key is a tombstone, which may go. */
int ebb_strike_proof(struct ebb_steps_ctx *c, struct ebb_err *err);

#endif
