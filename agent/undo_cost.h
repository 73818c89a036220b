/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What taking a run back costs, before it is done: reading (restores of archived objects included, at the slowest speed), early deletion of
 * what is left, requests, bytes between places. Prices of today; the time since the run began counts as time in the class. What is paid
 * for bytes that come to where ebb runs is not known and not counted.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_UNDO_COST_H
#define EBB_AGENT_UNDO_COST_H

#include <stdio.h>

#include "agent/undo.h"

#define EBB_UNDO_COST_PARTS 12

struct ebb_undo_cost {
	int64_t objects;	/* that would be taken back */
	int64_t unpriced;	/* of these, without a price */
	struct ebb_money all;	/* currency "" when nothing has a price */
	struct {
		const char *what;	/* "early deletion"; constant */
		__int128 amount;	/* as in bill.h */
	} part[EBB_UNDO_COST_PARTS];
	size_t n;
};

/*
 * Add up what @u wants of @run.
 *
 * @return  0; -EBB_ERANGE; as ebb_undo_each.
 */
int ebb_undo_cost_of(const struct ebb_undo *u, const struct ebb_run *run, const struct ebb_config *c, struct ebb_undo_cost *ret,
		     struct ebb_err *err);

/* "0.12 USD: early deletion 0.1 USD, reading requests 0.02 USD; 3 objects have no price". Writes nothing when all is free. */
void ebb_undo_cost_print(const struct ebb_undo_cost *c, const struct ebb_config *config, FILE *f);

#endif
