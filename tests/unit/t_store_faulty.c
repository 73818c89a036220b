/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults; that the store does nothing else is what the suite in t_store.c shows. */
#include "scanners/store_faulty.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scanners/store_memory.h"
#include "tests/support/scratch.h"
#include "tests/support/store_suite.h"
#include "tests/support/unit.h"

#define expect ebb_store_suite_expect
#define keys_are ebb_store_suite_keys
#define STORE EBB_CLEANUP(ebb_store_closep) struct ebb_store

static struct ebb_store *faulty(const char *type, const char *path,
				const struct ebb_store_faulty_script *script)
{
	const struct ebb_store_config cfg = {.name = "f", .type = type, .path = path};
	struct ebb_store *inner = NULL, *s = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_open(&cfg, &inner, &err), 0, &err);
	expect(ebb_store_faulty_wrap(inner, script, &s, &err), 0, &err);
	return s;
}

static struct ebb_store *with_fault(const struct ebb_store_faulty_fault *fault)
{
	const struct ebb_store_faulty_script script = {.faults = fault, .nfaults = 1};

	return faulty("memory", NULL, &script);
}

/* Write "o"; nothing is checked. */
static int try_write(struct ebb_store *s, const char *key, size_t len, struct ebb_err *err)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	static const char bytes[100];
	struct ebb_store_writer *w;

	int rc = ebb_store_write_open(s, key, &opts, &w, err);
	if (rc < 0)
		return rc;
	rc = ebb_store_write(w, bytes, len, err);
	if (rc < 0) {
		ebb_store_write_abort(w);
		return rc;
	}
	return ebb_store_write_commit(w, NULL, 0, NULL, err);
}

START_TEST(the_nth_call_fails_instead_of_its_effect)
{
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_WRITE_COMMIT, .nth = 2,
						     .code = EBB_EIO};
	STORE *s = with_fault(&fault);
	struct ebb_err err = {0};

	expect(try_write(s, "a", 1, &err), 0, &err);
	ck_assert_int_eq(try_write(s, "b", 1, &err), -EBB_EIO);
	ck_assert_str_eq(err.msg, "fault in write-commit");
	ebb_err_clear(&err);
	expect(try_write(s, "c", 1, &err), 0, &err);
	keys_are(s, NULL, NULL, "a c ");
}
END_TEST

START_TEST(or_after_it)
{
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_WRITE_COMMIT, .nth = 1,
						     .code = EBB_EIO, .after = true};
	STORE *s = with_fault(&fault);
	struct ebb_err err = {0};

	expect(try_write(s, "a", 1, &err), EBB_EIO, &err);
	keys_are(s, NULL, NULL, "a ");
	/* what fails by itself keeps its own reason */
	const struct ebb_store_faulty_fault late = {.op = EBB_FAULTY_RENAME, .code = EBB_EIO,
						    .after = true};
	STORE *r = with_fault(&late);
	expect(ebb_store_rename(r, "a", "b", NULL, &err), EBB_ENOENT, &err);
}
END_TEST

/* One call of each operation, each of which must fail with EBB_EIO. */
static void all_fail(struct ebb_store *s, const struct ebb_record *rec)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta meta = {0};
	struct ebb_store_identity id;
	struct ebb_store_reader *r = NULL;
	struct ebb_store_writer *w = NULL;
	struct ebb_record out;
	int64_t space;

	ck_assert_int_eq(ebb_proof_purge(s, "a", rec, EBB_PROOF_PURGE_WORDS, &proof, NULL), 0);
	const int codes[] = {
		ebb_store_identify(s, &id, NULL), ebb_store_space(s, &space, NULL),
		ebb_store_list(s, NULL, NULL, NULL, NULL, NULL), ebb_store_head(s, "a", &out, NULL),
		ebb_store_get_meta(s, "a", &meta, NULL), ebb_store_set_meta(s, "a", &meta, 0, NULL),
		ebb_store_read_open(s, "a", NULL, &r, NULL),
		ebb_store_write_open(s, "b", &opts, &w, NULL),
		ebb_store_write_sweep(s, "b", "t", NULL), ebb_store_rename(s, "a", "b", NULL, NULL),
		ebb_store_mkdirs(s, "d/", 0755, NULL, NULL, NULL), ebb_store_rmdir(s, "d/", NULL),
		ebb_store_remove(s, "a", proof, NULL),
	};
	for (size_t i = 0; i < EBB_ARRAY_LEN(codes); i++)
		ck_assert_int_eq(codes[i], -EBB_EIO);
	ck_assert(!r && !w);
}

