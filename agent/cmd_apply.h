/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb apply, for commands that apply plans under another name (ebb transfer run) or as one of their steps (ebb run). Threads: main thread. */
#ifndef EBB_AGENT_CMD_APPLY_H
#define EBB_AGENT_CMD_APPLY_H

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/journal.h"
#include "agent/run.h"

struct ebb_cmd_apply_opts {
	bool dry;			/* look, touch nothing */
	int64_t max_objects, max_bytes;	/* -1: as the configuration says */
	unsigned jobs;			/* 0: chosen */
	const char *thaw;		/* have archived objects that are needed thawed at this speed; NULL: refuse the plan, with the price */
	int thaw_days;			/* that their copies are kept */
	bool wait;			/* for them */
	bool skip_asleep;		/* instead of all that: leave what sleeps alone, and do the rest */
	const char *command;		/* who does it, for the lock and the audit log: "ebb run"; NULL: "ebb apply" */
	const char *again;		/* what goes on from where it stopped: "the next ebb run"; NULL: "ebb apply PATH" */
};

struct ebb_cmd_apply_told {
	char run[EBB_RUN_ID_MAX];		/* "": no run was begun or gone on with */
	struct ebb_journal_counts counts;	/* of this session; dry: what would be done */
	bool complete;				/* the plan is at its end, now or since an earlier session */
};

/*
 * Apply the plan at @path.
 *
 * @ret     set in every case.
 * @return  as commands do (agent/cli.h).
 */
int ebb_cmd_apply_file(struct ebb_app *app, const char *path, const struct ebb_cmd_apply_opts *opts,
		       struct ebb_cmd_apply_told *ret, struct ebb_err *err);

/*
 * Apply the plan at @path as `ebb apply` does. @args has its options: dry-run, max-objects, max-bytes, jobs.
 *
 * @return  as commands do (agent/cli.h).
 */
int ebb_cmd_apply_plan(struct ebb_app *app, const struct ebb_cli_args *args, const char *path, struct ebb_err *err);

#endif
