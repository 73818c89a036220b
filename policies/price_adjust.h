/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Discounts and waivers of a book, applied to the prices of its provider that are known when it is
 * read. Internal to the price modules. Pure.
 *
 *   discounts:                                                     # what a contract says
 *     - {of: storage, classes: [STANDARD], regions: [us-east-1], off: 12%, source: "contract 7"}
 *   waivers:                                                       # what one may ask for
 *     - {of: egress, off: 100%, condition: "leaving, under the EU Data Act", granted: false,
 *        source: "..."}
 *
 * `of` is an item of a class, `requests` (put, get, part and transition), `restore`, `egress`,
 * `early_delete` (100% only) or `all`. `from` and `until` bound the days; classes and regions left
 * out are all of them (those of egress are where bytes come from). A waiver counts when it is
 * `granted: true`, and not before: its condition is not for a program to judge.
 */
#ifndef EBB_POLICIES_PRICE_ADJUST_H
#define EBB_POLICIES_PRICE_ADJUST_H

#include "policies/price_set.h"

/*
 * Read and apply a list of either.
 *
 * @waiver  a condition, and whether it is granted, must be given.
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_price_adjust_read(const struct ebb_price_book *book, const struct ebb_tree_node *list,
			  bool waiver, struct ebb_err *err);

#endif
