/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is an object open right now? Asked before each operation that takes it away from under its name; looks at the machine's processes at most once a second.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_INUSE_H
#define EBB_AGENT_INUSE_H

#include "agent/planrow.h"
#include "scanners/openfiles.h"

struct ebb_inuse {
	struct ebb_openfiles *open;	/* as of the last look; NULL: none yet */
	int64_t looked;			/* monotonic ns */
};

void ebb_inuse_release(struct ebb_inuse *u);

/* 0: not open, or the action leaves name and bytes where they are; -EBB_ENOTSUP naming the process; -EBB_ENOMEM. */
int ebb_inuse_check(struct ebb_inuse *u, const struct ebb_planrow *row, struct ebb_err *err);

#endif
