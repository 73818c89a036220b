/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/breaker.h"

#define RECENT 64

void ebb_breaker_init(struct ebb_breaker *b, const struct ebb_planhead_limits *limits)
{
	*b = (struct ebb_breaker){.limits = *limits};
}

int ebb_breaker_admit(struct ebb_breaker *b, int64_t bytes, struct ebb_err *err)
{
	const struct ebb_planhead_limits *l = &b->limits;

	if (l->max_objects >= 0 && b->objects + 1 > l->max_objects)
		return ebb_err_set(err, EBB_ELIMIT, "stopped by max_objects: %lld actions are done",
				   (long long)b->objects);
	if (l->max_bytes >= 0 && bytes > l->max_bytes - b->bytes)
		return ebb_err_set(err, EBB_ELIMIT,
				   "stopped by max_bytes: %lld bytes are done, the next object has %lld",
				   (long long)b->bytes, (long long)bytes);
	b->objects++;
	b->bytes += bytes;
	return 0;
}

void ebb_breaker_ended(struct ebb_breaker *b, bool failed)
{
	b->errors += failed;
	b->recent = b->recent << 1 | failed;
	if (b->seen < RECENT)
		b->seen++;
}

int ebb_breaker_check(const struct ebb_breaker *b, struct ebb_err *err)
{
	if (b->limits.max_errors >= 0 && b->errors > b->limits.max_errors)
		return ebb_err_set(err, EBB_ELIMIT, "stopped by max_errors: %lld actions failed",
				   (long long)b->errors);
	if (b->seen == RECENT && __builtin_popcountll(b->recent) > RECENT / 2)
		return ebb_err_set(err, EBB_ELIMIT, "stopped: %d of the last %d actions failed",
				   __builtin_popcountll(b->recent), RECENT);
	return 0;
}
