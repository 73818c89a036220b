/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a lifecycle configuration would do with the objects of an index, and what that would cost.
 *
 * Threads: belongs to the main thread.
 */
#ifndef EBB_AGENT_SIMULATE_LIFECYCLE_H
#define EBB_AGENT_SIMULATE_LIFECYCLE_H

#include "agent/app.h"

/*
 * Read the configuration at @path, add up the objects of @store (NULL: of the only store), and print it.
 *
 * @limit   objects that lose money named at most, for people; all with --json.
 * @return  0; -EBB_EUSAGE, -EBB_ECONFIG, -EBB_ESTALE (never scanned), -EBB_EINDEX and its kin, -EBB_ENOMEM.
 */
int ebb_simulate_lifecycle(struct ebb_app *app, const char *path, const char *store, int64_t limit,
			   struct ebb_err *err);

#endif
