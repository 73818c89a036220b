/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cost model: what an action costs once, saves per month, frees and moves.
 *
 * cost_*.h say what each part costs; here they are put together for an action on one object:
 *   saving    a month's storage as it is (with minimum size, overhead, monitoring), less what it
 *             will be
 *   one-off   early deletion of the class left, and for what is rewritten or goes elsewhere
 *             restore, retrieval, egress and requests (cost_move.h)
 *   freed     bytes allocated to the object (its size when those are unknown); none for a name of
 *             an inode that has others; for compress what the estimate below leaves over
 *   wire      the object's size when it goes to another store
 *             and what verifying reads back of the copy: a request, its bytes, and their way from the other store. Nobody
 *             knows beside which store ebb runs, so the bytes pay the way there and the way back: never too little
 * For compress the one-off cost has the processor, too, that encodes and reads back, and the months have the reads that evidence
 * counted, if they go on: fewer bytes come out of the store, and are decoded.
 * Anything without a price makes the action unpriced, never free. Other reads to come are not counted:
 * a rule that names a class has decided about them.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_POLICIES_COST_H
#define EBB_POLICIES_COST_H

#include "core/buf.h"
#include "policies/action.h"
#include "policies/bill.h"
#include "policies/shrink.h"

/*
 * Share of its size that a file with this key keeps when it is compressed, in thousandths: 350 for
 * text-like extensions, 800 for tensors, 1000 for formats that are compressed already, 600 for the rest. An estimate
 * for planning, where no samples were taken (policies/shrink.h); what is really saved is counted when it is done.
 */
#define EBB_COST_POINTLESS 1000
int ebb_cost_compressed(const char *key, size_t len);

/* Where a bucket keeps versions, the trash leaves the object under a delete marker. */
enum ebb_cost_hidden {
	EBB_COST_NOT_HIDDEN,
	EBB_COST_HIDDEN,		/* billed as before until the trash lets it go */
	EBB_COST_HIDDEN_FOR_GOOD	/* and after it: nothing is freed or saved */
};

/* Where an action takes its object from and to. */
struct ebb_cost_ends {
	const struct ebb_price_class *from;	/* class of the object; NULL: not priced */
	const struct ebb_price_class *to;	/* class it goes into, of the same or another store;
						 * NULL: not priced */
	const struct ebb_price_figure *egress;	/* what a byte pays from store to store; NULL: not
						 * priced; looked at when a->to_store is set */
	const struct ebb_price_figure *back;	/* and back, which reading a copy again pays; NULL: not priced */
	bool checked;				/* the other store compares checksums while it is written (struct ebb_rules_store) */
	const struct ebb_price_class *with;	/* of the copy that stays (dedup); NULL: not priced */
	const struct ebb_price_figure *apart[2];	/* dedup, what a byte pays from the object's store
						 * to that of the copy, and back; NULL: not priced */
	const struct ebb_shrink_kind *shrink;	/* compress: what samples say is left; NULL: go by the extension */
	const struct ebb_price_figure *cpu;	/* an hour of one core; NULL: none is charged */
	int64_t now;				/* ns since the epoch, for how often evidence saw it read; 0: not looked at */
	enum ebb_cost_hidden hidden;		/* delete, dedup */
	int64_t age_ns;				/* time in `from` so far; 0 when not known */
	const char *currency;
};

/*
 * What reading back packs of @bytes costs: in pieces, from the plain class, before they go into @to. Lines are added to @b; the way from another
 * store is not among them.
 */
void ebb_cost_proof(struct ebb_bill *b, const struct ebb_price_class *to, int64_t packs, int64_t bytes);

/*
 * Fill priced, one_off, saving, freed and wire of @a, whose other members are set.
 *
 * @bill    receives the lines; cleared first. Its `missing` says what has no price.
 * @why     receives "; ..." with what the numbers do not say by themselves; what does not fit is
 *          left out.
 * @return  0 or -EBB_ERANGE.
 */
int ebb_cost_action(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_bill *bill,
		    struct ebb_buf *why, struct ebb_err *err);

/*
 * What a tombstone costs, and what its object's bytes (a->freed) cost a month, which is saved when the pack is packed anew. As ebb_cost_action.
 *
 * @ends  from: class of the pack; to: the class that is written into.
 */
int ebb_cost_strike(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_bill *bill,
		    struct ebb_buf *why, struct ebb_err *err);

/* What it costs to read a pack, to write what is left of it into the same class, and to let it go; a->freed bytes less are kept then. */
int ebb_cost_repack(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_bill *bill,
		    struct ebb_buf *why, struct ebb_err *err);

/*
 * Add to a priced member what its pack costs beside the members' bytes: requests, and what the class adds to an object or bills at
 * least. For the first member of each pack, so that sums over a plan are exact.
 *
 * @return  0 or -EBB_ERANGE. Where something has no price, @a is unpriced.
 */
int ebb_cost_pack(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_err *err);

#endif
