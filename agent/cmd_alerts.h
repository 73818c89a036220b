/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb alerts, for commands of which it is a step (ebb run). Threads: main thread. */
#ifndef EBB_AGENT_CMD_ALERTS_H
#define EBB_AGENT_CMD_ALERTS_H

#include "agent/app.h"

/*
 * Judge the history, print what is to be said to app->out, hand alerts to the configuration's command and webhook.
 *
 * @back    days whose anomalies are told.
 * @dry     do not hand them over.
 * @ret     alerts found; set when the history was judged.
 * @return  as commands do (agent/cli.h); -EBB_EALERT without a message when there are alerts.
 */
int ebb_cmd_alerts_tell(struct ebb_app *app, int64_t back, bool dry, size_t *ret, struct ebb_err *err);

#endif
