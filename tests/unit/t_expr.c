/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/units.h"
#include "policies/expr.h"
#include "policies/expr_block.h"
#include "policies/expr_explain.h"
#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20000 * DAY)

static struct ebb_arena arena;
static const char *const labels[] = {"team", "step", NULL};
static const struct ebb_expr_text values[] = {{"research", 8}, {NULL, 0}};
static const struct ebb_expr_place place = {"ebb.yaml", 7, 20};

static struct ebb_expr *expr(const char *text)
{
	struct ebb_expr *e = NULL;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_expr_compile(&arena, text, &place, labels, 2, &e, &err) == 0, "%s",
		      err.msg);
	return e;
}

static struct ebb_record file(void)
{
	struct ebb_record r = {.key = "runs/vision/model.tar.gz", .key_len = 24};

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, 5 << 20);
	ebb_record_set(&r, EBB_F_MTIME, NOW - 100 * DAY);
	ebb_record_set(&r, EBB_F_ATIME, NOW - 50 * DAY);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_ATIME);
	ebb_record_set(&r, EBB_F_MODE, 0100644);
	ebb_record_set(&r, EBB_F_NLINK, 1);
	ebb_record_set(&r, EBB_F_UID, 1000);
	return r;
}

static enum ebb_truth of(const char *text, const struct ebb_record *r)
{
	struct ebb_expr_env env = {.now = NOW, .store = "scratch", .class = NULL, .labels = values};

	return ebb_expr_eval(expr(text), &env, r);
}

static enum ebb_truth truth(const char *text)
{
	struct ebb_record r = file();

	return of(text, &r);
}

#define ck_true(text) ck_assert_int_eq(truth(text), EBB_TRUE)
#define ck_false(text) ck_assert_int_eq(truth(text), EBB_FALSE)
#define ck_unknown(text) ck_assert_int_eq(truth(text), EBB_UNKNOWN)

START_TEST(comparisons)
{
	ck_true("size == 5MiB");
	ck_true("size >= 5MiB");
	ck_true("size <= 5MiB");
	ck_false("size < 5MiB");
	ck_false("size > 5MiB");
	ck_false("size != 5MiB");
	ck_true("size > 5MB");
	ck_true("uid in [0, 1000]");
	ck_true("uid not in [0, 1]");
	ck_true("nlink == 1 and depth == 3");
	ck_false("size < 0B");
}
END_TEST

START_TEST(facts_of_time)
{
	ck_true("age > 99d and age < 101d and age == 100d");
	ck_true("idle == 50d");
	ck_true("mtime < 2024-10-01 and mtime > 2024-01-01T00:00:00Z");
	ck_true("atime == 2024-08-15");
	ck_unknown("changed > 1d");
}
END_TEST

START_TEST(times_in_the_future_count_as_now)
{
	struct ebb_record r = file();

	ebb_record_set(&r, EBB_F_MTIME, NOW + DAY);
	ck_assert_int_eq(of("age == 0s", &r), EBB_TRUE);
	ck_assert_int_eq(of("age >= 0s", &r), EBB_TRUE);
	ck_assert_int_eq(of("age > 0s", &r), EBB_FALSE);
	ck_assert_int_eq(of("idle == 0s", &r), EBB_TRUE);
}
END_TEST

START_TEST(idle_is_an_interval)
{
	struct ebb_record r = file();

	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_RELATIME);
	ck_assert_int_eq(of("idle > 48d", &r), EBB_TRUE);
	ck_assert_int_eq(of("idle > 49d", &r), EBB_UNKNOWN);
	ck_assert_int_eq(of("idle > 50d", &r), EBB_FALSE);
	ck_assert_int_eq(of("not idle > 50d", &r), EBB_TRUE);
	ck_assert_int_eq(of("atime < 2024-08-17", &r), EBB_TRUE);
	ck_assert_int_eq(of("atime < 2024-08-16", &r), EBB_UNKNOWN);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_MTIME);
	ck_assert_int_eq(of("idle > 1d", &r), EBB_UNKNOWN);
	ck_assert_int_eq(of("idle > 100d", &r), EBB_FALSE);
	ck_assert_int_eq(of("idle <= 100d", &r), EBB_TRUE);
	r.known &= ~EBB_KNOWN(EBB_F_EVIDENCE);
	ck_assert_int_eq(of("idle > 100d", &r), EBB_UNKNOWN);
}
END_TEST

