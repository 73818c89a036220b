/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a whole journal: how far the run is, what is open, and where its windows lie for going back.
 *
 * Memory: 16 bytes a window (256 actions), one bit an action, and what the last window holds.
 *
 * Threads: belongs to one thread.
 */
#ifndef EBB_AGENT_REPLAY_H
#define EBB_AGENT_REPLAY_H

#include "agent/executor.h"
#include "agent/journal.h"
#include "agent/marks.h"

/* A directory of the journal. */
struct ebb_replay_dir {
	char *store, *path, *like;	/* owned; like may be NULL */
	int64_t mtime, atime;
	bool made;
};

struct ebb_replay_window {
	int64_t at;		/* offset of its window record */
	enum ebb_op_way way;
};

struct ebb_replay {
	struct ebb_arena arena;		/* of the last window */
	char *plan;
	int64_t actions;		/* of the plan */
	int64_t next;			/* first action that no apply window has had */
	int64_t *back;			/* actions before it that are to be done again, ascending */
	size_t nback;
	struct ebb_replay_window *windows;
	size_t nwindows;
	uint64_t *away;			/* bit n: undone, or let go from the trash */
	uint64_t *gone;			/* bit n: let go from the trash, for good */
	struct ebb_journal_counts applied;	/* by apply sessions */
	int64_t undone, expired;
	bool complete;			/* an apply session came to the end of the plan */
	enum ebb_op_way way;		/* of the last window */
	struct ebb_executor_op *open;	/* its operations without a result */
	size_t nopen;
	struct ebb_marks_set marks;	/* of actions that did not end: how far their copies had come */
	size_t hint;			/* reading: where the next result is looked for first */
	struct ebb_replay_dir *dirs;	/* apply: entered and not left; undo: of the last window */
	size_t ndirs;
	bool ended;			/* the last record is an end */
};

/*
 * @return  0 with *ret to be released; -EBB_EJOURNAL, -EBB_ENOENT, -EBB_ENOMEM.
 */
int ebb_replay_run(const char *journal, struct ebb_replay *ret, struct ebb_err *err);
void ebb_replay_release(struct ebb_replay *r);

/* Was action @n undone or let go? */
bool ebb_replay_is_away(const struct ebb_replay *r, int64_t n);

/* True when action @n was put into the trash and let go from there: it cannot come back. */
bool ebb_replay_is_gone(const struct ebb_replay *r, int64_t n);

/* One window, for going back over it. */
struct ebb_replay_segment {
	struct ebb_arena arena;
	struct ebb_executor_op *ops;	/* all its operations; result.outcome BACK when there is none */
	size_t nops;
	size_t hint;			/* reading: where the next result is looked for first */
	struct ebb_replay_dir *dirs;	/* dir and made records, in order */
	size_t ndirs;
	struct ebb_replay_dir *left;	/* left records, in order */
	size_t nleft;
};

/* Read window @i (of r->windows) from @j. Released with ebb_replay_segment_release in both cases. */
int ebb_replay_segment(struct ebb_journal_reader *j, const struct ebb_replay *r, size_t i,
		       struct ebb_replay_segment *ret, struct ebb_err *err);
void ebb_replay_segment_release(struct ebb_replay_segment *s);

/*
 * An operation of a window that applied, with what became of it (outcome BACK: no result).
 *
 * @o         borrowed until it returns.
 * @standing  it was not taken back since, nor let go.
 * @return    negative: stop.
 */
typedef int ebb_replay_fn(void *ctx, const struct ebb_executor_op *o, bool standing, struct ebb_err *err);

/*
 * Each operation that a run has applied or tried to, window by window; one that was tried again comes again.
 *
 * @return  0; as ebb_replay_run; what @fn returned.
 */
int ebb_replay_each(const char *journal, ebb_replay_fn *fn, void *ctx, struct ebb_err *err);

#endif
