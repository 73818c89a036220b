/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the copies of a run made, for the actions of the same plan that go on from there: a hop of a transfer reads what the hop before
 * it has written, whose identity no plan could know.
 *
 * Memory: about 130 bytes a copy. Threads: belongs to one thread.
 */
#ifndef EBB_AGENT_AFTER_H
#define EBB_AGENT_AFTER_H

#include "agent/op.h"

struct ebb_after;

/*
 * What the journal at @path knows of copies that were made.
 *
 * @return  0; -EBB_EJOURNAL; -EBB_ENOMEM.
 */
int ebb_after_load(const char *path, struct ebb_after **ret, struct ebb_err *err);
void ebb_after_free(struct ebb_after *a);

/* Remember what @op, a copy, made. Others are left out. -EBB_ENOMEM. */
int ebb_after_add(struct ebb_after *a, const struct ebb_op *op, const struct ebb_op_result *r, struct ebb_err *err);

/*
 * Let @op, lowered from a row that goes on after action @n, work on what that made: the same bytes must come out. @a may be NULL.
 *
 * @return  0; -EBB_ECHANGED: nothing was made.
 */
int ebb_after_take(struct ebb_after *a, int64_t n, struct ebb_op *op, struct ebb_err *err);

#endif
