/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conformance suite over the S3 store against a real object store, and what only S3 has. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compress/digest.h"
#include "scanners/s3_admin.h"
#include "scanners/s3_list.h"
#include "scanners/store_s3.h"
#include "tests/support/store_suite.h"

#define expect ebb_store_suite_expect

static void put_config(struct ebb_s3 *s3, const char *what, const char *body)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_err err = {0};

	ebb_s3_call_init(&call, EBB_S3_PUT_CONFIG, "PUT", NULL);
	if (what)
		ebb_s3_call_query(&call, what, "");
	call.body = body;
	call.body_len = strlen(body);
	ck_assert_msg(ebb_s3_do(s3, &call, &err) == 0, "%s", err.msg);
}

/* A new bucket, with versions if asked; its name lives until the next. */
static const char *new_bucket(bool versions)
{
	static char name[64];
	static unsigned n;
	struct ebb_s3_config cfg = {.bucket = name, .endpoint = getenv("RGW_ENDPOINT")};
	EBB_CLEANUP(ebb_s3_freep) struct ebb_s3 *s3 = NULL;
	struct ebb_err err = {0};

	setenv("no_proxy", "127.0.0.1,localhost", 1);
	snprintf(name, sizeof(name), "t-store-s3-%d-%u", (int)getpid(), n++);
	ck_assert_msg(ebb_s3_open(&cfg, &s3, &err) == 0, "%s", err.msg);
	put_config(s3, NULL, "");
	if (versions)
		put_config(s3, "versioning",
			   "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
	return name;
}

static struct ebb_store *open_with(const char *bucket, const char *prefix)
{
	const struct ebb_store_config cfg = {.name = "s", .type = "s3", .bucket = bucket, .prefix = prefix,
					     .endpoint = getenv("RGW_ENDPOINT")};
	struct ebb_store *s = NULL;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_store_open(&cfg, &s, &err) == 0, "%s", err.msg);
	return s;
}

static struct ebb_store *open_plain(void)
{
	return open_with(new_bucket(false), NULL);
}

static struct ebb_store *open_versions(void)
{
	return open_with(new_bucket(true), NULL);
}

#ifdef EBB_HAVE_LIBS3
static struct ebb_store *open_libs3(void)
{
	const struct ebb_store_config cfg = {.name = "s", .type = "libs3", .bucket = new_bucket(false), .path_style = true,
					     .endpoint = getenv("RGW_ENDPOINT")};
	struct ebb_store *s = NULL;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_store_open(&cfg, &s, &err) == 0, "%s", err.msg);
	return s;
}
#endif

/* Many parts for little: RGW takes parts of any size as the last, and at least 5 MiB before it. */
static struct ebb_store *open_parts(void)
{
	struct ebb_store *s = open_plain();

	ebb_store_s3_set_limits(s, &(struct ebb_store_s3_limits){.part = 5 << 20, .copy = 1 << 20, .copy_part = 5 << 20});
	return s;
}

static const struct ebb_store_suite_row rows[] = {
	{.name = "s3", .open = open_plain, .coarse = true},
	{.name = "s3 with versions", .open = open_versions, .coarse = true, .racy = true},
#ifdef EBB_HAVE_LIBS3
	{.name = "libs3", .open = open_libs3, .coarse = true, .blind = true},
#endif
};

/* --- Large objects --- */

#define LARGE ((size_t)12 << 20)

static char *large(void)
{
	char *data = malloc(LARGE);

	for (size_t i = 0; i < LARGE; i++)
		data[i] = (char)(i * 31 ^ i >> 8 ^ i >> 16);
	return data;
}

