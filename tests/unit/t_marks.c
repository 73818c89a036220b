/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies that are cut short go on inside the object; the list of marks. Kills at every point are tried by p_crash. */
#include "agent/marks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/journal.h"
#include "tests/support/run_kit.h"
#include "tests/support/unit.h"

#define STEP 70000	/* of the kit's stores */
#define SIZE 300000	/* of its first action, a copy */

static struct ebb_run_kit k;

/* Apply until store b fails at the @nth write with something that stops the run. */
static void cut_short(uint64_t nth)
{
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_WRITE, .nth = nth, .code = EBB_ENOSPC};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	struct ebb_storeset *set = ebb_run_kit_stores(&k, NULL, &script);

	ck_assert_int_eq(ebb_run_kit_apply(&k, set, NULL, NULL, NULL), -EBB_ENOSPC);
	ebb_storeset_free(set);
}

static void apply(struct ebb_apply_done *done)
{
	struct ebb_storeset *set = ebb_run_kit_stores(&k, NULL, NULL);
	struct ebb_err err = {0};

	ck_assert_msg(ebb_run_kit_apply(&k, set, NULL, done, &err) == 0, "%s", err.msg);
	ebb_storeset_free(set);
}

static const char *in(const char *name)
{
	static char path[8192];

	snprintf(path, sizeof(path), "%s/%s", k.dir, name);
	return path;
}

/* Temporaries in a folder. */
static int temporaries(const char *dir)
{
	DIR *d = opendir(in(dir));
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += strncmp(e->d_name, EBB_STORE_TMP, strlen(EBB_STORE_TMP)) == 0;
	if (d)
		closedir(d);
	return n;
}

/* What the journal says of action 1: bytes read by attempts that did not end it, and by the one that did. */
static void wire(int64_t *back, int64_t *done, int *marks)
{
	struct ebb_run run = {0};
	struct ebb_journal_reader *j = NULL;
	struct ebb_journal_rec rec;
	struct ebb_arena arena;
	char index[8192];

	ebb_arena_init(&arena, 0);
	snprintf(index, sizeof(index), "%s/index", k.dir);
	ck_assert_int_eq(ebb_run_find(index, "last", &run, NULL), 0);
	ck_assert_int_eq(ebb_journal_open(run.journal, &j, NULL), 0);
	*back = *done = *marks = 0;
	while (ebb_journal_next(j, &arena, &rec, NULL) == 1) {
		if (rec.type == EBB_JOURNAL_INTENT)
			ebb_op_release(rec.op);
		if (rec.n != 1)
			continue;
		*marks += rec.type == EBB_JOURNAL_MARK;
		*(rec.type == EBB_JOURNAL_BACK ? back : done) += rec.result.wire;
	}
	ebb_journal_reader_close(j);
	ebb_run_release(&run);
	ebb_arena_release(&arena);
}

START_TEST(a_copy_goes_on_inside_the_object)
{
	struct ebb_apply_done done;
	int64_t back, last;
	int marks;

	ebb_run_kit_init(&k);
	cut_short(3);
	ck_assert_int_eq(temporaries("b/copy"), 1);
	wire(&back, &last, &marks);
	ck_assert_int_eq(marks, 2);
	ck_assert_int_eq(back, 3 * STEP);
	apply(&done);
	ck_assert(done.complete);
	ck_assert_int_eq(done.run.done, k.actions);
	ck_assert_int_eq(temporaries("b/copy"), 0);
	wire(&back, &last, &marks);
	ck_assert_int_eq(last, SIZE - 2 * STEP);
	ck_assert_int_eq(marks, 4);
	ebb_run_kit_release(&k);
}
END_TEST

