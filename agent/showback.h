/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Showback: what the index holds now, allocated (policies/alloc.h) with the names, labels and prices of the configuration; and the look
 * that each scan leaves in the history.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_SHOWBACK_H
#define EBB_AGENT_SHOWBACK_H

#include "agent/app.h"
#include "agent/cli.h"
#include "core/snap.h"
#include "policies/alloc.h"

struct ebb_showback {
	struct ebb_names *names;
	struct ebb_alloc *alloc;
};

/*
 * Allocate what the arguments name (all stores without any) into the zeroed @ret, released with ebb_showback_release in both cases.
 * Without a configuration nothing is priced and there are no labels.
 */
int ebb_showback_collect(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_cli_args *args,
			 struct ebb_showback *ret, struct ebb_err *err);
void ebb_showback_release(struct ebb_showback *s);

/* After a scan of @store that was published: append what it holds now to the history. */
int ebb_showback_record(struct ebb_app *app, struct ebb_index *ix, const char *store, struct ebb_err *err);

#endif
