/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "tests/support/store_suite.h"

#define expect ebb_store_suite_expect
#define keys_are ebb_store_suite_keys
#define content_is ebb_store_suite_content

static void put(struct ebb_store *s, const char *key, struct ebb_record *ret)
{
	ebb_store_suite_write(s, key, key, strlen(key), ret);
}

static void put_class(struct ebb_store *s, const char *key, const char *class, struct ebb_record *ret)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t1", .class = class};
	struct ebb_store_writer *w;
	struct ebb_err err = {0};

	expect(ebb_store_write_open(s, key, &opts, &w, &err), 0, &err);
	expect(ebb_store_write(w, key, strlen(key), &err), 0, &err);
	expect(ebb_store_write_commit(w, NULL, 0, ret, &err), 0, &err);
}

static void head(struct ebb_store *s, const char *key, struct ebb_record *ret)
{
	struct ebb_err err = {0};

	expect(ebb_store_head(s, key, ret, &err), 0, &err);
}

/* --- Keys --- */

START_TEST(without_directories_keys_are_any_bytes)
{
	SUITE_STORE(s);
	if (ebb_store_caps(s) & EBB_CAP_DIRS)
		return;
	static const char *const odd[] = {
		"/",	  "//",	 "/a", "a/",  "a//b", "a//", "..",   "../a", "a/../b", "./", ".",    "a b",
		"a+b",	  "%2F", "%",  "a?b", "a#b",  "\"<&>'", "\n\t", "\x7f", "\\", "~",  "\U0001f980", "\xc3\xa9",
	};
	char longest[EBB_STORE_OBJECT_KEY_MAX + 2];
	struct ebb_record rec;
	struct ebb_err err = {0};

	const char *keys[EBB_ARRAY_LEN(odd)];
	size_t n = ebb_store_suite_taken(s, odd, EBB_ARRAY_LEN(odd), keys);

	for (size_t i = 0; i < n; i++)
		put(s, keys[i], NULL);
	for (size_t i = 0; i < n; i++)
		content_is(s, keys[i], keys[i], strlen(keys[i]));
	if (n == EBB_ARRAY_LEN(odd))
		keys_are(s, "a/", NULL, "a/ a/../b a// a//b ");
	for (size_t i = 0; i < n; i++)
		ebb_store_suite_purge(s, keys[i]);
	keys_are(s, NULL, NULL, "");
	memset(longest, 'k', sizeof(longest));
	longest[EBB_STORE_OBJECT_KEY_MAX + 1] = '\0';
	expect(ebb_store_head(s, longest, &rec, &err), EBB_EINVAL, &err);
	expect(ebb_store_head(s, "", &rec, &err), EBB_EINVAL, &err);
	longest[EBB_STORE_OBJECT_KEY_MAX] = '\0';
	put(s, longest, NULL);
	content_is(s, longest, longest, EBB_STORE_OBJECT_KEY_MAX);
	expect(ebb_store_mkdirs(s, "d/", 0, NULL, NULL, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_rmdir(s, "d/", &err), EBB_ENOTSUP, &err);
}
END_TEST

START_TEST(list_of_keys_takes_a_prefix_and_a_start)
{
	SUITE_STORE(s);
	if (ebb_store_caps(s) & EBB_CAP_DIRS)
		return;
	put(s, "a", NULL);
	put(s, "a/b", NULL);
	put(s, "a/c", NULL);
	put(s, "a0", NULL);
	put(s, "b", NULL);
	keys_are(s, NULL, NULL, "a a/b a/c a0 b ");
	keys_are(s, "a/", NULL, "a/b a/c ");
	keys_are(s, "a", "a/b", "a/c a0 ");
	keys_are(s, NULL, "a0", "b ");
	keys_are(s, "a/", "b", "");
	keys_are(s, "b", "a", "b ");
	keys_are(s, "none", NULL, "");
}
END_TEST

/* --- Parts --- */

START_TEST(ranges_are_exact)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_RANGE);
	struct ebb_record rec;
	struct ebb_err err = {0};
	char buf[8] = "";

	ebb_store_suite_write(s, "o", "0123456789", 10, &rec);
	expect(ebb_store_read_range(s, "o", &rec, 3, buf, 4, &err), 0, &err);
	ck_assert_mem_eq(buf, "3456", 5);
	expect(ebb_store_read_range(s, "o", NULL, 9, buf, 1, &err), 0, &err);
	ck_assert_int_eq(buf[0], '9');
	expect(ebb_store_read_range(s, "o", &rec, 8, buf, 3, &err), EBB_ECORRUPT, &err);
	expect(ebb_store_read_range(s, "o", &rec, 10, buf, 1, &err), EBB_ECORRUPT, &err);
	expect(ebb_store_read_range(s, "o", &rec, -1, buf, 1, &err), EBB_EINVAL, &err);
	expect(ebb_store_read_range(s, "p", NULL, 0, buf, 1, &err), EBB_ENOENT, &err);
	rec.f[EBB_F_SIZE]++;
	expect(ebb_store_read_range(s, "o", &rec, 0, buf, 1, &err), EBB_ECHANGED, &err);
}
END_TEST

