/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Freeing what only replaced or abandoned generations of a store use. For merge.c.
 *
 * Needs no state of its own: whether a block is still in use is asked of the current list, so it can stop anywhere, also by a
 * kill, and go on later.
 */
#ifndef EBB_CORE_MERGE_FREE_H
#define EBB_CORE_MERGE_FREE_H

#include "core/index_db.h"

/*
 * Free every list of @st but the current one and @building (0: none), and the blocks that the current one does not name, in
 * transactions of bounded size. No other transaction of the process is open.
 *
 * @return  0; -EBB_ENOSPC; -EBB_EINDEX.
 */
int ebb_merge_free_dead(struct ebb_index *ix, const struct ebb_index_store *st, uint32_t building,
			struct ebb_err *err);

#endif
