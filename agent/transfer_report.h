/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The dry-run report of a transfer plan, for those who approve the money: verdict, saving against copying straight, who is paid
 * what for which link, pools, conditions of prices, what binds and what more room is worth, every move with its reason.
 *
 * Threads: any.
 */
#ifndef EBB_AGENT_TRANSFER_REPORT_H
#define EBB_AGENT_TRANSFER_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/transfer_bill.h"
#include "core/err.h"
#include "policies/xfer_plan.h"
#include "policies/xfer_relax.h"

/*
 * @html   a whole page; else Markdown.
 * @relax  what would help; NULL where there is a plan.
 * @return 0, -EBB_EIO.
 */
int ebb_transfer_report(FILE *out, bool html, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
			const struct ebb_transfer_bill *b, const struct ebb_xfer_relax *relax, struct ebb_err *err);

#endif
