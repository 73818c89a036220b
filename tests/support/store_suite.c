/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/store_suite.h"

#include <stdlib.h>
#include <string.h>

static const struct ebb_store_suite_row *rows;
static const struct ebb_store_suite_row *row;

void ebb_store_suite_add(Suite *suite, const struct ebb_store_suite_row *r, int n)
{
	TCase *io = tcase_create("objects"), *tree = tcase_create("names");
	TCase *resume = tcase_create("going on");
	TCase *object = tcase_create("object stores");

	rows = r;
	ebb_store_suite_io_add(io, n);
	ebb_store_suite_tree_add(tree, n);
	suite_add_tcase(suite, io);
	ebb_store_suite_object_add(object, n);
	suite_add_tcase(suite, tree);
	suite_add_tcase(suite, object);
	ebb_store_suite_resume_add(resume, n);
	suite_add_tcase(suite, resume);
}

struct ebb_store *ebb_store_suite_open(int i)
{
	struct ebb_store *s = rows[i].open();

	ck_assert_msg(s != NULL, "store '%s' does not open", rows[i].name);
	row = &rows[i];
	return s;
}

const struct ebb_store_suite_row *ebb_store_suite_row(void)
{
	return row;
}

bool ebb_store_suite_sees_meta(struct ebb_store *s)
{
	return (ebb_store_caps(s) & EBB_CAP_META) && !row->coarse;
}

void ebb_store_suite_make_dir(struct ebb_store *s, const char *dir)
{
	struct ebb_err err = {0};

	if (ebb_store_caps(s) & EBB_CAP_DIRS)
		ebb_store_suite_expect(ebb_store_mkdirs(s, dir, 0755, NULL, NULL, &err), 0, &err);
}

void ebb_store_suite_expect(int64_t rc, int code, struct ebb_err *err)
{
	ck_assert_msg(rc == -code, "wanted %s, got %s: %s", code ? ebb_err_name(code) : "success",
		      rc ? ebb_err_name((int)rc) : "success", err->msg);
	if (code)
		ck_assert_msg(err->code == code && err->msg[0], "%s without a message",
			      ebb_err_name(code));
	ebb_err_clear(err);
}

void ebb_store_suite_write(struct ebb_store *s, const char *key, const void *data, size_t len,
			   struct ebb_record *ret)
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "suite"};
	struct ebb_store_writer *w;
	struct ebb_err err = {0};

	ebb_store_suite_expect(ebb_store_write_open(s, key, &opts, &w, &err), 0, &err);
	ebb_store_suite_expect(ebb_store_write(w, data, len, &err), 0, &err);
	ebb_store_suite_expect(ebb_store_write_commit(w, NULL, 0, ret, &err), 0, &err);
}

size_t ebb_store_suite_taken(struct ebb_store *s, const char *const keys[], size_t n, const char *taken[])
{
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = "t"};
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct ebb_store_writer *w = NULL;
		struct ebb_err err = {0};
		int rc = ebb_store_write_open(s, keys[i], &opts, &w, &err);

		ebb_store_write_abort(w);
		ck_assert_msg(rc == 0 || (rc == -EBB_EINVAL && err.msg[0]), "%s", err.msg);
		if (rc == 0)
			taken[found++] = keys[i];
	}
	return found;
}

void ebb_store_suite_purge(struct ebb_store *s, const char *key)
{
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};

	ebb_store_suite_expect(ebb_store_head(s, key, &rec, &err), 0, &err);
	ebb_store_suite_expect(ebb_proof_purge(s, key, &rec, EBB_PROOF_PURGE_WORDS, &proof, &err),
			       0, &err);
	ebb_store_suite_expect(ebb_store_remove(s, key, proof, &err), 0, &err);
}

void ebb_store_suite_content(struct ebb_store *s, const char *key, const void *data, size_t len)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf all = EBB_BUF_INIT(1 << 30);
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	struct ebb_err err = {0};
	char piece[10000];
	int64_t n;

	ebb_store_suite_expect(ebb_store_read_open(s, key, NULL, &r, &err), 0, &err);
	while ((n = ebb_store_read(r, piece, sizeof(piece), &err)) > 0)
		ck_assert_int_eq(ebb_buf_add(&all, piece, (size_t)n), 0);
	ebb_store_suite_expect(n, 0, &err);
	ebb_store_suite_expect(ebb_store_read_verify(r, &err), 0, &err);
	ck_assert_uint_eq(all.len, len);
	ck_assert(len == 0 || memcmp(all.data, data, len) == 0);
}

static int add_key(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct ebb_buf *keys = ctx;

	(void)err;
	ck_assert_int_eq(ebb_buf_add(keys, rec->key, rec->key_len), 0);
	ck_assert_int_eq(ebb_buf_addc(keys, ' '), 0);
	return 0;
}

void ebb_store_suite_keys(struct ebb_store *s, const char *prefix, const char *after,
			  const char *keys)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf found = EBB_BUF_INIT(1 << 20);
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_buf_reserve(&found, 0), 0);
	ebb_store_suite_expect(ebb_store_list(s, prefix, after, add_key, &found, &err), 0, &err);
	ck_assert_str_eq(found.data, keys);
}
