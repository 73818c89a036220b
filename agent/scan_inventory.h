/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bringing the index up to date with a bucket from a report of S3 Inventory, without a request to it.
 *
 * What the index says of the store becomes what the report says, as of its time. Doubts about losses stop it as they stop a scan (scan.h). What is left
 * out of scans is left out here.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_SCAN_INVENTORY_H
#define EBB_AGENT_SCAN_INVENTORY_H

#include "agent/scan.h"

/* As ebb_scan_store; opts->manifest is the path of manifest.json. -EBB_EUSAGE for a store that is no bucket. */
int ebb_scan_inventory(struct ebb_app *app, struct ebb_index *ix, const struct ebb_config_store *store,
		       const struct ebb_scan_opts *opts, struct ebb_scan_result *ret,
		       struct ebb_err *err);

#endif
