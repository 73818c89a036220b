/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps that pack a pack anew: op->key is the pack, `to` the next generation of its line, or nothing when nothing is left.
 *
 * Members go over as the frames that they are. Each is then read back from the new pack in its store, decoded, and compared with its row and,
 * byte for byte, with the old frames. What is missing in the new pack must have a tombstone that is past its time, now.
 *
 * Threads: as steps.h. Memory: 24 MiB, and the indexes of both packs.
 */
#ifndef EBB_AGENT_REPACK_H
#define EBB_AGENT_REPACK_H

#include "agent/steps.h"

/* Write what is left. Errors as for a copy; -EBB_EASLEEP: the pack must be thawed first. */
int ebb_repack_write(struct ebb_steps_ctx *c, struct ebb_err *err);

/* Read back and compare; put the new pack into the class of the old one; the proof that the old one may go. */
int ebb_repack_verify(struct ebb_steps_ctx *c, struct ebb_err *err);

/* Take away tombstones that are past their time and have no object in the line any more. Those that cannot go now stay: they do no harm. */
int ebb_repack_sweep(struct ebb_steps_ctx *c, struct ebb_err *err);

/* Take away the new pack that this attempt made, with the proof that all in it stands in the old one. */
int ebb_repack_remove(struct ebb_steps_ctx *c, struct ebb_err *err);

#endif
