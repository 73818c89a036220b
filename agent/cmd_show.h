/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb show, for commands that show plans too (ebb approve). Threads: main thread. */
#ifndef EBB_AGENT_CMD_SHOW_H
#define EBB_AGENT_CMD_SHOW_H

#include "agent/app.h"

/* Show the plan at @path as `ebb show` does without options. Returns as commands do (agent/cli.h). */
int ebb_cmd_show_plan(struct ebb_app *app, const char *path, struct ebb_err *err);

#endif