START_TEST(large_objects_go_in_parts)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_parts();
	EBB_CLEANUP(ebb_mem_freep) char *data = large();
	struct ebb_meta meta = {.mode = 0640, .uid = 1, .gid = 2, .mtime = 5, .atime = 6};
	struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t1", .class = "STANDARD_IA", .meta = &meta,
					    .what = EBB_META_ALL};
	struct ebb_record rec, copy;
	struct ebb_err err = {0};
	struct ebb_meta now = {0};

	for (int i = 0; i < 2; i++) {	/* with metadata known before, and only at the end */
		const char *key = i ? "late" : "early";
		struct ebb_store_writer *w;

		opts.meta = i ? NULL : &meta;
		expect(ebb_store_write_open(s, key, &opts, &w, &err), 0, &err);
		for (size_t at = 0; at < LARGE; at += 1 << 20)
			expect(ebb_store_write(w, data + at, 1 << 20, &err), 0, &err);
		expect(ebb_store_write_commit(w, &meta, EBB_META_ALL, &rec, &err), 0, &err);
		ck_assert_int_eq(rec.f[EBB_F_PARTS], 3);
		ck_assert_int_eq(rec.f[EBB_F_CLASS], ebb_record_class_code("STANDARD_IA"));
		expect(ebb_store_get_meta(s, key, &now, &err), 0, &err);
		expect(ebb_meta_compare(&meta, &now, EBB_META_ALL, &err), 0, &err);
		ebb_store_suite_content(s, key, data, LARGE);
	}
	expect(ebb_store_copy(s, "early", "copy", "GLACIER", NULL, &copy, &err), 0, &err);
	ck_assert_int_eq(copy.f[EBB_F_MTIME], 5);
	ebb_store_suite_content(s, "copy", data, LARGE);
	expect(ebb_store_set_class(s, "copy", "STANDARD", &copy, NULL, &err), 0, &err);
	ebb_store_suite_content(s, "copy", data, LARGE);
	expect(ebb_store_get_meta(s, "copy", &now, &err), 0, &err);
	expect(ebb_meta_compare(&meta, &now, EBB_META_ALL, &err), 0, &err);
}
END_TEST

START_TEST(uploads_of_killed_writers_are_swept)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_parts();
	EBB_CLEANUP(ebb_s3_list_release) struct ebb_s3_list l = {.kind = EBB_S3_LIST_UNFINISHED};
	EBB_CLEANUP(ebb_mem_freep) char *data = large();
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t1"};
	struct ebb_store_writer *killed, *given_up;
	struct ebb_err err = {0};

	expect(ebb_store_write_open(s, "o", &opts, &killed, &err), 0, &err);
	expect(ebb_store_write(killed, data, LARGE, &err), 0, &err);
	expect(ebb_store_write_open(s, "o2", &opts, &given_up, &err), 0, &err);
	expect(ebb_store_write(given_up, data, LARGE, &err), 0, &err);
	expect(ebb_s3_list_do(ebb_store_s3_client(s), &l, &err), 0, &err);
	ck_assert_uint_eq(l.page.n, 2);
	ebb_store_write_abort(given_up);
	expect(ebb_s3_list_do(ebb_store_s3_client(s), &l, &err), 0, &err);
	ck_assert_uint_eq(l.page.n, 1);
	expect(ebb_store_write_sweep(s, "o", "t1", &err), 0, &err);
	expect(ebb_s3_list_do(ebb_store_s3_client(s), &l, &err), 0, &err);
	ck_assert_uint_eq(l.page.n, 0);
	ebb_store_write_abort(killed);
}
END_TEST

/* --- Metadata --- */

