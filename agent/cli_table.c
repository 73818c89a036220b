/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/cli.h"

/* One line per command, here and below; each lies in agent/cmd_NAME.c. */
extern const struct ebb_cli_command ebb_cmd_init;
extern const struct ebb_cli_command ebb_cmd_check;
extern const struct ebb_cli_command ebb_cmd_explain;
extern const struct ebb_cli_command ebb_cmd_scan;
extern const struct ebb_cli_command ebb_cmd_ingest;
extern const struct ebb_cli_command ebb_cmd_find;
extern const struct ebb_cli_command ebb_cmd_du;
extern const struct ebb_cli_command ebb_cmd_dupes;
extern const struct ebb_cli_command ebb_cmd_alerts;
extern const struct ebb_cli_command ebb_cmd_reconcile;
extern const struct ebb_cli_command ebb_cmd_serve;
extern const struct ebb_cli_command ebb_cmd_checkpoints;
extern const struct ebb_cli_command ebb_cmd_findings;
extern const struct ebb_cli_command ebb_cmd_report;
extern const struct ebb_cli_command ebb_cmd_plan;
extern const struct ebb_cli_command ebb_cmd_simulate;
extern const struct ebb_cli_command ebb_cmd_export;
extern const struct ebb_cli_command ebb_cmd_show;
extern const struct ebb_cli_command ebb_cmd_diff;
extern const struct ebb_cli_command ebb_cmd_apply;
extern const struct ebb_cli_command ebb_cmd_run;
extern const struct ebb_cli_command ebb_cmd_approve;
extern const struct ebb_cli_command ebb_cmd_agent;
extern const struct ebb_cli_command ebb_cmd_undo;
extern const struct ebb_cli_command ebb_cmd_restore;
extern const struct ebb_cli_command ebb_cmd_get;
extern const struct ebb_cli_command ebb_cmd_thaw;
extern const struct ebb_cli_command ebb_cmd_verify;
extern const struct ebb_cli_command ebb_cmd_runs;
extern const struct ebb_cli_command ebb_cmd_trash;
extern const struct ebb_cli_command ebb_cmd_packs;
extern const struct ebb_cli_command ebb_cmd_transfer;
extern const struct ebb_cli_command ebb_cmd_price;
extern const struct ebb_cli_command ebb_cmd_audit;
extern const struct ebb_cli_command ebb_cmd_status;
extern const struct ebb_cli_command ebb_cmd_help;
extern const struct ebb_cli_command ebb_cmd_version;

const struct ebb_cli_command *const ebb_cli_table[] = {
	&ebb_cmd_init,
	&ebb_cmd_check,
	&ebb_cmd_explain,
	&ebb_cmd_scan,
	&ebb_cmd_ingest,
	&ebb_cmd_find,
	&ebb_cmd_du,
	&ebb_cmd_dupes,
	&ebb_cmd_checkpoints,
	&ebb_cmd_findings,
	&ebb_cmd_report,
	&ebb_cmd_alerts,
	&ebb_cmd_reconcile,
	&ebb_cmd_serve,
	&ebb_cmd_plan,
	&ebb_cmd_simulate,
	&ebb_cmd_export,
	&ebb_cmd_show,
	&ebb_cmd_diff,
	&ebb_cmd_apply,
	&ebb_cmd_run,
	&ebb_cmd_approve,
	&ebb_cmd_agent,
	&ebb_cmd_undo,
	&ebb_cmd_restore,
	&ebb_cmd_get,
	&ebb_cmd_thaw,
	&ebb_cmd_verify,
	&ebb_cmd_runs,
	&ebb_cmd_trash,
	&ebb_cmd_packs,
	&ebb_cmd_transfer,
	&ebb_cmd_price,
	&ebb_cmd_audit,
	&ebb_cmd_status,
	&ebb_cmd_help,
	&ebb_cmd_version,
	NULL,
};
