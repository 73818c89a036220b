/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules with `all_of: dataset`: they act on an object only when they meet every file of its dataset in that store, datasets being told apart by the values of their
 * captures. So a dataset is stale only if all of it is.
 *
 * Memory: one entry a dataset. Pure. Threads: one at a time.
 */
#ifndef EBB_POLICIES_ALLOF_H
#define EBB_POLICIES_ALLOF_H

#include "policies/rules.h"

struct ebb_allof;

/* Has any rule `all_of`? */
bool ebb_allof_wanted(const struct ebb_rules *rules);

/* NULL when memory is short. */
struct ebb_allof *ebb_allof_new(const struct ebb_rules *rules, int64_t now);
void ebb_allof_free(struct ebb_allof *a);

/* The next block of @store. 0, -EBB_ECORRUPT, -EBB_ENOMEM. */
int ebb_allof_block(struct ebb_allof *a, const char *store, const struct ebb_block *b, struct ebb_err *err);

/* No more comes. */
void ebb_allof_seal(struct ebb_allof *a);

/* Does rule number @rule meet all files of the dataset that the key is of? False for keys of no dataset. */
bool ebb_allof_holds(const struct ebb_allof *a, size_t rule, const char *store, const char *key, size_t len);

#endif
