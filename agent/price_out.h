/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Price books on paper: `ebb price list, show, check, diff`.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_PRICE_OUT_H
#define EBB_AGENT_PRICE_OUT_H

#include "agent/app.h"
#include "policies/price.h"

/* A book that was read: its document, where it lies, and how many classes with a price it brought. */
struct ebb_price_out_book {
	const struct ebb_tree_node *doc;
	const char *path;
};

/* One book a row (or line of JSON): name, provider, date, currency, regions, confidence, path. */
int ebb_price_out_list(struct ebb_app *app, const struct ebb_price_out_book *books, size_t n,
		       struct ebb_err *err);

/* Which classes to show; NULL: all of them. */
struct ebb_price_out_filter {
	const char *provider, *region, *class;
};

/* Every figure of the classes meant, with its source. -EBB_ECONFIG when there is none. */
int ebb_price_out_show(struct ebb_app *app, const struct ebb_price_books *set,
		       const struct ebb_price_out_filter *f, struct ebb_err *err);

/* Figures that differ between two sets, or stand in one of them only. */
int ebb_price_out_diff(struct ebb_app *app, const struct ebb_price_books *a,
		       const struct ebb_price_books *b, struct ebb_err *err);

#endif
