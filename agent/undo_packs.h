/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packs on the way back: one goes when all that the run put into it stand again. Threads: main thread.
 */
#ifndef EBB_AGENT_UNDO_PACKS_H
#define EBB_AGENT_UNDO_PACKS_H

#include "agent/replay.h"
#include "agent/storeset.h"

/*
 * The operations @ops, which take back some of @seg, have ended: remove each pack of the window whose members have all come back, now or
 * earlier. One that is gone or changed is let be. May be done again, at any time.
 *
 * @return  0; what the store returns.
 */
int ebb_undo_packs(const struct ebb_storeset *stores, const struct ebb_replay *replay,
		   const struct ebb_replay_segment *seg, const struct ebb_executor_op *ops, size_t n,
		   struct ebb_err *err);

#endif
