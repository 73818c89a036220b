/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a transfer plan over groups to the actions of a plan file: for each content the hops of its group, then copies within the
 * destinations to the further keys that it has there.
 *
 * Contents are taken some hundred at a time, and of those first all that start at replicas, then what goes on from there, so that a
 * window is not cut short by what waits for it. At a relay a content lies under EBB_TRANSFER_ROWS_RELAY and its key.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_TRANSFER_ROWS_H
#define EBB_AGENT_TRANSFER_ROWS_H

#include "agent/planfile.h"
#include "agent/transfer_bill.h"
#include "agent/transfer_index.h"

#define EBB_TRANSFER_ROWS_RELAY ".ebb-transfer/"
#define EBB_TRANSFER_ROWS_CODED EBB_TRANSFER_ROWS_RELAY ".zst/"	/* compressed */

struct ebb_transfer_rows {
	struct ebb_app *app;
	struct ebb_transfer_index *index;
	const struct ebb_xfer *x;
	const struct ebb_xfer_plan *plan;	/* not infeasible */
	const struct ebb_xfer_sum_row *rows;	/* of the groups of @x, sorted as ebb_xfer_sum_rows does */
	size_t nrows;
	const struct ebb_transfer_bill *bill;
	uint64_t only;			/* just actions that read from these sites, by bit; 0: all of them, in one plan */
};

/*
 * Put all actions into @out, and what they add up to into *ret; *ret_used has a bit for each store that an action names.
 *
 * @return  0; as ebb_transfer_index_each and ebb_planfile_put.
 */
int ebb_transfer_rows(const struct ebb_transfer_rows *t, struct ebb_planfile_writer *out, struct ebb_planhead_sum *ret,
		      uint64_t *ret_used, struct ebb_err *err);

/* The group of a content: number of the row, or -1 when it needs no bytes from elsewhere. */
int64_t ebb_transfer_rows_group(const struct ebb_xfer_sum_row *rows, size_t n, const struct ebb_transfer_content *c);

#endif