/* --- Classes --- */

START_TEST(classes_are_chosen_and_changed)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_CLASS);
	struct ebb_record rec, now;
	struct ebb_err err = {0};

	put_class(s, "o", "STANDARD_IA", &rec);
	ck_assert_int_eq(rec.f[EBB_F_CLASS], ebb_record_class_code("STANDARD_IA"));
	put(s, "p", &now);
	ck_assert_int_eq(now.f[EBB_F_CLASS], ebb_record_class_code("STANDARD"));
	expect(ebb_store_set_class(s, "o", "GLACIER_IR", &rec, &now, &err), 0, &err);
	ck_assert_int_eq(now.f[EBB_F_CLASS], ebb_record_class_code("GLACIER_IR"));
	ck_assert_int_eq(now.f[EBB_F_SIZE], rec.f[EBB_F_SIZE]);
	ck_assert_int_eq(now.f[EBB_F_MTIME], rec.f[EBB_F_MTIME]);
	ck_assert_int_eq(now.f[EBB_F_ETAG_HI], rec.f[EBB_F_ETAG_HI]);
	head(s, "o", &rec);
	ck_assert_mem_eq(rec.f, now.f, sizeof(rec.f));
	content_is(s, "o", "o", 1);
	rec.f[EBB_F_SIZE]++;
	expect(ebb_store_set_class(s, "o", "STANDARD", &rec, NULL, &err), EBB_ECHANGED, &err);
	expect(ebb_store_set_class(s, "q", "STANDARD", NULL, NULL, &err), EBB_ENOENT, &err);
}
END_TEST

START_TEST(a_class_keeps_the_metadata)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_CLASS | EBB_CAP_META);
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta meta = {.uid = 7, .gid = 8, .mode = 0640, .mtime = 12, .atime = 13};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};
	struct ebb_err err = {0};

	put(s, "o", NULL);
	ck_assert_int_eq(ebb_meta_add(&meta, "user.a", "\0\xff", 2, NULL), 0);
	expect(ebb_store_set_meta(s, "o", &meta, EBB_META_ALL, &err), 0, &err);
	expect(ebb_store_set_class(s, "o", "STANDARD_IA", NULL, NULL, &err), 0, &err);
	expect(ebb_store_get_meta(s, "o", &now, &err), 0, &err);
	expect(ebb_meta_compare(&meta, &now, EBB_META_ALL, &err), 0, &err);
}
END_TEST

/* --- Copies --- */

