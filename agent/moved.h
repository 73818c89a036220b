/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a run took out of the series that budgets look at: of everything, and of each value that a budget of the configuration is for. An object is
 * taken from where it was counted, what stands of it is counted where it is now; so a move between stores is a fall of one class and a rise of
 * another. What waits in a trash that no scan sees is out of the series, though it is still paid for.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_MOVED_H
#define EBB_AGENT_MOVED_H

#include "agent/config.h"
#include "agent/savings.h"
#include "core/names.h"

struct ebb_moved;

/* For the budgets of @c, which like @names is borrowed. -EBB_ENOMEM. */
int ebb_moved_new(const struct ebb_config *c, const struct ebb_names *names, int64_t now, struct ebb_moved **ret, struct ebb_err *err);
void ebb_moved_free(struct ebb_moved *m);
EBB_CLEANUP_PTR(struct ebb_moved, ebb_moved_free);

/* Of the object at hand, @rec stands in @store and costs @amount (10^-18 a month). @class NULL: its store's. */
void ebb_moved_stands(struct ebb_moved *m, const char *store, const struct ebb_record *rec, const char *class, __int128 amount);

/* The object at hand is done: it was @rec, cost @amount, and what stands of it was told. */
void ebb_moved_done(struct ebb_moved *m, const char *store, const struct ebb_record *rec, const char *class, __int128 amount);

/* The object at hand is not counted: what stands of it is forgotten. */
void ebb_moved_forget(struct ebb_moved *m);

/* Set @ret->moved, rounded to nano-units, in @arena; texts are borrowed from the configuration. -EBB_ERANGE, -EBB_ENOMEM. */
int ebb_moved_give(const struct ebb_moved *m, struct ebb_arena *arena, struct ebb_savings *ret, struct ebb_err *err);

/* Does @s tell of everything and of each budget of @c? */
bool ebb_moved_whole(const struct ebb_savings *s, const struct ebb_config *c);

#endif