START_TEST(any_operation_can_fail)
{
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_ANY, .code = EBB_EIO};
	STORE *s = with_fault(&fault);
	struct ebb_record rec = {0};

	ebb_record_set(&rec, EBB_F_SIZE, 1);
	ebb_record_set(&rec, EBB_F_MTIME, 1);
	all_fail(s, &rec);
	ck_assert_uint_eq(ebb_store_faulty_count(s, EBB_FAULTY_ANY), 13);
	ck_assert_uint_eq(ebb_store_faulty_count(s, EBB_FAULTY_CHANGE), 7);
	ck_assert_uint_eq(ebb_store_faulty_count(s, EBB_FAULTY_RENAME), 1);
}
END_TEST

START_TEST(open_readers_and_writers_fail_too)
{
	const struct ebb_store_faulty_fault faults[] = {
		{.op = EBB_FAULTY_READ, .nth = 2, .code = EBB_EIO},
		{.op = EBB_FAULTY_READ_HOLE, .nth = 1, .code = EBB_ETRANSIENT},
		{.op = EBB_FAULTY_READ_VERIFY, .nth = 1, .code = EBB_ECHANGED},
		{.op = EBB_FAULTY_WRITE_HOLE, .nth = 1, .code = EBB_ENOSPC},
		{.op = EBB_FAULTY_READ_OPEN, .nth = 2, .code = EBB_EACCES, .after = true},
		{.op = EBB_FAULTY_WRITE_OPEN, .nth = 3, .code = EBB_EACCES, .after = true},
	};
	const struct ebb_store_faulty_script script = {.faults = faults,
						       .nfaults = EBB_ARRAY_LEN(faults)};
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	STORE *s = faulty("memory", NULL, &script);
	struct ebb_store_reader *r = NULL;
	struct ebb_store_writer *w = NULL;
	struct ebb_err err = {0};
	char buf[2];
	int64_t hole;

	expect(try_write(s, "a", 5, &err), 0, &err);
	expect(ebb_store_read_open(s, "a", NULL, &r, &err), 0, &err);
	ck_assert_int_eq(ebb_store_read(r, buf, 2, &err), 2);
	expect(ebb_store_read(r, buf, 2, &err), EBB_EIO, &err);
	expect(ebb_store_read_hole(r, &hole, &err), EBB_ETRANSIENT, &err);
	expect(ebb_store_read_verify(r, &err), EBB_ECHANGED, &err);
	expect(ebb_store_read_verify(r, &err), 0, &err);
	ebb_store_read_close(r);
	expect(ebb_store_write_open(s, "b", &opts, &w, &err), 0, &err);
	expect(ebb_store_write_hole(w, 5, &err), EBB_ENOSPC, &err);
	ebb_store_write_abort(w);
	expect(ebb_store_read_open(s, "a", NULL, &r, &err), EBB_EACCES, &err);
	expect(ebb_store_write_open(s, "b", &opts, &w, &err), EBB_EACCES, &err);
	keys_are(s, NULL, NULL, "a ");
}
END_TEST

static void count(void *ctx)
{
	++*(int *)ctx;
}

START_TEST(hooks_are_called_without_failing)
{
	int calls = 0;
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_CHANGE, .hook = count,
						     .hook_ctx = &calls};
	STORE *s = with_fault(&fault);
	struct ebb_err err = {0};
	struct ebb_record rec;

	expect(try_write(s, "a", 1, &err), 0, &err);
	expect(ebb_store_head(s, "a", &rec, &err), 0, &err);
	ck_assert_int_eq(calls, 3);
	ck_assert_uint_eq(ebb_store_faulty_count(s, EBB_FAULTY_CHANGE), 3);
	ck_assert_uint_eq(ebb_store_faulty_count(s, EBB_FAULTY_HEAD), 1);
}
END_TEST

