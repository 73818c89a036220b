/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A part of a plan as a plan of its own: the rows that are wanted, in their order, under a header whose sums are those of these rows. What the
 * header says of objects that were left alone stays as it was.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_SUBSET_H
#define EBB_AGENT_SUBSET_H

#include "agent/planfile.h"

/* Whether a row is wanted; it may change what the row says of itself (why). */
typedef bool ebb_subset_fn(void *ctx, struct ebb_planrow *row);

/*
 * Write to @path the rows of @plan, which is read from its first row on, that @wanted wants.
 *
 * @return  0; as ebb_planfile_next, ebb_planfile_create, ebb_planfile_put.
 */
int ebb_subset_write(struct ebb_planfile *plan, const char *path, ebb_subset_fn *wanted, void *ctx, struct ebb_err *err);

#endif
