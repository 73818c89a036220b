/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ingesting access logs into the side table of one store (access.h).
 *
 * Lines come in any order and may come again: each read carries a number that identifies its line, and a line counts once (seen.h). They are
 * gathered in batches, reduced to one entry per key and day, sorted, and merged with the table in one pass. Nothing changes before
 * ebb_access_in_end has published; what is killed before is forgotten and can be ingested again.
 *
 * What is counted: reads inside the window that the hours make. Lines older than EBB_ACCESS_IN_MEMORY before the newest hour that was known
 * before are not remembered line by line: they move times of last reads and the window, but no counts; so old logs are ingested first.
 * Behind a hole counts begin anew, and logs from before it are forgotten.
 *
 * Memory: some 170 MiB, whatever the logs. Threads: one; the caller holds the run lock and no snapshot.
 */
#ifndef EBB_CORE_ACCESS_IN_H
#define EBB_CORE_ACCESS_IN_H

#include "core/access.h"

/* Days for which lines are remembered one by one. */
#define EBB_ACCESS_IN_MEMORY 90

/* One read. The key is copied. */
struct ebb_access_read {
	const char *key;
	uint32_t key_len;
	int64_t time;	/* ns since the epoch */
	int64_t bytes;	/* fetched */
	uint64_t id;	/* of the line */
};

struct ebb_access_stats {
	uint64_t counted;	/* reads that were new */
	uint64_t known;		/* reads that were counted before */
	uint64_t uncounted;	/* reads too old to be counted */
	uint64_t keys;		/* keys that were read, in this ingestion */
	bool window;		/* there is a window at all */
	int64_t since, until;
	bool hole;		/* a hole ended the window that was known before */
	bool changed;		/* the table is another one now */
};

struct ebb_access_in;

/*
 * @dir  for temporary files. @gap: longest pause that is no hole, ns, 0: EBB_ACCESS_GAP.
 */
int ebb_access_in_begin(struct ebb_index *ix, const char *store, const char *dir, int64_t gap,
			struct ebb_access_in **ret, struct ebb_err *err);
void ebb_access_in_free(struct ebb_access_in *in);
EBB_CLEANUP_PTR(struct ebb_access_in, ebb_access_in_free);

/* Some line of the store was logged at @time: the logs cover that hour. -EBB_ENOMEM. */
int ebb_access_in_hour(struct ebb_access_in *in, int64_t time, struct ebb_err *err);

/* A read. Its hour is marked as covered too. Keys that are empty, longer than EBB_KEY_MAX or hold a NUL are -EBB_EINVAL. */
int ebb_access_in_read(struct ebb_access_in *in, const struct ebb_access_read *read, struct ebb_err *err);

/* All logs are in: merge and publish. */
int ebb_access_in_end(struct ebb_access_in *in, struct ebb_access_stats *ret, struct ebb_err *err);

/*
 * Apply the side table to the store's records now, not only in its next scan.
 *
 * @return  1 when done; 0 when there is nothing to apply it to: the store was not scanned yet, or a scan of it is unfinished (its end will);
 *          negative as merge.h.
 */
int ebb_access_in_apply(struct ebb_index *ix, const char *store, struct ebb_err *err);

#endif