START_TEST(what_an_object_has_are_attributes)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_plain();
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta meta = {0}, now = {0};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_meta_add(&meta, "s3.content-type", "text/x-test", 11, &err), 0);
	ck_assert_int_eq(ebb_meta_add(&meta, "s3.cache-control", "max-age=7", 9, &err), 0);
	ck_assert_int_eq(ebb_meta_add(&meta, "s3.meta.colour", "blue green", 10, &err), 0);
	ck_assert_int_eq(ebb_meta_add(&meta, "s3.tag.a b/c", "1+2=3", 5, &err), 0);
	ck_assert_int_eq(ebb_meta_add(&meta, "user.\xff,=", "\0\n", 2, &err), 0);
	meta.mtime = 77;
	ebb_store_suite_write(s, "o", "abc", 3, NULL);
	expect(ebb_store_set_meta(s, "o", &meta, EBB_META_XATTRS | EBB_META_TIMES, &err), 0, &err);
	expect(ebb_store_set_class(s, "o", "GLACIER", NULL, NULL, &err), 0, &err);
	expect(ebb_store_copy(s, "o", "p", NULL, NULL, NULL, &err), 0, &err);
	for (int i = 0; i < 2; i++) {
		expect(ebb_store_get_meta(s, i ? "p" : "o", &now, &err), 0, &err);
		expect(ebb_meta_compare(&meta, &now, EBB_META_XATTRS | EBB_META_TIMES, &err), 0, &err);
	}
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_plain();
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta meta = {0}, odd = {0};
	static char value[1600];
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "abc", 3, NULL);
	ck_assert_int_eq(ebb_meta_add(&meta, "user.large", value, sizeof(value), &err), 0);
	ck_assert_int_eq(ebb_store_set_meta(s, "o", &meta, EBB_META_ALL, &err), -EBB_ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "an object carries at most"));
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_meta_add(&odd, "s3.something", "1", 1, &err), 0);
	expect(ebb_store_set_meta(s, "o", &odd, EBB_META_XATTRS, &err), EBB_ENOTSUP, &err);
}
END_TEST

/* The document that an object's subresource has. */
static void get_config(struct ebb_store *s, const char *key, const char *what, struct ebb_s3_call *call)
{
	struct ebb_err err = {0};

	ebb_s3_call_init(call, EBB_S3_GET_CONFIG, "GET", key);
	ebb_s3_call_query(call, what, "");
	expect(ebb_s3_do(ebb_store_s3_client(s), call, &err), 0, &err);
}

START_TEST(copies_in_place_keep_the_access_list)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_plain();
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call put = {0}, got = {0};
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "abc", 3, NULL);
	ebb_s3_call_init(&put, EBB_S3_PUT_CONFIG, "PUT", "o");
	ebb_s3_call_query(&put, "acl", "");
	ebb_s3_call_header(&put, "x-amz-acl", "public-read");
	put.body = "";
	expect(ebb_s3_do(ebb_store_s3_client(s), &put, &err), 0, &err);
	expect(ebb_store_set_class(s, "o", "GLACIER", NULL, NULL, &err), 0, &err);
	get_config(s, "o", "acl", &got);
	ck_assert_ptr_nonnull(strstr(got.http.answer.data, "AllUsers"));
}
END_TEST

START_TEST(a_class_in_place_leaves_one_version)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_versions();
	EBB_CLEANUP(ebb_s3_list_release) struct ebb_s3_list l = {.kind = EBB_S3_LIST_ALL_VERSIONS};
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "abc", 3, NULL);
	expect(ebb_store_set_class(s, "o", "GLACIER", NULL, NULL, &err), 0, &err);
	expect(ebb_s3_list_do(ebb_store_s3_client(s), &l, &err), 0, &err);
	ck_assert_uint_eq(l.page.n, 1);
	ck_assert_str_eq(l.page.entries[0].class, "GLACIER");
}
END_TEST

/* --- The store --- */

/* Give it to all, or to nobody else; and whether all have it. */
static void set_public(struct ebb_store *s, const char *key, bool on)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call put = {0};
	struct ebb_err err = {0};

	ebb_s3_call_init(&put, EBB_S3_PUT_CONFIG, "PUT", key);
	ebb_s3_call_query(&put, "acl", "");
	ebb_s3_call_header(&put, "x-amz-acl", on ? "public-read" : "private");
	put.body = "";
	expect(ebb_s3_do(ebb_store_s3_client(s), &put, &err), 0, &err);
}

static bool is_public(struct ebb_store *s, const char *key)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call got = {0};

	get_config(s, key, "acl", &got);
	return strstr(got.http.answer.data, "AllUsers") != NULL;
}

