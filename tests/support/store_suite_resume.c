/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writers that go on with what others left; read_from. Of stores with EBB_CAP_RESUME. */
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "tests/support/store_suite.h"

#define expect ebb_store_suite_expect
#define PIECES 3	/* steps and a half */

/* What is written, and the marks of a writer that was left after @marked of its steps. */
struct left {
	char *data;
	int64_t step, size;
	struct ebb_store_mark marks[PIECES];
	char id[EBB_RECORD_ID_MAX];
};

static struct ebb_store_write_opts opts_of(const struct left *l, size_t marks)
{
	return (struct ebb_store_write_opts){
		.size_hint = l->size, .tag = "t1", .marks = marks ? l->marks : NULL, .nmarks = marks,
	};
}

static void make_data(struct ebb_store *s, struct left *l)
{
	struct ebb_store_writer *w = NULL;
	struct ebb_err err = {0};
	uint64_t x = 7;

	expect(ebb_store_write_open(s, "probe", &(struct ebb_store_write_opts){.size_hint = 1, .tag = "t1"}, &w, &err), 0, &err);
	l->step = ebb_store_write_step(w);
	ck_assert_int_gt(l->step, 0);
	ck_assert_int_eq(ebb_store_write_taken(w), 0);
	ebb_store_write_abort(w);
	l->size = l->step * PIECES + l->step / 2;
	l->data = malloc((size_t)l->size);
	for (int64_t i = 0; i < l->size; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		l->data[i] = (char)(x >> 56);
	}
}

/* Write @steps of them, with a mark at the end of each, and a little more, and leave it like that. */
static void leave(struct ebb_store *s, struct left *l, int steps)
{
	const struct ebb_store_write_opts opts = opts_of(l, 0);
	struct ebb_store_writer *w = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_write_open(s, "o", &opts, &w, &err), 0, &err);
	for (int i = 0; i < steps; i++) {
		expect(ebb_store_write(w, l->data + i * l->step, (size_t)l->step, &err), 0, &err);
		expect(ebb_store_write_mark(w, &l->marks[i], &err), 0, &err);
		ck_assert_int_eq(l->marks[i].at, (i + 1) * l->step);
		ck_assert_uint_lt(strlen(l->marks[i].id), sizeof(l->id));
		strcpy(l->id, l->marks[i].id);
		l->marks[i].id = l->id;
		ebb_digest_of(&ebb_digest_xxh128, l->data, (size_t)l->marks[i].at, l->marks[i].digest, NULL);
	}
	expect(ebb_store_write(w, l->data + steps * l->step, 10, &err), 0, &err);
	ebb_store_write_leave(w);
}

/* Go on with @marks of them; returns where, and finishes the object. */
static int64_t go_on(struct ebb_store *s, const struct left *l, size_t marks)
{
	const struct ebb_store_write_opts opts = opts_of(l, marks);
	struct ebb_store_writer *w = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};

	expect(ebb_store_write_open(s, "o", &opts, &w, &err), 0, &err);
	int64_t at = ebb_store_write_taken(w);
	ck_assert_int_eq(at % l->step, 0);
	expect(ebb_store_write(w, l->data + at, (size_t)(l->size - at), &err), 0, &err);
	expect(ebb_store_write_commit(w, NULL, 0, &rec, &err), 0, &err);
	ck_assert_int_eq(rec.f[EBB_F_SIZE], l->size);
	ebb_store_suite_content(s, "o", l->data, (size_t)l->size);
	return at;
}

START_TEST(what_was_left_is_gone_on_with)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RESUME);
	struct left l = {0};
	struct ebb_record rec;

	make_data(s, &l);
	leave(s, &l, 2);
	ck_assert_int_eq(ebb_store_head(s, "o", &rec, NULL), -EBB_ENOENT);
	ck_assert_int_eq(go_on(s, &l, 2), 2 * l.step);
	ebb_store_suite_keys(s, NULL, NULL, "o ");
	free(l.data);
}
END_TEST

START_TEST(what_is_gone_on_with_can_be_left_again)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RESUME);
	struct ebb_store_writer *w = NULL;
	struct left l = {0};
	struct ebb_err err = {0};

	make_data(s, &l);
	leave(s, &l, 1);
	const struct ebb_store_write_opts opts = opts_of(&l, 1);
	expect(ebb_store_write_open(s, "o", &opts, &w, &err), 0, &err);
	ck_assert_int_eq(ebb_store_write_taken(w), l.step);
	expect(ebb_store_write(w, l.data + l.step, (size_t)l.step, &err), 0, &err);
	expect(ebb_store_write_mark(w, &l.marks[1], &err), 0, &err);
	l.marks[1].id = l.id;
	ebb_digest_of(&ebb_digest_xxh128, l.data, (size_t)l.marks[1].at, l.marks[1].digest, NULL);
	ebb_store_write_leave(w);
	ck_assert_int_eq(go_on(s, &l, 2), 2 * l.step);
	free(l.data);
}
END_TEST

START_TEST(what_does_not_fit_its_mark_is_not_taken)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RESUME);
	struct left l = {0};

	make_data(s, &l);
	leave(s, &l, 2);
	memset(l.marks[0].sum, 1, sizeof(l.marks[0].sum));
	memset(l.marks[1].digest, 1, sizeof(l.marks[1].digest));
	ck_assert_int_eq(go_on(s, &l, 2), 0);
	ebb_store_suite_keys(s, NULL, NULL, "o ");
	free(l.data);
}
END_TEST

START_TEST(what_was_swept_is_begun_anew)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RESUME);
	struct left l = {0};
	struct ebb_err err = {0};

	make_data(s, &l);
	leave(s, &l, 2);
	expect(ebb_store_write_sweep(s, "o", "t1", &err), 0, &err);
	ebb_store_suite_keys(s, NULL, NULL, "");
	ck_assert_int_eq(go_on(s, &l, 2), 0);
	free(l.data);
}
END_TEST

START_TEST(reading_begins_anywhere)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RESUME);
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	char got[16];
	int64_t n, len = 0;

	ebb_store_suite_write(s, "o", "0123456789", 10, &rec);
	expect(ebb_store_read_from(s, "o", &rec, 7, &r, &err), 0, &err);
	while ((n = ebb_store_read(r, got + len, 2, &err)) > 0)
		len += n;
	expect(n, 0, &err);
	ck_assert_int_eq(len, 3);
	ck_assert_mem_eq(got, "789", 3);
	expect(ebb_store_read_verify(r, &err), 0, &err);
	rec.f[EBB_F_SIZE]++;
	struct ebb_store_reader *other = NULL;
	expect(ebb_store_read_from(s, "o", &rec, 7, &other, &err), EBB_ECHANGED, &err);
	expect(ebb_store_read_from(s, "none", NULL, 7, &other, &err), EBB_ENOENT, &err);
}
END_TEST

void ebb_store_suite_resume_add(TCase *tcase, int n)
{
	const TTest *const tests[] = {
		what_was_left_is_gone_on_with, what_is_gone_on_with_can_be_left_again, what_does_not_fit_its_mark_is_not_taken,
		what_was_swept_is_begun_anew, reading_begins_anywhere,
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(tests); i++)
		tcase_add_loop_test(tcase, tests[i], 0, n);
}
