/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts = {0};

	clock_gettime(id, &ts);	/* cannot fail for the two ids used here */
	return (int64_t)ts.tv_sec * EBB_CLOCK_SECOND + ts.tv_nsec;
}

static int64_t real_now(const struct ebb_clock *clock)
{
	(void)clock;
	return read_clock(CLOCK_REALTIME);
}

static int64_t fixed_now(const struct ebb_clock *clock)
{
	return clock->fixed;
}

const struct ebb_clock ebb_clock_real = {.now = real_now};

struct ebb_clock ebb_clock_fixed(int64_t ns)
{
	return (struct ebb_clock){.now = fixed_now, .fixed = ns};
}

int64_t ebb_clock_now(const struct ebb_clock *clock)
{
	return clock->now(clock);
}

int64_t ebb_clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
