/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P4 P5 P14
 *
 * P4, P5, P14: killed at any change that it makes to a store, before or after the change, an apply or undo converges to the same end.
 *
 * For each of apply and undo, for each store, before and after, for n = 1, 2, ...: a victim process runs it over two small trees and
 * kills itself at its n-th change; then recovery goes on. When a victim comes to the end, all points have been tried. After an apply the
 * files are those of an undisturbed run; after an undo both trees are as they were made, times of directories included.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/run_kit.h"

enum { GOES_ON = 0, FAILED = 1, AT_END = 2 };

struct point {
	bool undo;	/* kill the undo, not the apply */
	bool store_b;
	bool after;
	uint64_t nth;
};

static void drop_dead(void *ctx)
{
	(void)ctx;
	kill(getpid(), SIGKILL);
}

/* A pack is new, and has times of its own. */
static void hide_times(char *line)
{
	for (char *p = strstr(line, " m="), *end = strchr(strstr(p, " a=") + 1, ' '); p < end; p++)
		*p = *p >= '0' && *p <= '9' ? '-' : *p;
}

/* Lines of files, without those of directories (their times are those of the run) and without run ids. In place. */
static char *files_only(char *snapshot)
{
	static const char trash[] = ".ebb-trash/", packs[] = ".ebb-packs/";
	char *to = snapshot;

	for (char *p = snapshot; (p = strstr(p, trash)); p += sizeof(trash) - 1)
		memset(p + sizeof(trash) - 1, '-', strcspn(p + sizeof(trash) - 1, "/ "));

	for (char *line = snapshot, *end; *line; line = end) {
		end = strchr(line, '\n') + 1;
		const char *mode = memchr(line, ' ', (size_t)(end - line));
		if (mode[1] == '4')
			continue;
		if (strncmp(line, packs, sizeof(packs) - 1) == 0)
			hide_times(line);
		memmove(to, line, (size_t)(end - line));
		to += end - line;
	}
	*to = 0;
	return snapshot;
}

static int run(const struct ebb_run_kit *k, bool undo, const struct ebb_store_faulty_script *a,
	       const struct ebb_store_faulty_script *b, struct ebb_err *err)
{
	struct ebb_storeset *set = ebb_run_kit_stores(k, a, b);
	struct ebb_journal_counts counts;
	int r = undo ? ebb_run_kit_undo(k, set, &counts, err)
		     : ebb_run_kit_apply(k, set, NULL, NULL, err);

	ebb_storeset_free(set);
	return r;
}

/* In a process of its own: true when it was killed on the way. */
static bool victim(const struct ebb_run_kit *k, const struct point *p)
{
	const struct ebb_store_faulty_fault fault = {
		.op = EBB_FAULTY_CHANGE, .nth = p->nth, .after = p->after, .hook = drop_dead,
	};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	int status;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		struct ebb_err err = {0};
		int r = run(k, p->undo, p->store_b ? NULL : &script, p->store_b ? &script : NULL, &err);

		if (r < 0)
			fprintf(stderr, "victim: %s\n", err.msg);
		_exit(r < 0);
	}
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0)
		abort();
	return WIFSIGNALED(status);
}

static bool same(const char *what, const char *is, const char *should)
{
	if (strcmp(is, should) == 0)
		return true;
	fprintf(stderr, "%s is\n%sand should be\n%s", what, is, should);
	return false;
}

static bool check(const struct ebb_run_kit *k, const char *a, const char *b, bool files)
{
	char *is_a = ebb_run_kit_snapshot(k, "a"), *is_b = ebb_run_kit_snapshot(k, "b");
	bool ok = same("a", files ? files_only(is_a) : is_a, a) &&
		  same("b", files ? files_only(is_b) : is_b, b);

	free(is_a);
	free(is_b);
	return ok;
}

static bool go_on(const struct ebb_run_kit *k, bool undo)
{
	struct ebb_err err = {0};

	if (run(k, undo, NULL, NULL, &err) == 0)
		return true;
	fprintf(stderr, "going on failed: %s\n", err.msg);
	return false;
}

/* One point, in a process of its own, so that its scratch folder goes with it. */
static int try_point(const struct point *p, char *const expect[2])
{
	struct ebb_run_kit k;

	ebb_run_kit_init(&k);
	if (p->undo && !go_on(&k, false))
		return FAILED;
	if (!victim(&k, p)) {
		ebb_run_kit_release(&k);
		return AT_END;
	}
	if (!p->undo && (!go_on(&k, false) || !check(&k, expect[0], expect[1], true)))
		return FAILED;
	bool ok = go_on(&k, true) && check(&k, k.a, k.b, false);
	ebb_run_kit_release(&k);
	return ok ? GOES_ON : FAILED;
}

/* What an undisturbed apply leaves. */
static void undisturbed(char *expect[2])
{
	struct ebb_run_kit k;

	ebb_run_kit_init(&k);
	if (!go_on(&k, false))
		exit(EXIT_FAILURE);
	expect[0] = files_only(ebb_run_kit_snapshot(&k, "a"));
	expect[1] = files_only(ebb_run_kit_snapshot(&k, "b"));
	ebb_run_kit_release(&k);
}

static int all_points(struct point p, char *const expect[2])
{
	for (p.nth = 1;; p.nth++) {
		int status;

		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0)
			exit(try_point(&p, expect));
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == AT_END)
			return (int)p.nth - 1;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != GOES_ON) {
			fprintf(stderr, "killed %s change %d of store %s during %s\n",
				p.after ? "after" : "before", (int)p.nth, p.store_b ? "b" : "a",
				p.undo ? "undo" : "apply");
			exit(EXIT_FAILURE);
		}
	}
}

int main(void)
{
	char *expect[2];
	int n = 0;

	undisturbed(expect);
	for (int i = 0; i < 8; i++)
		n += all_points((struct point){i & 4, i & 2, i & 1, 0}, expect);
	printf("%d crash points\n", n);
	free(expect[0]);
	free(expect[1]);
	return n > 100 ? EXIT_SUCCESS : EXIT_FAILURE;
}
