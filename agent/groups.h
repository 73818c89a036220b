/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups of duplicates: objects of one size and one digest, as the index knows them, across all stores, ranked by what the redundant
 * ones cost.
 *
 * What is redundant is net. Names of one inode are one copy. Files that share their blocks already (reflinks) are one copy, where
 * the filesystem tells (FIEMAP). A copy is worth what is allocated for it, so holes are worth nothing. The copy that costs least to
 * keep is not counted; what the others cost a month is the group's worth.
 *
 * Objects of buckets whose content nobody read are compared by what the store says of it: equal entity tags of equal numbers of
 * parts, which are MD5 sums or sums of such (opaque tags, which also say nothing, are left out). They form groups of their own.
 * Noncurrent versions are kept and paid for like others, so they count.
 *
 * Memory: bounded, whatever the number of objects; groups and members lie in temporary files beside the index.
 *
 * Threads: belongs to one thread.
 */
#ifndef EBB_AGENT_GROUPS_H
#define EBB_AGENT_GROUPS_H

#include "agent/reach.h"
#include "core/place.h"

struct ebb_group {
	int64_t size;			/* bytes of content of each */
	uint8_t digest[EBB_DIGEST_LEN];
	int64_t parts;			/* -1: the digest is ours; otherwise it is an entity tag, 0: of one part */
	uint64_t members;		/* names */
	uint64_t inodes;		/* objects behind them */
	int64_t redundant;		/* bytes allocated to all copies but the one that costs least */
	bool priced;			/* every class has a price */
	int64_t saving;			/* what those bytes cost a month, nano-units */
	int64_t at;			/* of its members; private */
};

struct ebb_group_member {
	uint64_t place;
	int64_t alloc;			/* bytes */
	uint16_t store;			/* in the reach */
	bool linked;			/* the member before it is another name of the same inode */
	bool shared;			/* its blocks are those of a member before it */
};

struct ebb_groups_totals {
	uint64_t groups, members;
	uint64_t copies;		/* redundant objects */
	int64_t redundant;		/* bytes */
	uint64_t unpriced;		/* groups without a price */
	int64_t saving;			/* of the others, nano-units a month */
};

struct ebb_groups;

/*
 * Find them among the objects of @reach that are meant and have digests.
 *
 * @min_size  of the content; 0 means 1.
 * @links     also groups of names of one inode only, which hold nothing redundant.
 * @return    0; -EBB_ECANCELLED; -EBB_EINDEX; -EBB_ENOSPC; -EBB_ENOMEM; -EBB_ERANGE.
 */
int ebb_groups_find(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_reach *reach,
		    int64_t min_size, bool links, struct ebb_groups **ret, struct ebb_err *err);
void ebb_groups_free(struct ebb_groups *g);
EBB_CLEANUP_PTR(struct ebb_groups, ebb_groups_free);

const struct ebb_groups_totals *ebb_groups_totals(const struct ebb_groups *g);

/* The next group, dearest first; those without a price behind, most bytes first. Returns 1, 0 at the end, or a failure of a temporary file. */
int ebb_groups_next(struct ebb_groups *g, struct ebb_group *ret, struct ebb_err *err);

/* Members of the group that next gave last, in the order of stores and keys but names of one inode together. False at the end. */
bool ebb_groups_member(struct ebb_groups *g, struct ebb_group_member *ret);

#endif
