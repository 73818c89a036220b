/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Anomalies in a daily series (cost, bytes), each with the numbers that made it one:
 *
 *   spike   the day's modified z-score against earlier days is beyond a limit. Compared are the same weekdays of the last
 *           eight weeks when there are at least four of them, otherwise the last 28 days when there are at least ten, each moved along
 *           the robust line through them, so that steady growth is expected to go on.
 *   drift   an EWMA chart of what a robust line through days 15 to 56 ago, with its weekdays, did not foresee leaves its control
 *           limits: many small steps in one direction that no single day shows. Needs 21 days in that window. A steady growth is
 *           part of the line, so it is none. Days in a row make one drift, told on its first day.
 *
 * Both must also be worth a look: at least a share of what was expected, and at least an amount.
 * Sources: Iglewicz and Hoaglin 1993 (z-score and its limit 3.5); Roberts 1959, Lucas and Saccucci 1990 (EWMA charts, lambda 0.2, L 3).
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_POLICIES_ANOMALY_H
#define EBB_POLICIES_ANOMALY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A day's value; series ascend by day, days may be missing. */
struct ebb_anomaly_point {
	int64_t day;	/* days since the epoch */
	double value;
};

struct ebb_anomaly_opts {
	double z;		/* limit of the modified z-score */
	double lambda, limit;	/* EWMA chart: weight of the newest, width in standard errors */
	double min_share;	/* least deviation, share of what was expected */
	double min_amount;	/* least deviation, in the series' unit */
};

/* 3.5; 0.2 and 3; 15 %; any amount. */
extern const struct ebb_anomaly_opts ebb_anomaly_defaults;

enum ebb_anomaly_kind {
	EBB_ANOMALY_SPIKE,
	EBB_ANOMALY_DRIFT
};

struct ebb_anomaly {
	enum ebb_anomaly_kind kind;
	int64_t day;
	double value;		/* that day's; of a drift: expected, and the median of what the last five days had on top */
	double expected;	/* median of the days compared with, moved along their line; of a drift: the line */
	double score;		/* spike: modified z-score; drift: share of its control limit, beyond 1 or -1 */
	size_t history;		/* days compared with */
	bool weekday;		/* they are of the same weekday */
};

/*
 * Find the anomalies of @n points from day @since on (earlier days are history only), in order of days.
 *
 * @ret    room for @max; further ones are counted, not written.
 * @return how many there are; -EBB_EINVAL when days do not ascend or a value is not finite; -EBB_ENOMEM.
 */
int ebb_anomaly_find(const struct ebb_anomaly_point *p, size_t n, int64_t since,
		     const struct ebb_anomaly_opts *opts, struct ebb_anomaly *ret, size_t max);

/* "spike", "drift". Constant. */
const char *ebb_anomaly_name(enum ebb_anomaly_kind kind);

#endif