static void die(void *ctx)
{
	(void)ctx;
	kill(getpid(), SIGKILL);
}

/* In a process that is killed at the nth change: what is left in @dir is what a new process finds. */
static void killed_at(const char *dir, uint64_t nth, bool after)
{
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_CHANGE, .nth = nth,
						     .after = after, .hook = die};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	int status;

	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct ebb_store *s = faulty("fs", dir, &script);

		try_write(s, "a", 5, NULL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* open, write, commit: whole or not at all, and what is left is swept by its tag. */
START_TEST(a_killed_writer_leaves_a_temporary_or_an_object)
{
	const char *dir = ebb_scratch_new();
	const struct ebb_store_config cfg = {.name = "s", .type = "fs", .path = dir};
	STORE *s = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_open(&cfg, &s, &err), 0, &err);
	for (uint64_t nth = 1; nth <= 3; nth++)
		for (int after = 0; after <= 1; after++) {
			killed_at(dir, nth, after);
			if (nth == 3 && after) {
				keys_are(s, NULL, NULL, "a ");
				ebb_store_suite_content(s, "a", "\0\0\0\0\0", 5);
				continue;
			}
			keys_are(s, NULL, NULL, nth == 1 && !after ? "" : ".ebb-tmp.t ");
			expect(ebb_store_write_sweep(s, "a", "t", &err), 0, &err);
			keys_are(s, NULL, NULL, "");
		}
}
END_TEST

/* Which of 200 lookups fail, as text. */
static void chances(uint64_t seed, char ret[201])
{
	const struct ebb_store_faulty_script script = {.seed = seed, .per_million = 200000,
						       .chance_code = EBB_ETRANSIENT};
	STORE *s = faulty("memory", NULL, &script);
	struct ebb_record rec;

	for (int i = 0; i < 200; i++)
		ret[i] = ebb_store_head(s, "a", &rec, NULL) == -EBB_ETRANSIENT ? 'x' : '.';
	ret[200] = '\0';
}

START_TEST(chance_repeats_with_its_seed)
{
	char first[201], again[201], other[201];
	int n = 0;

	chances(7, first);
	chances(7, again);
	chances(8, other);
	ck_assert_str_eq(first, again);
	ck_assert_str_ne(first, other);
	for (int i = 0; i < 200; i++)
		n += first[i] == 'x';
	/* a fifth, of which half come after the effect, here only on what exists */
	ck_assert(n > 5 && n < 60);
}
END_TEST

START_TEST(short_reads_lose_nothing)
{
	const struct ebb_store_faulty_script script = {.seed = 3, .short_reads = true};
	STORE *s = faulty("memory", NULL, &script);
	struct ebb_store_reader *r = NULL;
	struct ebb_err err = {0};
	char data[5000], buf[5000];
	int64_t n, total = 0, reads = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i % 251);
	ebb_store_suite_write(s, "a", data, sizeof(data), NULL);
	expect(ebb_store_read_open(s, "a", NULL, &r, &err), 0, &err);
	while ((n = ebb_store_read(r, buf + total, sizeof(buf) - (size_t)total, &err)) > 0) {
		total += n;
		reads++;
	}
	ebb_store_read_close(r);
	ck_assert_int_eq(total, sizeof(data));
	ck_assert_mem_eq(data, buf, sizeof(data));
	ck_assert_int_gt(reads, 3);
}
END_TEST

START_TEST(room_ends)
{
	const struct ebb_store_faulty_script script = {.room = 100};
	const struct ebb_store_write_opts opts = {.size_hint = 61, .tag = "t"};
	STORE *s = faulty("memory", NULL, &script);
	struct ebb_store_writer *w;
	struct ebb_err err = {0};
	int64_t space;

	expect(try_write(s, "a", 40, &err), 0, &err);
	expect(ebb_store_space(s, &space, &err), 0, &err);
	ck_assert_int_eq(space, 60);
	expect(ebb_store_write_open(s, "b", &opts, &w, &err), EBB_ENOSPC, &err);
	expect(try_write(s, "b", 61, &err), EBB_ENOSPC, &err);
	expect(try_write(s, "b", 60, &err), 0, &err);
	expect(try_write(s, "c", 1, &err), EBB_ENOSPC, &err);
	keys_are(s, NULL, NULL, "a b ");
}
END_TEST

