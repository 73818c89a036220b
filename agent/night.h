/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One night, as ebb run and ebb agent do it: what was approved, scan, plan, apply within limits, trash, report, alerts. A step that fails is told,
 * and what does not depend on it goes on: a store that cannot be scanned is left out of the plan.
 *
 * The whole holds the run lock. It may be killed anywhere: the next night recovers what was under way and plans anew from what it finds.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_NIGHT_H
#define EBB_AGENT_NIGHT_H

#include "agent/nightlog.h"

/*
 * Do it.
 *
 * @dry     from the index as it is: say what would be done, change nothing, leave no files.
 * @return  the worst step's code, without a message; -EBB_ELOCKED, -EBB_ECONFIG and what else kept it from beginning, with one.
 */
int ebb_night_run(struct ebb_app *app, bool dry, struct ebb_err *err);

/* --- Steps that other nights share (agent/relief.c) --- */

/*
 * Apply the plan at @path, a file in INDEX/pending, if the hours allow it and no limit wants it approved; otherwise it is left to wait, or is
 * dropped. Nothing stands at @path afterwards. Tells the steps.
 *
 * @return  0 whatever came of it; -EBB_ECANCELLED; what kept it from being tried.
 */
int ebb_night_plan_done(struct ebb_nightlog *n, const char *path, struct ebb_err *err);

/*
 * Scan all stores, or the one called @only, and tell each as a step called @step.
 *
 * @ret_names  room for every store of the configuration: those that were scanned, *ret_n of them. NULL: what is done needs no digests either.
 * @return     0, also when stores failed; what stopped all.
 */
int ebb_night_scan(struct ebb_nightlog *n, const char *step, const char *only, const char **ret_names, size_t *ret_n,
		   struct ebb_err *err);

#endif
