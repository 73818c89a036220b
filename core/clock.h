/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock, handed to whoever needs the time, so that tests and EBB_NOW can fix it.
 *
 * Times are nanoseconds since 1970-01-01T00:00:00Z in an int64_t: years 1677 to 2262, leap seconds
 * not counted (POSIX time). core/units.h reads and writes them.
 * Threads: a clock is constant; every function may be called from any thread.
 */
#ifndef EBB_CORE_CLOCK_H
#define EBB_CORE_CLOCK_H

#include <stdint.h>

#define EBB_CLOCK_SECOND INT64_C(1000000000)

/* A test may fill in a now() of its own, with the struct as the first member of its state. */
struct ebb_clock {
	int64_t (*now)(const struct ebb_clock *clock);	/* called from any thread; never fails */
	int64_t fixed;					/* what a fixed clock says */
};

/* The machine's clock (CLOCK_REALTIME). It may jump: measure with ebb_clock_monotonic(). */
extern const struct ebb_clock ebb_clock_real;

/* A clock that always says @ns. */
struct ebb_clock ebb_clock_fixed(int64_t ns);

/* What the clock says now. */
int64_t ebb_clock_now(const struct ebb_clock *clock);

/*
 * Nanoseconds since some moment in the past; never goes back. For progress, timeouts and bandwidth
 * only: nothing that reaches a plan or a report may depend on it.
 */
int64_t ebb_clock_monotonic(void);

#endif
