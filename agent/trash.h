/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies in the trash, added up per run and store. The journals say it; the stores are not read.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_TRASH_H
#define EBB_AGENT_TRASH_H

#include "agent/run.h"

struct ebb_trash_sum {
	char run[EBB_RUN_ID_MAX];
	char *store;			/* owned */
	int64_t objects, bytes;
	int64_t expired, expired_bytes;	/* of these, what may go now */
	int64_t first, last;		/* when the first and the last of them may go, ns since the epoch */
};

struct ebb_trash {
	struct ebb_trash_sum *sums;	/* by run, oldest first, then store */
	size_t n;
};

/* Add up every run's trash as of @now. Released with ebb_trash_release in both cases. */
int ebb_trash_read(const char *index, int64_t now, struct ebb_trash *ret, struct ebb_err *err);

/* Add up the runs of each store; run is "" then. */
void ebb_trash_by_store(struct ebb_trash *t);
void ebb_trash_release(struct ebb_trash *t);

#endif
