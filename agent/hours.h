/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a run may work: "Mon-Fri 20:00-06:00", "Sat,Sun", "22:00-05:30", or several of them and what is left out of all, between
 * semicolons: "Mon-Fri 20:00-06:00; Sat,Sun; not Sun 03:00-05:00". Days and hours in local time; hours that end before
 * they begin last into the next day, which need not be named. Without days every day, without hours the whole day.
 *
 * Pure but for the time zone of the process. Threads: any.
 */
#ifndef EBB_AGENT_HOURS_H
#define EBB_AGENT_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define EBB_HOURS_MAX 8

struct ebb_hours_span {
	uint8_t days;		/* bit 0 Sunday, as tm_wday */
	int from, to;		/* minutes since midnight; to may be less, then it is of the next day */
	bool not;		/* left out of all others */
};

struct ebb_hours {
	struct ebb_hours_span v[EBB_HOURS_MAX];
	size_t n;
};

/* Returns 0, or -EBB_ECONFIG saying what would be right. */
int ebb_hours_parse(const char *text, struct ebb_hours *ret, struct ebb_err *err);

/* Is @now (ns since the epoch) within? */
bool ebb_hours_contain(const struct ebb_hours *h, int64_t now);

/* The first minute from @now on that is within, ns since the epoch; INT64_MAX when there is none within nine days. */
int64_t ebb_hours_next(const struct ebb_hours *h, int64_t now);

/* Days as in a window, "Mon-Fri" or "Sat,Sun", as bits (bit 0 Sunday). Returns 0 or -EBB_ECONFIG. */
int ebb_hours_days(const char *text, uint8_t *ret, struct ebb_err *err);

/* "02:30" as minutes since midnight, at most 23:59. Returns 0 or -EBB_ECONFIG. */
int ebb_hours_clock(const char *text, int *ret, struct ebb_err *err);

#endif
