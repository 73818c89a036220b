/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What stops a run by itself: limits that count while it goes, and a breaker that opens when half of the last actions failed.
 *
 * Pure. Threads: belongs to one thread.
 */
#ifndef EBB_AGENT_BREAKER_H
#define EBB_AGENT_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/planhead.h"
#include "core/err.h"

struct ebb_breaker {
	struct ebb_planhead_limits limits;
	int64_t objects, bytes;		/* begun in this session */
	int64_t errors;
	uint64_t recent;		/* bit per ended action, newest lowest: 1 failed */
	unsigned seen;			/* bits that mean something, at most 64 */
};

void ebb_breaker_init(struct ebb_breaker *b, const struct ebb_planhead_limits *limits);

/* May one more action of @bytes begin? Counts it when it may. -EBB_ELIMIT naming the limit. */
int ebb_breaker_admit(struct ebb_breaker *b, int64_t bytes, struct ebb_err *err);

/* An action ended. */
void ebb_breaker_ended(struct ebb_breaker *b, bool failed);

/* May the run go on? -EBB_ELIMIT: too many errors, or more than half of the last 64 actions failed. */
int ebb_breaker_check(const struct ebb_breaker *b, struct ebb_err *err);

#endif