START_TEST(without_mtime_nothing_is_idle_for_sure)
{
	struct ebb_record r = file();

	r.known &= ~EBB_KNOWN(EBB_F_MTIME);
	ck_assert_int_eq(of("idle > 10d", &r), EBB_UNKNOWN);
	ck_assert_int_eq(of("idle > 51d", &r), EBB_FALSE);
}
END_TEST

START_TEST(texts_and_keys)
{
	ck_true("path == \"runs/vision/model.tar.gz\"");
	ck_true("name == 'model.tar.gz' and ext == \"gz\" and dir == \"runs/vision/\"");
	ck_true("name matches \"*.tar.*\"");
	ck_true("path matches \"runs/**\"");
	ck_false("path matches \"runs/*\"");
	ck_true("ext in [\"zip\", \"gz\"]");
	ck_true("store == \"scratch\" and team == \"research\"");
	ck_true("team != \"ops\"");
	ck_unknown("class == \"HDD\"");
	ck_unknown("step == \"900\"");
	ck_true("type == \"file\" and evidence in [\"atime\", \"relatime\"]");
	ck_true("mode == 0644");
}
END_TEST

START_TEST(names_and_extensions)
{
	static const struct {
		const char *key, *cond;
	} cases[] = {
		{"a", "name == \"a\" and ext == \"\" and dir == \"\" and depth == 1"},
		{".bashrc", "ext == \"\" and name == \".bashrc\""},
		{"d/.x.y", "ext == \"y\" and depth == 2"},
		{"d/e/", "name == \"e\" and dir == \"d/\" and depth == 2"},
		{"a.", "ext == \"\""},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(cases); i++) {
		struct ebb_record r = {.key = cases[i].key,
				       .key_len = (uint32_t)strlen(cases[i].key)};
		ck_assert_msg(of(cases[i].cond, &r) == EBB_TRUE, "%s: %s", cases[i].key,
			      cases[i].cond);
	}
}
END_TEST

START_TEST(kleene)
{
	ck_false("class == \"X\" and false");
	ck_unknown("class == \"X\" and true");
	ck_true("class == \"X\" or true");
	ck_unknown("class == \"X\" or false");
	ck_unknown("not class == \"X\"");
	ck_unknown("class not in [\"X\"]");
	ck_unknown("class matches \"**\"");
}
END_TEST

START_TEST(precedence)
{
	ck_true("true or false and false");
	ck_false("(true or false) and false");
	ck_true("not false and true");
	ck_true("not not true");
	ck_false("not (true)");
	ck_true("((((true))))and(true)");
}
END_TEST

static void check_error(const char *text, const char *want)
{
	struct ebb_expr *e = NULL;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_expr_compile(&arena, text, &place, labels, 2, &e, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, want);
	ck_assert_ptr_null(e);
}

