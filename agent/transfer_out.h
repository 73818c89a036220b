/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `ebb transfer plan` prints: one JSON object, or a page for people. Numbers are written from integers, exactly.
 *
 * Threads: any.
 */
#ifndef EBB_AGENT_TRANSFER_OUT_H
#define EBB_AGENT_TRANSFER_OUT_H

#include <stdio.h>

#include "core/err.h"
#include "policies/xfer_plan.h"

/* @return  0, -EBB_ENOMEM, -EBB_EIO. */
int ebb_transfer_out_json(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
			  struct ebb_err *err);
int ebb_transfer_out_text(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
			  struct ebb_err *err);

#endif
