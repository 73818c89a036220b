/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Savings: what plans promised and runs brought, by rule. Kept beside the history, for it cannot be made anew either:
 *
 * INDEX/history/savings-YYYY-MM.jsonl, one line whenever figures of a plan or run change (on one line):
 *
 *   {"schema":"ebb.savings/1","time":"2026-11-27T02:00:00Z","run":"20261127T013000Z-1f2e3d4c","plan":"1f2e..","measured":true,
 *    "currency":"USD","stores":["lake"],"rows":[{"rule":"old logs","action":"compress","planned":[12,0,56],"done":[10,0,50],
 *    "real":[9,48],"waiting":[0,0],"replaced":1,"unknown":0}],
 *    "moved":[[null,null,48],["team","research",40]]}
 *
 * "planned" are objects, what they cost once and save a month by the plan, "done" the same of those that were done and not taken back.
 * "real" is what the last scan shows: objects looked up, and what they cost a month less than before (realised.h). "waiting" lies in the
 * trash and is still paid for. "moved" is what the series of everything and of budgets fell by (moved.h; who owned what was deleted is not
 * known, so labels by owner miss it). A line without a run is a plan that was made. The last line of a run counts, and the last of a plan.
 *
 * Threads: any process may append at any time; a loaded ledger belongs to one thread.
 */
#ifndef EBB_AGENT_SAVINGS_H
#define EBB_AGENT_SAVINGS_H

#include "agent/planhead.h"
#include "agent/run.h"

/* Amounts in nano-units of the line's currency, by month of 30 days. */
struct ebb_savings_row {
	const char *rule, *action;
	int64_t planned, planned_once, planned_month;	/* objects, paid once, saved a month */
	int64_t done, done_once, done_month;		/* the same of what was done */
	int64_t seen, real_month;	/* objects that a later scan was asked about, and what they cost less now */
	int64_t waiting, waiting_month;	/* of them in the trash, and what that costs: real_month is without it */
	int64_t replaced;		/* of them written anew or removed by others since: they save nothing */
	int64_t unknown;		/* done, but nobody can tell: not scanned since, no price, blocks shared */
};

/* What a run took out of the series of one value of a dimension; both NULL: of everything. Less than 0: it grew. */
struct ebb_savings_moved {
	const char *dim, *value;
	int64_t month;
};

struct ebb_savings {
	char run[EBB_RUN_ID_MAX];	/* "" for a plan that was made */
	char plan[EBB_PLANFILE_ID_LEN];
	int64_t time;			/* ns since the epoch: of the run's start, or when the plan was made */
	int64_t measured;		/* end of the scan that real figures are of; 0: no scan since */
	const char *currency;
	const char *const *stores;	/* that take part; NULL-terminated */
	struct ebb_savings_row *rows;
	size_t n;
	const struct ebb_savings_moved *moved;
	size_t nmoved;			/* 0: not measured, or by an earlier version */
};

/* What was moved of that value; false when the line does not say. */
bool ebb_savings_moved(const struct ebb_savings *s, const char *dim, const char *value, int64_t *ret);

/* Sum of the rows; rule and action are NULL. */
struct ebb_savings_row ebb_savings_sum(const struct ebb_savings *s);

/* Rows that ebb_savings_actions may give. */
#define EBB_SAVINGS_ACTIONS EBB_ACTION_COUNT

struct ebb_savings_list;

/*
 * All runs of the list added up by action, those in another currency left out; rule is NULL.
 *
 * @return  how many rows.
 */
size_t ebb_savings_actions(const struct ebb_savings_list *l, const char *currency,
			   struct ebb_savings_row ret[EBB_SAVINGS_ACTIONS]);

/*
 * The promise of a plan: planned figures by its header, the rest 0, in @arena.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_savings_of_plan(struct ebb_arena *arena, const struct ebb_planhead *head, const char *id, struct ebb_savings *ret,
			struct ebb_err *err);

/* Append a line, durably. -EBB_EACCES, -EBB_EIO, -EBB_ENOSPC naming the file; -EBB_ENOMEM. */
int ebb_savings_append(const char *index_dir, const struct ebb_savings *s, int64_t now, struct ebb_err *err);

/* What was kept, the oldest first: the last line of each run, and the last plan when nothing was begun with it. */
struct ebb_savings_list {
	struct ebb_arena arena;
	struct ebb_savings *all;
	size_t n, room;
	uint64_t bad;			/* lines that cannot be read */
};

/*
 * Load what began at @since (ns) or later and not after @now, into the zeroed @ret, which is released in both cases.
 *
 * @return  0, also when there is nothing; -EBB_EIO, -EBB_EACCES, -EBB_ENOMEM.
 */
int ebb_savings_load(const char *index_dir, int64_t since, int64_t now, struct ebb_savings_list *ret,
		     struct ebb_err *err);
void ebb_savings_release(struct ebb_savings_list *l);

/* The line of a run, or NULL. */
const struct ebb_savings *ebb_savings_find(const struct ebb_savings_list *l, const char *run);

/* The plan that was made last, unless a run has begun since; otherwise NULL. */
const struct ebb_savings *ebb_savings_next(const struct ebb_savings_list *l);

#endif