START_TEST(errors_name_line_and_column)
{
	check_error("", "ebb.yaml:7:20: the condition is empty; leave 'when' out for \"always\"");
	check_error("sise > 1MiB", "ebb.yaml:7:20: unknown fact 'sise'; did you mean 'size'?");
	check_error("size > 1MiB and tem == \"x\"",
		    "ebb.yaml:7:36: unknown fact 'tem'; did you mean 'team'?");
	check_error("size = 1MiB", "ebb.yaml:7:25: '=' means nothing; write '=='");
	check_error("!true", "ebb.yaml:7:20: '!' means nothing; write 'not' or '!='");
	check_error("idle > \"30d\"",
		    "ebb.yaml:7:27: 'idle' is compared with a duration such as 30d, not \"30d\"");
	check_error("idle > size", "ebb.yaml:7:27: expected a duration such as 30d, not 'size'");
	check_error("name < \"x\"", "ebb.yaml:7:25: 'name' has no order; use ==, != or in");
	check_error("name == x", "ebb.yaml:7:28: expected a string in quotes, not 'x'");
	check_error("size matches \"x\"",
		    "ebb.yaml:7:25: 'matches' is for text; compare 'size' with == or <");
	check_error("name matches \"[a\"", "ebb.yaml:7:33: pattern '[a': column 1: '[' is not "
					   "closed; write '\\[' for the byte itself");
	check_error("path matches \"{a}\"",
		    "ebb.yaml:7:33: {a} captures nothing here; captures belong in 'match:'");
	check_error("type == \"pipe\"", "ebb.yaml:7:28: 'type' is compared with \"file\", \"dir\", "
					"\"symlink\", \"special\", \"version\", \"marker\" or \"upload\": \"pipe\" is none of them");
	check_error("(true", "ebb.yaml:7:25: expected 'and', 'or' or ')', not the end");
	check_error("true true", "ebb.yaml:7:25: expected 'and', 'or' or the end, not 'true'");
	check_error("size", "ebb.yaml:7:24: expected a comparison, 'in' or 'matches', not the end");
	check_error("size not > 1", "ebb.yaml:7:29: expected 'in', not '>'");
	check_error("size in 1MiB", "ebb.yaml:7:28: expected '[' after 'in', not '1MiB'");
	check_error("size in [1MiB", "ebb.yaml:7:33: expected ',' or ']', not the end");
	check_error("size > 1MiB;", "ebb.yaml:7:31: ';' has no place in a condition");
	check_error("name == \"x", "ebb.yaml:7:28: the string is not closed with \"");
	check_error("mode == 0999", "ebb.yaml:7:28: 'mode' is compared with permission bits such "
				    "as 0644: '0999' is no octal number up to 7777");
}
END_TEST

/* Type errors pass on what core/units.h says; only that the word and its place are named is checked
 * here. */
START_TEST(unit_errors)
{
	static const char *const bad[] = {"size > 30d",  "idle > 30",  "idle > 30m", "idle > 1MiB",
					  "mtime > 30d", "uid > 1KiB", "uid > 1.5"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++) {
		struct ebb_expr *e;
		struct ebb_err err = {0};
		const char *literal = strchr(bad[i], '>') + 2;

		ck_assert_int_eq(ebb_expr_compile(&arena, bad[i], &place, NULL, 0, &e, &err),
				 -EBB_ECONFIG);
		ck_assert_msg(strstr(err.msg, literal) && strstr(err.msg, "is compared with"), "%s",
			      err.msg);
		ck_assert_int_eq(atoi(err.msg + strlen("ebb.yaml:7:")),
				 20 + (int)(literal - bad[i]));
	}
}
END_TEST

START_TEST(limits)
{
	char text[8192] = "";
	struct ebb_expr *e;

	for (int i = 0; i < EBB_EXPR_NESTING; i++)
		strcat(text, "(");
	strcat(text, "true");
	for (int i = 0; i < EBB_EXPR_NESTING; i++)
		strcat(text, ")");
	ck_true(text);
	memmove(text + 1, text, strlen(text) + 1);
	check_error(text, "ebb.yaml:7:52: parentheses are nested deeper than 32");
	strcpy(text, "uid in [0");
	for (int i = 1; i < EBB_EXPR_LIST; i++)
		strcat(text, ",0");
	strcat(text, "]");
	ck_false(text);
	strcpy(text + strlen(text) - 1, ",0]");
	ck_assert_int_eq(ebb_expr_compile(&arena, text, &place, NULL, 0, &e, NULL), -EBB_ECONFIG);
}
END_TEST

START_TEST(needs)
{
	ck_assert(!ebb_expr_needs_key(expr("idle > 1d and store == \"x\" and class == \"y\"")));
	ck_assert(ebb_expr_needs_key(expr("size > 1B and name == \"x\"")));
	ck_assert(ebb_expr_needs_key(expr("team == \"x\"")) &&
		  ebb_expr_needs_labels(expr("team == \"x\"")));
	ck_assert(!ebb_expr_needs_labels(expr("name == \"x\"")));
}
END_TEST

