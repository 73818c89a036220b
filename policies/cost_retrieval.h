/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What reading costs: the request, the bytes that come out, and for archived objects the restore
 * and the temporary copy that it makes at the plain class's rate.
 *
 * Source: AWS S3 pricing page, "requests and data retrievals" and its note on temporary copies. Pure.
 */
#ifndef EBB_POLICIES_COST_RETRIEVAL_H
#define EBB_POLICIES_COST_RETRIEVAL_H

#include "policies/cost_storage.h"

/* How archived objects are asked back, and how long the copies stay. */
struct ebb_cost_thaw {
	enum ebb_price_speed speed;
	int64_t days;
};

/* Slowest and cheapest; two days are enough to read what a bulk restore brings in up to two. */
#define EBB_COST_THAW ((struct ebb_cost_thaw){EBB_PRICE_BULK, 2})

/*
 * Read each object @reads millionths of a time, whole.
 *
 * @reads  1000000: once.
 * @thaw   looked at only where the class is offline.
 */
void ebb_cost_retrieval(struct ebb_bill *b, enum ebb_bill_side side,
			const struct ebb_price_class *c, struct ebb_cost_load load, int64_t reads,
			struct ebb_cost_thaw thaw);

/* Read @bytes with @requests requests from a class that is not offline: parts of objects. */
void ebb_cost_retrieval_part(struct ebb_bill *b, enum ebb_bill_side side,
			     const struct ebb_price_class *c, __int128 requests, __int128 bytes,
			     int64_t over);

/* Restore objects of an offline class, whole, without reading the copies; else nothing. */
void ebb_cost_retrieval_restore(struct ebb_bill *b, enum ebb_bill_side side,
				const struct ebb_price_class *c, struct ebb_cost_load load,
				int64_t reads, struct ebb_cost_thaw thaw);

/*
 * Have objects back that @tiering (Intelligent-Tiering) has put away into an archive tier that works like the class @archive: as fast, free
 * but for expedited, which costs what it costs there. What comes back is no copy: it lies in the first tier and sinks again, so what it is
 * billed there until it is put away again is counted, at most and without what lying in the archive would have cost.
 *
 * Source: AWS S3 User Guide, "Understanding archive retrieval options" and "Working with archived objects"; pricing page.
 *
 * @return  days until it is put away again.
 */
int64_t ebb_cost_retrieval_tiered(struct ebb_bill *b, enum ebb_bill_side side, const struct ebb_price_class *tiering,
				  const struct ebb_price_class *archive, struct ebb_cost_load load, enum ebb_price_speed speed);

/* What the lines of copies, and of those tiers, are called. */
#define EBB_COST_COPIES "restored copies"
#define EBB_COST_TIERS "faster tiers"

#endif
