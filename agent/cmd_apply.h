/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb apply, for commands that apply plans under another name (ebb transfer run). Threads: main thread. */
#ifndef EBB_AGENT_CMD_APPLY_H
#define EBB_AGENT_CMD_APPLY_H

#include "agent/app.h"
#include "agent/cli.h"

/*
 * Apply the plan at @path as `ebb apply` does. @args has its options: dry-run, max-objects, max-bytes, jobs.
 *
 * @return  as commands do (agent/cli.h).
 */
int ebb_cmd_apply_plan(struct ebb_app *app, const struct ebb_cli_args *args, const char *path, struct ebb_err *err);

#endif
