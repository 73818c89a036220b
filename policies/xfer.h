/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transfer planning: what is to be delivered where, and a plan that does it. Plain structs that the reader fills
 * (policies/xfer_read.h), the planner solves (policies/xfer_plan.h) and the verifier recomputes (policies/xfer_check.h).
 *
 * Units. Volumes are 10^-12 GB (a GB is 10^9 bytes), prices 10^-12 USD per GB or per request, hours 10^-12 h. So a product
 * of two of them is 10^-24 USD, the unit of every cost: nothing is rounded between the document and the total.
 *
 * The model. Of a group, the destinations without a satisfying replica need bytes. A plan reads replicas and makes hops; a
 * site gets a group at most once (it reads its own replica, or has one incoming hop). A hop may end at a destination of the
 * group or at a relay, and may start wherever the group is. Compressed and original form are converted where the site has a
 * price for it, once. A site that needs bytes and has a replica which does not satisfy (an archived one) may be served by
 * reading that and writing it again: a local copy.
 *
 * Lifetime: everything lies in one arena. Threads: constant once filled; may be shared.
 */
#ifndef EBB_POLICIES_XFER_H
#define EBB_POLICIES_XFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EBB_XFER_ONE INT64_C(1000000000000)	/* 1 GB, 1 USD, 1 hour in the units above */
#define EBB_XFER_NEVER INT64_C(-1)		/* a price of what cannot be done */
#define EBB_XFER_NONE UINT32_MAX		/* no pool, no site */
#define EBB_XFER_CHOICES 10		/* most destinations to choose from */
#define EBB_XFER_POOLS 256			/* most pools of an instance */
#define EBB_XFER_TEXT 64			/* room for any cost as text, with NUL */

/* Volumes, and costs in 10^-24 USD. */
typedef __int128 ebb_xfer_num;

/* What no cost of an accepted instance reaches; also the volume "no limit". */
#define EBB_XFER_MAX ((ebb_xfer_num)1 << 124)

/* 0.005 USD: what a budget may be passed by, so that rounded budgets work. */
#define EBB_XFER_TOLERANCE ((ebb_xfer_num)EBB_XFER_ONE * (EBB_XFER_ONE / 200))

struct ebb_xfer_site {
	const char *id, *provider, *jurisdiction;	/* the latter two "" when not given */
	bool relay;			/* may hold what is not for it */
	int64_t get, put;		/* per object */
	int64_t relay_fee;		/* per GB that comes in and is not for it */
	int64_t compress, decompress;	/* per GB of original size, or EBB_XFER_NEVER */
};

/* Graduated: each GB costs the rate of the tier it falls into. */
struct ebb_xfer_tier {
	ebb_xfer_num upto;		/* EBB_XFER_MAX for the last */
	int64_t price;
};

struct ebb_xfer_pool {
	const char *id;
	ebb_xfer_num already;		/* used before, in the same billing period */
	const struct ebb_xfer_tier *tiers;
	size_t n_tiers;
	const char *note;		/* the condition of its prices; NULL or "": none */
};

struct ebb_xfer_link {
	uint32_t from, to;		/* sites */
	uint32_t pool;			/* or EBB_XFER_NONE */
	const int64_t *price;		/* per slot */
	const ebb_xfer_num *capacity;	/* per slot: volume, EBB_XFER_MAX for no limit */
	const char *note;		/* the condition of its prices, as a waiver's; NULL or "": none */
};

struct ebb_xfer_replica {
	uint32_t site;
	bool satisfies;			/* a destination that has it needs no bytes */
	int64_t per_gb, per_object;	/* retrieval */
	int64_t restore;		/* hours before it can be read */
};

struct ebb_xfer_dest {
	uint32_t site;
	int64_t copies;			/* at least 1 */
};