/* The proof of a replacement that was cut short behind the copy: its access list is still with its source. */
static void finish_replacement(struct ebb_store *s, const struct ebb_record *was, const char *text, size_t len)
{
	struct ebb_proof_copy c = {.src = s, .src_key = "o", .src_rec = was, .dst = s, .dst_key = "b/new"};
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *again = NULL;
	struct ebb_record from;
	struct ebb_err err = {0};

	set_public(s, "o", false);
	ebb_digest_of(&ebb_digest_xxh128, text, len, c.src_digest, NULL);
	expect(ebb_store_head(s, "b/new", &from, &err), 0, &err);
	expect(ebb_proof_replaced(&c, &again, &err), 0, &err);
	expect(ebb_store_replace(s, "o", again, "b/new", &from, NULL, &err), 0, &err);
	ck_assert(is_public(s, "o"));
}

static void replace_public(struct ebb_store *s, const char *text, size_t len)
{
	EBB_CLEANUP(ebb_s3_list_release) struct ebb_s3_list l = {.kind = EBB_S3_LIST_ALL_VERSIONS, .prefix = "o"};
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	struct ebb_record was, from;
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "old", 3, NULL);
	ebb_store_suite_write(s, "b/new", text, len, &from);
	set_public(s, "o", true);
	expect(ebb_store_head(s, "o", &was, &err), 0, &err);
	expect(ebb_proof_purge(s, "o", &was, EBB_PROOF_PURGE_WORDS, &proof, &err), 0, &err);
	expect(ebb_store_replace(s, "o", proof, "b/new", &from, NULL, &err), 0, &err);
	ebb_store_suite_content(s, "o", text, len);
	ck_assert(is_public(s, "o"));
	expect(ebb_s3_list_do(ebb_store_s3_client(s), &l, &err), 0, &err);
	ck_assert_uint_eq(l.page.n, 1);
	finish_replacement(s, &was, text, len);
}

START_TEST(a_replacement_keeps_the_access_list)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_plain(), *versions = open_versions();

	replace_public(s, "new", 3);
	replace_public(versions, "new", 3);
}
END_TEST

START_TEST(a_large_replacement_goes_in_parts)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_parts();
	EBB_CLEANUP(ebb_mem_freep) char *data = large();

	replace_public(s, data, LARGE);
}
END_TEST

/* What was begun and not tidied up leaves the old bytes below, which are found and go. */
START_TEST(a_finished_replacement_leaves_one_version)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_versions();
	EBB_CLEANUP(ebb_s3_list_release) struct ebb_s3_list l = {.kind = EBB_S3_LIST_ALL_VERSIONS, .prefix = "o"};
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call put = {0};
	struct ebb_record was;
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "old", 3, &was);
	ebb_store_suite_write(s, "b/new", "new", 3, NULL);
	set_public(s, "b/new", true);
	ebb_s3_call_init(&put, EBB_S3_PUT, "PUT", "o");
	put.body = "new";
	put.body_len = 3;
	expect(ebb_s3_do(ebb_store_s3_client(s), &put, &err), 0, &err);
	finish_replacement(s, &was, "new", 3);
	expect(ebb_s3_list_do(ebb_store_s3_client(s), &l, &err), 0, &err);
	ck_assert_uint_eq(l.page.n, 1);
}
END_TEST

START_TEST(a_prefix_is_a_store_of_its_own)
{
	const char *bucket = new_bucket(false);
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *all = open_with(bucket, NULL), *part = open_with(bucket, "a/b/");
	struct ebb_store_identity one, other;
	struct ebb_err err = {0};

	ebb_store_suite_write(all, "x", "1", 1, NULL);
	expect(ebb_store_identify(part, &one, &err), 0, &err);
	ck_assert(one.empty);
	ebb_store_suite_write(part, "c", "2", 1, NULL);
	ebb_store_suite_keys(part, NULL, NULL, "c ");
	ebb_store_suite_keys(part, "c", "b", "c ");
	ebb_store_suite_keys(all, NULL, NULL, "a/b/c x ");
	ebb_store_suite_content(all, "a/b/c", "2", 1);
	expect(ebb_store_identify(all, &other, &err), 0, &err);
	ck_assert_str_ne(one.fsid, other.fsid);
}
END_TEST

