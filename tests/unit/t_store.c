/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "scanners/store_faulty.h"
#include "scanners/store_fs.h"
#include "scanners/store_memory_bucket.h"
#include "tests/support/scratch.h"
#include "tests/support/store_suite.h"

static struct ebb_store *open_fs(void)
{
	const struct ebb_store_config cfg = {.name = "s", .type = "fs", .path = ebb_scratch_new()};
	struct ebb_store *s = NULL;

	ebb_store_open(&cfg, &s, NULL);
	if (s)
		ebb_store_fs_set_step(s, 10000);
	return s;
}

static struct ebb_store *open_memory(void)
{
	const struct ebb_store_config cfg = {.name = "s", .type = "memory"};
	struct ebb_store *s = NULL;

	ebb_store_open(&cfg, &s, NULL);
	return s;
}

static struct ebb_store *open_bucket(void)
{
	const struct ebb_store_config cfg = {.name = "s", .type = "memory-bucket"};
	struct ebb_store *s = NULL;

	ebb_store_open(&cfg, &s, NULL);
	return s;
}

static struct ebb_store *wrap(struct ebb_store *inner)
{
	struct ebb_store *s = NULL;

	if (inner && ebb_store_faulty_wrap(inner, NULL, &s, NULL) < 0)
		ebb_store_close(inner);
	return s;
}

static struct ebb_store *open_faulty_memory(void)
{
	return wrap(open_memory());
}

static struct ebb_store *open_faulty_fs(void)
{
	return wrap(open_fs());
}

static struct ebb_store *open_faulty_bucket(void)
{
	return wrap(open_bucket());
}

static struct ebb_clock archive_clock = {0};

static struct ebb_store *open_archive(void)
{
	struct ebb_store *s = open_bucket();

	archive_clock = ebb_clock_fixed(EBB_CLOCK_SECOND);
	ebb_store_memory_bucket_archive(s, &archive_clock);
	return s;
}

static struct ebb_store *open_faulty_archive(void)
{
	return wrap(open_archive());
}

static void pass_hours(int hours)
{
	archive_clock.fixed += hours * 3600 * EBB_CLOCK_SECOND;
}

static const struct ebb_store_suite_row rows[] = {
	{.name = "fs", .open = open_fs},
	{.name = "memory", .open = open_memory},
	{.name = "memory-bucket", .open = open_bucket},
	{.name = "memory-bucket with archives", .open = open_archive, .pass = pass_hours},
	{.name = "faulty over archives", .open = open_faulty_archive, .pass = pass_hours},
	{.name = "faulty over memory", .open = open_faulty_memory},
	{.name = "faulty over fs", .open = open_faulty_fs},
	{.name = "faulty over memory-bucket", .open = open_faulty_bucket},
};

START_TEST(every_type_has_what_is_mandatory)
{
	size_t i;

	for (i = 0; ebb_store_type_at(i); i++) {
		const struct ebb_store_ops *ops = ebb_store_type_at(i);

		ck_assert(ops->type && ops->summary && ops->open && ops->list && ops->head &&
			  ops->close);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(ops->type, ebb_store_type_at(j)->type);
	}
	ck_assert_uint_ge(i, 2);
}
END_TEST

START_TEST(unknown_types_are_a_matter_of_configuration)
{
	const struct ebb_store_config cfg = {.name = "lake", .type = "ftp"};
	struct ebb_store *s = NULL;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_store_open(&cfg, &s, &err), -EBB_ECONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "store 'lake': unknown type 'ftp' (there is fs, s3, "));
	ck_assert_ptr_null(s);
	ebb_store_close(NULL);
}
END_TEST

/* A type that has only what is mandatory. */
static int bare_list(struct ebb_store *s, const char *prefix, const char *after,
		     ebb_store_list_fn *fn, void *ctx, struct ebb_err *err)
{
	(void)s, (void)prefix, (void)after, (void)fn, (void)ctx, (void)err;
	return 0;
}