START_TEST(copies_are_like_their_source)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_COPY);
	struct ebb_record rec, copy, now;
	struct ebb_err err = {0};
	const char *to = "a/copy";

	put(s, "o", &rec);
	expect(ebb_store_copy(s, "o", to, NULL, &rec, &copy, &err), 0, &err);
	ck_assert_ptr_eq(copy.key, to);
	ck_assert_int_eq(copy.f[EBB_F_ETAG_HI], rec.f[EBB_F_ETAG_HI]);
	ck_assert_int_eq(copy.f[EBB_F_CLASS], rec.f[EBB_F_CLASS]);
	ck_assert_int_eq(copy.f[EBB_F_MTIME], rec.f[EBB_F_MTIME]);
	head(s, to, &now);
	ck_assert_mem_eq(copy.f, now.f, sizeof(now.f));
	content_is(s, to, "o", 1);
	expect(ebb_store_copy(s, "o", to, NULL, &rec, NULL, &err), EBB_EEXIST, &err);
	expect(ebb_store_copy(s, "none", "x", NULL, NULL, NULL, &err), EBB_ENOENT, &err);
	rec.f[EBB_F_SIZE]++;
	expect(ebb_store_copy(s, "o", "x", NULL, &rec, NULL, &err), EBB_ECHANGED, &err);
	if (ebb_store_caps(s) & EBB_CAP_CLASS) {
		expect(ebb_store_copy(s, "o", "y", "GLACIER_IR", NULL, &copy, &err), 0, &err);
		ck_assert_int_eq(copy.f[EBB_F_CLASS], ebb_record_class_code("GLACIER_IR"));
	}
}
END_TEST

/* --- Versions --- */

START_TEST(hidden_objects_come_back)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_VERSIONS);
	struct ebb_record rec, now, other;
	struct ebb_err err = {0};

	put(s, "o", &rec);
	other = rec;
	other.f[EBB_F_SIZE]++;
	ck_assert_int_eq(ebb_store_hidden(s, "o", &rec, &err), 0);
	expect(ebb_store_show(s, "o", &rec, &err), EBB_EEXIST, &err);
	expect(ebb_store_hide(s, "o", &other, &err), EBB_ECHANGED, &err);
	expect(ebb_store_hide(s, "o", &rec, &err), 0, &err);
	keys_are(s, NULL, NULL, "");
	expect(ebb_store_head(s, "o", &now, &err), EBB_ENOENT, &err);
	expect(ebb_store_hide(s, "o", NULL, &err), EBB_ENOENT, &err);
	ck_assert_int_eq(ebb_store_hidden(s, "o", &rec, &err), 1);
	ck_assert_int_eq(ebb_store_hidden(s, "o", &other, &err), 0);
	expect(ebb_store_show(s, "o", &other, &err), EBB_ECHANGED, &err);
	expect(ebb_store_show(s, "o", &rec, &err), 0, &err);
	head(s, "o", &now);
	ck_assert_mem_eq(now.f, rec.f, sizeof(now.f));
	content_is(s, "o", "o", 1);
	expect(ebb_store_show(s, "none", NULL, &err), EBB_ENOENT, &err);
}
END_TEST

static struct ebb_proof *purge_proof(struct ebb_store *s, const char *key, const struct ebb_record *rec)
{
	struct ebb_proof *proof = NULL;
	struct ebb_err err = {0};

	expect(ebb_proof_purge(s, key, rec, EBB_PROOF_PURGE_WORDS, &proof, &err), 0, &err);
	return proof;
}

START_TEST(hidden_objects_can_be_removed)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_VERSIONS);
	struct ebb_record rec;
	struct ebb_err err = {0};

	put(s, "o", &rec);
	expect(ebb_store_hide(s, "o", &rec, &err), 0, &err);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = purge_proof(s, "o", &rec);
	expect(ebb_store_remove(s, "o", proof, &err), 0, &err);
	ck_assert_int_eq(ebb_store_hidden(s, "o", &rec, &err), 0);
	expect(ebb_store_remove(s, "o", proof, &err), EBB_ENOENT, &err);
	expect(ebb_store_show(s, "o", NULL, &err), EBB_ENOENT, &err);
}
END_TEST

static int replaced(struct ebb_store *s, const struct ebb_record *was, const char *text, struct ebb_proof **ret, struct ebb_err *err)
{
	struct ebb_proof_copy c = {.src = s, .src_key = "o", .src_rec = was, .dst = s, .dst_key = "b/new"};

	ebb_digest_of(&ebb_digest_xxh128, text, strlen(text), c.src_digest, NULL);
	return ebb_proof_replaced(&c, ret, err);
}

