/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/labels.h"

#include <check.h>
#include <string.h>

#include "core/mem.h"
#include "tests/support/unit.h"

#define HEAD "by,value,label,is\n"

static struct ebb_arena arena;
static struct ebb_err err;

static const struct ebb_labels *labels(const char *text)
{
	struct ebb_labels *l = NULL;

	ck_assert_msg(ebb_labels_parse(&arena, text, strlen(text), "map.csv", &l, &err) == 0, "%s", err.msg);
	return l;
}

static void refused(const char *text, const char *want)
{
	struct ebb_labels *l;
	struct ebb_err why = {0};

	ck_assert_int_eq(ebb_labels_parse(&arena, text, strlen(text), "map.csv", &l, &why), -EBB_ECONFIG);
	ck_assert_msg(strstr(why.msg, want), "%s", why.msg);
}

static const char *value(const struct ebb_labels *l, const char *label, const char *store, const char *key,
			 int64_t uid)
{
	struct ebb_record rec = {.key = key, .key_len = (uint32_t)strlen(key)};

	ebb_record_set(&rec, EBB_F_UID, uid);
	for (size_t i = 0; i < ebb_labels_count(l); i++)
		if (strcmp(ebb_labels_name(l, i), label) == 0)
			return ebb_labels_value(l, i, store, &rec);
	return NULL;
}

START_TEST(the_closest_line_wins)
{
	const struct ebb_labels *l = labels(HEAD "# who owns what\n"
					    "store,lake,team,platform\n"
					    "owner,1001,team,research\n"
					    "prefix,lake:runs/,team,training\n"
					    "prefix,lake:runs/a/,team,\"alpha, \"\"the\"\" team\"\r\n"
					    "\n"
					    "prefix,lake:runs/,env,prod");

	ck_assert_str_eq(value(l, "team", "lake", "x", 5), "platform");
	ck_assert_str_eq(value(l, "team", "lake", "x", 1001), "research");
	ck_assert_str_eq(value(l, "team", "lake", "runs/b", 1001), "training");
	ck_assert_str_eq(value(l, "team", "lake", "runs/a/b", 1001), "alpha, \"the\" team");
	ck_assert_str_eq(value(l, "env", "lake", "runs/a/b", 1), "prod");
	ck_assert_ptr_null(value(l, "env", "lake", "x", 1));
	ck_assert_ptr_null(value(l, "team", "other", "runs/a", 5));
}
END_TEST

START_TEST(conflicts_name_both_lines)
{
	refused(HEAD "owner,7,team,a\nstore,s,team,x\nowner,7,team,b\n", "map.csv:4: team is 'b' here and 'a' in line 2");
	labels(HEAD "owner,7,team,a\nowner,7,team,a\n");
}
END_TEST

START_TEST(mistakes_name_their_line)
{
	refused("", "map.csv:1: the first line is by,value,label,is");
	refused("a,b,c,d\n", "map.csv:1:");
	refused(HEAD "owner,7,team\n", "map.csv:2: a line has four fields");
	refused(HEAD "owner,7,team,a,b\n", "map.csv:2: a line has four fields");
	refused(HEAD "user,7,team,a\n", "'by' is prefix, owner, group or store");
	refused(HEAD "owner,bob,team,a\n", "is its number");
	refused(HEAD "prefix,runs,team,a\n", "a prefix is STORE:PREFIX");
	refused(HEAD "store,s,Team,a\n", "a label is a name of a-z");
	refused(HEAD "store,s,class,a\n", "every object has this already");
	refused(HEAD "store,s,team,\n", "no value is given");
	refused(HEAD "store,s,team,\"a\n", "does not end");
}
END_TEST

EBB_UNIT_MAIN("labels", the_closest_line_wins, conflicts_name_both_lines, mistakes_name_their_line)