/* What a reader gets of an object of 10 zeros. */
static int64_t read_all(struct ebb_store *s, const char *key, char *buf)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	struct ebb_err err = {0};
	int64_t n, all = 0;

	expect(ebb_store_read_open(s, key, NULL, &r, &err), 0, &err);
	while ((n = ebb_store_read(r, buf + all, 4, &err)) > 0)
		all += n;
	return all;
}

START_TEST(it_drops_what_it_says_it_wrote)
{
	const struct ebb_store_faulty_fault faults[] = {
		{.op = EBB_FAULTY_WRITE_COMMIT, .nth = 2, .lie = EBB_FAULTY_DROP},
		{.op = EBB_FAULTY_WRITE, .nth = 3, .lie = EBB_FAULTY_DROP},
		{.op = EBB_FAULTY_RENAME, .nth = 1, .lie = EBB_FAULTY_DROP},
	};
	const struct ebb_store_faulty_script script = {.faults = faults, .nfaults = 3};
	STORE *s = faulty("memory", NULL, &script);
	struct ebb_record rec;
	struct ebb_err err = {0};

	expect(try_write(s, "a", 10, &err), 0, &err);
	expect(try_write(s, "b", 10, &err), 0, &err);
	expect(try_write(s, "c", 10, &err), 0, &err);
	expect(ebb_store_rename(s, "a", "d", NULL, &err), 0, &err);
	keys_are(s, NULL, NULL, "a c ");
	expect(ebb_store_head(s, "c", &rec, &err), 0, &err);
	ck_assert_int_eq(rec.f[EBB_F_SIZE], 0);
}
END_TEST

START_TEST(it_cuts_and_flips_what_is_read)
{
	const struct ebb_store_faulty_fault faults[] = {
		{.op = EBB_FAULTY_READ, .nth = 2, .lie = EBB_FAULTY_CUT},
		{.op = EBB_FAULTY_READ, .nth = 4, .lie = EBB_FAULTY_FLIP},
	};
	const struct ebb_store_faulty_script script = {.faults = faults, .nfaults = 2};
	STORE *s = faulty("memory", NULL, &script);
	struct ebb_err err = {0};
	char buf[16];

	expect(try_write(s, "a", 10, &err), 0, &err);
	ck_assert_int_eq(read_all(s, "a", buf), 4);
	ck_assert_int_eq(read_all(s, "a", buf), 10);
	ck_assert(memchr(buf, 1, 10));
}
END_TEST

START_TEST(it_answers_with_what_was)
{
	const struct ebb_store_faulty_fault faults[] = {
		{.op = EBB_FAULTY_HEAD, .nth = 2, .lie = EBB_FAULTY_STALE},
		{.op = EBB_FAULTY_LIST, .lie = EBB_FAULTY_STALE},
	};
	const struct ebb_store_faulty_script script = {.faults = faults, .nfaults = 2};
	STORE *s = faulty("memory", NULL, &script);
	struct ebb_record rec;
	struct ebb_err err = {0};

	keys_are(s, NULL, NULL, "");
	ck_assert_int_eq(ebb_store_head(s, "a", &rec, &err), -EBB_ENOENT);
	ebb_err_clear(&err);
	expect(try_write(s, "a", 10, &err), 0, &err);
	ck_assert_int_eq(ebb_store_head(s, "a", &rec, &err), -EBB_ENOENT);
	ebb_err_clear(&err);
	expect(ebb_store_head(s, "a", &rec, &err), 0, &err);
	ck_assert_int_eq(rec.f[EBB_F_SIZE], 10);
	keys_are(s, NULL, NULL, "");
	keys_are(s, NULL, NULL, "a ");
}
END_TEST

