/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P1 P3 P5 P6
 *
 * Apply and undo over two small trees; see tests/support/run_kit.h.
 */
#include "agent/executor.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/replay.h"
#include "tests/support/run_kit.h"
#include "tests/support/unit.h"

static struct ebb_run_kit k;

static void apply(struct ebb_apply_done *done)
{
	struct ebb_storeset *set = ebb_run_kit_stores(&k, NULL, NULL);
	struct ebb_err err = {0};

	ck_assert_msg(ebb_run_kit_apply(&k, set, NULL, done, &err) == 0, "%s", err.msg);
	ebb_storeset_free(set);
}

static void undo(struct ebb_journal_counts *counts)
{
	struct ebb_storeset *set = ebb_run_kit_stores(&k, NULL, NULL);
	struct ebb_err err = {0};

	ck_assert_msg(ebb_run_kit_undo(&k, set, counts, &err) == 0, "%s", err.msg);
	ebb_storeset_free(set);
}

static void same_as_made(void)
{
	char *a = ebb_run_kit_snapshot(&k, "a"), *b = ebb_run_kit_snapshot(&k, "b");

	ck_assert_str_eq(a, k.a);
	ck_assert_str_eq(b, k.b);
	free(a);
	free(b);
}

static const char *in(const char *name)
{
	static char path[8192];

	snprintf(path, sizeof(path), "%s/%s", k.dir, name);
	return path;
}

static const char *in_index(void)
{
	static _Thread_local char path[8192];

	snprintf(path, sizeof(path), "%s/index", k.dir);
	return path;
}

static bool stands(const char *name)
{
	struct stat st;

	return lstat(in(name), &st) == 0;
}

START_TEST(p14_undo_restores_bytes_and_metadata)
{
	struct ebb_apply_done done;
	struct ebb_journal_counts counts;

	ebb_run_kit_init(&k);
	apply(&done);
	ck_assert(done.complete);
	ck_assert_int_eq(done.run.done, k.actions);
	ck_assert(!stands("a/top") && stands("b/top2") && !stands("a/logs/one.log"));
	ck_assert(stands("a/logs/one.log.zst") && stands("b/deep/er/cold.bin"));
	undo(&counts);
	ck_assert_int_eq(counts.done, k.actions);
	same_as_made();
	undo(&counts);
	ck_assert_int_eq(counts.done + counts.skipped + counts.failed, 0);
	same_as_made();
	ebb_run_kit_release(&k);
}
END_TEST

