/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Progress of long work: one line on a terminal, redrawn at most five times a second, with rate and time to go.
 *
 *	scan lake  1,234,567 files  410,000/s  62 %  0:12 to go
 *
 * Nothing at all is printed when the output is not a terminal, or the user asked for quiet. Time comes from the
 * monotonic clock, so a changed wall clock or EBB_NOW does not matter.
 *
 * Threads: belongs to one thread.
 */
#ifndef EBB_AGENT_PROGRESS_H
#define EBB_AGENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct ebb_progress {
	FILE *f;		/* NULL: off */
	const char *what;	/* "scan lake", borrowed */
	const char *unit;	/* "files", borrowed */
	int64_t started, drawn;	/* monotonic ns */
	bool visible;
};

/* Begin; off when @quiet or @f is no terminal. */
void ebb_progress_start(struct ebb_progress *p, FILE *f, bool quiet, const char *what,
			const char *unit);

/*
 * Say how far the work is. Cheap; call it as often as convenient.
 *
 * @done, @total  units; total 0: unknown, then neither share nor time to go are shown.
 * @bytes         done, shown when not 0.
 */
void ebb_progress_tick(struct ebb_progress *p, uint64_t done, uint64_t total, uint64_t bytes);

/* Take the line away; needed before anything else is printed to the same terminal. */
void ebb_progress_end(struct ebb_progress *p);

/* ns since start, by the monotonic clock; counts also when off. */
int64_t ebb_progress_elapsed(const struct ebb_progress *p);

#endif
