/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs on disk: INDEX/runs/RUN-ID/ holds the plan as it was approved (plan.jsonl) and the journal. A run id is the UTC time of
 * its start and the first digits of its plan's id, 20261123T190000Z-1f2e3d4c. Runs are ordered by when they began, to the nanosecond.
 *
 * INDEX/runs is no cache: unlike the index beside it, it cannot be rebuilt, and undo needs it.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_RUN_H
#define EBB_AGENT_RUN_H

#include "agent/journal.h"
#include "agent/planfile.h"

/* Room for a run id with its NUL. */
#define EBB_RUN_ID_MAX 40

/* What is known of a run without reading its whole journal. */
struct ebb_run {
	char id[EBB_RUN_ID_MAX];
	char plan[EBB_PLANFILE_ID_LEN];	/* id of its plan */
	char *journal, *plan_path;	/* owned */
	int64_t actions, started;
	bool closed;			/* the last session ended in good order; otherwise it was killed, or still runs */
	enum ebb_op_way way;		/* closed: of the last session */
	char outcome[16];		/* closed: "complete", "stopped", "interrupted", "recovered" */
	int64_t ended;			/* closed: ns since the epoch */
	struct ebb_journal_counts counts;	/* closed: of the last session */
};

void ebb_run_release(struct ebb_run *run);

/* Make @ret, which holds nothing, equal to @run. Returns 0 or -EBB_ENOMEM. */
int ebb_run_copy(struct ebb_run *ret, const struct ebb_run *run, struct ebb_err *err);

/*
 * Begin a run of @plan: directory, copy of the plan, journal with its first record; all durable.
 *
 * @index  index directory; must exist.
 */
int ebb_run_create(const char *index, struct ebb_planfile *plan, int64_t now, struct ebb_run *ret,
		   struct ebb_journal **ret_journal, struct ebb_err *err);

/* Each run, oldest first, to @fn; a negative return stops and is passed on. No runs is fine. Directories without a journal are passed over. */
typedef int ebb_run_fn(void *ctx, const struct ebb_run *run, struct ebb_err *err);
int ebb_run_each(const char *index, ebb_run_fn *fn, void *ctx, struct ebb_err *err);

/* Whether @word is the id of a run that is there, be it damaged. */
bool ebb_run_stands(const char *index, const char *word);

/*
 * Put a run out of the way: INDEX/runs/ID becomes INDEX/runs/aside.ID, which nothing reads. Durable. Path of it, owned by the caller, in *ret.
 */
int ebb_run_set_aside(const char *index, const char *id, char **ret, struct ebb_err *err);

/* Remove a run, journal and plan, for good. */
int ebb_run_remove(const char *index, const struct ebb_run *run, struct ebb_err *err);

/* A run by its id, an unambiguous beginning of it, or "last": the one that began last. -EBB_ENOENT; -EBB_EUSAGE when ambiguous. */
int ebb_run_find(const char *index, const char *word, struct ebb_run *ret, struct ebb_err *err);

#endif
