/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Applying: takes a run through its plan, window by window, under limits, until the end or until something stops it.
 *
 * Memory: one window. Threads: main thread; callbacks come on it too.
 */
#ifndef EBB_AGENT_APPLY_H
#define EBB_AGENT_APPLY_H

#include <stdatomic.h>

#include "agent/config_links.h"
#include "agent/inuse.h"
#include "agent/planfile.h"
#include "agent/run.h"
#include "agent/storeset.h"
#include "core/clock.h"

/* Bytes of objects after which a window is full, so that nobody waits long for its end. */
#define EBB_APPLY_WINDOW_BYTES (INT64_C(256) * 1024 * 1024)

struct ebb_apply {
	const char *index;		/* index directory, for the catalogue of packs; NULL: none is kept */
	struct ebb_storeset *stores;	/* open and checked */
	const struct ebb_rules *rules;	/* as they are now: what residency they promise is asked once more (P7); NULL: nothing is pinned */
	struct ebb_inuse *inuse;	/* what is open is left alone; NULL: nobody asks */
	const struct ebb_config_links *links;	/* with windows that copies between stores wait for; NULL: none has one */
	struct ebb_planhead_limits limits;	/* as they are now, not as the plan saw them */
	const struct ebb_clock *clock;
	unsigned jobs;			/* 0: chosen */
	const atomic_bool *cancel;	/* may be NULL */
	/* Told of each action that ended, in order; @r->outcome. May be NULL. */
	void (*ended)(void *ctx, const struct ebb_op *op, const struct ebb_op_result *r);
	void *ctx;
};

struct ebb_apply_done {
	struct ebb_journal_counts session;	/* by this call */
	struct ebb_journal_counts run;		/* by all sessions of the run */
	bool complete;				/* the plan is at its end */
};

/*
 * Check what a plan would do against the limits that must hold before anything is touched: share and number of deletions per store,
 * cost. Reads the plan once; it is back at its first action on return.
 *
 * @return  0; -EBB_ELIMIT naming limit, store and figures; -EBB_ECONFIG for a window that is none.
 */
int ebb_apply_admit(const struct ebb_apply *a, struct ebb_planfile *plan, struct ebb_err *err);

/*
 * Go on with a run, from where it is to the end of its plan. Closes its journal session in every case.
 *
 * @plan     the run's copy of its plan.
 * @journal  open for appending.
 * @return   0 at the end of the plan, also when objects were skipped (*ret says); -EBB_ELIMIT: a limit of the run or the breaker
 *           stopped it; -EBB_ECANCELLED; -EBB_ENOSPC, -EBB_ESTORE, -EBB_EJOURNAL, -EBB_ENOMEM. *ret is set in every case.
 */
int ebb_apply_run(const struct ebb_apply *a, const struct ebb_run *run, struct ebb_planfile *plan,
		  struct ebb_journal *journal, struct ebb_apply_done *ret, struct ebb_err *err);

/*
 * Every action of a plan, lowered, to @fn; what cannot be lowered, and what goes on from another action, is passed over. A negative
 * return stops and is passed on. The plan is back at its first action on return.
 */
typedef int ebb_apply_each_fn(void *ctx, const struct ebb_op *op, struct ebb_err *err);
int ebb_apply_each(const struct ebb_apply *a, struct ebb_planfile *plan, ebb_apply_each_fn *fn, void *ctx,
		   struct ebb_err *err);

/* What would happen to an action now, without touching anything: 0, or why it would be skipped. */
int ebb_apply_look(const struct ebb_apply *a, const struct ebb_planrow *row, struct ebb_err *err);

#endif
