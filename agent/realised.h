/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Realised savings: what a run really brought, by looking up in the index, after a later scan, every object that the run's journal says was
 * done and not taken back. An object saves what it cost a month, by its size and class before, less what stands of it now: the original when
 * it is still there (in whatever class), its copy, its share of a pack. All at the prices of the configuration.
 *
 *   in the trash      it is still paid for: told apart as waiting, and saves nothing yet
 *   replaced          others wrote it anew, or removed its copy: it would be gone anyway, so it saves nothing; a copy that stands costs
 *   cannot be told    a store was not scanned since, a class has no price, blocks are shared (reflinks)
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_REALISED_H
#define EBB_AGENT_REALISED_H

#include "agent/app.h"
#include "agent/savings.h"

/*
 * Look a run over.
 *
 * @snap    the index; NULL: only what was planned and done is told, all else is unknown.
 * @arena   strings and rows of @ret live there.
 * @return  0; -EBB_EJOURNAL, -EBB_ESTALE (its plan is gone or altered), -EBB_EINDEX, -EBB_ENOMEM, -EBB_ECANCELLED.
 */
int ebb_realised_run(struct ebb_app *app, const struct ebb_run *run, struct ebb_snap *snap, struct ebb_arena *arena,
		     struct ebb_savings *ret, struct ebb_err *err);

/* After a session of @run: append its planned and done figures to the ledger. */
int ebb_realised_record(struct ebb_app *app, const struct ebb_run *run, struct ebb_err *err);

/*
 * After scans of @n stores: measure the runs that touched one of them and are due. Due is what was never measured or not whole, what was worked
 * on since (undo, an emptied trash), and anew every EBB_REALISED_AGAIN days until EBB_REALISED_DAYS after it began. A run that cannot be read
 * is noted and passed over. Returns 0; as ebb_savings_load and ebb_savings_append; -EBB_EINDEX; -EBB_ECANCELLED.
 */
#define EBB_REALISED_AGAIN 7
#define EBB_REALISED_DAYS 62
int ebb_realised_scanned(struct ebb_app *app, struct ebb_index *ix, const char *const *stores, size_t n, struct ebb_err *err);

#endif
