/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb report, for commands of which it is a step (ebb run). Threads: main thread. */
#ifndef EBB_AGENT_CMD_REPORT_H
#define EBB_AGENT_CMD_REPORT_H

#include "agent/app.h"
#include "agent/cli.h"

/*
 * Write a report to app->out.
 *
 * @args    names what it is about; NULL or none: everything.
 * @name    of the format, or NULL for the usual one.
 * @plan    path of a plan to show, or NULL.
 * @return  as commands do (agent/cli.h).
 */
int ebb_cmd_report_write(struct ebb_app *app, const struct ebb_cli_args *args, const char *name, const char *plan,
			 struct ebb_err *err);

#endif
