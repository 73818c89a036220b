/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Relays that no cheapest tree needs: where another relay is reached at no higher price from everywhere, and leads everywhere at no
 * higher price, it can stand in.
 *
 * Proof. Let relay v be in a cheapest tree, below p, and let u dominate it. Give u to p in v's place, take away the way by which u came
 * otherwise, if it was in the tree, and hang v's children (but u) below u. Every arc that was put in costs no more than one that was
 * taken away, and u has the content no later than v had it. With one form of the content nothing else changes.
 *
 * Lists of prices are full of such relays: regions of one provider on one continent differ by what leaves them, if at all.
 *
 * Pure. Threads: belongs to one thread.
 */
#ifndef EBB_POLICIES_XFER_PRUNE_H
#define EBB_POLICIES_XFER_PRUNE_H

#include "core/mem.h"
#include "policies/xfer.h"

struct ebb_xfer_prune;

/* NULL: no memory. */
struct ebb_xfer_prune *ebb_xfer_prune_new(const struct ebb_xfer *x);
void ebb_xfer_prune_free(struct ebb_xfer_prune *p);
EBB_CLEANUP_PTR(struct ebb_xfer_prune, ebb_xfer_prune_free);

/*
 * For each site a relay that dominates it at these prices, or EBB_XFER_NONE. Of equals the first one dominates. Asked again with the same
 * prices it answers at once.
 *
 * @pool_price, @room_price, @any_time  as in struct ebb_xfer_solve_ask.
 */
const uint32_t *ebb_xfer_prune_ask(struct ebb_xfer_prune *p, const int64_t *pool_price, const int64_t *room_price, bool any_time);

#endif
