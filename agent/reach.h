/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All stores that the index holds, open where they are within reach, and which of their objects a command is about.
 *
 * Questions across stores (duplicates) number the stores by their position here.
 *
 * Threads: main thread; the open stores may be used by others.
 */
#ifndef EBB_AGENT_REACH_H
#define EBB_AGENT_REACH_H

#include "agent/app.h"
#include "agent/target.h"
#include "scanners/store.h"

struct ebb_reach_store {
	struct ebb_index_store st;
	const struct ebb_config_store *config;	/* NULL: not declared any more */
	struct ebb_store *store;		/* NULL: out of reach; owned */
	bool whole;				/* every object is meant */
	bool some;				/* at least some are */
};

struct ebb_reach {
	struct ebb_reach_store *v;	/* by name */
	size_t n;
	struct ebb_target *targets;	/* as the arguments say; none: everything */
	size_t ntargets;
};

/*
 * Read the list from the index as it is now. A store whose last scan did not come to its end is left out with a note, since its
 * records cannot be added to; stores that are missing or not what they were are noted and stay closed, and so do
 * object stores, where every read costs.
 *
 * @open    open the stores; otherwise all stay closed.
 * @return  0; as ebb_target_parse for the arguments; -EBB_ENOENT when nothing was scanned yet; -EBB_EINDEX; -EBB_ENOMEM.
 */
int ebb_reach_open(struct ebb_app *app, struct ebb_index *ix, const struct ebb_cli_args *args,
		   bool open, struct ebb_reach *ret, struct ebb_err *err);
void ebb_reach_release(struct ebb_reach *r);

/* Whether an object of store @i is meant. */
bool ebb_reach_wants(const struct ebb_reach *r, size_t i, const char *key, size_t len);

#endif
