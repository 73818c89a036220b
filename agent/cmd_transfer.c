/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb transfer: the cheapest way to move or replicate across regions. */
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/transfer_bill.h"
#include "agent/transfer_out.h"
#include "agent/transfer_report.h"
#include "agent/yaml.h"
#include "core/arena.h"
#include "core/buf.h"
#include "policies/xfer_plan.h"
#include "policies/xfer_read.h"

static int print(struct ebb_app *app, const char *format, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
		 struct ebb_arena *arena, struct ebb_err *err)
{
	struct ebb_transfer_bill bill;
	struct ebb_xfer_relax relax;
	bool none = p->status == EBB_XFER_INFEASIBLE;
	int r = ebb_transfer_bill(x, p, arena, &bill, err);

	if (r == 0 && none)
		r = ebb_xfer_relax(x, p, arena, &relax, err);
	if (r < 0)
		return r;
	const struct ebb_xfer_relax *help = none ? &relax : NULL;
	if (app->json || !strcmp(format, "json"))
		return ebb_transfer_out_json(app->out, x, p, &bill, help, err);
	if (!strcmp(format, "text"))
		return ebb_transfer_out_text(app->out, x, p, help, err);
	return ebb_transfer_report(app->out, !strcmp(format, "html"), x, p, &bill, help, err);
}

static int plan(struct ebb_app *app, const char *path, const char *format, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(EBB_YAML_MAX);
	struct ebb_tree_node *doc;
	const struct ebb_xfer *x;
	struct ebb_xfer_plan p;

	ebb_arena_init(&arena, 0);
	int r = ebb_yaml_load(&arena, path, &bytes, &doc, err);
	if (r == -EBB_ENOENT && err) {
		err->code = EBB_ECONFIG;
		return -EBB_ECONFIG;
	}
	if (r == 0)
		r = ebb_xfer_read(&arena, doc, &x, err);
	if (r < 0)
		return r;
	r = ebb_xfer_plan(x, &arena, &p, err);
	if (r < 0)
		return ebb_err_wrap(err, "%s", path), r;
	return print(app, format ? format : "text", x, &p, &arena, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *what = ebb_cli_arg(args, 0), *path = ebb_cli_string(args, "instance");

	if (strcmp(what, "plan") != 0)
		return ebb_err_set(err, EBB_EUSAGE, "'%s' is not something transfer does; it does plan", what);
	if (!path)
		return ebb_err_set(err, EBB_EUSAGE, "transfer plan needs --instance FILE");
	return plan(app, path, ebb_cli_string(args, "format"), err);
}

static const struct ebb_cli_option options[] = {
	{"instance", 0, EBB_CLI_STRING, "FILE", "plan what the file describes: sites, links, prices and groups (xfer-plan, version 1)"},
	{"format", 'f', EBB_CLI_CHOICE, "text|json|html|md", "how to write it; html and md are reports for who approves the money (default: text)"},
	{0},
};

static const struct ebb_cli_field json[] = {
	{"status", "string", "optimal, feasible or infeasible"},
	{"cost_usd", "number", "what the plan costs, exactly"},
	{"lower_bound_usd", "number", "no plan costs less"},
	{"gap_usd", "number", "how far from the cheapest the plan can be"},
	{"reason", "string", "when infeasible: budget, residency, deadline or unreachable"},
	{"group", "string", "when infeasible: the first group that cannot be delivered"},
	{"short_gb", "number", "when there is not the time or room: at least this volume does not fit"},
	{"minimum_required_usd", "number", "when over the budget: what the cheapest plan costs"},
	{"sufficient_usd", "number", "the same when it is not proven to be the cheapest"},
	{"method", "string", "how the plan was found"},
	{"direct_from_first_replica_usd", "number", "what copying straight from the first replica costs; absent when impossible"},
	{"direct_from_cheapest_replica_usd", "number", "the same from each group's cheapest replica"},
	{"bill", "object", "the parts of the cost"},
	{"short_usd", "number", "when over the budget: by how much"},
	{"links", "array", "per link that is used: from, to, paid_to, wire_gb, usd, pool, condition"},
	{"pools", "array", "per pool: wire_gb, usd, next_gb_usd, condition"},
	{"binding", "array", "room that more of would save money: from, to, slot, room_gb, usd_per_gb"},
	{"relaxations", "array", "when infeasible: constraint, cost_usd without it, cheapest"},
	{"groups", "array", "per group: reads, hops (from, to, compressed, wire_gb, slot_gb, slot_shares, why; share, when the group is split), local_copies"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb transfer plan --instance move.json", "show the cheapest plan and what it saves",
	"ebb transfer plan --instance move.json --json | jq .cost_usd", "its cost",
	"ebb transfer plan --instance move.json --format md >plan.md", "a report to put before finance",
	NULL,
};

const struct ebb_cli_command ebb_cmd_transfer = {
	.name = "transfer",
	.summary = "find the cheapest way to move or replicate across regions",
	.usage = "plan --instance FILE [--format text|json|html|md]",
	.description =
		"Reads an instance (sites, links with their prices, groups of objects with their replicas and destinations) and\n"
		"finds the cheapest plan: which replicas to read, over which relays and along which trees to send, where to\n"
		"compress.\n"
		"Every plan is recomputed by an independent verifier before it is printed, with a bound that no plan can be\n"
		"below.\n"
		"Nothing is moved.\n"
		"\n"
		"An infeasible instance says which constraint is in the way; the exit status is 0 then, too.\n"
		"\n"
		"Where slots, gb_per_hour and restore_hours change the plan, it is found by column generation and branch and bound.\n"
		"What these do not prove in a set number of steps is called feasible and comes with its bound.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
