/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What commands do about objects that sleep and must be read: quote, and when the user agreed to the price ask for them, note the order
 * (thaw_order.h) and wait.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_THAWING_H
#define EBB_AGENT_THAWING_H

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/thaw.h"
#include "agent/thaw_order.h"
#include "agent/undo.h"

/* Days that a temporary copy is kept when nothing is said. */
#define EBB_THAWING_DAYS 2

/* What was agreed to. */
struct ebb_thawing {
	struct ebb_app *app;
	const char *speed;	/* NULL: nothing */
	int days;
	bool wait;		/* until all can be read */
	bool dry;		/* only tell */
	const char *again;	/* the command that goes on later, for messages */
};

/* Options of commands that thaw on the way, and what they say. */
#define EBB_THAWING_OPTIONS                                                                                                \
	{"thaw", 0, EBB_CLI_CHOICE, "bulk|standard|expedited", "have archived objects that are needed thawed, so fast"},   \
	{"thaw-days", 0, EBB_CLI_COUNT, "N", "days that thawed copies are kept (default: 2)"},                             \
	{"wait", 0, EBB_CLI_FLAG, NULL, "wait until they can be read, instead of ending with status 7"}
struct ebb_thawing ebb_thawing_of(struct ebb_app *app, const struct ebb_cli_args *args, bool dry, const char *again);

/* Take from an --option; 0, or -EBB_EUSAGE when --thaw-days or --wait stand without --thaw, or days are 0. */
int ebb_thawing_check(const struct ebb_cli_args *args, struct ebb_err *err);

/* Hours and money by speed, for all that is asleep, to @f. JSON: a line for each speed. */
int ebb_thawing_quote(struct ebb_app *app, FILE *f, const struct ebb_thaw *t, int days, struct ebb_err *err);

/* "3 objects (1.2 GiB) sleep in archive classes". Is @out. */
const char *ebb_thawing_asleep(const struct ebb_thaw_counts *c, char out[128]);

/*
 * Ask for what of @t sleeps, as @o says. Before the first request and after the last one the audit log says so: order, speed, objects, price.
 *
 * @return  what asking returns; nothing is asked for when the log cannot be written.
 */
int ebb_thawing_ask(const struct ebb_thawing *w, const struct ebb_storeset *stores, const struct ebb_thaw_order *o, struct ebb_thaw *t,
		    struct ebb_err *err);

/*
 * Ask for all of @t (looked at before) that is asleep: limits, order on disk, requests.
 *
 * @return  0; -EBB_ELIMIT: dearer than max_cost, or not priced while that is set; -EBB_ENOTSUP: not offered at that speed; what asking returns.
 */
int ebb_thawing_order(const struct ebb_thawing *w, const struct ebb_storeset *stores, struct ebb_thaw *t,
		      struct ebb_thaw_order *ret, struct ebb_err *err);

/*
 * Make sure that everything of @t can be read.
 *
 * @return  0: it can, or w->dry (the quote was told). -EBB_EASLEEP: it cannot yet, and the message says why and what to do; the quote was
 *          told when nothing is agreed. Otherwise as above.
 */
int ebb_thawing_settle(const struct ebb_thawing *w, const struct ebb_storeset *stores, struct ebb_thaw *t, struct ebb_err *err);

/* The same for everything by which @run would be taken back, as far as @u wants. */
int ebb_thawing_undo(const struct ebb_thawing *w, const struct ebb_undo *u, const struct ebb_run *run, struct ebb_err *err);

#endif
