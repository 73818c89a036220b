/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pace: how many bytes are read from stores, and how many operations object stores are asked for, in a second at most; by time of day.
 *
 * All stores that were opened with one pace share it. Whoever would be too fast waits before the next piece; what was not used within the last
 * second may be used at once. One operation may be several requests (a HEAD before a GET, parts of an upload); listings are not counted.
 *
 * Threads: any; waiting blocks the caller alone.
 */
#ifndef EBB_SCANNERS_PACE_H
#define EBB_SCANNERS_PACE_H

#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct ebb_pace;

/* Units a second at the time @now (ns since the epoch); 0: no limit. */
typedef int64_t ebb_pace_rate_fn(void *ctx, int64_t now);

/* Time, for tests; @pause may return early. */
struct ebb_pace_time {
	int64_t (*wall)(void *ctx);		/* ns since the epoch */
	int64_t (*monotonic)(void *ctx);	/* ns */
	void (*pause)(void *ctx, int64_t ns);
	void *ctx;
};

/*
 * @bytes, @requests  limits, with @ctx; NULL: none.
 * @time              NULL: the machine's. Copied.
 * @return            NULL when memory is short.
 */
struct ebb_pace *ebb_pace_new(ebb_pace_rate_fn *bytes, ebb_pace_rate_fn *requests, void *ctx, const struct ebb_pace_time *time);
void ebb_pace_free(struct ebb_pace *p);
EBB_CLEANUP_PTR(struct ebb_pace, ebb_pace_free);

/* @n bytes were read; one operation is about to begin. Both wait as long as it takes. NULL: no pace. */
void ebb_pace_bytes(struct ebb_pace *p, int64_t n);
void ebb_pace_request(struct ebb_pace *p);

#endif
