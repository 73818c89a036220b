/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What ebb.yaml says of who pays and what is too much:
 *
 *	labels: owners.csv                       # policies/labels.h
 *	shared: [...]                            # policies/shared.h
 *	budgets: [...]                           # policies/budget.h
 *	alerts: {min_share: 15%, min_amount: 10 USD, command: [/usr/local/bin/notify, --from, ebb],
 *	         webhook: {url: "https://hooks.example/ebb", token_env: EBB_HOOK_TOKEN}}
 *
 * `min_share` and `min_amount` (a month's) are what an anomaly must be at least; `command` gets the alerts as JSON on its standard input,
 * `webhook` by POST, with what the environment variable holds as a bearer token.
 *
 * Threads: read-only once read.
 */
#ifndef EBB_AGENT_CONFIG_ALERTS_H
#define EBB_AGENT_CONFIG_ALERTS_H

#include "policies/anomaly.h"
#include "policies/budget.h"
#include "policies/labels.h"
#include "policies/price.h"
#include "policies/shared.h"

struct ebb_config_alerts {
	struct ebb_budget *budgets;	/* amounts in the currency of the price books */
	size_t nbudgets;
	const struct ebb_labels *labels;	/* or NULL */
	struct ebb_anomaly_opts anomaly;	/* min_amount in nano-units a month */
	const char *const *command;	/* NULL-terminated, or NULL */
	const char *webhook;		/* http or https, or NULL */
	const char *webhook_token;	/* name of an environment variable, or NULL */
	struct ebb_shared_rule *shared;
	size_t nshared;
};

/*
 * Read these members of @root.
 *
 * @path    of the configuration: a relative file of labels lies beside it.
 * @prices  whose currency budgets are turned into; one without a rate is an error.
 * @return  0; -EBB_ECONFIG; -EBB_ENOENT, -EBB_EACCES, -EBB_EIO for the file of labels; -EBB_ENOMEM.
 */
int ebb_config_alerts_read(struct ebb_arena *arena, const struct ebb_tree_node *root, const char *path,
			   const struct ebb_price_books *prices, struct ebb_config_alerts *ret,
			   struct ebb_err *err);

#endif
