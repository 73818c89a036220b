/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What keeping objects costs: billable size, overhead of archive classes, monitoring, and classes
 * that tier by themselves.
 *
 *   billed    max(size, min_bytes) + overhead, at the class's rate
 *             + overhead_standard, at the rate of the provider's plain class
 *   watched   a fee for each object of at least monitored_from bytes
 *
 * Source: AWS S3 pricing page, storage class footnotes (IA and GLACIER_IR bill 128 KiB at least,
 * archive classes add 32 KiB at their own and 8 KiB at the STANDARD rate).
 *
 * A month is 30 days, or exactly one month of the price's unit; byte-hours against real months are
 * for ebb_cost_storage_byte_hours(). Amounts in 10^-18, price.h. Pure.
 */
#ifndef EBB_POLICIES_COST_STORAGE_H
#define EBB_POLICIES_COST_STORAGE_H

#include "policies/bill.h"

/*
 * Objects priced together: some of one size, or a bin of a histogram. All must lie on one side of
 * their class's min_bytes and monitored_from; bins by powers of two do.
 */
struct ebb_cost_load {
	int64_t objects;
	__int128 bytes;		/* of all of them */
};

static inline struct ebb_cost_load ebb_cost_load(int64_t objects, int64_t size)
{
	return (struct ebb_cost_load){objects, (__int128)objects * size};
}

/* @num / @den months; both positive, or @num 0. */
struct ebb_cost_span {
	int64_t num, den;
};

#define EBB_COST_MONTH ((struct ebb_cost_span){1, 1})
#define EBB_COST_MONTH_DAYS 30

static inline struct ebb_cost_span ebb_cost_days(int64_t days)
{
	return (struct ebb_cost_span){days, EBB_COST_MONTH_DAYS};
}

/* Bytes billed for the objects themselves, without overhead. */
__int128 ebb_cost_storage_billed(const struct ebb_price_class *c, struct ebb_cost_load load);

/* Keep objects for a span, none of it by the hour: adds up to four lines. */
void ebb_cost_storage(struct ebb_bill *b, enum ebb_bill_side side,
		      const struct ebb_price_class *c, struct ebb_cost_load load,
		      struct ebb_cost_span span);

/*
 * The storage alone of so many bytes for a month, without regard to how many objects they are: for
 * sums over a store.
 *
 * @c       NULL: no price.
 * @return  1 with *ret set; 0 when there is no price (*ret untouched); -EBB_ERANGE.
 */
int ebb_cost_storage_bytes(const struct ebb_price_class *c, int64_t bytes, const char *currency,
			   struct ebb_money *ret, struct ebb_err *err);

/*
 * The same as ebb_cost_storage() for a month in a class that tiers by itself (nsinks > 0), of objects each read at even
 * intervals: between two reads they lie in the first place until the first sink's days, then there,
 * and so on. Places that the owner must switch on are left out. For other classes it is
 * ebb_cost_storage().
 *
 * @reads  full or partial reads of an object a month, in millionths; 0: never read again, so that
 *         all lie in the last place.
 */
void ebb_cost_storage_settled(struct ebb_bill *b, enum ebb_bill_side side,
			      const struct ebb_price_class *c, struct ebb_cost_load load,
			      int64_t reads);

/*
 * What a month's bill says of byte-hours, with its tiers: byte-hours / hours of the month.
 *
 * @hours   of the calendar month, for books that price by it.
 * @before  bytes billed for the whole month already.
 */
__int128 ebb_cost_storage_byte_hours(const struct ebb_price_class *c, __int128 byte_hours,
				     int64_t hours, __int128 before);

#endif
