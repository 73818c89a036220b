/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where verification of a store has come to, and what it covered when: INDEX/verify/STORE.jsonl, written anew after each session.
 *
 *   {"schema":"ebb.verify/1"}
 *   {"ts_ns":..,"from":"a/x","to":"b/y","end":false,"objects":100,"bytes":..,"bad":0}   keys behind `from` up to `to` (end: all behind `from`)
 *   {"ts_ns":..,"path":"a/y","why":".."}                                                found bad, and not found good since
 *
 * Objects are taken in key order, round and round, so those that were verified longest ago come next. Lines older than 400 days go.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_VERIFY_LOG_H
#define EBB_AGENT_VERIFY_LOG_H

#include "core/arena.h"
#include "core/err.h"
#include "core/record.h"

struct ebb_verify_log_range {
	int64_t ts;			/* when it was verified, ns since the epoch */
	const char *from, *to;		/* in the arena; "" is before all keys */
	bool end;			/* to the last key */
	int64_t objects, bytes, bad;
	int64_t now, now_bytes;		/* for callers that count what lies there; not on disk */
};

struct ebb_verify_log_bad {
	int64_t ts;
	const char *key, *why;
	bool healed;			/* found good since: not written again */
};

struct ebb_verify_log {
	struct ebb_arena arena;
	struct ebb_verify_log_range *ranges;	/* oldest first */
	size_t n, room;
	struct ebb_verify_log_bad *bad;
	size_t nbad, bad_room;
};

void ebb_verify_log_release(struct ebb_verify_log *l);

/* Read; no file is an empty log. 0, -EBB_EJOURNAL, -EBB_ENOMEM. Released in both cases. */
int ebb_verify_log_read(const char *index, const char *store, struct ebb_verify_log *ret, struct ebb_err *err);

/* Write, durably. */
int ebb_verify_log_write(const char *index, const char *store, const struct ebb_verify_log *l, int64_t now, struct ebb_err *err);

/* The key behind which the next session begins; "": at the first. */
const char *ebb_verify_log_at(const struct ebb_verify_log *l);

/* Append; strings are copied. 0 or -EBB_ENOMEM. */
int ebb_verify_log_add(struct ebb_verify_log *l, const struct ebb_verify_log_range *r, struct ebb_err *err);

/* An object was found bad, or good. */
int ebb_verify_log_found(struct ebb_verify_log *l, const char *key, const char *why_bad, int64_t now, struct ebb_err *err);

/*
 * The newest range, at @since or later, in which the object lies as it is; or NULL. It need not have been verified there: nothing may have been known
 * of it. Never more than range->objects were.
 */
struct ebb_verify_log_range *ebb_verify_log_newest(const struct ebb_verify_log *l, const struct ebb_record *rec, int64_t since);

#endif
