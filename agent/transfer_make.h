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

struct ebb_transfer_make {
	struct ebb_app *app;
	struct ebb_snap *snap;
	const struct ebb_target *targets;	/* what is to be transferred */
	size_t ntargets;
	uint64_t dests;			/* stores of the configuration, by bit */
	ebb_xfer_num budget;		/* negative: none */
	int64_t seconds;		/* in which bytes may travel; 0: no deadline */
	bool compress;			/* agents at all sites compress before a link and decompress behind it */
	struct ebb_arena *arena;	/* holds instance and plan */
	/* made: */
	struct ebb_transfer_index *index;	/* freed by the caller */
	struct ebb_transfer_ratio *ratio;	/* with compress; freed by the caller, after the index */
	struct ebb_xfer_sum *sum;	/* freed by the caller */
	const struct ebb_xfer *x;
	struct ebb_xfer_plan plan;
};

/* Fill the second part. As ebb_transfer_index_open, ebb_xfer_book and ebb_xfer_plan. Ways without a price are noted. */
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
