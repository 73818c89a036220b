/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the agent is: INDEX/agent/status.json, written anew whenever something changes and at least every minute.
 *
 *   {"pid":4711,"state":"resting","beat":"2026-11-28T02:00:00Z","config":"/etc/ebb/ebb.yaml","config_loaded":"...","config_error":null,
 *    "next":"2026-11-28T02:33:10Z","done_due_ns":1795833190000000000,
 *    "last":{"kind":"run","started":"...","ended":"...","exit":0}}
 *
 * done_due_ns is the due time of the last run that came to its end, whatever its status; what was due after it is caught up.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_BEAT_H
#define EBB_AGENT_BEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/* A beat older than this is no sign of life. */
#define EBB_BEAT_MAX_AGE (INT64_C(180) * 1000000000)

struct ebb_beat {
	long pid;
	char state[16];			/* "resting", "running", "stopping", "stopped" */
	int64_t beat;			/* ns since the epoch, as all times here */
	char config[4096];
	int64_t loaded;
	char error[1024];		/* why the configuration on disk is not the one in use; "": it is */
	int64_t next;			/* INT64_MAX: nothing is scheduled */
	int64_t done_due;		/* INT64_MIN: nothing yet */
	char kind[16];			/* of the last job: "run", "watermark"; "": none yet */
	int64_t started, ended;		/* of it; ended 0: it runs */
	int exit;			/* its exit status; 128 + N: killed by signal N */
};

/* Write it, whole or not at all, into the existing folder INDEX/agent. */
int ebb_beat_write(const char *index_dir, const struct ebb_beat *b, struct ebb_err *err);

/* Read it: 1; 0 when there is none, or it says nothing that can be understood. */
int ebb_beat_read(const char *index_dir, struct ebb_beat *ret);

/* Whether an agent lives: it says so, its beat is fresh, and on this machine its process is there. */
bool ebb_beat_alive(const struct ebb_beat *b, int64_t now);

#endif
