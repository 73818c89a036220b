/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan for people: what it would do, rule by rule, what that frees, costs and saves, and what was left alone and why.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_PLANTEXT_H
#define EBB_AGENT_PLANTEXT_H

#include <stdio.h>

#include "agent/config.h"
#include "agent/planhead.h"

/* How a rule deletes; all 0 for one that does not. */
struct ebb_plantext_rule {
	bool purge;
	bool hidden;	/* what is out of sight: the bucket does it, not this plan */
	int64_t trash_ns;
};

/* What the header of a plan does not say by itself. */
struct ebb_plantext {
	const struct ebb_planhead *head;
	const struct ebb_plantext_rule *rules;	/* one for each of head->rules */
	const char *samples;			/* of ebb_plantext_samples(), or NULL */
};

/*
 * Print the totals of a plan. Amounts are those of the header, to the digit the sums of its rows. What comes only when the trash
 * expires is told apart, and so are prices that are samples. Returns 0 or -EBB_ENOMEM.
 */
int ebb_plantext_print(FILE *f, const struct ebb_plantext *p, struct ebb_err *err);

/* What is done, for people: "compress", "delete (trash 30d)", "delete for good". */
const char *ebb_plantext_does(const char *action, bool purge, int64_t trash_ns, char buf[64]);

/* Mark in @used, one for each store of @c, the stores of an action that was priced; @to may be NULL. */
void ebb_plantext_use(const struct ebb_config *c, bool *used, const char *store, const char *to);

/*
 * The classes whose sample prices took part in a plan of this configuration: those of @used, and those that the refusals of
 * its header were priced with. Added to @out as "NVME, HDD". Returns 0 or -EBB_ENOMEM.
 */
int ebb_plantext_samples(const struct ebb_config *c, const struct ebb_planhead *h, bool *used,
			 struct ebb_buf *out, struct ebb_err *err);

/* An amount for people: "0.05 USD", "unpriced" when @objects have no price among them and all are so. */
const char *ebb_plantext_money(const struct ebb_planhead_sum *s, int64_t nano, const char *currency,
			       char buf[64]);

#endif
