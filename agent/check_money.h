/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `ebb check` understood of budgets, shared costs and alerts.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_CHECK_MONEY_H
#define EBB_AGENT_CHECK_MONEY_H

#include "agent/app.h"

/* For people: nothing where the configuration says nothing. Returns 0, -EBB_ENOMEM or what the output failed with. */
int ebb_check_money_text(struct ebb_app *app, struct ebb_err *err);

/* For programs: an object a line. */
int ebb_check_money_json(struct ebb_app *app, struct ebb_err *err);

/* Labels that budgets and shared costs ask for, and nothing gives: each to @fn. A negative return stops and is passed on. */
typedef int ebb_check_money_warn_fn(struct ebb_app *app, const char *text, struct ebb_err *err);
int ebb_check_money_warn(struct ebb_app *app, ebb_check_money_warn_fn *fn, struct ebb_err *err);

#endif
