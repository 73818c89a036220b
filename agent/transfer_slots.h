/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time until a deadline, cut into slots for the planner: when runs may work (`limits: window`), when each link may be used and how fast
 * (`links`), what the machine may read (`limits: bandwidth`), and when what sleeps is awake.
 *
 * A new slot begins when other links are open than before, so that what goes on from somewhere does so after it has come there. Time in
 * which nothing may travel belongs to the slot before it. Beyond EBB_TRANSFER_SLOTS_MAX slots the last one takes the rest.
 *
 * Pure but for the time zone of the process. Threads: any.
 */
#ifndef EBB_AGENT_TRANSFER_SLOTS_H
#define EBB_AGENT_TRANSFER_SLOTS_H

#include "agent/config.h"
#include "core/arena.h"
#include "policies/xfer_book.h"

#define EBB_TRANSFER_SLOTS_MAX 64

/* When thawed objects can be read differs by class and speed; so many moments at most. */
#define EBB_TRANSFER_SLOTS_THAWS 16

struct ebb_transfer_slots_ask {
	const struct ebb_config *config;
	int64_t now;			/* ns since the epoch */
	int64_t left;			/* ns until the deadline; 0: there is none */
	int64_t thaws[EBB_TRANSFER_SLOTS_THAWS];	/* hours, above 0, rising */
	size_t nthaws;
};

struct ebb_transfer_slots {
	const struct ebb_xfer_book_slot *v;	/* in the arena; none: one without end */
	size_t n;
	int64_t open;		/* seconds in which a run may work; of a deadline only */
	int64_t bytes;		/* that one machine may read in them; negative: no limit */
	bool merged;		/* there were more slots than it may make */
};

/* Returns 0 or -EBB_ENOMEM. */
int ebb_transfer_slots(const struct ebb_transfer_slots_ask *ask, struct ebb_arena *arena, struct ebb_transfer_slots *ret,
		       struct ebb_err *err);

#endif
