/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent: nights by the schedule, watermarks in between.
 *
 * The process that waits does nothing else. Each job is a child of it, so that a job that crashes or is killed takes nothing along, and signals are
 * answered at once whatever a job does:
 *
 *   SIGTERM, SIGINT  at rest: the end; while a job runs: the job is told to stop at the next object, and its end is waited for. Again: at once
 *   SIGHUP           the configuration is read again; a bad one is told, and the old one stays
 *
 * What was due while no agent ran, or was not finished, is caught up once, however often it was missed. A job that the run lock keeps out is tried again
 * after a minute; one that crashes, three times. A job whose agent was killed stops at the next object.
 *
 * Prices are those of the day of the job: the configuration is read anew for it, if it still is the file that was loaded.
 *
 * Threads: main thread; no other may exist.
 */
#ifndef EBB_AGENT_DAEMON_H
#define EBB_AGENT_DAEMON_H

#include "agent/app.h"

/*
 * Run until a signal ends it. app->config is loaded, and replaced by reloads.
 *
 * @return  0 after a signal; -EBB_ECONFIG: there is nothing to wait for; -EBB_ELOCKED: another agent has this index; -EBB_EINDEX.
 */
int ebb_daemon_run(struct ebb_app *app, struct ebb_err *err);

#endif
