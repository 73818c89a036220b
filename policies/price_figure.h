/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Figures of a price book: a price with its unit, in one of these forms.
 *
 *   0.0125/GiB-month                                        one price
 *   0                                                       nothing, whatever the unit
 *   [[50TiB, 0.023/GiB-month], [rest, 0.021/GiB-month]]     tiers of a month's volume, marginal;
 *                                                           each up to its bound
 *   [{until: 2026-06-30, price: 6.99/TB-month}, {from: 2026-07-01, price: 7.99/TB-month}]
 *                                                           one after the other, days inclusive
 *   {price: ..., free: 10GB, step: 1GB, source: ..., confidence: low}
 *                                                           the same with what is particular
 *
 * Units of a dimension: GiB-month TiB-month GB-month TB-month; GiB TiB GB TB; 1 1k 10k 1M (requests
 * or objects); 1-month 1k-month 1M-month; h. A price without its unit, in a unit of another
 * dimension, tiers that do not rise or leave a rest, and days that overlap or leave a gap are
 * refused. Internal to the price modules. Pure.
 */
#ifndef EBB_POLICIES_PRICE_FIGURE_H
#define EBB_POLICIES_PRICE_FIGURE_H

#include "policies/price_set.h"

enum ebb_price_dimension {
	EBB_PRICE_BYTE_MONTHS,
	EBB_PRICE_BYTES,
	EBB_PRICE_REQUESTS,
	EBB_PRICE_OBJECT_MONTHS,
	EBB_PRICE_TIME,
	EBB_PRICE_ANY		/* of services: whatever the unit says */
};

/*
 * Read a figure.
 *
 * @note    what holds unless the figure says otherwise.
 * @ret     without tiers when no price is in force on the set's day.
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_price_figure_read(const struct ebb_price_book *book, const struct ebb_tree_node *node,
			  enum ebb_price_dimension dimension, struct ebb_price_note note,
			  struct ebb_price_figure *ret, struct ebb_err *err);

/*
 * `free:` and `step:` of a map, where it has them: the tiers move behind the allowance.
 *
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_price_figure_terms(const struct ebb_price_book *book, const struct ebb_tree_node *map,
			   enum ebb_price_dimension dimension, struct ebb_price_figure *f,
			   struct ebb_err *err);

/*
 * `source:` and `confidence:` of a map, where it has them. A source is a word of the book's
 * `sources:`, whose confidence comes with it, or plain text.
 */
int ebb_price_figure_note(const struct ebb_price_book *book, const struct ebb_tree_node *map,
			  struct ebb_price_note *note, struct ebb_err *err);

/*
 * Days that something holds: `from:` and `until:`, both inclusive, either may be left out.
 *
 * @ret_from, @ret_end  ns since the epoch, end exclusive; INT64_MIN and INT64_MAX where open.
 */
int ebb_price_figure_days(const struct ebb_tree_node *map, int64_t *ret_from, int64_t *ret_end,
			  struct ebb_err *err);

#endif
