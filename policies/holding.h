/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Holding: what a store's objects cost a month, in bulk: a histogram of sizes for each class and
 * kind, priced as the objects would be one by one (cost_storage.h): minimum size, overhead and
 * monitoring count.
 *
 * Kinds that listings hide (versions, delete markers, unfinished uploads) are held apart, so that
 * what they cost can be said. Parts of uploads lie in the plain class whatever they are for.
 *
 * Pure. Memory: fixed, about 100 KiB. Threads: a holding belongs to one thread.
 */
#ifndef EBB_POLICIES_HOLDING_H
#define EBB_POLICIES_HOLDING_H

#include "core/record.h"
#include "policies/cost_storage.h"

/* Most pairs of class and kind; what does not fit is counted as unpriced. */
#define EBB_HOLDING_ROWS 48

/* Bins by the number of bits of a size: the minima of classes are powers of two. */
#define EBB_HOLDING_BINS 64

struct ebb_holding {
	struct ebb_holding_row {
		const char *class;	/* name, borrowed; NULL: not known */
		int64_t kind;
		struct ebb_cost_load bin[EBB_HOLDING_BINS];
	} row[EBB_HOLDING_ROWS];
	size_t n;
	struct ebb_cost_load left_over;
};

/* Empty it; needed before its first use. */
void ebb_holding_clear(struct ebb_holding *h);

/*
 * Count a record: what is allocated to it, or its size where that is unknown. Further names of an
 * inode hold nothing.
 *
 * @class  its own, or that of its store; must outlive the holding; NULL: not known.
 */
void ebb_holding_add(struct ebb_holding *h, const char *class, const struct ebb_record *r);

/* What some kinds hold. */
struct ebb_holding_sum {
	struct ebb_cost_load all;
	struct ebb_cost_load unpriced;	/* of it; not in the amount */
	__int128 month;			/* a month of 30 days, 10^-18 */
};

/*
 * Price what was counted of the kinds in @kinds (bits 1 << kind), by the prices of a provider's region.
 */
struct ebb_holding_sum ebb_holding_price(const struct ebb_holding *h,
					 const struct ebb_price_books *books, const char *provider,
					 const char *region, unsigned kinds);

/* Bits of the kinds that listings hide, and of all others. */
#define EBB_HOLDING_HIDDEN                                                                         \
	(1U << EBB_KIND_VERSION | 1U << EBB_KIND_MARKER | 1U << EBB_KIND_UPLOAD)
#define EBB_HOLDING_SEEN (~EBB_HOLDING_HIDDEN)

#endif
