/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Promises: P8 */
#include "agent/planfile.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/scratch.h"
#include "tests/support/unit.h"

static char path[4096];

static void name_path(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", ebb_scratch_new(), name);
}

static struct ebb_planrow row_of(const char *key, enum ebb_action_id action)
{
	struct ebb_planrow row = {
		.rule = "old \"logs\"", .store = "scratch", .action = action, .priced = true,
		.one_off = 5, .saving = 7, .payback_days = 22, .freed = 4096, .wire = 10,
		.why = "age 41 d > 14 d",
	};

	row.obj.key = key;
	row.obj.key_len = (uint32_t)strlen(key);
	ebb_record_set(&row.obj, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&row.obj, EBB_F_SIZE, 100);
	ebb_record_set(&row.obj, EBB_F_MTIME, 1700000000123456789);
	ebb_record_set(&row.obj, EBB_F_INO, (int64_t)UINT64_C(0xffffffffffffffff));
	if (action == EBB_ACTION_DELETE)
		row.trash_ns = INT64_C(86400000000000);
	if (action == EBB_ACTION_TIER) {
		row.to_store = "cold";
		row.to_key = key;
	}
	if (action == EBB_ACTION_COMPRESS) {
		row.to_key = "logs/a.zst";
		row.codec = "zstd";
		row.level = 9;
		row.priced = false;
		row.payback_days = -1;
	}
	return row;
}

static struct ebb_planhead head_of(struct ebb_planhead_store *stores, struct ebb_planhead_rule *rule)
{
	stores[0] = (struct ebb_planhead_store){.name = "scratch", .generation = 3, .dev = 1, .ino = 2, .fsid = "abc", .objects = 10,
							.versions = EBB_NONCURRENT_ENABLED, .mfa_delete = true};
	stores[1] = (struct ebb_planhead_store){.name = "cold", .dev = 1, .ino = 5, .fsid = ""};
	*rule = (struct ebb_planhead_rule){.rule = "old \"logs\"", .action = "delete"};
	rule->refused[EBB_REFUSE_UNKNOWN].objects = 4;
	return (struct ebb_planhead){
		.now = 1795460400000000000, .currency = "USD", .stores = stores, .nstores = 2,
		.limits = {-1, -1, 1000, 100, -1, 500000, "Mon-Fri 20:00-06:00"},
		.rules = rule, .nrules = 1,
	};
}

