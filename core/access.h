/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access evidence from logs: kept beside a store's records, so that it survives scans and waits for keys that no scan has seen yet.
 *
 * The side table of store "lake" is a store of the index named "@lake": the same blocks, merged the same way. Its records:
 *   a key                   ATIME last read seen, READS and RBYTES since the window began, DAYS (core/record.h)
 *   NUL, 8 hex digits       a day that logs cover (days since the epoch); its DAYS has a bit for each hour in which some line was logged
 *   NUL, "window"           WINDOW and UNTIL, as below
 *
 * Window. Logs cover the hours in which any line was logged, and what lies between two of them that are at most a gap apart (a quiet bucket
 * logs nothing). The window is the covered time that ends with the newest hour. Where the next older hour is further away there is a
 * hole: it ends the window, and counts begin anew behind it. Times of last reads stay.
 *
 * Every merge into "lake" (merge.h), a scan or an update, applies the table to its records. Where nothing better is known, they get evidence
 * LOG, the window and its end, ATIME when a read was seen, READS, RBYTES and DAYS. Strict atime and relatime stay what they are, and so does a
 * provider's tier that says at least 30 days unless a later read was seen; their ATIME may only rise. Noncurrent versions share the time of
 * their key, since a read of a version is logged under it, but not the counts.
 *
 * Threads: as a merge.
 */
#ifndef EBB_CORE_ACCESS_H
#define EBB_CORE_ACCESS_H

#include "core/index.h"
#include "core/snap.h"

struct MDB_txn;

/* A pause in the logs up to this long (ns) is quiet, a longer one is a hole; unless who ingests says otherwise. */
#define EBB_ACCESS_GAP (INT64_C(24) * 3600 * 1000000000)

/* The hours that logs cover. */
struct ebb_access_hours {
	struct ebb_access_day {
		int32_t day;	/* since the epoch */
		uint32_t hours;	/* bit i: hour i */
	} *day;			/* ascending */
	size_t n, room;
};

void ebb_access_hours_release(struct ebb_access_hours *h);

/* Mark hours of a day. Cheap when days come in order or are there already. -EBB_ENOMEM. */
int ebb_access_hours_add(struct ebb_access_hours *h, int32_t day, uint32_t hours);

/*
 * The window that ends with the newest hour, ns since the epoch. @gap: ns, longer pauses are holes.
 *
 * @return  false when no hour is covered.
 */
bool ebb_access_hours_window(const struct ebb_access_hours *h, int64_t gap, int64_t *ret_since,
			     int64_t *ret_until);

/* Name of the side table of a store into @ret; -EBB_EINVAL when the store's is too long for one. */
int ebb_access_table(const char *store, char ret[EBB_INDEX_NAME_MAX + 1], struct ebb_err *err);

/* Is that the name of a side table? */
bool ebb_access_is_table(const char *name);

/* Bytes of the key of a day. */
#define EBB_ACCESS_DAY_KEY 9

/* Key of the window. */
#define EBB_ACCESS_WINDOW_KEY "\0window"
#define EBB_ACCESS_WINDOW_KEY_LEN 7

/* Key of a day in the side table, and back: false when @key is none. */
void ebb_access_day_key(int32_t day, char ret[EBB_ACCESS_DAY_KEY]);
bool ebb_access_day_of(const char *key, size_t len, int32_t *ret);

/* Days with reads as DAYS counts them from day @of, counted from @day instead, which is not earlier. */
uint64_t ebb_access_days_from(uint64_t days, int32_t of, int32_t day);

/* The day of a time, and the hour in it. */
int32_t ebb_access_day_at(int64_t ns, unsigned *ret_hour);

/* The hours that a snapshot knows for @store; none when it has no table. */
int ebb_access_hours_read(struct ebb_snap *s, const char *store, struct ebb_access_hours *h,
			  struct ebb_err *err);

/* --- for merge.c: the table read beside the records --- */

struct ebb_access;

/* The side table of @store, as of @txn; *ret is NULL when it has none, or is one. */
int ebb_access_open(struct ebb_index *ix, struct MDB_txn *txn, const char *store, struct ebb_access **ret,
		    struct ebb_err *err);
void ebb_access_close(struct ebb_access *a);

/* Tell @r what the table knows. Keys must ascend from call to call. Returns 0, -EBB_EINDEX, -EBB_ECORRUPT. */
int ebb_access_apply(struct ebb_access *a, struct MDB_txn *txn, struct ebb_record *r, struct ebb_err *err);

#endif
