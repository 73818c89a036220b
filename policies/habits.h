/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the objects of a dataset stay quiet: the survival of quiet times, for `class: auto` in plans.
 *
 * A quiet time is the days between two days with reads, or from the birth of an object to its first read. Each object of
 * which logs count reads gives up to two: the last that ended, and the one that lasts, which is known to be at least so long
 * (censored). Counting only these two keeps short times, of which more fit before now, from counting more. Days with reads are
 * remembered for EBB_HABITS_DAYS; a longer time that ended is known to be longer and counts as such.
 *
 * From them the product-limit estimate gives how many days of quiet are still to come for an object that has been quiet for
 * some. Where fewer than EBB_HABITS_LEAST times were that long, nothing is said; behind the last day that enough of them reached,
 * those that are still quiet are expected to stay so for as long again.
 *
 * Source: E. L. Kaplan and P. Meier, Nonparametric Estimation from Incomplete Observations, JASA 53 (1958).
 *
 * Pure and deterministic. Threads: belongs to one thread.
 */
#ifndef EBB_POLICIES_HABITS_H
#define EBB_POLICIES_HABITS_H

#include "core/block.h"
#include "policies/rules.h"

/* Longest quiet time that is seen to end, in days: what EBB_F_DAYS holds, less one. */
#define EBB_HABITS_DAYS 63

/* So many quiet times must have lasted as long as the object's, or the dataset says nothing. */
#define EBB_HABITS_LEAST 20

struct ebb_habits;

/* Lives in @arena; borrows @rules. NULL when memory is short. */
struct ebb_habits *ebb_habits_new(struct ebb_arena *arena, const struct ebb_rules *rules, int64_t now);

/* Does any rule ask for them (tier with class: auto)? */
bool ebb_habits_wanted(const struct ebb_rules *rules);

/*
 * Count the objects of a block of @store.
 *
 * @iter    room to work in; overwritten.
 * @return  0, -EBB_ECORRUPT, -EBB_ENOMEM.
 */
int ebb_habits_learn(struct ebb_habits *h, const char *store, const struct ebb_block *b, struct ebb_block_iter *iter,
		     struct ebb_err *err);

/*
 * Days of quiet still expected for an object that has been quiet for @idle days.
 *
 * @most       longest answer.
 * @ret_times  quiet times that lasted as long as that: what the answer rests on.
 * @return     0 to @most; -1: its dataset says nothing.
 */
int32_t ebb_habits_ahead(const struct ebb_habits *h, const char *store, const char *key, size_t len, int32_t idle, int32_t most,
			 int64_t *ret_times);

#endif
