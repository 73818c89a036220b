/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Price books: dated prices of one provider or site, each with its source.
 *
 * A set of books answers two questions: what does a class cost in a region (ebb_price_find), and
 * what does a byte cost that goes from one place to another (ebb_price_egress). The answers are
 * figures; what is charged for what is for cost_*.h to say. An unpriced item is reported as
 * unpriced, never as free. The format of a book stands in price_class.h.
 *
 * Amounts are integers of 10^-18 of the set's currency ("atto"), so that the storage of one small
 * object keeps its digits; they become money (nano-units) once, at the end (bill.h). Quantities
 * times prices that would pass 2^120 are EBB_PRICE_TOO_MUCH, which no sum brings back into range.
 *
 * Pure: the day that prices are asked for is an argument. Threads: a loaded set is read-only and
 * may be shared.
 */
#ifndef EBB_POLICIES_PRICE_H
#define EBB_POLICIES_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/money.h"
#include "core/tree.h"

/* Digits of an amount behind the point. */
#define EBB_PRICE_DIGITS 18
#define EBB_PRICE_TOO_MUCH ((__int128)1 << 120)

/* How far a figure can be trusted, surest first. */
enum ebb_price_confidence {
	EBB_PRICE_CONTRACT,	/* the user's own contract or invoice */
	EBB_PRICE_LIST,		/* the provider's public list */
	EBB_PRICE_SAMPLE,	/* a placeholder, or prices published as an example */
	EBB_PRICE_LOW,		/* from memory, old, or one source only */
	EBB_PRICE_CONFIDENCES
};

/* "contract", "list", "sample", "low". Constant. */
const char *ebb_price_confidence_name(enum ebb_price_confidence c);

/* From @from units of a month's volume on, @atto for every `per` units. */
struct ebb_price_tier {
	int64_t from;
	__int128 atto;
};

/*
 * One price. A figure without tiers is not priced. The first tier begins where the free allowance
 * ends, the others where volume passes their bounds.
 */
struct ebb_price_figure {
	const char *unit;		/* as written behind the price: "GiB-month", "1k" */
	int64_t per;			/* bytes, requests, objects or seconds that a price buys */
	int64_t step;			/* volume is rounded up to whole steps in a month's bill;
					 * 1: it is not */
	const struct ebb_price_tier *tiers;
	size_t ntiers;
	enum ebb_price_confidence confidence;
	const char *source;		/* where it comes from, and as of when */
};

/* What a class charges for. */
enum ebb_price_item {
	EBB_PRICE_STORAGE,	/* bytes kept for a month */
	EBB_PRICE_PUT,		/* a request that writes: PUT, COPY, POST */
	EBB_PRICE_GET,		/* a request that reads */
	EBB_PRICE_PART,		/* a part of a multipart upload, where it is not a PUT */
	EBB_PRICE_TRANSITION,	/* a change of one object into the class, without rewriting it */
	EBB_PRICE_RETRIEVAL,	/* bytes read */
	EBB_PRICE_UPLOAD,	/* bytes written */
	EBB_PRICE_MONITORING,	/* an object watched for a month */
	EBB_PRICE_ITEMS
};

/* "storage", "put", ... as in books. Constant. */
const char *ebb_price_item_name(enum ebb_price_item i);

/* How fast an archived object is asked back. */
enum ebb_price_speed {
	EBB_PRICE_BULK,
	EBB_PRICE_STANDARD,
	EBB_PRICE_EXPEDITED,
	EBB_PRICE_SPEEDS
};

/* "bulk", "standard", "expedited". Constant. */
const char *ebb_price_speed_name(enum ebb_price_speed s);

/* What a restore costs, and the longest it takes. Not offered: request.ntiers is 0. */
struct ebb_price_restore {
	struct ebb_price_figure request, retrieval;
	int64_t hours;
};

/* A place that a class which tiers by itself puts objects that were not read for so long. */
#define EBB_PRICE_SINKS 4
struct ebb_price_sink {
	int64_t after_days;
	bool opt_in;		/* only where the owner switched it on; such places are archives */
	struct ebb_price_figure storage;
};

