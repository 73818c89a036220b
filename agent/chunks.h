/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What storing equal chunks once would save, over many objects: reads all of them, cuts them by content (compress/cdc.h), and estimates.
 *
 * Memory: about 9 MiB a thread, whatever is read. Threads: main thread; it starts its own.
 */
#ifndef EBB_AGENT_CHUNKS_H
#define EBB_AGENT_CHUNKS_H

#include "agent/reach.h"
#include "compress/cdc.h"

struct ebb_chunks {
	uint64_t files, skipped;	/* read to the end; changed or unreadable */
	struct ebb_cdc_estimate sum;	/* of what was read, also of skipped ones as far as it came */
};

/*
 * @min_size  smaller objects are left out; 0 means 1.
 * @threads   0: chosen.
 * @return    0, also when objects were skipped; -EBB_ECANCELLED; -EBB_EINDEX; -EBB_ENOMEM.
 */
int ebb_chunks_count(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_reach *reach,
		     int64_t min_size, unsigned threads, struct ebb_chunks *ret, struct ebb_err *err);

#endif