START_TEST(always)
{
	ck_assert(ebb_expr_always(expr("true")));
	ck_assert(ebb_expr_always(expr("size >= 0B or idle > 3d")));
	ck_assert(ebb_expr_always(expr("idle >= 0s and path matches \"**\"")));
	ck_assert(ebb_expr_always(expr("not size < 0B")));
	ck_assert(!ebb_expr_always(expr("size > 0B")));
	ck_assert(!ebb_expr_always(expr("idle > 3d")));
	ck_assert(!ebb_expr_always(expr("name == \"x\"")));
}
END_TEST

START_TEST(explains)
{
	struct ebb_expr_env env = {.now = NOW, .store = "scratch", .labels = values};
	struct ebb_expr *e = expr(
		"idle > 1d and (size > 1MiB or size < 2B) and step == \"1\" and name != \"a\"");
	struct ebb_expr_explain_fact *f;
	struct ebb_record r = file();
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf line = EBB_BUF_INIT(1000);

	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_RELATIME);
	ck_assert_int_eq(ebb_expr_explain(e, &env, labels, &r, &arena, &f, NULL), 4);
	ck_assert_str_eq(f[0].name, "idle");
	ck_assert_str_eq(f[0].value, "between 49d and 50d");
	ck_assert_str_eq(f[0].evidence, "access times, updated once a day (relatime)");
	ck_assert_str_eq(f[1].value, "5.0 MiB");
	ck_assert_str_eq(f[1].evidence, "index");
	ck_assert_str_eq(f[2].name, "step");
	ck_assert_str_eq(f[2].value, "unknown");
	ck_assert_str_eq(f[3].value, "\"model.tar.gz\"");
	ck_assert_int_eq(ebb_expr_explain_line(e, &env, labels, &r, &line, NULL), 0);
	ck_assert_str_eq(line.data, "idle between 49d and 50d, size 5.0 MiB, step unknown");
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_MTIME);
	ck_assert_int_eq(ebb_expr_explain(e, &env, labels, &r, &arena, &f, NULL), 4);
	ck_assert_str_eq(f[0].value, "at most 100d");
}
END_TEST

START_TEST(class_is_the_objects_own_before_its_stores)
{
	EBB_CLEANUP(ebb_names_freep) struct ebb_names *names = ebb_names_new();
	struct ebb_record r = file();
	struct ebb_expr_env env = {.now = NOW, .store = "lake", .class = "HDD", .labels = values};
	int64_t code;

	ck_assert_int_eq(ebb_names_add(names, "GLACIER", &code, NULL), 1);
	ck_assert_int_eq(ebb_expr_eval(expr("class == \"HDD\""), &env, &r), EBB_TRUE);
	ebb_record_set(&r, EBB_F_CLASS, code);
	ck_assert_int_eq(ebb_expr_eval(expr("class == \"HDD\""), &env, &r), EBB_UNKNOWN);
	env.names = names;
	ck_assert_int_eq(ebb_expr_eval(expr("class == \"HDD\""), &env, &r), EBB_FALSE);
	ck_assert_int_eq(ebb_expr_eval(expr("class matches \"GLAC*\""), &env, &r), EBB_TRUE);
	ebb_record_set(&r, EBB_F_CLASS, code + 1);
	ck_assert_int_eq(ebb_expr_eval(expr("class == \"GLACIER\""), &env, &r), EBB_UNKNOWN);
}
END_TEST

EBB_UNIT_MAIN("expr", comparisons, facts_of_time, times_in_the_future_count_as_now,
	      idle_is_an_interval, without_mtime_nothing_is_idle_for_sure, texts_and_keys,
	      names_and_extensions, kleene, precedence, errors_name_line_and_column, unit_errors,
	      limits, needs, always, explains, class_is_the_objects_own_before_its_stores)
