/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Price books: dated prices of one provider or site, each with its source.
 *
 * This is the place of the cost model: everything that turns bytes into money asks here, so that
 * richer prices (requests, minimum durations, retrieval, egress) change this module and cost.h, not
 * their callers. An unpriced class is reported as unpriced, never as free. Exact decimals
 * throughout; amounts are integer nano-units, rounded half to even once per amount.
 *
 * A book is a document (core/tree.h):
 *     version: 1
 *     name: onprem
 *     date: 2026-11-01
 *     currency: USD
 *     source: "where the figures come from"
 *     confidence: sample            # sample, list or contract
 *     classes:
 *       NVME: {storage_gib_month: 0.080, source: "..."}
 *
 * `source` of a class may be left out where that of the book says it all.
 *
 * Pure. Threads: a loaded book is read-only and may be shared.
 */
#ifndef EBB_POLICIES_PRICE_H
#define EBB_POLICIES_PRICE_H

#include "core/arena.h"
#include "core/money.h"
#include "core/tree.h"

struct ebb_price_books;

/* New empty set of books; lives in @arena. NULL when memory is short. */
struct ebb_price_books *ebb_price_books_new(struct ebb_arena *arena);

/*
 * Add a parsed book; where two books price the same class, the one added last wins (the user's file
 * after ours). Books of one set share one currency.
 *
 * @return  0; -EBB_ECONFIG with file, line, column and remedy; -EBB_ENOMEM.
 */
int ebb_price_books_add(struct ebb_price_books *books, const struct ebb_tree_node *doc,
			struct ebb_err *err);

/* Currency of the set, "" while it is empty. Borrowed from the set. */
const char *ebb_price_currency(const struct ebb_price_books *books);

/*
 * Price of keeping @bytes in @class (NULL: none, so unpriced) for a month; a GiB-month is 2^30
 * bytes for 30 days.
 *
 * @return  1 with *ret set; 0 when the class has no price (*ret untouched); -EBB_ERANGE.
 */
int ebb_price_storage(const struct ebb_price_books *books, const char *class, int64_t bytes,
		      struct ebb_money *ret, struct ebb_err *err);

/*
 * Confidence of the price of @class: "sample", "list", "contract", or NULL when unpriced. Borrowed.
 */
const char *ebb_price_confidence(const struct ebb_price_books *books, const char *class);

#endif
