/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The time window of a run: "Mon-Fri 20:00-06:00", "Sat,Sun", "22:00-05:30". Days and hours in local time; hours that end before
 * they begin last into the next day, which need not be named. Without days every day, without hours the whole day.
 *
 * Pure but for the time zone of the process. Threads: any.
 */
#ifndef EBB_AGENT_HOURS_H
#define EBB_AGENT_HOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct ebb_hours {
	uint8_t days;		/* bit 0 Sunday, as tm_wday */
	int from, to;		/* minutes since midnight; to may be less, then it is of the next day */
};

/* Returns 0, or -EBB_ECONFIG saying what would be right. */
int ebb_hours_parse(const char *text, struct ebb_hours *ret, struct ebb_err *err);

/* Is @now (ns since the epoch) within? */
bool ebb_hours_contain(const struct ebb_hours *h, int64_t now);

#endif
