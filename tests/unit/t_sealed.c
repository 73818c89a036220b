/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P4 P13
 *
 * Encryption of copies and packs from bucket to bucket, where an attempt was killed in between and settings have changed since: what must be
 * encrypted is asked again, and no pack is weaker than its members or has another key.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "agent/executor.h"
#include "scanners/store_faulty.h"
#include "scanners/store_memory_bucket.h"
#include "tests/support/unit.h"

#define PACK ".ebb-packs/a/20260101T000000Z/000001.tar.zst"

static struct ebb_storeset *set;
static struct ebb_store *a, *b;
static struct ebb_executor_op ops[4];
static size_t n;

static struct ebb_store *bucket(const char *name)
{
	const struct ebb_store_config cfg = {.name = name, .type = "memory-bucket"};
	struct ebb_store *s;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_store_open(&cfg, &s, &err), 0);
	ck_assert_int_eq(ebb_storeset_add(set, s, &err), 0);
	return s;
}

static void set_up(void)
{
	set = ebb_storeset_new(NULL);
	a = bucket("a");
	b = bucket("b");
	n = 0;
}

static void tear_down(void)
{
	for (size_t i = 0; i < n; i++)
		ebb_op_release(&ops[i].op);
	ebb_storeset_free(set);
}

/* An object of "a", encrypted so, and an operation that takes it to "b". */
static void add(enum ebb_action_id action, const char *key, enum ebb_meta_seal seal, const char *with)
{
	struct ebb_executor_op *o = &ops[n++];
	struct ebb_err err = {0};

	ebb_store_memory_bucket_seal(a, seal, with, false);
	ck_assert_int_eq(ebb_store_memory_bucket_put(a, key, key, strlen(key), NULL, &err), 0);
	*o = (struct ebb_executor_op){.op = {
		.n = (int64_t)n, .action = action, .way = EBB_OP_APPLY, .store = "a", .key = key, .to_store = "b",
		.to_key = action == EBB_ACTION_ARCHIVE ? PACK : key, .pack = action == EBB_ACTION_ARCHIVE, .has_meta = true,
		.verify = EBB_ACTION_DIGEST,
	}};
	ck_assert_int_eq(ebb_store_head(a, key, &o->op.obj, &err), 0);
	ebb_meta_init(&o->op.meta);
	ck_assert_int_eq(ebb_store_get_meta(a, key, &o->op.meta, &err), 0);
}

static void run(void)
{
	struct ebb_executor x = {.stores = set, .run = "r", .now = 1, .jobs = 1};
	struct ebb_err err = {0};

	ck_assert_msg(ebb_executor_run(&x, ops, n, &err) == 0, "%s", err.msg);
}

/* As the journal gives it back: without how it was encrypted. */
static void as_recovered(void)
{
	for (size_t i = 0; i < n; i++) {
		ops[i].again = true;
		ops[i].result = (struct ebb_op_result){.outcome = EBB_OP_BACK};
		ops[i].op.meta.seal = EBB_META_OPEN;
		*ops[i].op.meta.seal_key = '\0';
	}
}

static bool stands(struct ebb_store *s, const char *key)
{
	struct ebb_record rec;

	return ebb_store_head(s, key, &rec, NULL) == 0;
}

static void check_refused(size_t i, const char *why)
{
	ck_assert_int_ne(ops[i].result.outcome, EBB_OP_DONE);
	ck_assert_int_ne(ops[i].result.outcome, EBB_OP_BACK);
	ck_assert_msg(strstr(ops[i].result.why.msg, why) != NULL, "%s", ops[i].result.why.msg);
	ck_assert(stands(a, ops[i].op.key));
}

/* A copy is there, and the process died before it was looked at. */
START_TEST(a_copy_found_after_a_kill_must_be_encrypted)
{
	struct ebb_err err = {0};

	set_up();
	add(EBB_ACTION_TIER, "one", EBB_META_OPEN, NULL);
	add(EBB_ACTION_TIER, "two", EBB_META_OPEN, NULL);
	ck_assert_int_eq(ebb_store_memory_bucket_put(b, "one", "one", 3, NULL, &err), 0);
	ebb_store_memory_bucket_seal(b, EBB_META_SEALED, NULL, true);
	ck_assert_int_eq(ebb_store_memory_bucket_put(b, "two", "two", 3, NULL, &err), 0);
	as_recovered();
	run();
	check_refused(0, "must be encrypted");
	ck_assert(!stands(b, "one"));	/* what may not lie there does not stay */
	ck_assert_int_eq(ops[1].result.outcome, EBB_OP_DONE);
	ck_assert(stands(b, "two") && !stands(a, "two"));
	tear_down();
}
END_TEST

