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
#include "core/clock.h"
#include "core/index.h"
#include "core/log.h"

struct ebb_app {
	const char *config_path;	/* --config, EBB_CONFIG, or "ebb.yaml" */
	const char *index_dir;		/* --index, EBB_INDEX, or $XDG_STATE_HOME/ebb */
	bool json;			/* --json: data as JSON on stdout */
	bool quiet;			/* --quiet: no progress, no notes */
	struct ebb_clock *clock;	/* real, or fixed by EBB_NOW (RFC 3339) for tests and what-if questions */
	struct ebb_log *log;		/* to stderr */
	FILE *out;			/* stdout */
	FILE *err;			/* stderr */
	atomic_bool *cancel;		/* set by SIGINT, SIGTERM; the second signal ends the process */
	struct ebb_config *config;	/* loaded by ebb_app_config */
};

/* Load and check the configuration once. -EBB_ECONFIG, -EBB_ENOENT (says how to make one: ebb init). */
int ebb_app_config(struct ebb_app *app, struct ebb_err *err);

/* Open the index; @create makes its directory. The caller closes it. */
int ebb_app_index(struct ebb_app *app, bool readonly, struct ebb_index **ret, struct ebb_err *err);

/* Current time by the app's clock, ns since the epoch. */
int64_t ebb_app_now(const struct ebb_app *app);

#endif
