/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The audit log: what was decided and done, by whom, when. INDEX/audit.jsonl, one line an event, only ever appended to, chained so
 * that nobody changes, removes or inserts a line unseen:
 *
 *   {"schema":"ebb.audit/1","n":7,"time":"2026-11-27T02:00:00Z","user":"ops","host":"gpu7","pid":4711,"command":"ebb apply",
 *    "event":"end","run":"20261127T020000Z-1f2e3d4c","plan":"<64 hex>","outcome":"complete","why":"...",
 *    "done":12,"skipped":0,"failed":0,"bytes":4096,"facts":{"rules_sha256":"..."},"journal_bytes":8812,"journal_sha256":"<64 hex>",
 *    "prev":"<64 hex>","sha256":"<64 hex>"}
 *
 * (on one line). "sha256" is that of all bytes of the line before `,"sha256"`; "prev" is the "sha256" of the line before, zeros in the
 * first. What is done to each object stands in the journal of its run; an event that ends a session carries the length and the SHA-256 of that
 * journal, so the chain covers it as well. A chain cannot tell that its newest lines were cut off, or that all of it was
 * written anew: for that somebody keeps the newest "sha256" elsewhere (`ebb audit --verify --head`).
 *
 * A torn last line (crash in an append) was never acknowledged and is cut off by the next append.
 *
 * Like INDEX/runs it is no cache. Threads: appending takes a lock on the file, so any process and thread may; the rest is plain.
 */
#ifndef EBB_AGENT_AUDIT_H
#define EBB_AGENT_AUDIT_H

#include "agent/journal.h"
#include "compress/digest.h"

/* Room for a SHA-256 in hex with its NUL. */
#define EBB_AUDIT_HEX 65

/* Longest line in bytes. */
#define EBB_AUDIT_LINE_MAX (64 * 1024)

/* Something else that belongs to an event. Values that are not UTF-8 are written as ebb_text_quote does it. */
struct ebb_audit_fact {
	const char *name, *value;
};

/* What is to be written. All strings borrowed; NULL: not known, left out. */
struct ebb_audit_event {
	int64_t time;			/* ns since the epoch */
	const char *command;		/* who writes: "ebb apply" */
	const char *event;		/* "begin", "end", "recover", "approve", "refuse": one lower-case word */
	const char *run, *plan;		/* ids */
	const char *outcome, *why;	/* of an end: "complete", "stopped" ..., and what stopped it */
	const struct ebb_journal_counts *counts;	/* or NULL */
	const struct ebb_audit_fact *facts;
	size_t nfacts;
	const char *journal;		/* path of a journal to be covered as it is now, or NULL */
};

/*
 * Append an event, durably. Whoever changes stores calls this before the first change and after the last, and does not begin when it fails.
 *
 * @return  0; -EBB_EJOURNAL when the file is damaged at its end or cannot be written (names it); -EBB_ENOSPC, -EBB_EACCES, -EBB_ENOMEM.
 */
int ebb_audit_append(const char *index_dir, const struct ebb_audit_event *e, struct ebb_err *err);

/* What a reading found. */
struct ebb_audit_check {
	int64_t lines;			/* whole ones */
	bool torn;			/* behind them a line that is not */
	int64_t broken;			/* number of the first line whose link does not hold, 0: all hold */
	char why[256];			/* what is wrong with it */
	char head[EBB_AUDIT_HEX];	/* "sha256" of the last line, zeros without lines */
	bool seen;			/* @expected was the "sha256" of some line, or the zeros of an empty log */
};

/* A line as it stands in the file, NUL-terminated, borrowed until the call returns. @good: the chain holds up to here. Negative stops. */
typedef int ebb_audit_fn(void *ctx, int64_t n, const char *line, size_t len, bool good, struct ebb_err *err);

/*
 * Read the log from its beginning, checking every link.
 *
 * @fn        may be NULL.
 * @expected  a "sha256" that must occur, or NULL.
 * @return    0, also when there is no log or links are broken (*ret says); -EBB_EIO, -EBB_EACCES, -EBB_ENOMEM; what @fn returned.
 */
int ebb_audit_read(const char *index_dir, const char *expected, ebb_audit_fn *fn, void *ctx,
		   struct ebb_audit_check *ret, struct ebb_err *err);

/*
 * Does the first part of @journal, @bytes long, have that SHA-256?
 *
 * @return  1; 0: no, or it is shorter; -EBB_ENOENT; -EBB_EIO.
 */
int ebb_audit_covers(const char *journal, int64_t bytes, const char *sha256, struct ebb_err *err);

#endif
