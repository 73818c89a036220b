/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Promises: P6 */
#include "agent/journal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/replay.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

static char path[4096];

static void new_path(void)
{
	snprintf(path, sizeof(path), "%s/journal", ebb_scratch_new());
}

static struct ebb_journal *start(int64_t actions)
{
	const struct ebb_journal_rec run = {
		.type = EBB_JOURNAL_RUN, .id = "20261123T190000Z-0123abcd", .plan = "0123abcd",
		.actions = actions, .ts = 5,
	};
	struct ebb_journal *j = NULL;
	struct ebb_err err = {0};

	new_path();
	ck_assert_msg(ebb_journal_create(path, &run, &j, &err) == 0, "%s", err.msg);
	return j;
}

static void put(struct ebb_journal *j, struct ebb_journal_rec rec)
{
	struct ebb_err err = {0};

	ck_assert_msg(ebb_journal_put(j, &rec, &err) == 0, "%s", err.msg);
}

static void put_window(struct ebb_journal *j, enum ebb_op_way way, int64_t n)
{
	put(j, (struct ebb_journal_rec){.type = EBB_JOURNAL_WINDOW, .way = way, .count = n});
}

/* An operation with everything an operation can have. */
static struct ebb_op full_op(int64_t n)
{
	struct ebb_op op = {
		.n = n, .action = EBB_ACTION_COMPRESS, .way = EBB_OP_APPLY,
		.store = "scratch", .key = "a\n\xff/b", .to_store = "scratch", .to_key = "a\n\xff/b.zst",
		.has_meta = true, .codec = "zstd", .level = 9, .expires = 77, .has_digest = true,
		.digest = {1, 2, 3},
	};

	op.obj.key = op.key;
	op.obj.key_len = (uint32_t)strlen(op.key);
	ebb_record_set(&op.obj, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&op.obj, EBB_F_SIZE, 123);
	ebb_record_set(&op.obj, EBB_F_MTIME, -5);
	ebb_meta_init(&op.meta);
	op.meta.uid = 4000000000;
	op.meta.mode = 04755;
	op.meta.mtime = INT64_MIN;
	ck_assert_int_eq(ebb_meta_add(&op.meta, "user.x", "\0\1", 2, NULL), 0);
	ck_assert_int_eq(ebb_meta_add(&op.meta, "user.empty", NULL, 0, NULL), 0);
	return op;
}

static void put_intent(struct ebb_journal *j, int64_t n, enum ebb_op_way way)
{
	struct ebb_op op = full_op(n);

	op.way = way;
	put(j, (struct ebb_journal_rec){.type = EBB_JOURNAL_INTENT, .n = n, .op = &op});
	ebb_op_release(&op);
}

static void put_result(struct ebb_journal *j, enum ebb_journal_type type, int64_t n)
{
	struct ebb_journal_rec rec = {.type = type, .n = n};

	if (type == EBB_JOURNAL_SKIPPED || type == EBB_JOURNAL_FAILED)
		ebb_err_set(&rec.result.why, EBB_ECHANGED, "odd \xff byte");
	put(j, rec);
}

START_TEST(records_come_back_as_they_were_put)
{
	struct ebb_journal *j = start(3);
	struct ebb_journal_reader *r = NULL;
	struct ebb_journal_rec rec;
	struct ebb_arena arena;
	struct ebb_err err = {0};
	struct ebb_op want = full_op(2);

	put_intent(j, 2, EBB_OP_APPLY);
	put_result(j, EBB_JOURNAL_SKIPPED, 2);
	ebb_journal_close(j);
	ebb_arena_init(&arena, 0);
	ck_assert_int_eq(ebb_journal_open(path, &r, &err), 0);
	ck_assert_int_eq(ebb_journal_next(r, &arena, &rec, &err), 1);
	ck_assert_int_eq(rec.type, EBB_JOURNAL_RUN);
	ck_assert_str_eq(rec.plan, "0123abcd");
	ck_assert_msg(ebb_journal_next(r, &arena, &rec, &err) == 1, "%s", err.msg);
	ck_assert_int_eq(rec.type, EBB_JOURNAL_INTENT);
	ck_assert_str_eq(rec.op->key, want.key);
	ck_assert_str_eq(rec.op->to_key, want.to_key);
	ck_assert_str_eq(rec.op->codec, "zstd");
	ck_assert_int_eq(rec.op->level, 9);
	ck_assert_int_eq(rec.op->expires, 77);
	ck_assert(rec.op->has_digest && memcmp(rec.op->digest, want.digest, EBB_DIGEST_LEN) == 0);
	ck_assert_int_eq(rec.op->obj.known, want.obj.known);
	ck_assert_int_eq(rec.op->obj.f[EBB_F_MTIME], -5);
	ck_assert_int_eq(ebb_meta_compare(&rec.op->meta, &want.meta, EBB_META_ALL, &err), 0);
	ebb_op_release(rec.op);
	ck_assert_int_eq(ebb_journal_next(r, &arena, &rec, &err), 1);
	ck_assert_int_eq(rec.result.outcome, EBB_OP_SKIPPED);
	ck_assert_int_eq(rec.result.why.code, EBB_ECHANGED);
	ck_assert_str_eq(rec.result.why.msg, "odd \xff byte");
	ck_assert_int_eq(ebb_journal_next(r, &arena, &rec, &err), 0);
	ebb_journal_reader_close(r);
	ebb_arena_release(&arena);
	ebb_op_release(&want);
}
END_TEST

