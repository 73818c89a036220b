/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A transfer planned from the index: contents added up into groups, an instance from the price books, its plan, and the plan file.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_TRANSFER_MAKE_H
#define EBB_AGENT_TRANSFER_MAKE_H

#include "agent/planfile.h"
#include "agent/transfer_bill.h"
#include "agent/transfer_index.h"
#include "agent/transfer_ratio.h"
#include "agent/transfer_slots.h"

struct ebb_transfer_make {
	struct ebb_app *app;
	struct ebb_snap *snap;
	const struct ebb_target *targets;	/* what is to be transferred */
	size_t ntargets;
	uint64_t dests;			/* stores of the configuration, by bit */
	uint32_t copies;		/* so many destinations are enough for each content; 0: all */
	ebb_xfer_num budget;		/* negative: none */
	int64_t left;			/* ns until the deadline; 0: there is none */
	const char *speed;		/* at which what sleeps is thawed; NULL: the one that costs least */
	int thaw_days;			/* for which thawed copies are kept */
	bool split;			/* each site has a machine of its own */
	bool compress;			/* agents at all sites compress before a link and decompress behind it */
	struct ebb_arena *arena;	/* holds instance and plan */
	/* made: */
	struct ebb_transfer_index *index;	/* freed by the caller */
	struct ebb_transfer_ratio *ratio;	/* with compress; freed by the caller, after the index */
	struct ebb_xfer_sum *sum;	/* freed by the caller */
	const struct ebb_xfer *x;
	struct ebb_xfer_plan plan;
	struct ebb_transfer_slots slots;
	const char *thaw;		/* the speed that was planned; NULL: nothing sleeps */
};

/*
 * Fill the second part. Where something sleeps and no speed is given, each is planned and the cheapest plan taken; no bound is above what any
 * of them leaves open. Ways without a price are noted.
 *
 * @return  as ebb_transfer_index_open, ebb_xfer_book and ebb_xfer_plan; -EBB_ELIMIT: no run may work before the deadline.
 */
int ebb_transfer_make(struct ebb_transfer_make *m, struct ebb_err *err);

/*
 * Write the plan, which is not infeasible, to a file for ebb apply. *ret_n: actions.
 *
 * @only  just the part that reads from these stores, by bit; 0: all of it.
 */
int ebb_transfer_make_file(const struct ebb_transfer_make *m, uint64_t only, const char *path, char ret_id[EBB_PLANFILE_ID_LEN],
			   int64_t *ret_n, struct ebb_err *err);

/* The name of the site of a store, whose agent reads it: its region, else its site, else the store's own name. */
const char *ebb_transfer_make_site(const struct ebb_config_store *s);

#endif