/* Switched off in between: nothing is written any more. */
START_TEST(a_copy_that_begins_again_must_be_encrypted)
{
	set_up();
	add(EBB_ACTION_TIER, "one", EBB_META_OPEN, NULL);
	ebb_store_memory_bucket_seal(b, EBB_META_OPEN, NULL, true);
	as_recovered();
	run();
	check_refused(0, "must be encrypted");
	ck_assert(!stands(b, "one"));
	tear_down();
}
END_TEST

START_TEST(a_pack_is_not_weaker_than_its_members)
{
	set_up();
	add(EBB_ACTION_ARCHIVE, "keyed", EBB_META_KEYED, "k1");
	add(EBB_ACTION_ARCHIVE, "open", EBB_META_OPEN, NULL);
	add(EBB_ACTION_ARCHIVE, "other", EBB_META_KEYED, "k2");
	add(EBB_ACTION_ARCHIVE, "sealed", EBB_META_SEALED, NULL);
	ebb_store_memory_bucket_seal(b, EBB_META_SEALED, NULL, false);
	run();
	check_refused(0, "with a key of its own");
	check_refused(2, "with a key of its own");
	ck_assert_int_eq(ops[1].result.outcome, EBB_OP_DONE);
	ck_assert_int_eq(ops[3].result.outcome, EBB_OP_DONE);
	ck_assert_uint_eq(ebb_store_memory_bucket_versions(b, PACK), 1); /* nothing was written that had to go again */
	tear_down();
}
END_TEST

/* Which key a pack has is known when it stands; it is written anew without those that have another. */
START_TEST(a_pack_has_the_key_of_its_members)
{
	set_up();
	add(EBB_ACTION_ARCHIVE, "keyed", EBB_META_KEYED, "k1");
	add(EBB_ACTION_ARCHIVE, "other", EBB_META_KEYED, "k2");
	add(EBB_ACTION_ARCHIVE, "sealed", EBB_META_SEALED, NULL);
	ebb_store_memory_bucket_seal(b, EBB_META_KEYED, "k1", false);
	run();
	check_refused(1, "with key 'k2', and its copy would be with key 'k1'");
	ck_assert_int_eq(ops[0].result.outcome, EBB_OP_DONE);
	ck_assert_int_eq(ops[2].result.outcome, EBB_OP_DONE);
	ck_assert(!stands(a, "keyed") && stands(b, PACK));
	tear_down();
}
END_TEST

START_TEST(nobody_is_left_no_pack_stays)
{
	set_up();
	add(EBB_ACTION_ARCHIVE, "other", EBB_META_KEYED, "k2");
	ebb_store_memory_bucket_seal(b, EBB_META_KEYED, "k1", false);
	run();
	check_refused(0, "with key 'k2'");
	ck_assert(!stands(b, PACK));
	tear_down();
}
END_TEST

/* Written while the bucket encrypted nothing, killed before anybody looked: recovery takes it away and writes it as it must be. */
START_TEST(a_weak_pack_found_after_a_kill_goes)
{
	set_up();
	add(EBB_ACTION_ARCHIVE, "one", EBB_META_OPEN, NULL);
	add(EBB_ACTION_ARCHIVE, "two", EBB_META_OPEN, NULL);
	run();
	ck_assert(stands(b, PACK));
	struct ebb_err err = {0};
	ebb_store_memory_bucket_seal(a, EBB_META_SEALED, NULL, false);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(ebb_store_memory_bucket_put(a, ops[i].op.key, ops[i].op.key, 3, NULL, &err), 0);
		ck_assert_int_eq(ebb_store_head(a, ops[i].op.key, &ops[i].op.obj, &err), 0);
		ebb_meta_clear(&ops[i].op.meta);
		ck_assert_int_eq(ebb_store_get_meta(a, ops[i].op.key, &ops[i].op.meta, &err), 0);
	}
	as_recovered();
	run();
	check_refused(0, "is encrypted by its store");
	check_refused(1, "is encrypted by its store");
	ck_assert(!stands(b, PACK));
	ebb_store_memory_bucket_seal(b, EBB_META_SEALED, NULL, false);
	as_recovered();
	run();
	ck_assert_int_eq(ops[0].result.outcome, EBB_OP_DONE);
	ck_assert_int_eq(ops[1].result.outcome, EBB_OP_DONE);
	ck_assert(stands(b, PACK) && !stands(a, "one"));
	tear_down();
}
END_TEST

EBB_UNIT_MAIN("sealed", a_copy_found_after_a_kill_must_be_encrypted, a_copy_that_begins_again_must_be_encrypted,
	      a_pack_is_not_weaker_than_its_members, a_pack_has_the_key_of_its_members, nobody_is_left_no_pack_stays,
	      a_weak_pack_found_after_a_kill_goes)