/* Write a plan of three rows; its totals are those of the rows. */
static void write_plan(char id[EBB_PLANFILE_ID_LEN])
{
	struct ebb_planfile_writer *w = NULL;
	struct ebb_planhead_store stores[2];
	struct ebb_planhead_rule rule;
	struct ebb_planhead head = head_of(stores, &rule);
	struct ebb_planrow rows[] = {
		row_of("a", EBB_ACTION_DELETE), row_of("b\xff\n", EBB_ACTION_TIER),
		row_of("logs/a", EBB_ACTION_COMPRESS),
	};
	struct ebb_err err = {0};

	ck_assert_msg(ebb_planfile_create(path, &w, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < 3; i++) {
		const struct ebb_planhead_sum one = {
			.objects = 1, .bytes = 100, .freed = rows[i].freed, .wire = rows[i].wire,
			.unpriced = !rows[i].priced, .one_off = rows[i].priced ? rows[i].one_off : 0,
			.saving = rows[i].priced ? rows[i].saving : 0,
		};

		ck_assert_msg(ebb_planfile_put(w, &rows[i], &err) == 0, "%s", err.msg);
		ebb_planhead_add(&head.all, &one);
	}
	ck_assert_msg(ebb_planfile_commit(w, &head, id, &err) == 0, "%s", err.msg);
}

static size_t slurp(char *buf, size_t size)
{
	FILE *f = fopen(path, "rb");
	size_t n = fread(buf, 1, size, f);

	fclose(f);
	return n;
}

static void spit(const char *buf, size_t n)
{
	FILE *f = fopen(path, "wb");

	ck_assert_uint_eq(fwrite(buf, 1, n, f), n);
	fclose(f);
}

START_TEST(rows_come_back_and_add_up_to_the_totals)
{
	static const char *const names[] = {"plan.jsonl", "plan.jsonl.zst"};
	char id[EBB_PLANFILE_ID_LEN];
	struct ebb_planfile *p = NULL;
	struct ebb_planhead_sum sum = {0};
	struct ebb_planrow row;
	struct ebb_err err = {0};
	int r;

	name_path(names[_i]);
	write_plan(id);
	ck_assert_msg(ebb_planfile_open(path, &p, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(ebb_planfile_id(p), id);
	ck_assert_int_eq(ebb_planfile_count(p), 3);
	while ((r = ebb_planfile_next(p, &row, &err)) == 1) {
		const struct ebb_planhead_sum one = {
			1, row.obj.f[EBB_F_SIZE], row.freed, row.wire, !row.priced, row.one_off, row.saving,
		};
		ebb_planhead_add(&sum, &one);
		if (row.n == 2)
			ck_assert_str_eq(row.obj.key, "b\xff\n");
		if (row.n == 1)
			ck_assert_int_eq(row.trash_ns, INT64_C(86400000000000));
		ck_assert_int_eq(row.obj.f[EBB_F_INO], -1);
		ck_assert(!ebb_record_has(&row.obj, EBB_F_CTIME));
	}
	ck_assert_msg(r == 0, "%s", err.msg);
	ck_assert_mem_eq(&sum, &ebb_planfile_head(p)->all, sizeof(sum));
	ck_assert_int_eq(ebb_planfile_head(p)->rules[0].refused[EBB_REFUSE_UNKNOWN].objects, 4);
	ck_assert_str_eq(ebb_planfile_head(p)->limits.window, "Mon-Fri 20:00-06:00");
	ck_assert_int_eq(ebb_planfile_seek(p, 3, &err), 0);
	ck_assert_int_eq(ebb_planfile_next(p, &row, &err), 1);
	ck_assert_int_eq(row.n, 3);
	ebb_planfile_close(p);
}
END_TEST

START_TEST(the_same_plan_is_the_same_bytes)
{
	char id[EBB_PLANFILE_ID_LEN], a[16384], b[16384];

	name_path("one");
	write_plan(id);
	size_t n = slurp(a, sizeof(a));
	name_path("two");
	write_plan(id);
	ck_assert_uint_eq(slurp(b, sizeof(b)), n);
	ck_assert_mem_eq(a, b, n);
}
END_TEST

START_TEST(a_copy_is_the_same_plan)
{
	char id[EBB_PLANFILE_ID_LEN], copy[4096 + 16];
	struct ebb_planfile *p = NULL;
	struct ebb_err err = {0};

	name_path("plan");
	write_plan(id);
	snprintf(copy, sizeof(copy), "%s.copy.zst", path);
	ck_assert_int_eq(ebb_planfile_open(path, &p, &err), 0);
	ck_assert_msg(ebb_planfile_copy(p, copy, &err) == 0, "%s", err.msg);
	ebb_planfile_close(p);
	ck_assert_msg(ebb_planfile_open(copy, &p, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(ebb_planfile_id(p), id);
	ebb_planfile_close(p);
}
END_TEST

/* Whatever byte is changed, and wherever the file is cut: nobody gets to see a row. */
START_TEST(an_altered_plan_is_refused)
{
	char id[EBB_PLANFILE_ID_LEN], good[16384];
	struct ebb_planfile *p = NULL;

	name_path("plan");
	write_plan(id);
	size_t n = slurp(good, sizeof(good));
	for (size_t i = 0; i < n; i += 11) {
		struct ebb_err err = {0};

		good[i] ^= 1;
		spit(good, n);
		good[i] ^= 1;
		int r = ebb_planfile_open(path, &p, &err);
		ck_assert_msg(r == -EBB_ESTALE || r == -EBB_EVERSION, "byte %zu: %d %s", i, r, err.msg);
		spit(good, i);
		ck_assert_int_eq(ebb_planfile_open(path, &p, NULL), -EBB_ESTALE);
	}
}
END_TEST

/* A plan whose id fits, made by somebody else: its rows must say what they are about, and stay with files outside the trash. */
START_TEST(rows_without_an_identity_are_refused)
{
	char id[EBB_PLANFILE_ID_LEN];
	struct ebb_planfile_writer *w = NULL;
	struct ebb_planhead_store stores[2];
	struct ebb_planhead_rule rule;
	struct ebb_planhead head = head_of(stores, &rule);
	struct ebb_planrow row = row_of(_i == 3   ? "logs/"
					: _i == 4 ? ".ebb-trash/20260101T000000Z-abc/a"
						  : "a", EBB_ACTION_DELETE);
	static const uint32_t unknown[5] = {EBB_KNOWN(EBB_F_KIND), EBB_KNOWN(EBB_F_SIZE),
					    EBB_KNOWN(EBB_F_MTIME)};
	struct ebb_planfile *p = NULL;
	struct ebb_err err = {0};

	row.obj.known &= ~unknown[_i];
	if (_i == 3)
		row.obj.f[EBB_F_KIND] = EBB_KIND_DIR;
	name_path("plan");
	ck_assert_int_eq(ebb_planfile_create(path, &w, NULL), 0);
	ck_assert_int_eq(ebb_planfile_put(w, &row, NULL), 0);
	ck_assert_int_eq(ebb_planfile_commit(w, &head, id, NULL), 0);
	ck_assert_msg(ebb_planfile_open(path, &p, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(ebb_planfile_next(p, &row, NULL), -EBB_ESTALE);
	ebb_planfile_close(p);
}
END_TEST

START_TEST(other_files_are_told_apart)
{
	static const struct {
		const char *text;
		int code;
		const char *msg;
	} files[] = {
		{"", EBB_ESTALE, ":1: empty file, not a plan"},
		{"hello\n", EBB_ESTALE, ":1: not JSON"},
		{"{\"a\":1}\n", EBB_ESTALE, ":1: \"schema\" is missing"},
		{"{\"schema\":\"other\",\"id\":\"00\"}\n", EBB_ESTALE, ":1: not a plan of ebb"},
		{"{\"schema\":\"ebb-plan-2\",\"id\":\"00\"}\n", EBB_EVERSION, "ebb-plan-2"},
	};
	struct ebb_planfile *p = NULL;

	ck_assert_int_eq(ebb_planfile_open("/nonexistent/plan", &p, NULL), -EBB_EUSAGE);
	ck_assert_int_eq(ebb_planfile_open("/", &p, NULL), -EBB_EUSAGE);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct ebb_err err = {0};

		name_path("plan");
		spit(files[i].text, strlen(files[i].text));
		ck_assert_int_eq(ebb_planfile_open(path, &p, &err), -files[i].code);
		ck_assert_msg(strstr(err.msg, files[i].msg) != NULL, "%s", err.msg);
	}
}
END_TEST

START_TEST(payback_is_rounded_up)
{
	ck_assert_int_eq(ebb_planrow_payback(true, 0, 5), 0);
	ck_assert_int_eq(ebb_planrow_payback(true, 1, 30), 1);
	ck_assert_int_eq(ebb_planrow_payback(true, 31, 30), 31);
	ck_assert_int_eq(ebb_planrow_payback(true, 1, 31), 1);
	ck_assert_int_eq(ebb_planrow_payback(true, INT64_MAX, 1), -1);
	ck_assert_int_eq(ebb_planrow_payback(true, 1, 0), -1);
	ck_assert_int_eq(ebb_planrow_payback(false, 1, 1), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("planfile");
	TCase *c = tcase_create("planfile");

	tcase_add_loop_test(c, rows_come_back_and_add_up_to_the_totals, 0, 2);
	tcase_add_test(c, the_same_plan_is_the_same_bytes);
	tcase_add_test(c, a_copy_is_the_same_plan);
	tcase_add_test(c, an_altered_plan_is_refused);
	tcase_add_loop_test(c, rows_without_an_identity_are_refused, 0, 5);
	tcase_add_test(c, other_files_are_told_apart);
	tcase_add_test(c, payback_is_rounded_up);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
