/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes over each link between two stores: what a plan of copies says, and what a run of it has sent so far, in all its sessions.
 * Bytes count where they are read; those of an attempt that was killed are not known.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_SENT_H
#define EBB_AGENT_SENT_H

#include <stdio.h>

#include "agent/planfile.h"

struct ebb_sent_row {
	const char *from, *to;		/* stores */
	int64_t planned, sent;		/* bytes */
};

struct ebb_sent {
	struct ebb_arena arena;
	struct ebb_sent_row *v;	/* in the order of the plan */
	size_t n;
};

/*
 * Add up plan and journal.
 *
 * @plan     is back at its first action on return.
 * @journal  path; NULL: nothing was sent yet.
 * @ret      to be released in both cases.
 * @return   0; -EBB_ESTALE, -EBB_EJOURNAL, -EBB_ENOMEM.
 */
int ebb_sent_read(struct ebb_planfile *plan, const char *journal, struct ebb_sent *ret, struct ebb_err *err);
void ebb_sent_release(struct ebb_sent *l);

/* A line a link, or one JSON object: from, to, planned_bytes, sent_bytes. Returns 0, -EBB_EIO, -EBB_ENOMEM. */
int ebb_sent_print(const struct ebb_sent *l, FILE *out, bool json, struct ebb_err *err);

#endif