START_TEST(what_was_given_up_leaves_no_temporary)
{
	struct ebb_apply_done done;

	ebb_run_kit_init(&k);
	cut_short(3);
	ck_assert_int_eq(temporaries("b/copy"), 1);
	ck_assert_int_eq(chmod(in("a/copy/over"), 0600), 0); /* another state: the plan does not mean it */
	apply(&done);
	ck_assert_int_eq(done.run.done, k.actions - 2);
	ck_assert_int_eq(temporaries("b/copy"), 0);
	ebb_run_kit_release(&k);
}
END_TEST

START_TEST(undo_takes_what_was_begun)
{
	struct ebb_journal_counts counts;

	ebb_run_kit_init(&k);
	cut_short(3);
	ck_assert_int_eq(temporaries("b/copy"), 1);
	struct ebb_storeset *set = ebb_run_kit_stores(&k, NULL, NULL);
	ck_assert_int_eq(ebb_run_kit_undo(&k, set, &counts, NULL), 0);
	ebb_storeset_free(set);
	ck_assert_int_eq(temporaries("b/copy"), 0);
	ebb_run_kit_release(&k);
}
END_TEST

START_TEST(another_copy_in_its_place_begins_anew)
{
	struct ebb_apply_done done;
	struct dirent *e;
	int64_t back, last;
	int marks;

	ebb_run_kit_init(&k);
	cut_short(3);
	DIR *d = opendir(in("b/copy"));
	while ((e = readdir(d)) && strncmp(e->d_name, EBB_STORE_TMP, strlen(EBB_STORE_TMP)) != 0)
		;
	int fd = openat(dirfd(d), e->d_name, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "?", 1, 100), 1);	/* a medium that forgets */
	close(fd);
	closedir(d);
	apply(&done);
	ck_assert_int_eq(done.run.done, k.actions);
	wire(&back, &last, &marks);
	ck_assert_int_eq(last, SIZE);
	ebb_run_kit_release(&k);
}
END_TEST

START_TEST(marks_are_ascending_and_of_one_temporary)
{
	struct ebb_marks_set s = {0};
	uint8_t state[EBB_DIGEST_STATE] = {0};

	for (int i = 1; i <= 40; i++) {
		state[0] = (uint8_t)i;
		ck_assert_int_eq(ebb_marks_add(&s, 7, "b", "key", &(struct ebb_store_mark){.at = i, .id = "u"}, state, NULL), 0);
	}
	const struct ebb_marks *m = ebb_marks_find(&s, 7);
	ck_assert_uint_eq(m->len, 40);
	ck_assert_int_eq(ebb_marks_state(m, 40)[0], 40);
	ck_assert_int_eq(ebb_marks_state(m, 25)[0], 25);
	ck_assert_ptr_null(ebb_marks_state(m, 24));
	ck_assert_int_eq(ebb_marks_unsaid(m), 40);
	ebb_marks_count(&s, 7, 30);
	ck_assert_int_eq(ebb_marks_unsaid(ebb_marks_find(&s, 7)), 10);
	/* gone on from 20, and then anew in another upload */
	ck_assert_int_eq(ebb_marks_add(&s, 7, "b", "key", &(struct ebb_store_mark){.at = 21, .id = "u"}, state, NULL), 0);
	ck_assert_uint_eq(ebb_marks_find(&s, 7)->len, 21);
	ck_assert_int_eq(ebb_marks_add(&s, 7, "b", "key", &(struct ebb_store_mark){.at = 30, .id = "v"}, state, NULL), 0);
	ck_assert_uint_eq(ebb_marks_find(&s, 7)->len, 1);
	ck_assert_str_eq(ebb_marks_find(&s, 7)->v[0].id, "v");
	ck_assert_ptr_null(ebb_marks_find(&s, 8));
	ebb_marks_drop(&s, 7);
	ck_assert_ptr_null(ebb_marks_find(&s, 7));
	ebb_marks_release(&s);
}
END_TEST

EBB_UNIT_MAIN("marks", a_copy_goes_on_inside_the_object, what_was_given_up_leaves_no_temporary, undo_takes_what_was_begun,
	      another_copy_in_its_place_begins_anew, marks_are_ascending_and_of_one_temporary)
