/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What every command works with: global options, configuration, clock, log, output and the signals that stop a run.
 *
 * Threads: commands run on the main thread; cancel may be read from any thread, log is thread-safe.
 */
#ifndef EBB_AGENT_APP_H
#define EBB_AGENT_APP_H

#include <stdatomic.h>
#include <stdio.h>

#include "agent/config.h"
#include "agent/lock.h"
#include "core/clock.h"
#include "core/index.h"
#include "core/log.h"
#include "core/names.h"
#include "core/snap.h"

struct ebb_app {
	const char *config_path;	/* --config, EBB_CONFIG, or "ebb.yaml" */
	char *index_dir;		/* --index, EBB_INDEX, or $XDG_STATE_HOME/ebb */
	bool json;			/* --json: data as JSON on stdout */
	bool quiet;			/* --quiet: no progress, no notes */
	const struct ebb_clock *clock;	/* real, or `fixed` */
	struct ebb_clock fixed;		/* EBB_NOW (RFC 3339), for tests and what-if questions; EBB_CLOCK (a file that says it, read each time) */
	struct ebb_log *log;		/* to stderr: warnings, with --verbose what is being done; --log-json as JSON */
	struct ebb_log log_stderr;
	FILE *out;			/* stdout */
	FILE *err;			/* stderr */
	atomic_bool *cancel;		/* set by SIGINT, SIGTERM; the second signal ends the process */
	struct ebb_config *config;	/* loaded by ebb_app_config, or NULL */
	bool config_named;		/* by --config or EBB_CONFIG */
	bool locked;			/* this command holds the run lock for all of its steps: ebb_app_lock gives them NULL */
	struct ebb_names *names;	/* of storage classes, as of the last ebb_app_snap; or NULL */
};

struct ebb_cli_args;

/*
 * Prepare @app from the global options and the environment, and take over SIGINT, SIGTERM and SIGPIPE. One at a time in
 * a process.
 *
 * @return  0; -EBB_EUSAGE (EBB_NOW is no time); -EBB_ENOMEM. Released in both cases with ebb_app_release.
 */
int ebb_app_init(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err);
void ebb_app_release(struct ebb_app *app);

/* Load and check the configuration once. -EBB_ECONFIG, -EBB_ENOENT (says how to make one: ebb init). */
int ebb_app_config(struct ebb_app *app, struct ebb_err *err);

/* The same for commands that work without one: a missing file is fine (app->config stays NULL) unless it was named. */
int ebb_app_config_optional(struct ebb_app *app, struct ebb_err *err);

/*
 * Open the index; unless @readonly its directory is made when missing. The caller closes it. A missing index is -EBB_EINDEX with
 * the remedy.
 */
int ebb_app_index(struct ebb_app *app, bool readonly, struct ebb_index **ret, struct ebb_err *err);

/*
 * Take a snapshot, which the caller closes; the names of storage classes it knows become app->names, and those of the loaded configuration's
 * rules. As ebb_snap_open.
 */
int ebb_app_snap(struct ebb_app *app, struct ebb_index *ix, struct ebb_snap **ret,
		 struct ebb_err *err);

/* Make the folder of the index and those above it. */
int ebb_app_index_dir(const struct ebb_app *app, struct ebb_err *err);

/* Let local time be that of the zone that the configuration's schedule names, if it does. */
void ebb_app_zone(const struct ebb_app *app);

/* Current time by the app's clock, ns since the epoch. */
int64_t ebb_app_now(const struct ebb_app *app);

/*
 * Take the run lock of the index, whose directory is made when missing; *ret is NULL where app->locked says that it is held already.
 *
 * @command  what the run is, for those kept out.
 */
int ebb_app_lock(struct ebb_app *app, const char *command, struct ebb_lock **ret,
		 struct ebb_err *err);

/* A line for people on stderr, "ebb: ..."; nothing with --quiet. */
void ebb_app_note(const struct ebb_app *app, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* -EBB_ECANCELLED once a signal has asked to stop, otherwise 0. For loops. */
int ebb_app_cancelled(const struct ebb_app *app, struct ebb_err *err);

#endif
