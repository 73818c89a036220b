/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P10
 *
 * P10: the memory of plan, apply and undo does not depend on the number of actions. A plan of few and one of many actions is written,
 * checked, applied (every object is gone already, so each is looked at, journaled and skipped) and replayed, each in a process of its own; their peaks
 * may differ by little.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lower.h"
#include "tests/support/run_kit.h"

/* Most KiB that the many may need more. */
#define SLACK 2048

static void must(int r, const struct ebb_err *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "p_memory: %s\n", err->msg);
	exit(EXIT_FAILURE);
}

static void write_plan(const struct ebb_run_kit *k, struct ebb_storeset *set, int64_t n)
{
	struct ebb_planfile_writer *w = NULL;
	struct ebb_store_identity is;
	struct ebb_err err = {0};
	char path[8192], key[200], id[EBB_PLANFILE_ID_LEN];

	must(ebb_store_identify(ebb_storeset_find(set, "a"), &is, &err), &err);
	struct ebb_planhead_store store = {.name = "a", .generation = 1, .dev = is.dev, .ino = is.ino, .fsid = "", .objects = n};
	const struct ebb_planhead head = {
		.currency = "USD", .stores = &store, .nstores = 1, .limits = ebb_run_kit_unlimited,
	};
	snprintf(path, sizeof(path), "%s/plan", k->dir);
	must(ebb_planfile_create(path, &w, &err), &err);
	for (int64_t i = 0; i < n; i++) {
		struct ebb_planrow row = {
			.rule = "r", .store = "a", .action = EBB_ACTION_DELETE, .payback_days = -1, .why = "test",
		};

		snprintf(key, sizeof(key), "gone/%04d/some file with a name %08d", (int)(i / 100), (int)i);
		row.obj.key = key;
		row.obj.key_len = (uint32_t)strlen(key);
		ebb_record_set(&row.obj, EBB_F_KIND, EBB_KIND_FILE);
		ebb_record_set(&row.obj, EBB_F_SIZE, 1);
		ebb_record_set(&row.obj, EBB_F_MTIME, 1);
		must(ebb_planfile_put(w, &row, &err), &err);
	}
	must(ebb_planfile_commit(w, &head, id, &err), &err);
}

static void whole_life(int64_t n)
{
	struct ebb_run_kit k;
	struct ebb_apply_done done;
	struct ebb_journal_counts counts;
	struct ebb_err err = {0};

	ebb_run_kit_init(&k);
	struct ebb_storeset *set = ebb_run_kit_stores(&k, NULL, NULL);
	write_plan(&k, set, n);
	must(ebb_run_kit_apply(&k, set, NULL, &done, &err), &err);
	if (done.run.skipped != n)
		exit(EXIT_FAILURE);
	must(ebb_run_kit_undo(&k, set, &counts, &err), &err);
	ebb_storeset_free(set);
	ebb_run_kit_release(&k);
}

/* Peak in KiB. */
static long peak_of(int64_t n)
{
	struct rusage use;
	int status;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		whole_life(n);
		exit(EXIT_SUCCESS);
	}
	if (wait4(pid, &status, 0, &use) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		exit(EXIT_FAILURE);
	return use.ru_maxrss;
}

int main(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	/* sanitizers keep what was freed, so only the way through is tried */
	printf("%ld KiB for 1,000 actions, not measured under a sanitizer\n", peak_of(1000));
	return EXIT_SUCCESS;
#endif
	long few = peak_of(1000), many = peak_of(40000);

	printf("%ld KiB for 1,000 actions, %ld KiB for 40,000\n", few, many);
	return many <= few + SLACK ? EXIT_SUCCESS : EXIT_FAILURE;
}
