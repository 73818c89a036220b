/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `class: auto` for an object of which only a summary is known: how long it has been quiet, and how
 * much is read of it. The same reasoning as auto.h, without a life on paper.
 *
 * How long will it stay so? As long as others of its dataset did that had been quiet for so long; where these are too
 * few, for as long again (gaps between reads have heavy tails). At most a year; then it is read whole and moved back. Over that time each
 * class costs storage, what is read meanwhile, entering, and the return; the object goes where that
 * is least, and stays where it is on a tie. With no quiet that is known for sure it stays.
 *
 * For two classes this is patience again: the saving of the quiet so far must pay for a return.
 * Constant time. Pure. Threads: any.
 */
#ifndef EBB_POLICIES_AUTO_PICK_H
#define EBB_POLICIES_AUTO_PICK_H

#include "policies/tariff.h"

/* Longest time that is looked ahead, in days. */
#define EBB_AUTO_PICK_DAYS 365

struct ebb_auto_pick_facts {
	int64_t size;		/* bytes, up to EBB_TARIFF_BYTES */
	int64_t daily;		/* bytes read a day on the average; -1: not known */
	int32_t days_in_class;	/* for sure; 0 when not known */
	int32_t idle;		/* days without a read, for sure */
	int32_t window;		/* days over which `daily` is the average */
	bool told;		/* the dataset's habits (habits.h) say what follows */
	int32_t ahead;		/* days of quiet still expected */
};

struct ebb_auto_pick {
	int class;		/* where it should be; the one it is in: stay */
	int32_t days;		/* that were looked ahead */
	ebb_tariff_num stay;	/* what these days cost where it is: storage and reads */
	ebb_tariff_num there;	/* what they cost in `class`, the return included */
	ebb_tariff_num move;	/* what entering costs, and leaving early */
};

/*
 * @from      number of the class that the object is in.
 * @eligible  by class: may it be chosen? Offline classes never are.
 */
struct ebb_auto_pick ebb_auto_pick(const struct ebb_tariff *t, int from, const bool *eligible,
				   const struct ebb_auto_pick_facts *f);

#endif
