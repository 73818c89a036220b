/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two small trees, a plan over them with every action, and runs of it: what the tests of apply, recovery and undo share.
 *
 *   DIR/a      store "a": files to be deleted, tiered to "b", compressed and deduplicated, among others that stay
 *   DIR/b      store "b": a pack, from which objects are deleted
 *   DIR/index  runs
 *   DIR/plan   the plan
 */
#ifndef EBB_TESTS_SUPPORT_RUN_KIT_H
#define EBB_TESTS_SUPPORT_RUN_KIT_H

#include "agent/apply.h"
#include "agent/undo.h"
#include "scanners/store_faulty.h"

struct ebb_run_kit {
	char dir[4096];
	char *a, *b;		/* snapshots of the stores as they were made; owned */
	int64_t actions;
};

/* Make trees and plan in a new scratch folder. Aborts on failure. */
void ebb_run_kit_init(struct ebb_run_kit *k);
void ebb_run_kit_release(struct ebb_run_kit *k);

/*
 * Write another plan over the kit's. @rows puts its rows and says how many.
 */
typedef int64_t ebb_run_kit_rows_fn(void *ctx, struct ebb_planfile_writer *w, struct ebb_store *a, struct ebb_store *b);
void ebb_run_kit_plan(struct ebb_run_kit *k, ebb_run_kit_rows_fn *rows, void *ctx);

/* A pack at @key of store "b"; the content of each member is its key. @members ends with NULL. */
void ebb_run_kit_pack(const struct ebb_run_kit *k, const char *key, const char *const *members);

/* Both stores, open; each wrapped in a faulty one when it has a script. */
struct ebb_storeset *ebb_run_kit_stores(const struct ebb_run_kit *k,
					const struct ebb_store_faulty_script *a,
					const struct ebb_store_faulty_script *b);

/*
 * As the program does: recover what is open, go on with a run of the plan or begin one, to the end. Returns what ebb_apply_run returns;
 * *ret may be NULL. An applied plan is left alone.
 */
int ebb_run_kit_apply(const struct ebb_run_kit *k, struct ebb_storeset *stores,
		      const struct ebb_planhead_limits *limits, struct ebb_apply_done *ret,
		      struct ebb_err *err);

/* Recover, and undo the last run. */
int ebb_run_kit_undo(const struct ebb_run_kit *k, struct ebb_storeset *stores,
		     struct ebb_journal_counts *ret, struct ebb_err *err);

/* Snapshot of store "a" or "b" now. */
char *ebb_run_kit_snapshot(const struct ebb_run_kit *k, const char *store);

/* No limits at all. */
extern const struct ebb_planhead_limits ebb_run_kit_unlimited;

#endif
