/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journal of a run: what was going to be done, before it was done, and what came of it. INDEX/runs/RUN-ID/journal, one JSON
 * object a line, only ever appended to. Unlike the index it is no cache: without it there is no undo.
 *
 * A line ends in a checksum of everything before it, `,"sum":"xxxxxxxx"}`: the first 4 bytes of XXH3-128. A torn last line (crash in
 * mid-write) is not there; a bad line elsewhere is damage. Records, in the order in which they appear:
 *
 *   run      {"t":"run","format":1,"id":..,"plan":..,"actions":..,"started_ns":..}          once, first
 *   window   {"t":"window","way":"apply","count":256,"ts_ns":..}   begins a group of operations, made durable together
 *   dir      {"t":"dir","store":..,"path":..,"mtime_ns":..,"atime_ns":..}  a directory's times, before its first touch;
 *            in an undo window: the times to put back when the window is cut short
 *   made     {"t":"made","store":..,"path":..,"like":..}           a directory that is about to be created
 *   intent   {"t":"intent","n":..,OPERATION}                       an operation that is about to begin
 *   copied   {"t":"copied","n":..,RESULT}                          a copy stands and was verified; the original may go
 *            (of a pack: "member" says where in it the object lies)
 *   mark     {"t":"mark","n":..,"at":..,"id":..,"sum_md5":..,"digest":..,"state_b64":..}   so far a copy can be gone on with (marks.h)
 *   done     {"t":"done","n":..,RESULT}
 *   skipped, failed   {"t":"skipped","n":..,"code":"changed","why":..}
 *   back     {"t":"back","n":..}                                   the intent is void
 *   left     {"t":"left","store":..,"path":..,"mtime_ns":..}       a directory's time after its last touch
 *   end      {"t":"end","way":"apply","outcome":"complete","ts_ns":..,COUNTS}   the session closed in good order
 *
 * Threads: append and sync may be called from any thread; sync is a group commit (one thread writes and syncs for all who
 * wait). The rest belongs to one thread.
 */
#ifndef EBB_AGENT_JOURNAL_H
#define EBB_AGENT_JOURNAL_H

#include "agent/op.h"
#include "core/arena.h"
#include "core/mem.h"
#include "scanners/store.h"

#define EBB_JOURNAL_FORMAT 1

/* Longest line: a key or two and all extended attributes of a file. */
#define EBB_JOURNAL_LINE_MAX (16 * 1024 * 1024)

/* Most actions of a plan: reading a journal takes two bits for each. */
#define EBB_JOURNAL_ACTIONS_MAX (INT64_C(1) << 32)

enum ebb_journal_type {
	EBB_JOURNAL_RUN,
	EBB_JOURNAL_WINDOW,
	EBB_JOURNAL_DIR,
	EBB_JOURNAL_MADE,
	EBB_JOURNAL_INTENT,
	EBB_JOURNAL_COPIED,
	EBB_JOURNAL_MARK,
	EBB_JOURNAL_DONE,
	EBB_JOURNAL_SKIPPED,
	EBB_JOURNAL_FAILED,
	EBB_JOURNAL_BACK,
	EBB_JOURNAL_LEFT,
	EBB_JOURNAL_END,
	EBB_JOURNAL_TYPES
};

/* What a session did, or a run so far. */
struct ebb_journal_counts {
	int64_t done, skipped, failed;
	int64_t bytes;		/* size of the objects done */
};

/* One record; which members mean something follows from the type. Strings live in the arena it was read into. */
struct ebb_journal_rec {
	enum ebb_journal_type type;
	int64_t at;			/* offset of its line */
	int64_t n;			/* number of an action */
	const char *id, *plan;		/* RUN */
	int64_t actions;		/* RUN */
	int64_t ts;			/* RUN, WINDOW, END: ns since the epoch */
	enum ebb_op_way way;		/* WINDOW, END */
	int64_t count;			/* WINDOW: operations */
	const char *store, *path;	/* DIR, MADE, LEFT; "/" is the root of the store */
	const char *like;		/* MADE: store whose directory it mirrors, or NULL */
	int64_t mtime, atime;		/* DIR, LEFT */
	struct ebb_op *op;		/* INTENT: in the arena, to be released by the caller */
	struct ebb_store_mark mark;	/* MARK */
	const uint8_t *state;		/* MARK: of the digest, EBB_DIGEST_STATE bytes */
	struct ebb_op_result result;	/* COPIED, DONE, SKIPPED, FAILED, BACK */
	const char *outcome;		/* END: "complete", "stopped", "interrupted" */
	const char *why;		/* END: what stopped it, or NULL */
	struct ebb_journal_counts counts;	/* END */
};

struct ebb_journal;

/*
 * Begin the journal at @path, which must not exist, with its run record; durable on return, its directory included.
 *
 * @run   type RUN: id, plan, actions, ts.
 * @return  0; -EBB_EEXIST; -EBB_EJOURNAL; -EBB_ENOSPC.
 */
int ebb_journal_create(const char *path, const struct ebb_journal_rec *run,
		       struct ebb_journal **ret, struct ebb_err *err);

/* Go on with the journal at @path; a torn last line is cut off. Returns 0, -EBB_ENOENT, -EBB_EJOURNAL. */
int ebb_journal_append_to(const char *path, struct ebb_journal **ret, struct ebb_err *err);

/* Sync and close. What cannot be written any more is found out by recovery. */
void ebb_journal_close(struct ebb_journal *j);
EBB_CLEANUP_PTR(struct ebb_journal, ebb_journal_close);

/* Append a record. It is durable after the next sync. -EBB_ENOMEM, or the failure that broke the journal. */
int ebb_journal_put(struct ebb_journal *j, const struct ebb_journal_rec *rec, struct ebb_err *err);

/* Wait until everything appended so far is durable. After a failure every further call fails: -EBB_EJOURNAL, -EBB_ENOSPC. */
int ebb_journal_sync(struct ebb_journal *j, struct ebb_err *err);

struct ebb_journal_reader;

/* Open for reading; writes nothing. Returns 0, -EBB_ENOENT, -EBB_EJOURNAL, -EBB_ENOMEM. */
int ebb_journal_open(const char *path, struct ebb_journal_reader **ret, struct ebb_err *err);
void ebb_journal_reader_close(struct ebb_journal_reader *r);
EBB_CLEANUP_PTR(struct ebb_journal_reader, ebb_journal_reader_close);

/*
 * Next record, into @arena.
 *
 * @return  1; 0 at the end (a torn last line is the end); -EBB_EJOURNAL with FILE and offset for a damaged line; -EBB_EVERSION;
 *          -EBB_ENOMEM.
 */
int ebb_journal_next(struct ebb_journal_reader *r, struct ebb_arena *arena,
		     struct ebb_journal_rec *ret, struct ebb_err *err);

/* Go on at the line that begins at offset @at. */
void ebb_journal_seek(struct ebb_journal_reader *r, int64_t at);

/* Offset of the line that next will read. */
int64_t ebb_journal_tell(const struct ebb_journal_reader *r);

/* The last record of the file, from its end alone. Returns 1, 0 when there is none, negative. */
int ebb_journal_last(struct ebb_journal_reader *r, struct ebb_arena *arena,
		     struct ebb_journal_rec *ret, struct ebb_err *err);

#endif
