/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Currencies of price books, and the dated rates between them. Internal to the price modules. Pure.
 *
 *   rates:
 *     - {from: EUR, to: USD, rate: 1.0832, date: 2026-11-20, source: "ECB reference rate"}
 */
#ifndef EBB_POLICIES_PRICE_RATE_H
#define EBB_POLICIES_PRICE_RATE_H

#include "policies/price_set.h"

/*
 * Read a scalar as a currency in use (ISO 4217, as of 2026).
 *
 * @return  0 or -EBB_ECONFIG: a misspelt currency would make every price wrong.
 */
int ebb_price_rate_currency(const struct ebb_tree_node *node, const char **ret,
			    struct ebb_err *err);

/*
 * Add the `rates:` of a book to the set. Two rates of one pair and day are refused.
 *
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_price_rate_read(struct ebb_price_books *set, const struct ebb_tree_node *rates,
			struct ebb_err *err);

/*
 * Units of @to for one of @from: the latest rate not after the set's day. 1 when they are the same.
 *
 * @return  whether there is one.
 */
bool ebb_price_rate_find(const struct ebb_price_books *set, const char *from, const char *to,
			 struct ebb_decimal *ret);

#endif