START_TEST(p3_changed_objects_are_skipped_and_named)
{
	struct ebb_apply_done done;
	int fd;

	ebb_run_kit_init(&k);
	fd = open(in("a/del/a"), O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	ck_assert_int_eq(unlink(in("a/logs/two.log")), 0);
	ck_assert_int_eq(chmod(in("a/top2"), 0600), 0);
	apply(&done);
	ck_assert_int_eq(done.run.skipped, 3);
	ck_assert_int_eq(done.run.done, k.actions - 3);
	ck_assert(stands("a/del/a") && stands("a/top2") && !stands("b/top2"));
	ebb_run_kit_release(&k);
}
END_TEST

START_TEST(nothing_is_overwritten)
{
	struct ebb_apply_done done;
	struct ebb_journal_counts counts;
	int fd;

	ebb_run_kit_init(&k);
	close(open(in("a/logs/one.log.zst"), O_CREAT | O_WRONLY, 0600));
	close(open(in("b/top2"), O_CREAT | O_WRONLY, 0600));
	apply(&done);
	ck_assert_int_eq(done.run.skipped, 2);
	ck_assert(stands("a/logs/one.log") && stands("a/top2"));
	/* and something new stands where undo would restore */
	fd = open(in("a/top"), O_CREAT | O_WRONLY, 0600);
	ck_assert_int_eq(write(fd, "new", 3), 3);
	close(fd);
	undo(&counts);
	ck_assert_int_eq(counts.skipped, 1);
	ck_assert_int_eq(counts.done, k.actions - 3);
	ebb_run_kit_release(&k);
}
END_TEST

START_TEST(limits_stop_the_run_and_it_goes_on)
{
	struct ebb_planhead_limits limits = ebb_run_kit_unlimited;
	struct ebb_apply_done done;
	struct ebb_err err = {0};

	ebb_run_kit_init(&k);
	limits.max_objects = 2;
	for (int64_t n = 2; n < k.actions; n += 2) {
		struct ebb_storeset *set = ebb_run_kit_stores(&k, NULL, NULL);

		ebb_err_clear(&err);
		ck_assert_int_eq(ebb_run_kit_apply(&k, set, &limits, &done, &err), -EBB_ELIMIT);
		ck_assert_int_eq(done.run.done, n);
		ebb_storeset_free(set);
	}
	apply(&done);
	ck_assert_int_eq(done.run.done, k.actions);
	undo(&(struct ebb_journal_counts){0});
	same_as_made();
	ebb_run_kit_release(&k);
}
END_TEST

/* The lines of a snapshot that are no directories; in place. */
static char *files_only(char *snapshot)
{
	char *to = snapshot;

	for (char *line = snapshot, *end; *line; line = end) {
		end = strchr(line, '\n') + 1;
		const char *mode = memchr(line, ' ', (size_t)(end - line));
		if (mode[1] == '4')
			continue;
		memmove(to, line, (size_t)(end - line));
		to += end - line;
	}
	*to = 0;
	return snapshot;
}

/* Points of each kind of operation. */
#define NTH 24

/*
 * Any operation of a store that fails once: nothing is lost, nothing half done stays, and undo brings all back. Where metadata
 * cannot be read or set, times of directories may be lost; everything else may not.
 */
/* What the actions of the kit never ask of its stores. */
static bool is_unused(enum ebb_store_faulty_op op)
{
	return op == EBB_FAULTY_READ_RANGE || op == EBB_FAULTY_HIDDEN || op == EBB_FAULTY_SHARE ||
	       op == EBB_FAULTY_COPY || op == EBB_FAULTY_SET_CLASS || op == EBB_FAULTY_HIDE ||
	       op == EBB_FAULTY_SHOW;
}

static void try_failure(enum ebb_store_faulty_op op, int i)
{
	const struct ebb_store_faulty_fault fault = {
		.op = op, .nth = 1 + (unsigned)i / 4, .after = i / 2 % 2, .code = EBB_EIO,
	};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	bool times = op != EBB_FAULTY_GET_META && op != EBB_FAULTY_SET_META;
	struct ebb_apply_done done;
	struct ebb_journal_counts counts;
	struct ebb_err err = {0};

	ebb_run_kit_init(&k);
	struct ebb_storeset *set = ebb_run_kit_stores(&k, i % 2 ? &script : NULL, i % 2 ? NULL : &script);
	ebb_run_kit_apply(&k, set, NULL, &done, &err);
	ebb_storeset_free(set);
	undo(&counts);
	ck_assert_msg(counts.skipped + counts.failed == 0, "point %d", i);
	char *a = ebb_run_kit_snapshot(&k, "a"), *b = ebb_run_kit_snapshot(&k, "b");
	ck_assert_msg(strcmp(times ? a : files_only(a), times ? k.a : files_only(k.a)) == 0, "point %d: %s", i, a);
	ck_assert_msg(strcmp(times ? b : files_only(b), times ? k.b : files_only(k.b)) == 0, "point %d: %s", i, b);
	free(a);
	free(b);
	ebb_run_kit_release(&k);
}

/* A process for each kind of operation: starting one takes longer than a point. */
START_TEST(p1_p5_failures_of_a_store_lose_nothing)
{
	for (int i = 0; i < NTH && !is_unused((enum ebb_store_faulty_op)_i); i++)
		try_failure((enum ebb_store_faulty_op)_i, i);
}
END_TEST

static atomic_int unrecorded;

/* Called before each change of a store: the journal on disk must have open intents. */
static void look_into_journal(void *ctx)
{
	struct ebb_run run = {0};
	struct ebb_replay rep = {0};

	(void)ctx;
	if (ebb_run_find(in_index(), "last", &run, NULL) < 0 ||
	    ebb_replay_run(run.journal, &rep, NULL) < 0 || rep.nopen == 0)
		atomic_fetch_add(&unrecorded, 1);
	ebb_replay_release(&rep);
	ebb_run_release(&run);
}

START_TEST(p6_actions_are_in_the_journal_before_they_start)
{
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_CHANGE, .hook = look_into_journal};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	struct ebb_err err = {0};

	ebb_run_kit_init(&k);
	struct ebb_storeset *set = ebb_run_kit_stores(&k, &script, &script);
	ck_assert_int_eq(ebb_run_kit_apply(&k, set, NULL, NULL, &err), 0);
	ck_assert_uint_gt(ebb_store_faulty_count(ebb_storeset_find(set, "a"), EBB_FAULTY_CHANGE), 5);
	ck_assert_int_eq(atomic_load(&unrecorded), 0);
	ebb_storeset_free(set);
	ebb_run_kit_release(&k);
}
END_TEST

