/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A quote on paper: for people, and as one JSON object.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_QUOTE_OUT_H
#define EBB_AGENT_QUOTE_OUT_H

#include <stdio.h>

#include "core/err.h"
#include "policies/quote.h"

/* @currency: of the price books; members of the JSON are called after it ("one_off_usd"). 0, -EBB_ENOMEM, or a write that failed. */
int ebb_quote_out_text(FILE *out, const struct ebb_quote *q, const struct ebb_bill *b,
		       const char *currency, struct ebb_err *err);
int ebb_quote_out_json(FILE *out, const struct ebb_quote *q, const struct ebb_bill *b,
		       const char *currency, struct ebb_err *err);

#endif
