/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cost model: what an action costs once, saves per month, frees and moves.
 *
 * Everything that a price book will ever know about an action (requests, minimum durations,
 * retrieval, egress) comes in here, and nowhere else. In this version, for file stores:
 *   saving    storage of the freed bytes in their class, less storage of what the action writes
 *   one-off   nothing: a disk charges nothing for reading and writing
 *   freed     bytes allocated to the object (its size when those are unknown); none for a name of
 *             an inode that has others; for compress what the estimate below leaves over
 *   wire      the object's size when it goes to another store
 * A class without a price makes the action unpriced, never free.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_POLICIES_COST_H
#define EBB_POLICIES_COST_H

#include "core/buf.h"
#include "policies/action.h"
#include "policies/price.h"

/*
 * Share of its size that a file with this key keeps when it is compressed, in thousandths: 350 for
 * text-like extensions, 800 for tensors, 1000 for formats that are compressed already, 600 for the rest. An estimate
 * for planning; what is really saved is counted when it is done.
 */
#define EBB_COST_POINTLESS 1000
int ebb_cost_compressed(const char *key, size_t len);

/*
 * Fill priced, one_off, saving, freed and wire of @a, whose other members are set.
 *
 * @from, @to  classes of the object's and the destination store; NULL: not declared, so unpriced.
 * @why        receives "; ..." with what the numbers do not say by themselves; what does not fit is
 *             left out.
 * @return     0 or -EBB_ERANGE.
 */
int ebb_cost_action(const struct ebb_price_books *prices, const char *from, const char *to,
		    struct ebb_action *a, struct ebb_buf *why, struct ebb_err *err);

#endif
