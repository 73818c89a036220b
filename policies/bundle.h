/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What small objects would cost and save in packs, where moving them one by one does not pay: fees
 * per object and what archive classes add to each are then paid per pack. For plans to offer.
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_BUNDLE_H
#define EBB_POLICIES_BUNDLE_H

#include "policies/price.h"

/* Size of a pack, in bytes. */
#define EBB_BUNDLE_PACK (INT64_C(1) << 30)

struct ebb_bundle {
	int64_t objects, bytes;		/* that would go into packs */
	int64_t packs;
	struct ebb_money one_off;	/* reading them all, writing the packs */
	struct ebb_money saving;	/* a month of 30 days */
};

/*
 * Price packs of @objects objects (> 0) with @bytes altogether, moved from one class to another.
 *
 * @return  1; 0 when something has no price, or nothing is saved; -EBB_ERANGE.
 */
int ebb_bundle_price(const struct ebb_price_class *from, const struct ebb_price_class *to,
		     int64_t objects, int64_t bytes, const char *currency, struct ebb_bundle *ret,
		     struct ebb_err *err);

#endif
