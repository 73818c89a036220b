/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb trash --empty, for commands of which it is a step (ebb run). Threads: main thread. */
#ifndef EBB_AGENT_CMD_TRASH_H
#define EBB_AGENT_CMD_TRASH_H

#include "agent/app.h"
#include "agent/journal.h"

/*
 * Remove for good what has expired.
 *
 * @word    only what this run put there; NULL: all.
 * @dry     say what would go, touch nothing.
 * @ret     set when the work began.
 * @return  as commands do (agent/cli.h).
 */
int ebb_cmd_trash_empty(struct ebb_app *app, const char *word, bool dry, struct ebb_journal_counts *ret,
			struct ebb_err *err);

#endif
