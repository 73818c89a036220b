/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A quote: what it would cost to move so many objects of a size from one class to another, and what
 * that saves a month, with the arithmetic.
 *
 * The same code prices plans (cost_*.h). Prices are those of the first volume tier, a month has 30
 * days. Pure.
 */
#ifndef EBB_POLICIES_QUOTE_H
#define EBB_POLICIES_QUOTE_H

#include "core/buf.h"
#include "policies/cost_move.h"

struct ebb_quote {
	struct ebb_cost_load load;
	const struct ebb_price_class *from;
	const struct ebb_price_class *to;	/* NULL: the objects are deleted */
	const struct ebb_price_figure *egress;	/* NULL: they stay in their place */
	int64_t reads;		/* whole reads of each object a month, in millionths */
	int64_t age_ns;		/* time in `from` so far; negative: long enough */
	int64_t stored;		/* bytes that each of the classes holds besides, so that tiers are counted
				 * from there; negative: the first tier's price is taken */
	bool rewritten;		/* by copying, although a transition would do */
	struct ebb_cost_thaw thaw;
};

/* The bill: what is paid once, and a month's storage and reads before and after. */
void ebb_quote_bill(const struct ebb_quote *q, struct ebb_bill *ret);

/*
 * What the sums do not say by themselves, a sentence each, to @fn: minimum duration of the class
 * entered, hours until an archived object can be read, objects that a class bills as larger than
 * they are, objects that S3 lifecycle rules skip unless told otherwise, tiers and allowances not
 * counted, figures that are not sure.
 */
typedef void ebb_quote_note_fn(void *ctx, const char *note);
void ebb_quote_notes(const struct ebb_quote *q, const struct ebb_bill *b, ebb_quote_note_fn *fn,
		     void *ctx);

/*
 * A line's arithmetic: "15.258789 GiB-month x 0.023/GiB-month = 0.350952148". Added to @out.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_quote_arithmetic(const struct ebb_bill_line *l, struct ebb_buf *out);

#endif
