/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line: one file and one const struct ebb_cli_command per command, one line each in the table of
 * cli_table.c. Parsing, help, man pages and completions all come from these tables.
 *
 * Precedence: option > EBB_<OPTION> in the environment > configuration file > default.
 * Data goes to stdout, everything for people's information to stderr.
 */
#ifndef EBB_AGENT_CLI_H
#define EBB_AGENT_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/version.h"

#define EBB_CLI_VERSION EBB_VERSION
#define EBB_CLI_DATE "November 23, 2026"	/* of the man pages, as mdoc wants it */

enum ebb_cli_type {
	EBB_CLI_FLAG,		/* no argument */
	EBB_CLI_STRING,
	EBB_CLI_COUNT,		/* non-negative integer */
	EBB_CLI_BYTES,		/* 10GiB */
	EBB_CLI_DURATION,	/* 90d */
	EBB_CLI_LIST,		/* string, may be given again */
	EBB_CLI_CHOICE		/* one of the words in `arg`, which are separated by '|' */
};

/* One option of a command. */
struct ebb_cli_option {
	const char *name;	/* long name without dashes */
	char letter;		/* short name, or 0 */
	enum ebb_cli_type type;
	const char *arg;	/* name of its argument in help, or NULL */
	const char *help;	/* one sentence: lower case, no full stop */
};

/* A field of the command's JSON output, for its man page. */
struct ebb_cli_field {
	const char *name, *type, *help;
};

struct ebb_app;
struct ebb_cli_args;

struct ebb_cli_command {
	const char *name;
	const char *summary;			/* one line */
	const char *usage;			/* arguments after the options: "[STORE...]" */
	const char *description;		/* paragraphs for the man page, separated by empty lines; one that begins
						   with a space is shown as it stands */
	const struct ebb_cli_option *options;	/* ends with a row of name NULL; may be NULL */
	const struct ebb_cli_field *json;	/* ends with a row of name NULL; may be NULL */
	const char *const *examples;		/* pairs: command line, what it does; ends with NULL */
	int min_args, max_args;			/* positional arguments; max -1: any number */
	/*
	 * Do it. Returns 0 or a negative EBB_E*; main prints the message and exits with the code's status. -EBB_EPARTIAL
	 * with an empty message exits 1 silently, after the command has told what was skipped.
	 */
	int (*run)(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err);
};

/* All commands in the order of help; ends with NULL. */
extern const struct ebb_cli_command *const ebb_cli_table[];

/* Options that every command takes (--config, --index, --json, --quiet, --verbose, --log-json, --help ...). */
extern const struct ebb_cli_option ebb_cli_global[];

/*
 * Parse argv[1..] into the command and its arguments. Global options may stand before and after the command.
 * `--` ends options; `--name=value`, `--name value`, `-nvalue` and `-n value` all work;
 * option names are written in full. Numbers, units and choices are checked here, those from the environment too. With
 * --help or --version nothing is checked behind them. *ret_cmd is NULL when no command was named; it is set also when what
 * follows is wrong, so that the caller can say where help is.
 *
 * @return  0; -EBB_EUSAGE naming the nearest command or option; -EBB_ENOMEM. *ret is freed with ebb_cli_args_free.
 */
int ebb_cli_parse(int argc, char **argv, const struct ebb_cli_command **ret_cmd,
		  struct ebb_cli_args **ret, struct ebb_err *err);
void ebb_cli_args_free(struct ebb_cli_args *a);
EBB_CLEANUP_PTR(struct ebb_cli_args, ebb_cli_args_free);

/* Command by name. Returns 0 or -EBB_EUSAGE naming the nearest. */
int ebb_cli_find(const char *name, const struct ebb_cli_command **ret, struct ebb_err *err);

/*
 * Values by option name (an unknown name is a bug and aborts). Absent: false, NULL, @missing, 0 values. Borrowed. Bytes and
 * durations (ns) come from ebb_cli_number; a choice from ebb_cli_string. NULL has no arguments.
 */
bool ebb_cli_flag(const struct ebb_cli_args *a, const char *name);
const char *ebb_cli_string(const struct ebb_cli_args *a, const char *name);
long long ebb_cli_number(const struct ebb_cli_args *a, const char *name, long long missing);
size_t ebb_cli_list(const struct ebb_cli_args *a, const char *name, const char *const **ret);
int ebb_cli_argc(const struct ebb_cli_args *a);
const char *ebb_cli_arg(const struct ebb_cli_args *a, int i);

/*
 * Help for people, a man page (mdoc), a completion script ("bash", "zsh", "fish"), from the tables. @cmd NULL: of the program.
 * The program's own page, ebb(1), also describes exit statuses, environment and files.
 */
void ebb_cli_help(FILE *out, const struct ebb_cli_command *cmd);
void ebb_cli_man(FILE *out, const struct ebb_cli_command *cmd);
int ebb_cli_complete(FILE *out, const char *shell, struct ebb_err *err);

#endif
