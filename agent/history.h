/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * History: what each store held and cost on each day it was looked at, by dimension. Unlike the index it cannot be made anew, so
 * it lies beside it in plain files that are only ever appended to.
 *
 * INDEX/history/YYYY-MM.jsonl, one line a look (on one line):
 *
 *   {"schema":"ebb.history/1","time":"2026-11-27T02:00:00Z","store":"lake","currency":"USD","objects":12,"bytes":34,
 *    "cost_month_nano":56,"unpriced_bytes":0,"by":{"team":[["research",7,20,30],["",5,14,26]],"class":[["STANDARD",12,34,56]]}}
 *
 * Rows are value, objects, bytes, cost of a month of 30 days in nano-units; the value "" is what has none. Rows of a dimension add up to
 * the line. Values that are not UTF-8 are written as ebb_text_quote does it. A torn last line is cut off by the next append.
 *
 * Reading makes a series of days. A store keeps its last known state on days without a look; of several looks on one day the last
 * counts. Lines from the future (a clock that ran ahead) are left out and counted; so are lines that cannot be read.
 *
 * Threads: main thread; appending needs the run lock.
 */
#ifndef EBB_AGENT_HISTORY_H
#define EBB_AGENT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

/* Most rows kept of a dimension; the rest is one row "(others)". */
#define EBB_HISTORY_ROWS 200
#define EBB_HISTORY_OTHERS "(others)"

/* A row of a dimension. */
struct ebb_history_row {
	const char *value;
	int64_t objects, bytes, cost;	/* cost: nano-units a month */
};

struct ebb_history_dim {
	const char *name;
	const struct ebb_history_row *rows;
	size_t n;
};

/* One look at one store. */
struct ebb_history_look {
	int64_t time;		/* ns since the epoch */
	const char *store;
	const char *currency;	/* "" when nothing is priced */
	int64_t objects, bytes, cost, unpriced_bytes;
	const struct ebb_history_dim *dims;
	size_t ndims;
};

/*
 * Append a look, durably.
 *
 * @return  0; -EBB_EACCES, -EBB_EIO, -EBB_ENOSPC naming the file; -EBB_ENOMEM.
 */
int ebb_history_append(const char *index_dir, const struct ebb_history_look *look, struct ebb_err *err);

/* A day of a series. */
struct ebb_history_day {
	int64_t day;		/* days since the epoch */
	int64_t objects, bytes, cost;
	bool carried;		/* nobody looked on that day */
};

struct ebb_history;

/*
 * Read the looks from @since_day to @now into memory: the last of each store and day.
 *
 * @return  0, also when there is no history; -EBB_EIO, -EBB_EACCES, -EBB_ENOMEM.
 */
int ebb_history_load(const char *index_dir, int64_t since_day, int64_t now, struct ebb_history **ret,
		     struct ebb_err *err);
void ebb_history_free(struct ebb_history *h);
EBB_CLEANUP_PTR(struct ebb_history, ebb_history_free);

/* Lines that were left out: unreadable, and from the future. */
uint64_t ebb_history_bad(const struct ebb_history *h);
uint64_t ebb_history_future(const struct ebb_history *h);

/* Currency of the last look that has one, "" without. Looks in another currency count as not priced. Lives as long as @h. */
const char *ebb_history_currency(const struct ebb_history *h);

/*
 * The days from the first look to the last or @today, whichever is later, of all stores together, or of @store alone (NULL: all).
 *
 * @dim, @value  only that row ("store": only that store); NULL: everything.
 * @ret          allocated, freed by the caller with free(); NULL when there is none.
 * @return       days, or -EBB_ENOMEM.
 */
int64_t ebb_history_series(const struct ebb_history *h, const char *store, const char *dim,
			   const char *value, int64_t today, struct ebb_history_day **ret, struct ebb_err *err);

/* Number of looks, and each of them in order of day and store; its strings live as long as @h. */
size_t ebb_history_count(const struct ebb_history *h);
const struct ebb_history_look *ebb_history_get(const struct ebb_history *h, size_t i);

#endif