START_TEST(a_bucket_that_is_not_there_does_not_open)
{
	const struct ebb_store_config cfg = {.name = "s", .type = "s3", .bucket = "no-such-bucket-here",
					     .endpoint = getenv("RGW_ENDPOINT")};
	struct ebb_store *s = NULL;
	struct ebb_err err = {0};

	setenv("no_proxy", "127.0.0.1,localhost", 1);
	expect(ebb_store_open(&cfg, &s, &err), EBB_ESTORE, &err);
}
END_TEST

START_TEST(classes_that_there_are_not_are_refused)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_plain();
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t1", .class = "NO_SUCH_CLASS"};
	struct ebb_store_writer *w;
	struct ebb_err err = {0};

	ebb_store_suite_write(s, "o", "abc", 3, NULL);
	ck_assert_int_lt(ebb_store_set_class(s, "o", "NO_SUCH_CLASS", NULL, NULL, &err), 0);
	ebb_err_clear(&err);
	expect(ebb_store_write_open(s, "p", &opts, &w, &err), 0, &err);
	ck_assert_int_lt(ebb_store_write_commit(w, NULL, 0, NULL, &err), 0);
	ebb_store_suite_keys(s, NULL, NULL, "o ");
}
END_TEST

/* --- Lifecycle --- */

START_TEST(lifecycle_rules_come_back_or_are_refused)
{
	static const char good[] =
		"<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>x/</Prefix></Filter>"
		"<Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>";
	static const char dropped[] =
		"<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><ObjectSizeGreaterThan>9"
		"</ObjectSizeGreaterThan></Filter><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>";
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = open_plain();
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf doc = EBB_BUF_INIT(1 << 20);
	struct ebb_s3 *s3 = ebb_store_s3_client(s);
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_s3_admin_lifecycle_get(s3, &doc, &err), 0);
	expect(ebb_s3_admin_lifecycle_put(s3, good, &err), 0, &err);
	expect(ebb_s3_admin_lifecycle_put(s3, dropped, &err), EBB_EMISMATCH, &err);
	ck_assert_int_eq(ebb_s3_admin_lifecycle_get(s3, &doc, &err), 1);
	ck_assert_ptr_nonnull(strstr(doc.data, "GLACIER"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_s3");
	TCase *own = tcase_create("s3");

	if (!getenv("RGW_ENDPOINT")) {
		fprintf(stderr, "SKIPPED: no object store: %s\n", getenv("RGW_MISSING") ? getenv("RGW_MISSING") : "start tests with tests/run");
		return 77;
	}
	tcase_set_timeout(own, 60);
	tcase_add_test(own, large_objects_go_in_parts);
	tcase_add_test(own, uploads_of_killed_writers_are_swept);
	tcase_add_test(own, what_an_object_has_are_attributes);
	tcase_add_test(own, what_does_not_fit_is_refused);
	tcase_add_test(own, copies_in_place_keep_the_access_list);
	tcase_add_test(own, a_class_in_place_leaves_one_version);
	tcase_add_test(own, a_replacement_keeps_the_access_list);
	tcase_add_test(own, a_large_replacement_goes_in_parts);
	tcase_add_test(own, a_finished_replacement_leaves_one_version);
	tcase_add_test(own, a_prefix_is_a_store_of_its_own);
	tcase_add_test(own, a_bucket_that_is_not_there_does_not_open);
	tcase_add_test(own, lifecycle_rules_come_back_or_are_refused);
	tcase_add_test(own, classes_that_there_are_not_are_refused);
	suite_add_tcase(suite, own);
	ebb_store_suite_add(suite, rows, EBB_ARRAY_LEN(rows));

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