START_TEST(a_full_store_stops_the_run_cleanly)
{
	const struct ebb_store_faulty_script script = {.room = 60000};
	struct ebb_apply_done done;
	struct ebb_err err = {0};

	ebb_run_kit_init(&k);
	struct ebb_storeset *set = ebb_run_kit_stores(&k, NULL, &script);
	ck_assert_int_eq(ebb_run_kit_apply(&k, set, NULL, &done, &err), -EBB_ENOSPC);
	ck_assert(!done.complete);
	ebb_storeset_free(set);
	apply(&done);
	ck_assert_int_eq(done.run.done + done.run.failed, k.actions);
	undo(&(struct ebb_journal_counts){0});
	same_as_made();
	ebb_run_kit_release(&k);
}
END_TEST

/* Take the results of the last window out of the journal of the last run, as if the program had been killed before it wrote them. */
static void forget_results(void)
{
	static const char *const results[] = {"\"t\":\"done\"", "\"t\":\"skipped\"", "\"t\":\"failed\"",
					      "\"t\":\"left\"", "\"t\":\"end\""};
	struct ebb_run run = {0};
	char *line = NULL, *kept = NULL;
	size_t size = 0, len = 0;

	ck_assert_int_eq(ebb_run_find(in_index(), "last", &run, NULL), 0);
	FILE *in_file = fopen(run.journal, "r"), *out = open_memstream(&kept, &len);
	int windows = 0;
	while (getline(&line, &size, in_file) > 0)
		windows += strstr(line, "\"t\":\"window\"") != NULL;
	rewind(in_file);
	while (getline(&line, &size, in_file) > 0) {
		bool result = false;

		windows -= strstr(line, "\"t\":\"window\"") != NULL;

		for (size_t i = 0; windows == 0 && i < EBB_ARRAY_LEN(results); i++)
			result |= strstr(line, results[i]) != NULL;
		if (!result)
			fputs(line, out);
	}
	fclose(in_file);
	fclose(out);
	out = fopen(run.journal, "w");
	fwrite(kept, 1, len, out);
	fclose(out);
	free(line);
	free(kept);
	ebb_run_release(&run);
}

/* A store that goes away, or cannot be read, while a killed run is recovered: nobody can tell what was done, so nothing is written down. */
START_TEST(what_recovery_cannot_look_at_stays_open)
{
	static const int codes[] = {EBB_ESTORE, EBB_EIO, EBB_EACCES};
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_HEAD, .code = codes[_i]};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	struct ebb_journal_counts counts;
	struct ebb_apply_done done;
	struct ebb_err err = {0};

	ebb_run_kit_init(&k);
	apply(&done);
	ck_assert_int_gt(done.run.done, 0);
	forget_results();
	struct ebb_storeset *set = ebb_run_kit_stores(&k, &script, &script);
	ck_assert_int_eq(ebb_run_kit_undo(&k, set, &counts, &err), -codes[_i]);
	ebb_storeset_free(set);
	undo(&counts);
	ck_assert_int_eq(counts.done, done.run.done);
	same_as_made();
	ebb_run_kit_release(&k);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("executor");
	TCase *c = tcase_create("executor");

	tcase_add_test(c, p14_undo_restores_bytes_and_metadata);
	tcase_add_test(c, p3_changed_objects_are_skipped_and_named);
	tcase_add_test(c, nothing_is_overwritten);
	tcase_add_test(c, limits_stop_the_run_and_it_goes_on);
	tcase_add_loop_test(c, p1_p5_failures_of_a_store_lose_nothing, EBB_FAULTY_HEAD, EBB_FAULTY_OP_COUNT);
	tcase_add_test(c, p6_actions_are_in_the_journal_before_they_start);
	tcase_add_test(c, a_full_store_stops_the_run_cleanly);
	tcase_add_loop_test(c, what_recovery_cannot_look_at_stays_open, 0, 3);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
