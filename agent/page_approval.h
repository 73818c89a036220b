/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan for those who approve it: the report of a cleanup, of a migration's dry run, or of all of it (the review page of ebb serve).
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_PAGE_APPROVAL_H
#define EBB_AGENT_PAGE_APPROVAL_H

#include "agent/approval.h"
#include "agent/report.h"

/* The plan is @r->plan, which is not NULL. Each returns 0, as ebb_approval_collect, or what the output failed with. */
int ebb_page_approval_html(const struct ebb_report *r, enum ebb_approval_kind kind, struct ebb_err *err);
int ebb_page_approval_json(const struct ebb_report *r, enum ebb_approval_kind kind, struct ebb_err *err);

#endif