START_TEST(an_object_is_replaced_by_another)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_COPY | EBB_CAP_CLASS);
	struct ebb_record was, new, now, seen;
	struct ebb_err err = {0};
	const char *key = "o";

	put_class(s, "o", "GLACIER_IR", &was);
	put(s, "b/new", &new);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = purge_proof(s, "o", &was);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *other = purge_proof(s, "b/new", &new);
	expect(ebb_store_replace(s, "o", NULL, "b/new", &new, NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_replace(s, "o", other, "b/new", &new, NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_replace(s, "o", proof, "o", &was, NULL, &err), EBB_EINVAL, &err);
	expect(ebb_store_replace(s, "o", proof, "none", &new, NULL, &err), EBB_ENOENT, &err);
	seen = new;
	seen.f[EBB_F_SIZE]++;
	expect(ebb_store_replace(s, "o", proof, "b/new", &seen, NULL, &err), EBB_ECHANGED, &err);
	content_is(s, "o", "o", 1);

	expect(ebb_store_replace(s, key, proof, "b/new", &new, &now, &err), 0, &err);
	ck_assert_ptr_eq(now.key, key);
	head(s, "o", &seen);
	ck_assert_mem_eq(seen.f, now.f, sizeof(now.f));
	ck_assert_int_eq(now.f[EBB_F_CLASS], ebb_record_class_code("GLACIER_IR"));
	ck_assert_int_eq(now.f[EBB_F_MTIME], new.f[EBB_F_MTIME]);
	content_is(s, "o", "b/new", 5);
	content_is(s, "b/new", "b/new", 5);
	expect(ebb_store_replace(s, "o", proof, "b/new", &new, NULL, &err), EBB_ECHANGED, &err);
}
END_TEST

START_TEST(a_replacement_is_finished)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_COPY | EBB_CAP_CLASS);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *again = NULL;
	struct ebb_record was, new, now, seen;
	struct ebb_err err = {0};

	put(s, "o", &was);
	put(s, "b/new", &new);
	expect(replaced(s, &was, "b/new", &again, &err), EBB_EMISMATCH, &err);
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = purge_proof(s, "o", &was);
	expect(ebb_store_replace(s, "o", proof, "b/new", &new, &now, &err), 0, &err);
	expect(replaced(s, &was, "other", &again, &err), EBB_EMISMATCH, &err);
	expect(replaced(s, &was, "b/new", &again, &err), 0, &err);
	expect(ebb_store_remove(s, "o", again, &err), EBB_EINVAL, &err);
	expect(ebb_store_replace(s, "o", again, "b/new", &new, &seen, &err), 0, &err);
	ck_assert_mem_eq(seen.f, now.f, sizeof(now.f));
	content_is(s, "o", "b/new", 5);

	ebb_store_suite_purge(s, "o");	/* somebody else's */
	put(s, "o", NULL);
	ebb_proof_free(again);
	again = NULL;
	expect(replaced(s, &was, "b/new", &again, &err), EBB_EMISMATCH, &err);
}
END_TEST

START_TEST(removing_brings_no_older_version_up)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_VERSIONS);
	struct ebb_record rec;
	struct ebb_err err = {0};

	put(s, "o", &rec);
	expect(ebb_store_hide(s, "o", &rec, &err), 0, &err);
	ebb_store_suite_write(s, "o", "newer", 5, &rec);
	ebb_store_suite_purge(s, "o");
	expect(ebb_store_head(s, "o", &rec, &err), EBB_ENOENT, &err);
	keys_are(s, NULL, NULL, "");
}
END_TEST

/* --- Sleep --- */

static enum ebb_store_sleep state_of(struct ebb_store *s, const char *key, struct ebb_store_rest *ret_rest)
{
	enum ebb_store_sleep state = EBB_STORE_AWAKE;
	struct ebb_err err = {0};

	expect(ebb_store_sleep(s, key, NULL, &state, ret_rest, &err), 0, &err);
	return state;
}

