/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb plan, for commands of which it is a step (ebb run). Threads: main thread. */
#ifndef EBB_AGENT_CMD_PLAN_H
#define EBB_AGENT_CMD_PLAN_H

#include "agent/app.h"

/*
 * Decide and price what to do in the @n stores named (0: all), write the plan to @path (NULL: only look) and its summary to app->out.
 *
 * @stays   the file stays at @path: say so.
 * @keep    leave what it promises in the history beside the index (savings.h).
 * @return  as commands do (agent/cli.h); -EBB_ESTALE for a store without a finished scan.
 */
int ebb_cmd_plan_make(struct ebb_app *app, const char *const *stores, size_t n, const char *path, bool stays,
		      bool keep, struct ebb_err *err);

#endif
