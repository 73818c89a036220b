/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What bytes cost on their way, as books say it. Internal to the price modules; the look-up is
 * ebb_price_egress() of price.h. Pure.
 *
 *   groups: {europe: [europe-west1, europe-north1]}       # short names for lists of regions
 *   egress:                                               # the first that fits
 *     - {from: us-east-1, to: us-east-2, price: 0.01/GiB}
 *     - {from: [us-east-1, eu-west-1], to: "*", price: 0.02/GiB}
 *     - {from: "*", to: internet, price: [[10TiB, 0.09/GiB], [rest, 0.085/GiB]], free: 100GiB}
 *     - {from: "*", to: "wasabi:*", price: 0}
 *
 * `to: "*"` is any region of the same provider.
 */
#ifndef EBB_POLICIES_PRICE_EGRESS_H
#define EBB_POLICIES_PRICE_EGRESS_H

#include "policies/price_set.h"

/*
 * Add the ways of a book.
 *
 * @groups  or NULL.
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_price_egress_read(const struct ebb_price_book *book, const struct ebb_tree_node *egress,
			  const struct ebb_tree_node *groups, struct ebb_err *err);

#endif
