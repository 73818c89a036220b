/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of the text report that is about money: who pays, what runs saved, what is expected, what is wrong.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_REPORT_MONEY_H
#define EBB_AGENT_REPORT_MONEY_H

#include "agent/report.h"

/* Print the sections that there is something to say in. Returns 0 or what an allocation or the output failed with. */
int ebb_report_money_print(const struct ebb_report *r, struct ebb_err *err);

#endif
