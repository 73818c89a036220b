/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which checkpoints of one family stay. Part of ckpt.h, which says the rules of it.
 *
 * Pure. Threads: one at a time.
 */
#ifndef EBB_POLICIES_CKPT_KEEP_H
#define EBB_POLICIES_CKPT_KEEP_H

#include "policies/ckpt.h"

/*
 * Set `kept` and `doubt` of the checkpoints of one family.
 *
 * @k       by step and path; their state, figure and flags are set.
 * @latest  step at which the trainer would go on, or -1.
 * @best    last component of the path of what the trainer calls best, or NULL.
 */
void ebb_ckpt_keep_family(struct ebb_ckpt *const *k, size_t n, const struct ebb_rules_retain *rule, int64_t now, int64_t latest,
			  const char *best);

/* Where no index file speaks: what has fewer files of weights than more than half of the family is incomplete. Before the above. */
void ebb_ckpt_keep_siblings(struct ebb_ckpt *const *k, size_t n);

#endif