struct ebb_xfer_group {
	const char *id;
	ebb_xfer_num gb;		/* original */
	ebb_xfer_num packed;		/* compressed; negative: must travel as it is */
	ebb_xfer_num objects;		/* how many, in 10^-12, so that they multiply like volumes */
	const struct ebb_xfer_replica *replicas;
	const struct ebb_xfer_dest *dests;
	size_t n_replicas, n_dests;
	const bool *allowed;		/* per site; NULL: anywhere */
	uint32_t choose;		/* so many of the destinations that need bytes get them, whichever is cheapest, at most
					 * EBB_XFER_CHOICES of them; those that lie outside are no choice; one whose replica is read is served. 0: all */
	bool may_split;
	uint32_t last_slot;		/* inclusive */
	ebb_xfer_num fixed;		/* early deletion: added as it is */
};

struct ebb_xfer_slot {
	const char *id;
	int64_t hours;
};

struct ebb_xfer {
	const char *id, *title;
	const struct ebb_xfer_slot *slots;	/* at least one; one of EBB_XFER_MAX hours when @timed is false */
	const struct ebb_xfer_site *sites;
	const struct ebb_xfer_pool *pools;
	const struct ebb_xfer_link *links;	/* a pair at most once */
	const struct ebb_xfer_group *groups;
	size_t n_slots, n_sites, n_pools, n_links, n_groups;
	bool timed;			/* the document has slots */
	bool has_budget;
	ebb_xfer_num budget;		/* a cost */
};

struct ebb_xfer_hop {
	uint32_t link;
	bool packed;			/* travels compressed */
	const ebb_xfer_num *sent;	/* wire volume per slot; NULL: all in the first slot */
};

/* What is done with one group. */
struct ebb_xfer_tree {
	const struct ebb_xfer_hop *hops;	/* a sender's incoming hop stands before its outgoing ones */
	const uint32_t *reads;		/* sites whose replica is read */
	const uint32_t *copies;		/* sites served by a local copy; they are among @reads */
	size_t n_hops, n_reads, n_copies;
	ebb_xfer_num gb;		/* of a group that is split: the volume that goes this way; 0: all of it */
	const struct ebb_xfer_tree *next;	/* its other parts; NULL: none */
};

/* --- What both sides of the house need: look-ups and words, no costs --- */

/* The replica of @g at @site, the destination of @g that @site is; NULL when it has none, is none. */
const struct ebb_xfer_replica *ebb_xfer_replica_at(const struct ebb_xfer_group *g, uint32_t site);
const struct ebb_xfer_dest *ebb_xfer_dest_at(const struct ebb_xfer_group *g, uint32_t site);

/* Is @site a destination of @g that still needs bytes? */
bool ebb_xfer_needs(const struct ebb_xfer_group *g, uint32_t site);

/* How many of the destinations that need bytes must get them. */
size_t ebb_xfer_wanted(const struct ebb_xfer_group *g);

/* The first slot that begins when some replica of @g can be read; n_slots when there is none. */
uint32_t ebb_xfer_first_slot(const struct ebb_xfer *x, const struct ebb_xfer_group *g);

/* @v * @a / @b, rounded down. All at least 0, @b above, @a at most @b. */
ebb_xfer_num ebb_xfer_scale(ebb_xfer_num v, ebb_xfer_num a, ebb_xfer_num b);

/* What goes the way of @t, as a group of its own: volumes and objects in proportion, without early deletion. */
struct ebb_xfer_group ebb_xfer_part(const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t);

/* The first slot that begins when a replica that takes @restore hours can be read; n_slots: none does. */
uint32_t ebb_xfer_restored(const struct ebb_xfer *x, int64_t restore);

/* Charge of a pool for @volume more. */
ebb_xfer_num ebb_xfer_pool_charge(const struct ebb_xfer_pool *p, ebb_xfer_num volume);

/* A cost in USD, a volume in GB: exact, without superfluous zeros: "316.30604". Both return @out. */
const char *ebb_xfer_cost_text(ebb_xfer_num cost, char out[EBB_XFER_TEXT]);
const char *ebb_xfer_gb_text(ebb_xfer_num volume, char out[EBB_XFER_TEXT]);

#endif
