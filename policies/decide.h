/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deciding and pricing: from a block of records to the actions of a plan, with totals.
 *
 * For every record whose rule changes something, an action is built, priced (cost.h) and put to the
 * gates: it must be possible (hard links, sparse files, residency), its net saving must not be
 * negative, and it must pay back in the time the rule requires. What is refused is counted with its
 * reason, never silently dropped. An action without a price passes, counted as unpriced, unless its
 * rule requires payback: what cannot be shown is not assumed.
 *
 * Pure and deterministic: same blocks in the same order, rules, prices and `now` give the same
 * actions. Threads: one struct ebb_decide belongs to one thread.
 */
#ifndef EBB_POLICIES_DECIDE_H
#define EBB_POLICIES_DECIDE_H

#include "policies/allof.h"
#include "policies/bundle.h"
#include "policies/ckpt.h"
#include "policies/decide_refusal.h"
#include "policies/decide_sum.h"
#include "policies/habits.h"
#include "policies/noncurrent.h"
#include "policies/price.h"
#include "policies/rules.h"
#include "policies/shrink.h"

struct ebb_decide_totals {
	struct ebb_decide_sum all;		/* every action */
	struct ebb_decide_sum *by_rule;		/* ebb_rules_count() rows */
	struct ebb_decide_sum (*refused)[EBB_REFUSE_COUNT];	/* the same rows, by reason */
	struct ebb_decide_sum kept;		/* met a keep rule */
	struct ebb_decide_sum unmatched;	/* met no rule */
	struct ebb_decide_sum older;		/* versions below objects that actions take away: they stay, and `saving`
						 * is what they go on costing a month */
	struct ebb_decide_sum held;		/* met no keep rule and may not be changed:
						 * flagged UNSEEN or CHANGING */
};

struct ebb_decide;

/*
 * @arena           holds the totals and grows only with the number of rules.
 * @rules, @prices  borrowed, must outlive it.
 * @now             ns since the epoch, not negative.
 * @return          0 or -EBB_ENOMEM. Pass *ret to ebb_decide_free before the arena goes.
 */
int ebb_decide_new(struct ebb_arena *arena, const struct ebb_rules *rules,
		   const struct ebb_price_books *prices, int64_t now, struct ebb_decide **ret,
		   struct ebb_err *err);
void ebb_decide_free(struct ebb_decide *d);
EBB_CLEANUP_PTR(struct ebb_decide, ebb_decide_free);

/* Whether the dataset of @key may lie in store @to, as far as jurisdictions go. */
bool ebb_decide_resides(const struct ebb_rules *rules, const char *key, size_t len, const char *to);

/*
 * What dedup rules need to know, and deletes where a dataset keeps copies: which copy of @rec stays when @rec goes. *ret_store and *ret (key included) live until the next call.
 * Asked in the order of decisions.
 *
 * @return  1; 0: none, or @rec itself stays; negative: stops the decision.
 */
typedef int ebb_decide_copy_fn(void *ctx, const char *store, const struct ebb_record *rec,
			       const char **ret_store, const struct ebb_record **ret,
			       struct ebb_err *err);

/* Without it no copy is known. */
void ebb_decide_use_copies(struct ebb_decide *d, ebb_decide_copy_fn *fn, void *ctx);

/* How datasets are read, for rules with `class: auto`; borrowed. Without it each object speaks for itself. */
void ebb_decide_use_habits(struct ebb_decide *d, const struct ebb_habits *habits);

/* What samples say compressing leaves, by rule; borrowed. Without it, and of kinds that it does not know, the extension says. */
void ebb_decide_use_shrink(struct ebb_decide *d, const struct ebb_shrink *s);

/* Is an object known to be encoded already, which no listing tells? */
typedef bool ebb_decide_encoded_fn(void *ctx, const char *store, const struct ebb_record *rec);

/* Without it none is. */
void ebb_decide_use_encoded(struct ebb_decide *d, ebb_decide_encoded_fn *fn, void *ctx);

/* For retain rules: which checkpoints stay. Finished, of the same rules and blocks. Without it they all stay. Borrowed. */
void ebb_decide_use_ckpts(struct ebb_decide *d, const struct ebb_ckpts *c);

