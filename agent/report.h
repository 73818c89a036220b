/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The report: what is there. Collected once from the index, written by one of the formats; a format is one file with one
 * function and one line in the table of cmd_report.c.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_REPORT_H
#define EBB_AGENT_REPORT_H

#include "agent/ahead.h"
#include "agent/alerts.h"
#include "agent/groups.h"
#include "agent/planfile.h"
#include "agent/savings.h"
#include "agent/showback.h"
#include "agent/tally.h"
#include "agent/target.h"

/* Extensions and owners that are named. */
#define EBB_REPORT_TOP 10

/* Days of history that are shown, and whose anomalies are told. */
#define EBB_REPORT_DAYS 400
#define EBB_REPORT_ANOMALIES 30

/* Groups of duplicates that are named. */
#define EBB_REPORT_DUPES 8

/* Days of forecast. */
#define EBB_REPORT_AHEAD 30

/* One store, as far as the report covers it. */
struct ebb_report_store {
	char name[EBB_INDEX_NAME_MAX + 1];
	const char *class;		/* declared, or NULL; borrowed from the configuration */
	struct ebb_tally_sum sum;
	const struct ebb_price_class *price;	/* of that class, or NULL */
	bool priced;			/* some of it is */
	struct ebb_money month;		/* of keeping what is priced for 30 days: each object in its
					 * class, with minimum size, overhead and monitoring */
	int64_t hidden_objects, hidden_bytes;	/* old versions, delete markers, unfinished uploads */
	struct ebb_money hidden_month;	/* their part of `month` */
	uint64_t requests;		/* that listing a bucket again takes; 0: it is none */
	bool scan_priced;
	struct ebb_money scan;		/* what they cost, when scan_priced */
	int64_t finished;		/* last scan */
	uint64_t unreadable;		/* folders, in that scan */
};

struct ebb_report {
	struct ebb_app *app;
	int64_t now;
	struct ebb_tally *t;
	struct ebb_report_store *stores;
	size_t nstores;
	bool priced;			/* at least one store is */
	struct ebb_money month;		/* sum over the stores that are priced */
	uint64_t unpriced;		/* bytes in stores that are not */
	struct ebb_showback money;	/* what it costs, by every dimension */
	struct ebb_alloc_total total;	/* of it; a currency only when something is priced */
	struct ebb_history *history;
	struct ebb_history_day *days;	/* of everything; owned */
	int64_t ndays;
	struct ebb_savings_list savings;	/* of the runs of EBB_REPORT_DAYS */
	struct ebb_forecast *forecast;	/* of everything, EBB_REPORT_AHEAD days; NULL: no history; owned */
	bool has_ahead;			/* rules act: */
	struct ebb_ahead ahead[EBB_AHEAD_STEPS];	/* what they would have saved by then */
	struct ebb_alerts alerts;	/* budgets, and the anomalies of EBB_REPORT_ANOMALIES */
	bool dupes_known;		/* digests or entity tags were there to compare, and room to do so */
	struct ebb_groups_totals dupes;
	struct ebb_group dupe[EBB_REPORT_DUPES];	/* the dearest groups */
	char *dupe_name[EBB_REPORT_DUPES];	/* "STORE:KEY" of one of each; owned */
	size_t ndupes;
	struct ebb_planfile *plan;	/* or NULL */
	bool live;			/* shown by ebb serve: pages may link to each other */
	struct ebb_tally_group ext[EBB_REPORT_TOP], owner[EBB_REPORT_TOP];
	size_t next, nowner;		/* rows of them */
	size_t more_ext, more_owner;	/* groups not named */
	struct ebb_tally_sum other_ext, other_owner;
};

/*
 * Collect what the arguments name (all stores without any) into the zeroed @r. History and alerts are of everything, so they are left out
 * when only a part was asked for.
 *
 * @plan    path of a plan to show, or NULL.
 * @return  0 or what the index returned. Released in both cases with ebb_report_release.
 */
int ebb_report_collect(struct ebb_report *r, struct ebb_app *app, struct ebb_index *ix, struct ebb_snap *snap,
		       const struct ebb_cli_args *args, const char *plan, struct ebb_err *err);
void ebb_report_release(struct ebb_report *r);

/* Formats. */
int ebb_report_text(const struct ebb_report *r, struct ebb_err *err);
int ebb_report_json(const struct ebb_report *r, struct ebb_err *err);
int ebb_report_md(const struct ebb_report *r, struct ebb_err *err);
int ebb_report_html(const struct ebb_report *r, struct ebb_err *err);
int ebb_report_csv(const struct ebb_report *r, struct ebb_err *err);
int ebb_report_focus(const struct ebb_report *r, struct ebb_err *err);
int ebb_report_prom(const struct ebb_report *r, struct ebb_err *err);
int ebb_report_openmetrics(const struct ebb_report *r, struct ebb_err *err);

#endif
