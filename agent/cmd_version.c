/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb version. */
#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	(void)args;
	if (app->json)
		return ebb_out_json(app->out,
				    json_pack("{ss si}", "version", EBB_CLI_VERSION, "index_format",
					      EBB_INDEX_FORMAT),
				    err);
	fprintf(app->out, "ebb " EBB_CLI_VERSION " (index format %d)\n", EBB_INDEX_FORMAT);
	return 0;
}

static const struct ebb_cli_field json[] = {
	{"version", "string", "version of the program"},
	{"index_format", "number", "version of the index that it reads and writes"},
	{NULL, NULL, NULL},
};

const struct ebb_cli_command ebb_cmd_version = {
	.name = "version",
	.summary = "show the version",
	.usage = "",
	.description = "Prints the version of the program and of its index.",
	.json = json,
	.run = run,
};
