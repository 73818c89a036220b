/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `ebb transfer plan` prints: one JSON object, or a page for people. Numbers are written from integers, exactly.
 *
 * Threads: any.
 */
#ifndef EBB_AGENT_TRANSFER_OUT_H
#define EBB_AGENT_TRANSFER_OUT_H

#include <stdio.h>

#include "agent/transfer_bill.h"
#include "core/err.h"
#include "policies/xfer_plan.h"
#include "policies/xfer_relax.h"

/* @relax: what would help; NULL where there is a plan. @return  0, -EBB_ENOMEM, -EBB_EIO. */
int ebb_transfer_out_json(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
			  const struct ebb_transfer_bill *b, const struct ebb_xfer_relax *relax, struct ebb_err *err);
int ebb_transfer_out_text(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
			  const struct ebb_transfer_bill *b, const struct ebb_xfer_relax *relax, struct ebb_err *err);

#endif