START_TEST(what_lies_in_a_plain_class_is_awake)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_THAW);
	struct ebb_record rec;
	struct ebb_err err = {0};
	enum ebb_store_sleep state;
	struct ebb_store_rest rest = {.expires = 1};

	put(s, "o", &rec);
	ck_assert_int_eq(state_of(s, "o", &rest), EBB_STORE_AWAKE);
	ck_assert_int_eq(rest.expires, 0);
	expect(ebb_store_thaw(s, "o", "bulk", 1, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_thaw(s, "o", "bulk", 0, &err), EBB_ENOTSUP, &err);
	rec.f[EBB_F_SIZE]++;
	expect(ebb_store_sleep(s, "o", &rec, &state, NULL, &err), EBB_ECHANGED, &err);
	expect(ebb_store_sleep(s, "p", NULL, &state, NULL, &err), EBB_ENOENT, &err);
}
END_TEST

START_TEST(what_sleeps_is_thawed_for_some_days)
{
	SUITE_STORE(s);
	SUITE_NEEDS(s, EBB_CAP_THAW);
	const struct ebb_store_suite_row *row = ebb_store_suite_row();
	struct ebb_record rec, now;
	struct ebb_err err = {0};
	struct ebb_store_reader *r;
	struct ebb_store_rest rest;
	char c;

	if (!row->pass) /* nobody can wait for it */
		return;
	put_class(s, "o", "DEEP_ARCHIVE", &rec);
	ck_assert_int_eq(state_of(s, "o", NULL), EBB_STORE_ASLEEP);
	expect(ebb_store_read_open(s, "o", &rec, &r, &err), EBB_EASLEEP, &err);
	expect(ebb_store_read_range(s, "o", &rec, 0, &c, 1, &err), EBB_EASLEEP, &err);
	expect(ebb_store_copy(s, "o", "p", NULL, &rec, NULL, &err), EBB_EASLEEP, &err);
	expect(ebb_store_set_class(s, "o", "STANDARD", &rec, NULL, &err), EBB_EASLEEP, &err);
	expect(ebb_store_thaw(s, "o", "expedited", 2, &err), EBB_ENOTSUP, &err);
	expect(ebb_store_thaw(s, "o", "bulk", 2, &err), 0, &err);
	expect(ebb_store_thaw(s, "o", "bulk", 2, &err), 0, &err);
	ck_assert_int_eq(state_of(s, "o", NULL), EBB_STORE_THAWING);
	expect(ebb_store_read_open(s, "o", &rec, &r, &err), EBB_EASLEEP, &err);
	row->pass(49);
	ck_assert_int_eq(state_of(s, "o", &rest), EBB_STORE_THAWED);
	ck_assert_int_gt(rest.expires, 0);
	content_is(s, "o", "o", 1);
	head(s, "o", &now);
	ck_assert_mem_eq(now.f, rec.f, sizeof(now.f)); /* nothing of the object has changed */
	expect(ebb_store_copy(s, "o", "p", "STANDARD", &rec, NULL, &err), 0, &err);
	content_is(s, "p", "o", 1);
	row->pass(48);
	ck_assert_int_eq(state_of(s, "o", NULL), EBB_STORE_ASLEEP);
	content_is(s, "p", "o", 1);
	ebb_store_suite_purge(s, "o"); /* what sleeps can go */
}
END_TEST

void ebb_store_suite_object_add(TCase *tcase, int n)
{
	const TTest *const tests[] = {
		without_directories_keys_are_any_bytes, list_of_keys_takes_a_prefix_and_a_start, ranges_are_exact,
		classes_are_chosen_and_changed, a_class_keeps_the_metadata, copies_are_like_their_source,
		an_object_is_replaced_by_another, a_replacement_is_finished,
		what_lies_in_a_plain_class_is_awake, what_sleeps_is_thawed_for_some_days, hidden_objects_come_back, hidden_objects_can_be_removed, removing_brings_no_older_version_up,
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(tests); i++)
		tcase_add_loop_test(tcase, tests[i], 0, n);
}
