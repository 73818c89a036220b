/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb help: help, man pages and completions. */
#include "agent/app.h"
#include "agent/cli.h"

static int help(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *shell = ebb_cli_string(args, "completion"), *name = ebb_cli_arg(args, 0);
	const struct ebb_cli_command *cmd = NULL;

	if (shell)
		return ebb_cli_complete(app->out, shell, err);
	if (ebb_cli_flag(args, "commands")) {
		for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++)
			fprintf(app->out, "%s\n", (*c)->name);
		return 0;
	}
	if (name) {
		int r = ebb_cli_find(name, &cmd, err);
		if (r)
			return r;
	}
	if (ebb_cli_flag(args, "man"))
		ebb_cli_man(app->out, cmd);
	else
		ebb_cli_help(app->out, cmd);
	return 0;
}

static const struct ebb_cli_option help_options[] = {
	{"man", 0, EBB_CLI_FLAG, NULL, "print the man page, in mdoc"},
	{"completion", 0, EBB_CLI_CHOICE, "bash|zsh|fish", "print a completion script for the shell"},
	{"commands", 0, EBB_CLI_FLAG, NULL, "print the names of all commands"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const char *const help_examples[] = {
	"ebb help scan", "what scan does and takes",
	"ebb help --man scan | man -l -", "its man page, without installing it",
	"source <(ebb help --completion bash)", "complete commands and options in this shell",
	NULL,
};

const struct ebb_cli_command ebb_cmd_help = {
	.name = "help",
	.summary = "show help, man pages and completion scripts",
	.usage = "[COMMAND]",
	.description = "Shows help for a command, or the list of all commands.\n"
		       "Help, man pages and completions are written from the same tables that read the command line.",
	.options = help_options,
	.examples = help_examples,
	.max_args = 1,
	.run = help,
};
