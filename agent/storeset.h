/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stores of a run, opened by name as the configuration declares them, and checked to be the ones that a plan saw.
 *
 * Threads: get opens stores and belongs to the main thread; find may be called from any thread once all are open.
 */
#ifndef EBB_AGENT_STORESET_H
#define EBB_AGENT_STORESET_H

#include "agent/config.h"
#include "agent/planhead.h"
#include "core/mem.h"
#include "scanners/store.h"

struct ebb_storeset;

/* @config  borrowed; NULL: stores come in with ebb_storeset_add alone (tests). NULL when memory is short. */
struct ebb_storeset *ebb_storeset_new(const struct ebb_config *config);

/* Close every store of the set. */
void ebb_storeset_free(struct ebb_storeset *set);
EBB_CLEANUP_PTR(struct ebb_storeset, ebb_storeset_free);

/* Put in a store under its name; the set closes it. Returns 0 or -EBB_ENOMEM (then the caller keeps it). */
int ebb_storeset_add(struct ebb_storeset *set, struct ebb_store *s, struct ebb_err *err);

/* The store of that name, opened when it is not yet. -EBB_ECONFIG: not declared; -EBB_ESTORE. */
int ebb_storeset_get(struct ebb_storeset *set, const char *name, struct ebb_store **ret,
		     struct ebb_err *err);

/* The same among those that are open; NULL when it is not. */
struct ebb_store *ebb_storeset_find(const struct ebb_storeset *set, const char *name);

/* Storage class that the configuration declares for a store, or NULL. Borrowed from the configuration. */
const char *ebb_storeset_class(const struct ebb_storeset *set, const char *name);

/*
 * Open every store of a plan's header and see that it is what stood there when the plan was made.
 *
 * @return  0; -EBB_ESTORE naming store and path: another filesystem or directory stands in its place, or nothing is mounted there.
 */
int ebb_storeset_expect(struct ebb_storeset *set, const struct ebb_planhead *head,
			struct ebb_err *err);

#endif
