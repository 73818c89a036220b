/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What who approves a plan needs to see, collected from its rows: what goes from where to where, what leaves and for how long it can come
 * back, whose it is, and the largest objects by name.
 *
 * Memory: bounded, whatever the number of actions. Threads: main thread only.
 */
#ifndef EBB_AGENT_APPROVAL_H
#define EBB_AGENT_APPROVAL_H

#include "agent/app.h"
#include "agent/planfile.h"
#include "policies/alloc.h"

/* Which actions it is about. */
enum ebb_approval_kind {
	EBB_APPROVAL_ALL,
	EBB_APPROVAL_CLEANUP,	/* what takes away: delete, dedup */
	EBB_APPROVAL_MIGRATION	/* what moves or recodes: tier, archive, copy, compress */
};

/* Is a page of that kind about the action? */
bool ebb_approval_is(enum ebb_approval_kind kind, enum ebb_action_id action);

#define EBB_APPROVAL_FLOWS 64
#define EBB_APPROVAL_TOP 20

/* Actions of one kind between the same places. */
struct ebb_approval_flow {
	enum ebb_action_id action;
	char from[EBB_INDEX_NAME_MAX + 1], to[EBB_INDEX_NAME_MAX + 1];	/* stores */
	char from_class[40], to_class[40];	/* "" when not known, or as it is */
	int64_t objects, bytes, wire, freed, once, saving, unpriced;
};

struct ebb_approval_object {
	char store[EBB_INDEX_NAME_MAX + 1];
	char *key;			/* owned */
	enum ebb_action_id action;
	int64_t size, saving;
	char why[160];
};

struct ebb_approval {
	enum ebb_approval_kind kind;
	int64_t objects, bytes, once, saving, unpriced;	/* of the actions that it is about */
	int64_t others;			/* actions of the plan that it is not about */
	struct ebb_approval_flow flow[EBB_APPROVAL_FLOWS];
	size_t nflows;
	int64_t more;			/* actions beyond those flows */
	int64_t trashed, trashed_bytes, purged, purged_bytes;
	int64_t trash_least, trash_most;	/* ns in the trash; 0: none */
	struct ebb_approval_object top[EBB_APPROVAL_TOP];	/* the largest */
	size_t ntop;
	struct ebb_alloc *alloc;	/* the objects by every dimension, at what they cost now */
	struct ebb_alloc_total total;
};

/*
 * Go through a plan, which stands at its first action before and after. The zeroed @ret is released with ebb_approval_release in both cases.
 *
 * @return  0; -EBB_ESTALE; -EBB_ENOMEM; -EBB_ERANGE; -EBB_ECANCELLED.
 */
int ebb_approval_collect(struct ebb_app *app, struct ebb_planfile *plan, enum ebb_approval_kind kind,
			 struct ebb_approval *ret, struct ebb_err *err);
void ebb_approval_release(struct ebb_approval *a);

#endif
