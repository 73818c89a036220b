/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tariff: the prices of a few classes side by side, and what a day in one of them costs an object.
 *
 * A simulation charges millions of days and compares sums of them, so amounts are integers that are
 * never rounded: one tick is 10^-12 of the currency, divided by 2^30 * 487. A month has 487/16 days
 * (30.4375), so prices per GiB-month, per GiB and per request all come out whole. ebb_tariff_money
 * rounds, once, at the end.
 *
 * Pure. Threads: a tariff is read-only once filled; a place belongs to one thread.
 */
#ifndef EBB_POLICIES_TARIFF_H
#define EBB_POLICIES_TARIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/price.h"

/* Most classes side by side, and most places inside a class that tiers by itself. */
#define EBB_TARIFF_MAX 12
#define EBB_TARIFF_SINKS 4

/* Largest object and largest volume of a day: what keeps a century of days within 127 bits. */
#define EBB_TARIFF_BYTES ((int64_t)1 << 52)

/* Days of a month of savings, as plans count them. */
#define EBB_TARIFF_MONTH_DAYS 30

typedef __int128 ebb_tariff_num;

/* A class. Prices in units of 10^-12 of the currency. */
struct ebb_tariff_class {
	const char *name;
	int64_t storage;	/* a GiB for a month */
	int64_t retrieval;	/* a GiB read */
	int64_t move;		/* an object moved into it */
	int64_t watch;		/* an object watched for a month */
	int64_t watched_from;	/* smaller objects are neither watched nor moved to a sink */
	int64_t min_bytes;	/* smaller objects are billed as this */
	int64_t overhead;	/* bytes billed beside each object, at the class's rate */
	int64_t overhead_hot;	/* the same at the rate of the tariff's first class */
	int32_t min_days;	/* whoever leaves earlier pays the storage of the rest */
	bool offline;		/* must be restored before it is read */
	int32_t nsinks;		/* where it puts objects that nobody read for so many days */
	struct {
		int32_t after_days;
		int64_t storage;
	} sink[EBB_TARIFF_SINKS];
};

/* Classes by number; number 0 is where objects begin. */
struct ebb_tariff {
	struct ebb_tariff_class class[EBB_TARIFF_MAX];
	size_t n;
	char currency[4];
};

/*
 * Append a class of a price book: the first tier of each price, and of its sinks those that are not
 * opt-in. Where a change of class has no price of its own, a request that writes is taken.
 *
 * @c       borrowed name.
 * @return  0; -EBB_ECONFIG when storage or that request has no price, or there is no room;
 *          -EBB_ERANGE.
 */
int ebb_tariff_add(struct ebb_tariff *t, const struct ebb_price_class *c, struct ebb_err *err);

/* Number of the class of that name, or -1. */
int ebb_tariff_find(const struct ebb_tariff *t, const char *name);

/* Storage of an object for a day, by a class whose sinks it has not reached. */
ebb_tariff_num ebb_tariff_storage(const struct ebb_tariff *t, int class, int64_t size);

/* Reading @bytes from a class; moving one object into it. */
ebb_tariff_num ebb_tariff_retrieval(const struct ebb_tariff *t, int class, int64_t bytes);
ebb_tariff_num ebb_tariff_entry(const struct ebb_tariff *t, int class);

/* Where an object is. Begins zeroed: in class 0, on its first day. */
struct ebb_tariff_place {
	int32_t class;
	int32_t days;	/* since it came there */
	int32_t unread;	/* whole days since it came there or was read last */
};

/* What it costs to leave a place: retrieval of the object once, and the rest of the minimum. */
ebb_tariff_num ebb_tariff_leave(const struct ebb_tariff *t, const struct ebb_tariff_place *p,
				int64_t size);

/* Move to @class, at the start of a day. Free where it is there already. Returns the cost. */
ebb_tariff_num ebb_tariff_move(const struct ebb_tariff *t, struct ebb_tariff_place *p, int class,
			       int64_t size);

/* What a day there costs; @bytes read on it, -1 when it was not read. Goes on to the next day. */
ebb_tariff_num ebb_tariff_day(const struct ebb_tariff *t, struct ebb_tariff_place *p, int64_t size,
			      int64_t bytes);

/* As money, rounded to nano-units. Returns 0 or -EBB_ERANGE. */
int ebb_tariff_money(const struct ebb_tariff *t, ebb_tariff_num ticks, struct ebb_money *ret,
		     struct ebb_err *err);

#endif
