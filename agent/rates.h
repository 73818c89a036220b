/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rates by time of day: "08:00-18:00 50MB/s; Sat,Sun 200MB/s; otherwise 500MB/s". The first span that contains the time counts; without
 * "otherwise" there is no limit at other times; a rate alone holds always. Days and hours as in a window (hours.h).
 *
 * Pure but for the time zone of the process. Threads: any.
 */
#ifndef EBB_AGENT_RATES_H
#define EBB_AGENT_RATES_H

#include "agent/hours.h"

#define EBB_RATES_MAX 8

struct ebb_rates {
	struct {
		struct ebb_hours hours;
		bool always;
		int64_t rate;		/* a second */
	} v[EBB_RATES_MAX];
	size_t n;			/* 0: no limit */
};

/* @bytes: sizes ("50MB/s"), otherwise counts ("200/s"). 0, or -EBB_ECONFIG saying what would be right. */
int ebb_rates_parse(const char *text, bool bytes, struct ebb_rates *ret, struct ebb_err *err);

/* The rate at @now (ns since the epoch); 0: no limit. */
int64_t ebb_rates_at(const struct ebb_rates *r, int64_t now);

#endif
