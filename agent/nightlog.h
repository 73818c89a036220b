/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What came of a night, step by step: a line on stderr as each step ends, an object on stdout at the end with --json, and two files that stay:
 *
 *	INDEX/nights/20261128T023000Z.json	the summary, as with --json
 *	INDEX/nights/20261128T023000Z.log	all that the steps had to say
 *
 * The newest EBB_NIGHTLOG_KEEP of them are kept. The worst step decides on the exit status: 130 before 5, 3, 4, 9, 6, 2, 7, 8, 1 and 0.
 * Between begin and end what the program prints (app->out, app->err) goes into the log. A dry night leaves no files, and prints as it goes.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_NIGHTLOG_H
#define EBB_AGENT_NIGHTLOG_H

#include <jansson.h>

#include "agent/app.h"

#define EBB_NIGHTLOG_KEEP 400

struct ebb_nightlog {
	struct ebb_app *app;
	const char *kind;		/* "run", "watermark" */
	bool dry;
	char id[32];
	char *base;			/* INDEX/nights/ID; owned */
	FILE *log;
	FILE *out, *err;		/* those of the app before */
	bool json;			/* so was it asked for */
	json_t *steps;
	int64_t started, clock;		/* ns since the epoch; monotonic */
	int worst;			/* -EBB_E* of the worst step, 0: all is well */
	uint64_t done;			/* actions */
};

/* Begin. Released with ebb_nightlog_release in both cases. */
int ebb_nightlog_begin(struct ebb_nightlog *n, struct ebb_app *app, const char *kind, bool dry, struct ebb_err *err);

/*
 * A step has ended.
 *
 * @name   one word: "scan".
 * @what   which store, or "".
 * @code   0 or -EBB_E*.
 * @facts  more members for programs, stolen; or NULL.
 * @fmt    a sentence without full stop.
 */
void ebb_nightlog_step(struct ebb_nightlog *n, const char *name, const char *what, int code, json_t *facts,
		       const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* A dry night has shown its plan: what further steps print is told by their sentences as well. */
void ebb_nightlog_hush(struct ebb_nightlog *n);

/* Write the summary. Returns the code of the worst step, without a message since all was told; or what writing came to. */
int ebb_nightlog_end(struct ebb_nightlog *n, struct ebb_err *err);
void ebb_nightlog_release(struct ebb_nightlog *n);

/* The worse of two results. */
int ebb_nightlog_worse(int a, int b);

#endif
