/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The copying half of the steps where the stores themselves copy from one to the other: no bytes come here.
 *
 * Threads: as steps.h.
 */
#ifndef EBB_AGENT_TAKE_H
#define EBB_AGENT_TAKE_H

#include "agent/steps.h"

/*
 * Have c->to take c->op's object from c->from, with its metadata. Sets `to` and the bytes that went in c->result, and no digest.
 *
 * @return  0, the copy being proven by its entity tag; -EBB_ENOTSUP: it must be streamed; what the stores return.
 */
int ebb_take_copy(struct ebb_steps_ctx *c, struct ebb_err *err);

#endif
