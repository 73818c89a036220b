/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access logs into the index: which line is of which store, and under which key.
 *
 * A map says that what a log calls SOURCE/PATH is a key of a store: SOURCE is a bucket, or the virtual host of a web server (empty: any), PATH a
 * prefix. Stores that are buckets bring their own. A read may meet several maps. Any line of a source, whatever its path, says that the logs
 * cover its hour for all stores that map it; ebb's own reads do too, and are not counted.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_INGEST_H
#define EBB_AGENT_INGEST_H

#include "agent/app.h"
#include "core/access_in.h"
#include "scanners/accesslog.h"

struct ebb_ingest;

struct ebb_ingest_totals {
	uint64_t reads;		/* of any object, ebb's own left out */
	uint64_t own;		/* ebb's */
	uint64_t unmapped;	/* of those, reads of no store */
};

/*
 * @ix   stays open as long; the caller holds the run lock.
 * @gap  longest pause in the logs that is no hole, ns, 0: the default.
 */
struct ebb_ingest *ebb_ingest_new(struct ebb_app *app, struct ebb_index *ix, int64_t gap);
void ebb_ingest_free(struct ebb_ingest *g);
EBB_CLEANUP_PTR(struct ebb_ingest, ebb_ingest_free);

/* Maps of the stores of the configuration that are buckets. 0 or -EBB_ENOMEM. */
int ebb_ingest_map_stores(struct ebb_ingest *g, struct ebb_err *err);

/*
 * A map as text, "SOURCE/PATH=STORE[:KEY]" or "/PATH=STORE[:KEY]": what follows PATH in the log follows KEY in the store.
 *
 * @return  0; -EBB_EUSAGE, also for a store that there is not; -EBB_ENOMEM.
 */
int ebb_ingest_map(struct ebb_ingest *g, const char *text, struct ebb_err *err);

/* A record of a log, for ebb_accesslog_fns: @g is a struct ebb_ingest. */
int ebb_ingest_event(void *g, const struct ebb_accesslog_event *e, struct ebb_err *err);

const struct ebb_ingest_totals *ebb_ingest_totals(const struct ebb_ingest *g);

/* What came of one store. */
typedef int ebb_ingest_store_fn(void *ctx, const char *store, const struct ebb_access_stats *stats, bool applied,
				struct ebb_err *err);

/* All logs are in: publish store by store, apply to the records of each, and tell @fn. */
int ebb_ingest_end(struct ebb_ingest *g, ebb_ingest_store_fn *fn, void *ctx, struct ebb_err *err);

#endif
