/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli.h"
#include "tests/support/unit.h"

/* Parse words ended by NULL; the program's name is put before them. */
static int parse(const char *const *words, const struct ebb_cli_command **cmd,
		 struct ebb_cli_args **args, struct ebb_err *err)
{
	static char copy[16][128];
	char *argv[17];
	int argc = 1;

	strcpy(copy[0], "ebb");
	argv[0] = copy[0];
	for (; *words; words++, argc++) {
		strcpy(copy[argc], *words);
		argv[argc] = copy[argc];
	}
	argv[argc] = NULL;
	return ebb_cli_parse(argc, argv, cmd, args, err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_error(const char *const *words, const char *message)
{
	const struct ebb_cli_command *cmd = NULL;
	struct ebb_cli_args *args = NULL;
	struct ebb_err err = {0};

	ck_assert_int_eq(parse(words, &cmd, &args, &err), -EBB_EUSAGE);
	ck_assert_str_eq(err.msg, message);
	ck_assert_int_eq(err.code, EBB_EUSAGE);
	ck_assert_ptr_null(args);
}

START_TEST(options_stand_before_and_after_the_command)
{
	const struct ebb_cli_command *cmd = NULL;
	EBB_CLEANUP(ebb_cli_args_freep) struct ebb_cli_args *a = NULL;

	ck_assert_int_eq(parse(WORDS("--config", "a.yaml", "-q", "find", "-i", "dir", "x", "--limit=5", "y"),
			       &cmd, &a, NULL), 0);
	ck_assert_str_eq(cmd->name, "find");
	ck_assert_str_eq(ebb_cli_string(a, "config"), "a.yaml");
	ck_assert_str_eq(ebb_cli_string(a, "index"), "dir");
	ck_assert(ebb_cli_flag(a, "quiet"));
	ck_assert(!ebb_cli_flag(a, "json"));
	ck_assert_int_eq(ebb_cli_number(a, "limit", -1), 5);
	ck_assert_int_eq(ebb_cli_argc(a), 2);
	ck_assert_str_eq(ebb_cli_arg(a, 0), "x");
	ck_assert_str_eq(ebb_cli_arg(a, 1), "y");
	ck_assert_ptr_null(ebb_cli_arg(a, 2));
	ck_assert_ptr_null(ebb_cli_string(a, "where"));
}
END_TEST

START_TEST(short_options_join_and_take_the_rest)
{
	const struct ebb_cli_command *cmd = NULL;
	EBB_CLEANUP(ebb_cli_args_freep) struct ebb_cli_args *a = NULL;

	ck_assert_int_eq(parse(WORDS("find", "-qvl7"), &cmd, &a, NULL), 0);
	ck_assert(ebb_cli_flag(a, "quiet") && ebb_cli_flag(a, "verbose"));
	ck_assert_int_eq(ebb_cli_number(a, "limit", -1), 7);
}
END_TEST

START_TEST(two_dashes_end_options)
{
	const struct ebb_cli_command *cmd = NULL;
	EBB_CLEANUP(ebb_cli_args_freep) struct ebb_cli_args *a = NULL;

	ck_assert_int_eq(parse(WORDS("find", "--", "--json", "-", "-x"), &cmd, &a, NULL), 0);
	ck_assert(!ebb_cli_flag(a, "json"));
	ck_assert_int_eq(ebb_cli_argc(a), 3);
	ck_assert_str_eq(ebb_cli_arg(a, 0), "--json");
}
END_TEST

START_TEST(lists_collect)
{
	const struct ebb_cli_command *cmd = NULL;
	EBB_CLEANUP(ebb_cli_args_freep) struct ebb_cli_args *a = NULL;
	const char *const *list = NULL;

	ck_assert_int_eq(parse(WORDS("scan", "-x", "a", "--exclude=b", "-xc"), &cmd, &a, NULL), 0);
	ck_assert_uint_eq(ebb_cli_list(a, "exclude", &list), 3);
	ck_assert_str_eq(list[0], "a");
	ck_assert_str_eq(list[1], "b");
	ck_assert_str_eq(list[2], "c");
}
END_TEST

START_TEST(errors_name_what_was_meant)
{
	expect_error(WORDS("fidn"), "unknown command 'fidn'; did you mean 'find'?");
	expect_error(WORDS("find", "--limti", "3"), "unknown option '--limti'; did you mean '--limit'?");
	expect_error(WORDS("find", "-Z"), "unknown option '-Z'");
	expect_error(WORDS("find", "--json=yes"), "--json takes no argument");
	expect_error(WORDS("find", "--where"), "--where needs an argument: EXPR");
	expect_error(WORDS("du", "--by", "ownr"), "--by: 'ownr' is none of its values; did you mean 'owner'?");
	expect_error(WORDS("check", "x"), "'x' is one argument too many: ebb check [options] ");
	expect_error(WORDS("init"), "too few arguments: ebb init [options] DIR|s3://BUCKET[/PREFIX]...");
	expect_error(WORDS("-q"), "no command given; 'ebb help' lists them");
}
END_TEST

START_TEST(numbers_are_checked)
{
	const struct ebb_cli_command *cmd = NULL;
	struct ebb_cli_args *a = NULL;
	struct ebb_err err = {0};

	ck_assert_int_eq(parse(WORDS("find", "--limit", "-3"), &cmd, &a, &err), -EBB_EUSAGE);
	ck_assert_ptr_nonnull(strstr(err.msg, "--limit: "));
	ebb_err_clear(&err);
	ck_assert_int_eq(parse(WORDS("find", "--limit", "99999999999999999999"), &cmd, &a, &err),
			 -EBB_EUSAGE);
	ebb_err_clear(&err);
	ck_assert_int_eq(parse(WORDS("find", "--limit", "3k"), &cmd, &a, &err), -EBB_EUSAGE);
}
END_TEST

START_TEST(environment_fills_what_the_line_leaves_open)
{
	const struct ebb_cli_command *cmd = NULL;
	struct ebb_cli_args *a = NULL;
	struct ebb_err err = {0};

	setenv("EBB_CONFIG", "env.yaml", 1);
	setenv("EBB_JSON", "1", 1);
	setenv("EBB_QUIET", "0", 1);
	setenv("EBB_LIMIT", "", 1);
	ck_assert_int_eq(parse(WORDS("find"), &cmd, &a, NULL), 0);
	ck_assert_str_eq(ebb_cli_string(a, "config"), "env.yaml");
	ck_assert(ebb_cli_flag(a, "json"));
	ck_assert(!ebb_cli_flag(a, "quiet"));
	ck_assert_int_eq(ebb_cli_number(a, "limit", -1), -1);
	ebb_cli_args_free(a);

	ck_assert_int_eq(parse(WORDS("find", "-c", "line.yaml"), &cmd, &a, NULL), 0);
	ck_assert_str_eq(ebb_cli_string(a, "config"), "line.yaml");
	ebb_cli_args_free(a);

	setenv("EBB_LIMIT", "x", 1);
	ck_assert_int_eq(parse(WORDS("find"), &cmd, &a, &err), -EBB_EUSAGE);
	ck_assert_int_eq(strncmp(err.msg, "EBB_LIMIT: ", 11), 0);
	ebb_err_clear(&err);
	setenv("EBB_LIMIT", "1", 1);
	setenv("EBB_JSON", "maybe", 1);
	ck_assert_int_eq(parse(WORDS("find"), &cmd, &a, &err), -EBB_EUSAGE);
	ck_assert_str_eq(err.msg, "EBB_JSON: expected 1 or 0, got 'maybe'");
	setenv("EBB_JSON", "yes", 1);
	ck_assert_int_eq(parse(WORDS("find"), &cmd, &a, NULL), -EBB_EUSAGE);
}
END_TEST

START_TEST(help_is_not_stopped_by_missing_arguments)
{
	const struct ebb_cli_command *cmd = NULL;
	struct ebb_cli_args *a = NULL;

	ck_assert_int_eq(parse(WORDS("init", "--help"), &cmd, &a, NULL), 0);
	ck_assert_str_eq(cmd->name, "init");
	ck_assert(ebb_cli_flag(a, "help"));
	ebb_cli_args_free(a);
	cmd = NULL;
	ck_assert_int_eq(parse(WORDS("--version"), &cmd, &a, NULL), 0);
	ck_assert_ptr_null(cmd);
	ebb_cli_args_free(a);
}
END_TEST

/* The table's habits: names once, sentences without full stop, every choice an argument. */
START_TEST(tables_are_in_order)
{
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++) {
		const struct ebb_cli_command *found = NULL;

		ck_assert_int_eq(ebb_cli_find((*c)->name, &found, NULL), 0);
		ck_assert_ptr_eq(found, *c);
		ck_assert_ptr_nonnull((*c)->run);
		ck_assert_ptr_nonnull((*c)->usage);
		ck_assert_ptr_nonnull((*c)->description);
		ck_assert_int_ne((*c)->summary[strlen((*c)->summary) - 1], '.');
		for (const struct ebb_cli_option *o = (*c)->options; o && o->name; o++) {
			ck_assert_int_ne(o->help[strlen(o->help) - 1], '.');
			ck_assert((o->type == EBB_CLI_FLAG) == (o->arg == NULL));
			/* -n is the same everywhere */
			ck_assert(o->letter != 'n' || strcmp(o->name, "dry-run") == 0);
			for (const struct ebb_cli_option *g = ebb_cli_global; g->name; g++) {
				ck_assert_str_ne(o->name, g->name);
				ck_assert(!o->letter || o->letter != g->letter);
			}
			for (const struct ebb_cli_option *p = (*c)->options; p < o; p++) {
				ck_assert_str_ne(o->name, p->name);
				ck_assert(!o->letter || o->letter != p->letter);
			}
		}
	}
}
END_TEST

static char *written(void (*write)(FILE *, const struct ebb_cli_command *),
		     const struct ebb_cli_command *cmd)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	write(f, cmd);
	fclose(f);
	return text;
}

START_TEST(help_names_everything)
{
	char *text = written(ebb_cli_help, NULL);

	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++) {
		ck_assert_ptr_nonnull(strstr(text, (*c)->name));
		char *one = written(ebb_cli_help, *c), *man = written(ebb_cli_man, *c);
		for (const struct ebb_cli_option *o = (*c)->options; o && o->name; o++) {
			ck_assert_ptr_nonnull(strstr(one, o->name));
			ck_assert_ptr_nonnull(strstr(man, o->name));
		}
		free(one);
		free(man);
	}
	free(text);
}
END_TEST

EBB_UNIT_MAIN("cli", options_stand_before_and_after_the_command, short_options_join_and_take_the_rest,
	      two_dashes_end_options, lists_collect, errors_name_what_was_meant, numbers_are_checked,
	      environment_fills_what_the_line_leaves_open, help_is_not_stopped_by_missing_arguments,
	      tables_are_in_order, help_names_everything)
