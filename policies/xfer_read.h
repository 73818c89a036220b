/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A transfer instance from its document: the format "xfer-plan", version 1. All prices stand in it, nothing is looked up.
 *
 *   format: xfer-plan, version: 1, id, title, currency: USD, size_unit: GB, budget_usd
 *   slots:  [{id, hours}]                     consecutive; absent: one, without end
 *   pools:  [{id, already_gb, tiers: [{upto_gb, usd_per_gb}]}]      the last upto_gb is null
 *   sites:  [{id, provider, jurisdiction, relay, get_usd, put_usd, relay_usd_per_gb, compress_usd_per_gb,
 *             decompress_usd_per_gb}]
 *   links:  [{from, to, usd_per_gb, pool, gb_per_hour}]             price and rate: a number, or a list with one per slot
 *   groups: [{id, gb, objects, replicas: [{site, satisfies, retrieval_usd_per_gb, retrieval_usd_per_object, restore_hours}],
 *             destinations: [{site, copies}], compress_ratio, allowed_jurisdictions, may_split, last_slot,
 *             delete_after: {site, early_delete_usd}}]
 *
 * Numbers are exact decimals, kept to 10^-12 (finer ones are rounded to the nearest, ties to even), never negative. Unknown
 * keys, unknown names, a pair of sites linked twice, a site listed twice in a group: errors with file, line, column and the
 * nearest word. `note` may stand anywhere.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_READ_H
#define EBB_POLICIES_XFER_READ_H

#include "core/arena.h"
#include "core/tree.h"
#include "policies/xfer.h"

/*
 * @doc     borrowed; texts of the result lie in it.
 * @ret     in @arena.
 * @return  0; -EBB_ECONFIG with the place; -EBB_ENOMEM.
 */
int ebb_xfer_read(struct ebb_arena *arena, const struct ebb_tree_node *doc,
		  const struct ebb_xfer **ret, struct ebb_err *err);

#endif
