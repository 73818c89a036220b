/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What requests cost. Entering a class is priced by that class; listing is a PUT of the provider's
 * plain class whatever lies in the bucket; deleting and aborting are free everywhere we price.
 *
 * Sources: AWS S3 pricing page (transition requests by destination; LIST at the STANDARD rate),
 * GCS (class change: Class A of the destination), Azure (SetBlobTier: write of the destination),
 * R2 (LifecycleStorageTierTransition is Class A). Pure.
 */
#ifndef EBB_POLICIES_COST_REQUESTS_H
#define EBB_POLICIES_COST_REQUESTS_H

#include "policies/cost_storage.h"

/* Objects above this go up in parts: of at least EBB_COST_PART bytes, and of 10,000 at most. */
#define EBB_COST_WHOLE (INT64_C(5) << 30)
#define EBB_COST_PART (INT64_C(64) << 20)
#define EBB_COST_PARTS 10000

/* Keys that one listing request returns. */
#define EBB_COST_LISTED 1000

/* Objects change into class @c where they are, without being rewritten. */
void ebb_cost_requests_transition(struct ebb_bill *b, enum ebb_bill_side side,
				  const struct ebb_price_class *c, int64_t objects);

/* Objects are written into class @c, with what it asks for bytes coming in. */
void ebb_cost_requests_write(struct ebb_bill *b, enum ebb_bill_side side,
			     const struct ebb_price_class *c, struct ebb_cost_load load);

/* List @objects keys of a bucket whose usual class is @c: what a scan costs. */
void ebb_cost_requests_list(struct ebb_bill *b, enum ebb_bill_side side,
			    const struct ebb_price_class *c, int64_t objects);

#endif
