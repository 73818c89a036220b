/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program, and the map of this folder. main() makes three calls that matter: ebb_cli_parse() reads the command line with the
 * tables, ebb_app_init() prepares what every command works with, and the command's run() does it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"

/* What went wrong, and for a wrong command line where help is. An empty message was told before. */
static void tell(const struct ebb_err *err, const struct ebb_cli_command *cmd)
{
	if (!*err->msg)
		return;
	fprintf(stderr, "ebb: %s\n", err->msg);
	if (err->code == EBB_EUSAGE && cmd)
		fprintf(stderr, "ebb: 'ebb help %s' shows how\n", cmd->name);
}

/* --help and --version, with or without a command. Returns whether there is nothing else to do. */
static bool answered(const struct ebb_cli_command *cmd, const struct ebb_cli_args *args)
{
	if (ebb_cli_flag(args, "help"))
		ebb_cli_help(stdout, cmd);
	else if (ebb_cli_flag(args, "version"))
		puts("ebb " EBB_CLI_VERSION);
	else
		return false;
	return true;
}

static int run(int argc, char **argv, const struct ebb_cli_command **ret_cmd, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cli_args_freep) struct ebb_cli_args *args = NULL;
	EBB_CLEANUP(ebb_app_release) struct ebb_app app = {0};
	int r = ebb_cli_parse(argc, argv, ret_cmd, &args, err);

	if (r)
		return r;
	if (answered(*ret_cmd, args))
		return ebb_out_flush(stdout, err);
	r = ebb_app_init(&app, args, err);
	if (!r)
		r = (*ret_cmd)->run(&app, args, err);
	/* What was printed must have arrived, or a full disk would look like success. */
	struct ebb_err flush = {0};
	int f = ebb_out_flush(stdout, &flush);
	if (r || !f)
		return r;
	*err = flush;
	return f;
}

int main(int argc, char **argv)
{
	const struct ebb_cli_command *cmd = NULL;
	struct ebb_err err = {0};
	int r = run(argc, argv, &cmd, &err);

	/* A reader that had enough, as in `ebb find | head`, is no failure. */
	if (r && err.sys == EPIPE)
		return EBB_EXIT_OK;
	if (r)
		tell(&err, cmd);
	return ebb_err_exit_of(r);
}
