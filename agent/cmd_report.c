/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb report: what is there, by age, size, kind, owner, store. */
#include <string.h>

#include "agent/cmd_report.h"
#include "agent/page_approval.h"
#include "agent/report.h"
#include "core/snap.h"

/* Formats; the first is the default. */
static const struct {
	const char *name;
	int (*write)(const struct ebb_report *r, struct ebb_err *err);
} formats[] = {
	{"text", ebb_report_text},
	{"json", ebb_report_json},
	{"md", ebb_report_md},
	{"html", ebb_report_html},
	{"csv", ebb_report_csv},
	{"focus", ebb_report_focus},
	{"prom", ebb_report_prom},
};

/* The pages for approval: what they are called, and in which formats there are. */
static int write_approval(struct ebb_report *r, const char *what, const char *format, struct ebb_err *err)
{
	enum ebb_approval_kind kind = strcmp(what, "cleanup") == 0 ? EBB_APPROVAL_CLEANUP : EBB_APPROVAL_MIGRATION;

	if (!r->plan)
		return ebb_err_set(err, EBB_EUSAGE, "--for %s is about a plan: --plan FILE", what);
	if (format && strcmp(format, "html") != 0 && strcmp(format, "json") != 0)
		return ebb_err_set(err, EBB_EUSAGE, "--for %s is written as html or json, not as %s", what, format);
	return (format && strcmp(format, "json") == 0) || (!format && r->app->json) ? ebb_page_approval_json(r, kind, err)
										  : ebb_page_approval_html(r, kind, err);
}

static int write_report(struct ebb_app *app, const struct ebb_cli_args *args, const char *name, const char *plan,
			const char *what, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_report_release) struct ebb_report report = {0};
	int r = ebb_app_config_optional(app, err);

	if (!r)
		r = ebb_app_index(app, true, &ix, err);
	if (!r)
		r = ebb_app_snap(app, ix, &snap, err);
	if (!r)
		r = ebb_report_collect(&report, app, ix, snap, args, plan, err);
	if (!r && what)
		return write_approval(&report, what, name, err);
	if (!name)
		name = app->json ? "json" : "text";
	for (size_t i = 0; i < EBB_ARRAY_LEN(formats) && !r; i++)
		if (strcmp(formats[i].name, name) == 0)
			r = formats[i].write(&report, err);
	return r;
}

int ebb_cmd_report_write(struct ebb_app *app, const struct ebb_cli_args *args, const char *name, const char *plan,
			 struct ebb_err *err)
{
	return write_report(app, args, name, plan, NULL, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	return write_report(app, args, ebb_cli_string(args, "format"), ebb_cli_string(args, "plan"), ebb_cli_string(args, "for"), err);
}

static const struct ebb_cli_option options[] = {
	{"format", 'f', EBB_CLI_CHOICE, "text|json|md|html|csv|focus|prom", "how to write it (default: text)"},
	{"plan", 0, EBB_CLI_STRING, "FILE", "show what that plan would do as well (html)"},
	{"for", 0, EBB_CLI_CHOICE, "cleanup|migration", "the plan for those who approve it: what goes, whose it is, the largest (html, json)"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"now", "string", "time that ages are counted to"},
	{"total", "object", "everything; each sum is {objects, bytes, alloc}: names, content of files and allocated bytes, each inode once"},
	{"stores", "array", "sums by store, with class, priced, cost_month_nano and currency when priced, hidden_objects, hidden_bytes and hidden_month_nano (old versions, delete markers, unfinished uploads) where there are any, scan_requests and scan_once_nano (what listing a bucket again takes and costs), scanned (time of the last scan), unreadable (folders)"},
	{"cost_month_nano, currency", "number, string", "sum over the stores that are priced, in billionths of the currency"},
	{"unpriced_bytes", "number", "bytes without a price; in no amount"},
	{"by", "object", "by dimension (store, class, jurisdiction, region, age, type, team, kind, every label, folder) an array of value, objects, bytes, unpriced_bytes, cost_month_nano; the value \"\" is what has none; each dimension adds up to the total; with shared costs also shared_month_nano (moved here from others) and allocated_month_nano"},
	{"history", "array", "days: day, bytes, objects, cost_month_nano, carried (nobody looked that day)"},
	{"forecast", "object", "method, trials and errors (of each method on the past, as a share), days: day, cost_month_nano, low80_nano, high80_nano, and rules_saving_nano, by which the rules would have made it less"},
	{"ahead", "array", "what the rules would have done in_days from now: objects, once_nano, saving_month_nano, waiting_month_nano (in the trash)"},
	{"duplicates", "object", "as far as digests and entity tags are known: groups, redundant_copies, redundant_bytes, redundant_month_nano"},
	{"savings", "array", "plans and runs: run (absent for the last plan while no run has begun since), plan, time, measured (end of the scan that the measured figures are of), currency, total and rules, each with what was planned, done, measured_month_nano (what it costs less now), waiting (in the trash), replaced (by others) and unknown"},
	{"alerts", "array", "budgets that are passed and anomalies of the last 30 days, as ebb-alerts tells them"},
	{"kinds", "array", "sums by kind: file, dir, symlink, special"},
	{"idle", "array", "files by time since last access, as far as it is known"},
	{"idle_unknown", "array", "files whose idle time is not known well enough, by the reason why: no-evidence, writes-only, window; text says it in a sentence"},
	{"written", "array", "files by time since last change"},
	{"sizes", "array", "files by size"},
	{"extensions, owners", "array", "files by the ten largest extensions and owners; the rest has others: true"},
	{"sparse", "object", "files with less allocated than content"},
	{"hard_links", "object", "further names of files counted once, with the bytes as if counted again"},
	{"unseen", "object", "carried over because their folder could not be read"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb report", "what is there",
	"ebb report scratch:users/", "of one part of a store",
	"ebb report --format html --plan plan.jsonl > report.html", "a page for a mail, with what the plan would do",
	"ebb report --for cleanup --plan plan.jsonl > approve.html", "what a plan deletes, for those whose data it is",
	"ebb report --format json | jq '.idle[] | select(.age == \"over 2 y\")'", "for a program",
	NULL,
};

const struct ebb_cli_command ebb_cmd_report = {
	.name = "report",
	.summary = "show what is there by age, size, kind, owner and store",
	.usage = "[STORE[:PREFIX]|PATH...]",
	.description =
		"Shows what the index holds as of the last scan: by time since last access and last change, by size, extension\n"
		"and owner, by store with what it costs a month where its class has a price.\n"
		"\n"
		"Where the time of last access is not known well enough, the report says so and why; nothing is guessed.\n"
		"Costs are those of 30 days of storage as it is, object by object, hidden versions and unfinished uploads included;\n"
		"what has no price is named, not counted as free.\n"
		"\n"
		"html is one page without scripts, with pictures and the same as text; csv and md are sums by store, class, label and\n"
		"age; focus is FOCUS 1.4 for this month, as if it stayed so; prom is for the node exporter's textfile collector.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
