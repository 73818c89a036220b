/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sections of the HTML report about what was saved, what the next plan would save, and what listings hide.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_PAGE_MONEY_H
#define EBB_AGENT_PAGE_MONEY_H

#include "agent/out.h"
#include "agent/report.h"

/* What runs saved, by action and run; what the last plan would save. Nothing where there is none. */
void ebb_page_money_savings(const struct ebb_report *r);

/* Versions, markers and unfinished uploads; sparse files and hard links. Nothing where there is none. */
void ebb_page_money_hidden(const struct ebb_report *r);

/* What is stored more than once, as far as digests are known; nothing where there are none. */
void ebb_page_money_dupes(const struct ebb_report *r);

/* An amount of the report's currency for people, into @buf, which is returned. */
const char *ebb_page_money_text(const struct ebb_report *r, int64_t nano, char buf[EBB_OUT_TEXT_MAX]);

#endif