/* A class in a region, with all that it charges for. */
struct ebb_price_class {
	const char *provider;		/* "" in books of a site's own */
	const char *region;		/* "*" when the price is the same in all of them */
	const char *name;
	int64_t min_days;		/* whoever leaves earlier pays for the rest */
	int64_t min_bytes;		/* smaller objects are billed as this */
	int64_t overhead;		/* bytes added to each object, at the class's own rate */
	int64_t overhead_standard;	/* bytes added to each object, at the rate of `standard` */
	int64_t monitored_from;		/* objects below are not monitored, and never tiered */
	int64_t month_hours;		/* hours in the month of a storage price; 0: those of the calendar
					 * month, whose byte-hours are counted */
	bool moves_free_early;		/* min_days does not bind changes of class, only deletes and
					 * rewrites */
	bool offline;			/* objects must be restored before they are read */
	struct ebb_price_figure item[EBB_PRICE_ITEMS];
	struct ebb_price_restore restore[EBB_PRICE_SPEEDS];
	struct ebb_price_sink sink[EBB_PRICE_SINKS];	/* by rising after_days */
	size_t nsinks;
	const struct ebb_price_class *standard;	/* the provider's plain class there, or itself */
};

struct ebb_price_books;

/*
 * New empty set of books; lives in @arena. NULL when memory is short.
 *
 * @now  ns since the epoch: of prices and exchange rates with dates, those in force then are taken.
 */
struct ebb_price_books *ebb_price_books_new(struct ebb_arena *arena, int64_t now);

/*
 * Add a parsed book. What a later book says of a class, or of a way, wins over earlier ones, figure
 * by figure (the user's file after ours). @doc must outlive the set. The first book's currency is that of the set; one in
 * another is converted, at the latest rate not after the set's day.
 *
 * @return  0; -EBB_ECONFIG with file, line, column and remedy, after which the set must not be
 *          used; -EBB_ENOMEM.
 */
int ebb_price_books_add(struct ebb_price_books *books, const struct ebb_tree_node *doc,
			struct ebb_err *err);

/* Currency of the set, "" while it is empty. Borrowed from the set. */
const char *ebb_price_currency(const struct ebb_price_books *books);

/*
 * A class, or NULL when its storage has no price there. NULL stands for a name that is not known:
 * no @provider is a site of the user's own, no @region only meets prices for all regions.
 */
const struct ebb_price_class *ebb_price_find(const struct ebb_price_books *books,
					     const char *provider, const char *region,
					     const char *class);

/*
 * An amount in the set's currency, at the latest rate not after the set's day.
 *
 * @return  0; -EBB_ECONFIG naming both currencies when there is no rate; -EBB_ERANGE.
 */
int ebb_price_convert(const struct ebb_price_books *books, struct ebb_money m, struct ebb_money *ret,
		      struct ebb_err *err);

/* The classes of a set, in the order of the books; those without a price for storage among them. */
size_t ebb_price_count(const struct ebb_price_books *books);
const struct ebb_price_class *ebb_price_get(const struct ebb_price_books *books, size_t i);

/*
 * What bytes cost on their way to another place; price_egress.c. Within a region of one provider
 * nothing, unless a book says otherwise; between places of the user's own nothing.
 *
 * @to_provider  NULL: the internet at large. Another provider is reached through it too, where no
 *               book knows that way.
 * @return       NULL: not priced.
 */
const struct ebb_price_figure *ebb_price_egress(const struct ebb_price_books *books,
						const char *from_provider, const char *from_region,
						const char *to_provider, const char *to_region);

/*
 * What else a provider sells by name, such as "inventory" or "cpu" (price_class.h lists them); NULL
 * when not priced.
 */
const struct ebb_price_figure *ebb_price_service(const struct ebb_price_books *books,
						 const char *provider, const char *name);

/* Is there a price? */
static inline bool ebb_price_known(const struct ebb_price_figure *f)
{
	return f->ntiers > 0;
}

/*
 * @quantity / @over units at the price of the first tier, without allowance or steps: what one more
 * object costs at most. Rounded once. 0 when the figure has no price.
 *
 * @quantity  bytes, byte-days, requests ...; not negative.
 * @over      > 0: 30 when the quantity is in byte-days and the price per byte-month.
 */
__int128 ebb_price_flat(const struct ebb_price_figure *f, __int128 quantity, int64_t over);

/*
 * What @quantity units cost in a month in which @before units came before: free allowance, tiers by
 * volume, and steps. Continuous where there are no steps: the parts of a volume cost what the whole
 * does, but for rounding.
 */
__int128 ebb_price_marginal(const struct ebb_price_figure *f, __int128 before, __int128 quantity);

/* The price of the first tier, to be shown: "0.0125/GiB-month". Is @out. */
#define EBB_PRICE_TEXT 80
const char *ebb_price_text(const struct ebb_price_figure *f, char out[EBB_PRICE_TEXT]);

#endif
