/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A provider's meter for one object, day by day, written without the cost model: what the bill would
 * say. Prices of the first tier, in units of the books' currency, as binary floats: for comparing
 * within a tolerance only.
 *
 * Threads: plain data.
 */
#ifndef EBB_TESTS_SUPPORT_METER_H
#define EBB_TESTS_SUPPORT_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/price.h"

struct ebb_meter {
	const struct ebb_price_class *class;
	int64_t size;
	int64_t days;		/* in the class so far */
	int64_t idle;		/* days since it was read or came */
	int thawed;		/* days that the restored copy will stay */
	long double bill;
};

/* An object of @size bytes that has been in @class for @days. Nothing is charged yet. */
void ebb_meter_start(struct ebb_meter *m, const struct ebb_price_class *class, int64_t size,
		     int64_t days);

/* A day passes. */
void ebb_meter_day(struct ebb_meter *m);

/* It is read, whole; where it must be restored, slowly, and the copy stays two days. */
void ebb_meter_read(struct ebb_meter *m);

/* It changes class: by the provider (@moved), or by being read and written anew. */
void ebb_meter_change(struct ebb_meter *m, const struct ebb_price_class *to, bool moved);

/* It is deleted. */
void ebb_meter_delete(struct ebb_meter *m);

#endif