START_TEST(it_does_things_twice)
{
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_RENAME, .lie = EBB_FAULTY_TWICE};
	STORE *s = with_fault(&fault);
	struct ebb_err err = {0};

	expect(try_write(s, "a", 10, &err), 0, &err);
	ck_assert_int_eq(ebb_store_rename(s, "a", "b", NULL, &err), -EBB_ENOENT);
	keys_are(s, NULL, NULL, "b ");
}
END_TEST

START_TEST(the_dead_change_nothing_and_leave_what_they_wrote)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	struct ebb_store_faulty_death death = {0};
	const struct ebb_store_faulty_script script = {.death = &death};
	STORE *s = faulty("fs", ebb_scratch_new(), &script);
	struct ebb_store_writer *w;
	struct ebb_err err = {0};

	expect(try_write(s, "a", 10, &err), 0, &err);
	expect(ebb_store_write_open(s, "b", &opts, &w, &err), 0, &err);
	atomic_store(&death.dead, true);
	ck_assert_int_eq(ebb_store_rename(s, "a", "c", NULL, &err), -EBB_EIO);
	ebb_store_write_abort(w);
	atomic_store(&death.dead, false);
	keys_are(s, NULL, NULL, ".ebb-tmp.t a ");
	ebb_store_faulty_bury(&death);
	keys_are(s, NULL, NULL, "a ");
}
END_TEST

START_TEST(operations_have_names)
{
	for (int i = 0; i < EBB_FAULTY_COUNT; i++)
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(ebb_store_faulty_op_name(i), ebb_store_faulty_op_name(j));
	ck_assert_str_eq(ebb_store_faulty_op_name(EBB_FAULTY_REMOVE), "remove");
	ck_assert_str_eq(ebb_store_faulty_op_name(EBB_FAULTY_CHANGE), "change");
	ck_assert_str_eq(ebb_store_faulty_op_name(EBB_FAULTY_COUNT), "unknown");
}
END_TEST

/* The memory store's own handles, which tests of faults use. */
START_TEST(memory_can_be_changed_from_outside)
{
	const struct ebb_store_config cfg = {.name = "m", .type = "memory"};
	STORE *s = NULL;
	struct ebb_record first, second;
	struct ebb_err err = {0};

	expect(ebb_store_open(&cfg, &s, &err), 0, &err);
	ebb_store_memory_set_clock(s, 1000);
	expect(ebb_store_memory_put(s, "d/o", "abc", 3, &err), 0, &err);
	keys_are(s, NULL, NULL, "d/ d/o ");
	expect(ebb_store_head(s, "d/o", &first, &err), 0, &err);
	ck_assert_int_gt(first.f[EBB_F_MTIME], 1000);
	ck_assert_int_eq(first.f[EBB_F_MTIME], ebb_store_memory_clock(s));
	expect(ebb_store_memory_put(s, "d/o", "abcd", 4, &err), 0, &err);
	expect(ebb_store_head(s, "d/o", &second, &err), 0, &err);
	ck_assert_int_eq(second.f[EBB_F_INO], first.f[EBB_F_INO]);
	ck_assert_int_gt(second.f[EBB_F_MTIME], first.f[EBB_F_MTIME]);
	ebb_store_suite_content(s, "d/o", "abcd", 4);
	expect(ebb_store_memory_put(s, "d/", "x", 1, &err), EBB_EINVAL, &err);
	expect(ebb_store_memory_drop(s, "d/o", &err), 0, &err);
	expect(ebb_store_memory_drop(s, "d/o", &err), EBB_ENOENT, &err);
	keys_are(s, NULL, NULL, "d/ ");
}
END_TEST

EBB_UNIT_MAIN("store_faulty", the_nth_call_fails_instead_of_its_effect, or_after_it,
	      any_operation_can_fail, open_readers_and_writers_fail_too,
	      hooks_are_called_without_failing, a_killed_writer_leaves_a_temporary_or_an_object,
	      chance_repeats_with_its_seed, short_reads_lose_nothing, room_ends, it_drops_what_it_says_it_wrote,
	      it_cuts_and_flips_what_is_read, it_answers_with_what_was, it_does_things_twice,
	      the_dead_change_nothing_and_leave_what_they_wrote,
	      operations_have_names, memory_can_be_changed_from_outside)