/* Every length to which a crash can cut the file is read as a prefix of its records, and can be gone on with. */
START_TEST(a_torn_last_line_is_not_there)
{
	struct ebb_journal *j = start(9);
	struct ebb_err err = {0};
	char bytes[8192];

	put_window(j, EBB_OP_APPLY, 1);
	put_intent(j, 1, EBB_OP_APPLY);
	ebb_journal_close(j);

	int fd = open(path, O_RDWR);
	ssize_t len = read(fd, bytes, sizeof(bytes));
	char *first = memchr(bytes, '\n', (size_t)len);
	for (off_t cut = len; cut > first - bytes; cut -= 7) {
		struct ebb_replay rep;

		ck_assert_int_eq(ftruncate(fd, cut), 0);
		ck_assert_msg(ebb_replay_run(path, &rep, &err) == 0, "%s", err.msg);
		ebb_replay_release(&rep);
	}
	ck_assert_int_eq(ebb_journal_append_to(path, &j, &err), 0);
	put_window(j, EBB_OP_APPLY, 1);
	put_intent(j, 2, EBB_OP_APPLY);
	ebb_journal_close(j);
	struct ebb_replay rep;
	ck_assert_msg(ebb_replay_run(path, &rep, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(rep.nopen, 1);
	ck_assert_int_eq(rep.open[0].op.n, 2);
	ebb_replay_release(&rep);
	close(fd);
}
END_TEST

START_TEST(damage_elsewhere_is_told)
{
	struct ebb_journal *j = start(9);
	struct ebb_replay rep;
	struct ebb_err err = {0};

	put_window(j, EBB_OP_APPLY, 1);
	put_intent(j, 1, EBB_OP_APPLY);
	ebb_journal_close(j);
	int fd = open(path, O_RDWR);
	ck_assert_int_eq(pwrite(fd, "X", 1, 30), 1);
	close(fd);
	ck_assert_int_eq(ebb_replay_run(path, &rep, &err), -EBB_EJOURNAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "damaged"));
}
END_TEST

START_TEST(replay_knows_what_is_open_and_what_goes_on)
{
	struct ebb_journal *j = start(100);
	struct ebb_replay rep;
	struct ebb_err err = {0};

	put_window(j, EBB_OP_APPLY, 5);
	for (int i = 1; i <= 5; i++)
		put_intent(j, i, EBB_OP_APPLY);
	put_result(j, EBB_JOURNAL_DONE, 1);
	put_result(j, EBB_JOURNAL_SKIPPED, 2);
	put_result(j, EBB_JOURNAL_FAILED, 3);
	put_result(j, EBB_JOURNAL_BACK, 5);
	ebb_journal_close(j);
	ck_assert_msg(ebb_replay_run(path, &rep, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(rep.next, 6);
	ck_assert_int_eq(rep.applied.done, 1);
	ck_assert_int_eq(rep.applied.skipped, 1);
	ck_assert_int_eq(rep.applied.failed, 1);
	ck_assert_int_eq(rep.applied.bytes, 123);
	ck_assert_uint_eq(rep.nback, 1);
	ck_assert_int_eq(rep.back[0], 5);
	ck_assert_uint_eq(rep.nopen, 1);
	ck_assert_int_eq(rep.open[0].op.n, 4);
	ck_assert(!rep.ended && !rep.complete);
	ebb_replay_release(&rep);
}
END_TEST

START_TEST(replay_knows_what_was_undone)
{
	struct ebb_journal *j = start(70);
	struct ebb_replay rep;
	struct ebb_err err = {0};

	put_window(j, EBB_OP_APPLY, 2);
	put_intent(j, 1, EBB_OP_APPLY);
	put_intent(j, 66, EBB_OP_APPLY);
	put_result(j, EBB_JOURNAL_DONE, 1);
	put_result(j, EBB_JOURNAL_DONE, 66);
	put(j, (struct ebb_journal_rec){.type = EBB_JOURNAL_END, .outcome = "complete"});
	put_window(j, EBB_OP_UNDO, 1);
	put_intent(j, 66, EBB_OP_UNDO);
	put_result(j, EBB_JOURNAL_DONE, 66);
	put(j, (struct ebb_journal_rec){.type = EBB_JOURNAL_END, .way = EBB_OP_UNDO, .outcome = "complete"});
	ebb_journal_close(j);
	ck_assert_msg(ebb_replay_run(path, &rep, &err) == 0, "%s", err.msg);
	ck_assert(rep.complete && rep.ended);
	ck_assert_int_eq(rep.undone, 1);
	ck_assert(!ebb_replay_is_away(&rep, 1));
	ck_assert(ebb_replay_is_away(&rep, 66));
	ebb_replay_release(&rep);
}
END_TEST

static void *many(void *ctx)
{
	struct ebb_journal *j = ctx;

	for (int i = 0; i < 50; i++) {
		put_result(j, EBB_JOURNAL_BACK, 1 + i);
		ck_assert_int_eq(ebb_journal_sync(j, NULL), 0);
	}
	return NULL;
}

START_TEST(threads_share_one_sync)
{
	struct ebb_journal *j = start(100);
	struct ebb_journal_reader *r = NULL;
	struct ebb_journal_rec rec;
	struct ebb_arena arena;
	pthread_t t[4];
	int n = 0;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, many, j), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ebb_journal_close(j);
	ebb_arena_init(&arena, 0);
	ck_assert_int_eq(ebb_journal_open(path, &r, NULL), 0);
	while (ebb_journal_next(r, &arena, &rec, NULL) == 1)
		n++;
	ck_assert_int_eq(n, 201);
	ebb_journal_reader_close(r);
	ebb_arena_release(&arena);
}
END_TEST

EBB_UNIT_MAIN("journal", records_come_back_as_they_were_put, a_torn_last_line_is_not_there,
	      damage_elsewhere_is_told, replay_knows_what_is_open_and_what_goes_on,
	      replay_knows_what_was_undone, threads_share_one_sync)
