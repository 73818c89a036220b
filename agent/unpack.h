/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps for what comes out of packs: op->key is a pack, op->member says where in it the object lies that `to` is to be.
 *
 * Threads: as steps.h. Memory: as compress/pack_read.h.
 */
#ifndef EBB_AGENT_UNPACK_H
#define EBB_AGENT_UNPACK_H

#include "agent/steps.h"

/* Copy it out, by one range read where it is no larger than a few MiB; with the metadata of the journal. Errors as for a copy. */
int ebb_unpack_copy(struct ebb_steps_ctx *c, struct ebb_err *err);

/* Read back what stands at `to`: its digest must be the journal's, and its metadata. */
int ebb_unpack_verify(struct ebb_steps_ctx *c, struct ebb_err *err);

/* Take away the copy that this attempt made, with the proof that it still stands in the pack. */
int ebb_unpack_remove(struct ebb_steps_ctx *c, struct ebb_err *err);

#endif
