/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/schedule.h"

#include <time.h>

#include "core/clock.h"

/* A day without a run among seven days, and what jitter and time zones move. */
#define DAYS 9

uint64_t ebb_schedule_seed(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return h;
}

int64_t ebb_schedule_jitter(int64_t jitter, uint64_t seed, int64_t number)
{
	/* the finalizer of SplitMix64: neighbours fall far apart */
	uint64_t z = seed + (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return jitter > 0 ? (int64_t)((z ^ z >> 31) % ((uint64_t)jitter + 1)) : 0;
}

/* Due time of @at on the day that is @offset days from that of @now; INT64_MIN when that day is none of the schedule's. */
static int64_t due(const struct ebb_schedule *s, uint64_t seed, int at, time_t now, int offset)
{
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_mday += offset;
	tm.tm_hour = at / 60;
	tm.tm_min = at % 60;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	time_t t = mktime(&tm);
	if (t == (time_t)-1 || !(s->days >> tm.tm_wday & 1))
		return INT64_MIN;
	int64_t number = ((int64_t)(tm.tm_year * 366 + tm.tm_yday)) * (24 * 60) + at;
	return (int64_t)t * EBB_CLOCK_SECOND + ebb_schedule_jitter(s->jitter, seed, number);
}

static void around(const struct ebb_schedule *s, uint64_t seed, int64_t now, int64_t *before, int64_t *after)
{
	time_t t = (time_t)(now / EBB_CLOCK_SECOND - (now % EBB_CLOCK_SECOND < 0));

	*before = INT64_MIN;
	*after = INT64_MAX;
	for (size_t i = 0; i < s->n; i++)
		for (int d = -DAYS; d <= DAYS; d++) {
			int64_t at = due(s, seed, s->at[i], t, d);

			if (at == INT64_MIN)
				continue;
			if (at <= now && at > *before)
				*before = at;
			if (at > now && at < *after)
				*after = at;
		}
}

int64_t ebb_schedule_before(const struct ebb_schedule *s, uint64_t seed, int64_t now)
{
	int64_t before, after;

	around(s, seed, now, &before, &after);
	return before;
}

int64_t ebb_schedule_after(const struct ebb_schedule *s, uint64_t seed, int64_t now)
{
	int64_t before, after;

	around(s, seed, now, &before, &after);
	return after;
}
