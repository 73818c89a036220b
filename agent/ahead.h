/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies ahead: what the rules of the configuration would have saved by some days from now, if their plan were made and applied on each of them.
 * The objects of today grow older and meet their rules; nothing is extrapolated. What rules say of reads stays as it is known today, so what
 * nobody reads until then grows idle too.
 *
 * Saving is by month; what would lie in the trash by then saves nothing yet and is told apart. Left out: dedup rules (which copy stays is found by
 * reading digests), how datasets are read (`class: auto` goes by each object), and rules that buckets carry out by themselves.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_AHEAD_H
#define EBB_AGENT_AHEAD_H

#include "agent/app.h"
#include "core/snap.h"

struct ebb_ahead {
	int days;			/* from now */
	int64_t actions;		/* so many objects would have been acted on */
	int64_t once, saving;		/* nano-units: paid once; less a month */
	int64_t waiting;		/* nano-units a month that the trash would still cost */
	int64_t unpriced;		/* of the actions: without a price */
};

/* Days that are simulated: half and all of a month of 28, and today. */
#define EBB_AHEAD_STEPS 3
extern const int ebb_ahead_days[EBB_AHEAD_STEPS];

/* Does any rule act? Without one there is nothing to simulate. */
bool ebb_ahead_wanted(const struct ebb_config *c);

/*
 * Simulate over the scanned stores of the configuration.
 *
 * @ret     EBB_AHEAD_STEPS of them, days rising from 0.
 * @return  0; -EBB_EINDEX; -EBB_ERANGE; -EBB_ENOMEM; -EBB_ECANCELLED.
 */
int ebb_ahead_find(struct ebb_app *app, struct ebb_snap *snap, struct ebb_ahead ret[EBB_AHEAD_STEPS], struct ebb_err *err);

/* Saving a month @days from now, nano-units, on a straight line between the steps. */
double ebb_ahead_at(const struct ebb_ahead steps[EBB_AHEAD_STEPS], int64_t days);

#endif