/* For rules with all_of. Sealed, of the same rules and blocks. Without it none of them acts. Borrowed. */
void ebb_decide_use_allof(struct ebb_decide *d, const struct ebb_allof *a);

/* Why an action would break something that uses its object, or NULL. Constant while the decider lives. */
typedef const char *ebb_decide_guard_fn(void *ctx, const struct ebb_action *a);

/* Without it nothing is in use. */
void ebb_decide_use_guard(struct ebb_decide *d, ebb_decide_guard_fn *fn, void *ctx);

/* What the bucket of a store does with versions that are no longer current; NULL: nothing is known of it. Lives while the decider does. */
typedef const struct ebb_noncurrent *ebb_decide_versions_fn(void *ctx, const char *store);

/* Without it nothing is known of any. */
void ebb_decide_use_versions(struct ebb_decide *d, ebb_decide_versions_fn *fn, void *ctx);

/*
 * Receives each action in key order, borrowed until it returns. A negative return stops the
 * decision and is passed on.
 */
typedef int ebb_decide_fn(void *ctx, const struct ebb_action *a, struct ebb_err *err);

/*
 * Decide one block of @store and hand its actions to @fn.
 *
 * @return  0, -EBB_ECORRUPT, -EBB_ERANGE (totals), -EBB_ENOMEM or what @fn returned.
 */
int ebb_decide_block(struct ebb_decide *d, const char *store, const struct ebb_block *b,
		     ebb_decide_fn *fn, void *ctx, struct ebb_err *err);

/* A pack, for its members and for itself. Borrowed. */
struct ebb_decide_pack {
	const char *store;		/* where it lies */
	const struct ebb_record *rec;
	int64_t members, live;		/* objects in it, and those that are not struck off for good */
	int64_t coded, garbage;		/* bytes of all of them, and of those that may go now */
};

/*
 * Decide a block of objects that lie in a pack and are not struck off, under the store and key that they had: those that rules with `packed`
 * meet become EBB_ACTION_STRIKE. Struck off is what a rule demands, so no gate of money stands before it.
 *
 * @coded   bytes that each takes in the pack, in the block's order.
 * @return  as ebb_decide_block.
 */
int ebb_decide_members(struct ebb_decide *d, const char *store, const struct ebb_block *b,
		       const struct ebb_decide_pack *pack, const int64_t *coded, ebb_decide_fn *fn, void *ctx,
		       struct ebb_err *err);

/* Decide the pack itself: the first rule that repacks and its share of garbage. Returns as ebb_decide_block. */
int ebb_decide_pack(struct ebb_decide *d, const struct ebb_decide_pack *pack, ebb_decide_fn *fn, void *ctx,
		    struct ebb_err *err);

/*
 * Decide one file that rule number @rule, which changes something, meets: the action that
 * ebb_decide_block would build of it and the gate it stops at. Counts nothing.
 *
 * @ret          priced when the refusal came after pricing; its `why` is the decider's own and lives
 *               until the next call, NULL when there was no pricing.
 * @ret_refusal  EBB_REFUSE_NONE: it would be planned.
 * @return       0 or -EBB_ERANGE.
 */
int ebb_decide_one(struct ebb_decide *d, size_t rule, const char *store,
		   const struct ebb_record *rec, struct ebb_action *ret,
		   enum ebb_decide_refusal *ret_refusal, struct ebb_err *err);

/*
 * Price what would be saved if a file were not there, whatever rules say of it. Counts nothing.
 *
 * @return  0 or -EBB_ERANGE; *ret is priced when its class has a price.
 */
int ebb_decide_price_gone(struct ebb_decide *d, const char *store, const struct ebb_record *rec, struct ebb_action *ret,
			  struct ebb_err *err);

/*
 * What packs would cost and save for the objects that rule number @rule would have moved at a loss.
 *
 * @return  1 with *ret set; 0 when there is nothing to offer; -EBB_ERANGE.
 */
int ebb_decide_offer(const struct ebb_decide *d, size_t rule, struct ebb_bundle *ret,
		     struct ebb_err *err);

/* The sums so far; live as long as @d. */
const struct ebb_decide_totals *ebb_decide_totals(const struct ebb_decide *d);

#endif
