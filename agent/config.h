/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ebb.yaml: read, checked whole, turned into stores, prices, rules and limits. Unknown keys are errors; every error
 * names file, line, column and the nearest valid word. Secrets never stand in it.
 *
 * Threads: a loaded configuration is read-only and may be shared.
 */
#ifndef EBB_AGENT_CONFIG_H
#define EBB_AGENT_CONFIG_H

#include "agent/config_alerts.h"
#include "agent/rates.h"
#include "agent/config_guards.h"
#include "agent/config_links.h"
#include "agent/config_night.h"
#include "core/arena.h"
#include "policies/price.h"
#include "policies/rules.h"
#include "scanners/store.h"

struct ebb_config_store {
	struct ebb_store_config open;	/* name, type, path: as ebb_store_open takes it */
	const char *location;		/* its path, or "s3://BUCKET/PREFIX" */
	const char *class;		/* declared storage class, or NULL; of a bucket the default one */
	const char *site;		/* or NULL */
	const char *provider;		/* whose price books hold there, or NULL: a site's own */
	const char *region;		/* the provider's name of the place, or NULL */
	const struct ebb_price_class *price;	/* of `class` there, or NULL: not priced */
	const char *jurisdiction;	/* or NULL */
	const char *const *exclude;	/* globs, NULL-terminated, or NULL */
	bool one_file_system;		/* default true */
	int watermark_high, watermark_low;	/* of its filesystem in use, parts per million; 0: none */
	bool relay;			/* transfers may leave copies there for as long as they run; default false */
};

struct ebb_config_limits {
	int64_t max_delete;	/* objects a run may delete: count, or -1 */
	int max_delete_ppm;	/* share of a store's objects a run may delete, parts per million; default 500,000 */
	int64_t max_objects;	/* actions per run, or -1 */
	int64_t max_bytes;	/* bytes moved, compressed or deleted per run, or -1 */
	struct ebb_money max_cost;	/* one-off cost per run; currency "" for none */
	int64_t max_errors;	/* failed actions before the run stops; default 100 */
	const char *bandwidth, *requests;	/* as written (agent/rates.h), or NULL: no limit */
	struct ebb_rates bandwidth_rates, request_rates;
	const char *window;	/* "Mon-Fri 20:00-06:00" local time (agent/hours.h), or NULL: always */
	/* A plan of `ebb run` above one of these waits for ebb approve; -1: none. */
	int64_t approve_cost;	/* one-off, nano-units of the price books' currency */
	int64_t approve_bytes;	/* of the objects of all actions */
	int64_t approve_deletions;	/* objects */
};

struct ebb_config {
	struct ebb_arena arena;
	const char *path;
	uint8_t rules_digest[32];	/* SHA-256 of the file's bytes: rules, datasets, stores */
	uint8_t prices_digest[32];	/* SHA-256 over the price books' bytes in order */
	struct ebb_config_store *stores;
	size_t nstores;
	struct ebb_rules_store *rule_stores;	/* the same, as rules see them */
	struct ebb_rules *rules;
	struct ebb_price_books *prices;
	const char **books;		/* paths of the price books, as opened, in order; ends with NULL */
	struct ebb_config_limits limits;
	struct ebb_pace *pace;		/* of all stores, by limits.bandwidth and limits.requests; owned; NULL: no limit */
	struct ebb_config_alerts alerts;
	struct ebb_config_night night;
	struct ebb_config_guards guards;
	const char *here;		/* jurisdiction that ebb runs in, or NULL: unknown */
	struct ebb_config_links links;
};

/*
 * Load and check @path and the price books it names: a path is relative to the file; a bare word is a book that ships with ebb,
 * looked for where agent/books.h says.
 *
 * @now     ns since the epoch: prices of that day are taken.
 * @return  0; -EBB_ECONFIG; -EBB_ENOENT; -EBB_EACCES; -EBB_EIO; -EBB_ENOMEM.
 */
int ebb_config_load(const char *path, int64_t now, struct ebb_config **ret, struct ebb_err *err);
void ebb_config_free(struct ebb_config *c);

/* Store by name, or NULL. */
const struct ebb_config_store *ebb_config_store(const struct ebb_config *c, const char *name);

#endif