static int bare_head(struct ebb_store *s, const char *key, struct ebb_record *ret,
		     struct ebb_err *err)
{
	(void)s, (void)key, (void)err;
	*ret = (struct ebb_record){.key = key, .key_len = 1};
	return 0;
}

static void bare_close(struct ebb_store *s)
{
	(void)s;
}

START_TEST(what_a_type_lacks_is_not_supported)
{
	static const struct ebb_store_ops ops = {.type = "bare", .list = bare_list,
						 .head = bare_head, .close = bare_close};
	char name[] = "b";
	struct ebb_store s = {.ops = &ops, .name = name, .caps = EBB_CAP_DIRS};
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	struct ebb_store_identity id;
	struct ebb_store_reader *r;
	struct ebb_store_writer *w;
	struct ebb_meta meta;
	struct ebb_record rec = {0};
	struct ebb_err err = {0};
	int64_t space;

	ebb_meta_init(&meta);
	ebb_record_set(&rec, EBB_F_SIZE, 1);
	ebb_record_set(&rec, EBB_F_MTIME, 1);
	ck_assert_int_eq(ebb_proof_purge(&s, "k", &rec, EBB_PROOF_PURGE_WORDS, &proof, NULL), 0);
	const int codes[] = {
		ebb_store_identify(&s, &id, &err), ebb_store_space(&s, &space, NULL),
		ebb_store_get_meta(&s, "k", &meta, NULL), ebb_store_set_meta(&s, "k", &meta, 1, NULL),
		ebb_store_read_open(&s, "k", NULL, &r, NULL),
		ebb_store_write_open(&s, "k", &opts, &w, NULL),
		ebb_store_write_sweep(&s, "k", "t", NULL),
		ebb_store_rename(&s, "k", "l", NULL, NULL),
		ebb_store_mkdirs(&s, "k/", 0, NULL, NULL, NULL), ebb_store_rmdir(&s, "k/", NULL),
		ebb_store_remove(&s, "k", proof, NULL),
	};
	for (size_t i = 0; i < EBB_ARRAY_LEN(codes); i++)
		ck_assert_int_eq(codes[i], -EBB_ENOTSUP);
	ck_assert_str_eq(err.msg, "store 'b' (bare) cannot tell what it is");
	ck_assert_int_eq(ebb_store_check(&s, "k", NULL, NULL), 0);
	/* a field that is expected and not known has changed */
	ck_assert_int_eq(ebb_store_check(&s, "k", &rec, NULL), -EBB_ECHANGED);
	ebb_store_close(&s);
}
END_TEST

START_TEST(keys_have_a_form)
{
	char longest[EBB_KEY_MAX + 2];

	ck_assert(ebb_store_key_ok("a") && ebb_store_key_ok("a/") && ebb_store_key_ok("a/b") &&
		  ebb_store_key_ok("...") && ebb_store_key_ok(".a/..b/") && ebb_store_key_ok("\n"));
	ck_assert(!ebb_store_key_ok("") && !ebb_store_key_ok("/a") && !ebb_store_key_ok("a//") &&
		  !ebb_store_key_ok("a/..") && !ebb_store_key_ok("./a") && !ebb_store_key_ok("."));
	memset(longest, 'x', sizeof(longest));
	longest[EBB_KEY_MAX + 1] = '\0';
	ck_assert(!ebb_store_key_ok(longest));
	longest[EBB_KEY_MAX] = '\0';
	ck_assert(ebb_store_key_ok(longest));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *own = tcase_create("wrappers");

	tcase_add_test(own, every_type_has_what_is_mandatory);
	tcase_add_test(own, unknown_types_are_a_matter_of_configuration);
	tcase_add_test(own, what_a_type_lacks_is_not_supported);
	tcase_add_test(own, keys_have_a_form);
	suite_add_tcase(suite, own);
	ebb_store_suite_add(suite, rows, EBB_ARRAY_LEN(rows));

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
