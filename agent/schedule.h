/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a daily job is due: at some times of some days, each put off by a part of the jitter that depends on the machine and the day only. So
 * machines spread, and one that starts anew knows the same times.
 *
 * Local time. A time that the clocks leave out in spring is an hour later that day; one that comes twice in autumn is due once.
 * Pure but for the time zone of the process. Threads: any.
 */
#ifndef EBB_AGENT_SCHEDULE_H
#define EBB_AGENT_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Times of a day at most. */
#define EBB_SCHEDULE_MAX 24

struct ebb_schedule {
	int at[EBB_SCHEDULE_MAX];	/* minutes since midnight */
	size_t n;
	uint8_t days;			/* bit 0 Sunday */
	int64_t jitter;			/* ns */
};

/* The last time at or before @now at which it was due, and the first after it; ns since the epoch. INT64_MIN, INT64_MAX: none. @seed: of the machine. */
int64_t ebb_schedule_before(const struct ebb_schedule *s, uint64_t seed, int64_t now);
int64_t ebb_schedule_after(const struct ebb_schedule *s, uint64_t seed, int64_t now);

/* How much of @jitter falls to @seed for @number, 0 to @jitter. */
int64_t ebb_schedule_jitter(int64_t jitter, uint64_t seed, int64_t number);

/* A seed from a name, such as the machine's. */
uint64_t ebb_schedule_seed(const char *name);

#endif
