/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which copy stays: for every object that a dedup rule, or such a delete rule, meets, another one with the same digest or the
 * same checksum of the store that the plan leaves alone.
 *
 * Of equal objects these stay, in this order: those that no dedup rule meets; those in the class that costs least; those of the rule that
 * stands first; those whose store and key come first. Objects that another rule would change, that are changing, or that could not be
 * seen, neither stay nor count. At least as many stay as the rule says (`copies`), and one goes only if a copy stays that can take
 * its place:
 *   reflink    in the same store, which can share blocks; not sharing them already
 *   hardlink   in the same store, on the same device, of the same owner, group, mode and modification time
 *   delete     of the same owner, where both have one; in a store where the dataset's residency allows it
 *
 * Deletes are asked for as well where a dataset keeps copies (`copies: N` of it): of the objects of that dataset with the same content N
 * stay, in the same order; whatever else happens to them, dedup included. What of its content nothing is known stays.
 *
 * Memory: bounded; at most 64 stayers of a group are looked at. Threads: belongs to one thread.
 */
#ifndef EBB_AGENT_SURVIVORS_H
#define EBB_AGENT_SURVIVORS_H

#include "agent/app.h"
#include "core/snap.h"

struct ebb_survivors;

/*
 * Look through the index.
 *
 * @stores  @n stores that actions are wanted for, in the order in which they will be decided; other stores of the
 *          configuration are looked at for copies that stay.
 * @ret     NULL when no rule is a dedup rule, and no dataset keeps copies.
 * @return  0; -EBB_EINDEX; -EBB_ENOSPC; -EBB_ENOMEM; -EBB_ECANCELLED.
 */
int ebb_survivors_find(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *stores,
		       size_t n, int64_t now, struct ebb_survivors **ret, struct ebb_err *err);
void ebb_survivors_free(struct ebb_survivors *s);
EBB_CLEANUP_PTR(struct ebb_survivors, ebb_survivors_free);

/* ebb_decide_copy_fn; @ctx is the struct above. */
int ebb_survivors_copy(void *ctx, const char *store, const struct ebb_record *rec,
		       const char **ret_store, const struct ebb_record **ret, struct ebb_err *err);

#endif
