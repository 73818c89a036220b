/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb plan, for commands of which it is a step (ebb run). Threads: main thread. */
#ifndef EBB_AGENT_CMD_PLAN_H
#define EBB_AGENT_CMD_PLAN_H

#include "agent/app.h"

enum ebb_cmd_plan_flags {
	EBB_CMD_PLAN_STAYS = 1 << 0,	/* the file stays at its path: say so */
	EBB_CMD_PLAN_KEEP = 1 << 1,	/* leave what it promises in the history beside the index (savings.h) */
	EBB_CMD_PLAN_SAMPLE = 1 << 2	/* read samples of what would be compressed (plan_sample.h) */
};

/*
 * Decide and price what to do in the @n stores named (0: all), write the plan to @path (NULL: only look) and its summary to app->out.
 *
 * @flags   enum ebb_cmd_plan_flags, or-ed.
 * @return  as commands do (agent/cli.h); -EBB_ESTALE for a store without a finished scan.
 */
int ebb_cmd_plan_make(struct ebb_app *app, const char *const *stores, size_t n, const char *path,
		      unsigned flags, struct ebb_err *err);

#endif
