/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A set of price books inside. Internal to the price modules.
 */
#ifndef EBB_POLICIES_PRICE_SET_H
#define EBB_POLICIES_PRICE_SET_H

#include "policies/price.h"

/* Chains of the table of classes. */
#define EBB_PRICE_CHAINS 256

struct ebb_price_row {
	struct ebb_price_class class;
	const char *standard;		/* name of the class whose rate the overhead pays */
	struct ebb_price_row *chain;	/* next of the same hash */
	struct ebb_price_row *next;	/* in order of the books */
};

/* A way that bytes may take; lists end with NULL. "*" is any region of the provider. */
struct ebb_price_way {
	const char *const *from;	/* regions */
	const char *const *to;		/* regions, "internet", or PROVIDER:REGION */
	struct ebb_price_figure figure;
};

/* The ways of one book; the first that fits is taken. */
struct ebb_price_grid {
	const char *provider;
	struct ebb_price_way *ways;
	size_t n;
	struct ebb_price_grid *next;	/* of the book before */
};

struct ebb_price_sold {
	const char *provider, *name;
	struct ebb_price_figure figure;
	struct ebb_price_sold *next;
};

/* An exchange rate: @rate units of @to for one of @from. */
struct ebb_price_exchange {
	const char *from, *to;
	struct ebb_decimal rate;
	int64_t day;			/* ns since the epoch */
	struct ebb_price_exchange *next;
};

struct ebb_price_books {
	struct ebb_arena *arena;
	int64_t now;
	char currency[4];
	struct ebb_price_row *chains[EBB_PRICE_CHAINS], *first, **last;
	size_t n;
	struct ebb_price_grid *grids;		/* newest first */
	struct ebb_price_sold *services;	/* newest first */
	struct ebb_price_exchange *rates;
};

/* What holds for the figures below a node unless they say otherwise. */
struct ebb_price_note {
	enum ebb_price_confidence confidence;
	const char *source;
};

/* The book that is being read. */
struct ebb_price_book {
	struct ebb_price_books *set;
	const char *provider;			/* "" without one */
	const struct ebb_tree_node *sources;	/* or NULL */
	struct ebb_decimal rate;		/* into the currency of the set */
	struct ebb_price_note note;
	int64_t month_hours;			/* of its storage prices, 0: of the calendar */
};

/* Row by name; NULL when there is none. price.c */
struct ebb_price_row *ebb_price_row(const struct ebb_price_books *set, const char *provider,
				    const char *region, const char *class);

/* The same, made (empty, or a copy of the row for all regions) when there is none; NULL: no memory. */
struct ebb_price_row *ebb_price_row_make(struct ebb_price_books *set, const char *provider,
					 const char *region, const char *class);

/* Note that memory is short. */
int ebb_price_no_memory(struct ebb_err *err);

#endif
