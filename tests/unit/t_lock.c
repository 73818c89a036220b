/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lock.h"
#include "tests/support/unit.h"

static const int64_t NOW = INT64_C(1700000000) * 1000000000;

static char dir[] = "lock.XXXXXX";

static void make_dir(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

START_TEST(one_at_a_time_with_the_holder_named)
{
	struct ebb_lock *a = NULL, *b = NULL;
	struct ebb_lock_holder h = {0};
	struct ebb_err err = {0};
	char expected[64];

	make_dir();
	ck_assert_int_eq(ebb_lock_look(dir, &h, NULL), 0);
	ck_assert_int_eq(ebb_lock_take(dir, "ebb scan\nlake", NOW, &a, &err), 0);
	/* Also within a process: the lock is that of the open file. */
	ck_assert_int_eq(ebb_lock_take(dir, "ebb apply", NOW, &b, &err), -EBB_ELOCKED);
	ck_assert_ptr_null(b);
	snprintf(expected, sizeof(expected), "'ebb scan lake', process %ld on ", (long)getpid());
	ck_assert_ptr_nonnull(strstr(err.msg, expected));
	ck_assert_ptr_nonnull(strstr(err.msg, "since 2023-11-14T22:13:20Z"));
	ck_assert_int_eq(ebb_err_exit_of(err.code), EBB_EXIT_LOCKED);
	ck_assert_int_eq(ebb_lock_look(dir, &h, NULL), 1);
	ck_assert_int_eq(h.pid, getpid());
	ck_assert_str_eq(h.command, "ebb scan lake");
	ebb_lock_release(a);
	ck_assert_int_eq(ebb_lock_look(dir, &h, NULL), 0);
	ck_assert_int_eq(ebb_lock_take(dir, "ebb apply", NOW, &b, NULL), 0);
	ebb_lock_release(b);
	ebb_lock_release(NULL);
}
END_TEST

START_TEST(a_killed_holder_leaves_no_lock)
{
	struct ebb_lock *l = NULL;
	struct ebb_lock_holder h = {0};
	int ready[2];
	char c;

	make_dir();
	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (ebb_lock_take(dir, "ebb apply", NOW, &l, NULL) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(ebb_lock_look(dir, &h, NULL), 1);
	ck_assert_int_eq(h.pid, pid);
	ck_assert_int_eq(ebb_lock_take(dir, "ebb scan", NOW, &l, NULL), -EBB_ELOCKED);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(ebb_lock_look(dir, &h, NULL), 0);
	ck_assert_int_eq(ebb_lock_take(dir, "ebb scan", NOW, &l, NULL), 0);
	ebb_lock_release(l);
}
END_TEST

START_TEST(what_an_old_holder_wrote_is_replaced)
{
	struct ebb_lock *l = NULL;
	struct ebb_lock_holder h = {0};
	char path[64];

	make_dir();
	snprintf(path, sizeof(path), "%s/lock", dir);
	FILE *f = fopen(path, "w");
	fputs("pid 1\nhost elsewhere\nstarted then\ncommand a very long command that was cut off by a power cut", f);
	fclose(f);
	ck_assert_int_eq(ebb_lock_take(dir, "ebb scan", NOW, &l, NULL), 0);
	ck_assert_int_eq(ebb_lock_look(dir, &h, NULL), 1);
	ck_assert_int_eq(h.pid, getpid());
	ck_assert_str_eq(h.command, "ebb scan");
	ebb_lock_release(l);
}
END_TEST

START_TEST(a_link_in_its_place_is_not_followed)
{
	struct ebb_lock *l = NULL;
	char path[64];

	make_dir();
	snprintf(path, sizeof(path), "%s/lock", dir);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_lt(ebb_lock_take(dir, "ebb scan", NOW, &l, NULL), 0);
	ck_assert_int_eq(ebb_lock_take("no/such/dir", "ebb scan", NOW, &l, NULL), -EBB_ENOENT);
}
END_TEST

EBB_UNIT_MAIN("lock", one_at_a_time_with_the_holder_named, a_killed_holder_leaves_no_lock,
	      what_an_old_holder_wrote_is_replaced, a_link_in_its_place_is_not_followed)
