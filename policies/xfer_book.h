/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transfer instances from price books: places instead of an instance file's links and prices.
 *
 * Every pair of places whose way has a price gets a link; a way without one gets none, so nothing is sent where nobody knows what it
 * costs. Figures with a free allowance or tiers become a pool for each region they are charged in. Finer than 10^-12 USD is rounded
 * up. Requests and retrieval cost what the class of the replica, or of what is written, says; unpriced ones are counted, not charged.
 *
 * What sleeps in an archive class can be read once it is thawed: that costs its restore and a plain copy for some days, and takes
 * hours. It stands in no destination's stead, which wants something that can be read, but may be copied there in place. A relay
 * whose class has a minimum duration charges all of it for what passes through. Nothing goes on from a destination that writes into an
 * archive class.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_XFER_BOOK_H
#define EBB_POLICIES_XFER_BOOK_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/price.h"
#include "policies/xfer.h"
#include "policies/xfer_sum.h"

/* Most places: sites are bits of struct ebb_xfer_sum_row. */
#define EBB_XFER_BOOK_PLACES 64

struct ebb_xfer_book_place {
	const char *name;
	const char *provider, *region, *jurisdiction;	/* or NULL, as in price.h */
	const char *class;		/* what is written goes into it; NULL: not known */
	bool relay;
	bool converts;			/* somebody compresses and decompresses there, at no cost */
};

/* What objects of a group have in common beside where they stand; row.terms is a number into an array of these. */
struct ebb_xfer_book_terms {
	uint32_t part;			/* which share of the contents, where they are cut finer: a group travels whole */
	uint32_t choose;		/* so many of the destinations, the cheapest; 0: all */
	int packed;			/* what compressing leaves, in thousandths; 0: it is not compressed */
	const char *const *residency;	/* NULL-terminated jurisdictions; NULL: any */
	uint64_t asleep;		/* places where it stands in archive classes only, by bit; not among row.have */
	const struct ebb_price_class *class[EBB_XFER_BOOK_PLACES];	/* of the replica at each place; NULL: not priced */
};

/* A time in which the same links are open. */
struct ebb_xfer_book_slot {
	const char *id;
	int64_t seconds;		/* how long; EBB_XFER_BOOK_ENDLESS: without end, the last one only */
	const int64_t *room;		/* bytes from place to place, nplaces by nplaces; negative: no limit. NULL: none has one */
};
#define EBB_XFER_BOOK_ENDLESS INT64_MAX

struct ebb_xfer_book {
	const struct ebb_price_books *books;
	const struct ebb_xfer_book_place *places;
	size_t nplaces;
	const struct ebb_xfer_book_terms *terms;
	const struct ebb_xfer_sum_row *rows;	/* each becomes a group, in this order */
	size_t nrows;
	ebb_xfer_num budget;		/* a cost; negative: none */
	const struct ebb_xfer_book_slot *slots;	/* in order of time; none: one without end. They should be cut where something is thawed */
	size_t nslots;
	enum ebb_price_speed speed;	/* at which archived objects are thawed; where it is not offered they cannot be read */
	int days;			/* for which thawed copies are kept */
};

/*
 * Make the instance, in @arena; it borrows the strings of @b.
 *
 * @return  0; -EBB_ENOTSUP: the books are not in USD, or there are more than EBB_XFER_POOLS tiered figures; -EBB_ERANGE: a price
 *          beyond a million, or volumes that no plan could add up; -EBB_ENOMEM.
 */
int ebb_xfer_book(const struct ebb_xfer_book *b, struct ebb_arena *arena, const struct ebb_xfer **ret,
		  struct ebb_err *err);

/* Whether bytes from one place to another have a price (also: nothing). */
bool ebb_xfer_book_priced(const struct ebb_price_books *books, const struct ebb_xfer_book_place *from,
			  const struct ebb_xfer_book_place *to);

#endif
