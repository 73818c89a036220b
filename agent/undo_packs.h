/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packs on the way back: one goes when all that the run put into it stand again. Threads: main thread.
 */
#ifndef EBB_AGENT_UNDO_PACKS_H
#define EBB_AGENT_UNDO_PACKS_H

#include "agent/packs.h"
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

/* The last pack that was followed. Zeroed to begin with; keep one for all operations of a session. */
struct ebb_undo_packs_trail {
	char was[EBB_KEY_MAX + 1];	/* key of the pack, by the journal; "": none yet */
	struct ebb_store *store;
	bool moved;			/* it was packed anew: */
	struct ebb_arena arena;
	struct ebb_packs_pack now;
	struct ebb_pack_index x;
};
void ebb_undo_packs_trail_release(struct ebb_undo_packs_trail *t);

/*
 * @op takes an object back from a pack that may have been packed anew since: then it is made to take it from where it is now.
 *
 * @arena   for its strings.
 * @return  0; -EBB_ENOTSUP: it was deleted from its pack, and is gone for good; what the store returns.
 */
int ebb_undo_packs_follow(struct ebb_undo_packs_trail *t, const struct ebb_storeset *stores, struct ebb_arena *arena,
			  struct ebb_op *op, struct ebb_err *err);

#endif
