/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Advice: the few things most worth doing, found in a report, ranked by what they cost or save a month.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_ADVICE_H
#define EBB_AGENT_ADVICE_H

#include "agent/report.h"

#define EBB_ADVICE_MAX 10

struct ebb_advice {
	int64_t worth;		/* nano-units a month; 0 for what has no price */
	char text[400];		/* one or two sentences */
};

/* The first EBB_ADVICE_MAX into @ret, the most valuable first. Returns how many, or what the allocation returned. */
int ebb_advice_find(const struct ebb_report *r, struct ebb_advice ret[EBB_ADVICE_MAX], struct ebb_err *err);

#endif
