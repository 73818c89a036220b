/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan for people: what it would do, rule by rule, what that frees, costs and saves, and what was left alone and why.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_PLANTEXT_H
#define EBB_AGENT_PLANTEXT_H

#include <stdio.h>

#include "agent/planhead.h"

/* Print the totals of a plan. Amounts are those of the header, to the digit the sums of its rows. Returns 0 or -EBB_ENOMEM. */
int ebb_plantext_print(FILE *f, const struct ebb_planhead *h, struct ebb_err *err);

/* An amount for people: "0.05 USD", "unpriced" when @objects have no price among them and all are so. */
const char *ebb_plantext_money(const struct ebb_planhead_sum *s, int64_t nano, const char *currency,
			       char buf[64]);

#endif
