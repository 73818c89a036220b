/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The copying half of the steps: from a reader of one store through a codec to a writer of another, holes kept, digest taken on the way.
 *
 * Threads: as steps.h. Memory: what compress/pipe.h says.
 */
#ifndef EBB_AGENT_STREAM_H
#define EBB_AGENT_STREAM_H

#include "agent/steps.h"

/*
 * Copy c->op from its source to its destination, with its metadata, durably. Sets `to` and the digest (of the decoded content) in c->result.
 *
 * @return  0; -EBB_ENOTSUP: encoded it would not be smaller; -EBB_EMISMATCH: the content is not what the journal says;
 *          -EBB_ECHANGED, -EBB_EEXIST, -EBB_ENOSPC, -EBB_ECANCELLED, others of the stores: nothing is left behind.
 */
int ebb_stream_copy(struct ebb_steps_ctx *c, struct ebb_err *err);

/* Read the source only, for the digest of its decoded content. */
int ebb_stream_digest(struct ebb_steps_ctx *c, struct ebb_err *err);

#endif
