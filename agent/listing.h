/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What ebb's own scans of buckets cost: requests for pages of a listing, at the price of the store's provider.
 *
 * Threads: pure.
 */
#ifndef EBB_AGENT_LISTING_H
#define EBB_AGENT_LISTING_H

#include "agent/config.h"

/* Requests that list @objects keys. */
uint64_t ebb_listing_requests(uint64_t objects);

/*
 * The price of @requests to a store, in the currency of the configuration.
 *
 * @return  1 with *ret set; 0: the store is no bucket, or has no such price; -EBB_ERANGE.
 */
int ebb_listing_cost(const struct ebb_config *c, const struct ebb_config_store *cs, uint64_t requests,
		     struct ebb_money *ret, struct ebb_err *err);

#endif
