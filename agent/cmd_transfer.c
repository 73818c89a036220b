/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb transfer: the cheapest way to move or replicate across regions. */
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/cmd_apply.h"
#include "agent/target.h"
#include "agent/thawing.h"
#include "agent/transfer_bill.h"
#include "agent/transfer_make.h"
#include "agent/transfer_out.h"
#include "agent/transfer_report.h"
#include "agent/yaml.h"
#include "core/arena.h"
#include "core/buf.h"
#include "policies/xfer_plan.h"
#include "policies/xfer_read.h"

/* @speed: at which archived objects are thawed; NULL: not known. */
static int print(struct ebb_app *app, const char *format, const struct ebb_xfer *x, const struct ebb_xfer_plan *p, const char *speed,
		 struct ebb_arena *arena, struct ebb_err *err)
{
	struct ebb_transfer_bill bill;
	struct ebb_xfer_relax relax;
	bool none = p->status == EBB_XFER_INFEASIBLE;
	int r = ebb_transfer_bill(x, p, arena, &bill, err);

	bill.speed = speed;
	if (r == 0 && none)
		r = ebb_xfer_relax(x, p, arena, &relax, err);
	if (r < 0)
		return r;
	const struct ebb_xfer_relax *help = none ? &relax : NULL;
	if (app->json || !strcmp(format, "json"))
		return ebb_transfer_out_json(app->out, x, p, &bill, help, err);
	if (!strcmp(format, "text"))
		return ebb_transfer_out_text(app->out, x, p, &bill, help, err);
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
	return print(app, format ? format : "text", x, &p, NULL, &arena, err);
}

/* --- From the index --- */

struct asking {
	struct ebb_app *app;
	struct ebb_arena arena;
	struct ebb_transfer_make make;
	struct ebb_target *targets;
	size_t ntargets;
};

static void release(struct asking *a)
{
	for (size_t i = 0; i < a->ntargets; i++)
		ebb_target_release(&a->targets[i]);
	ebb_transfer_index_free(a->make.index);
	ebb_transfer_ratio_free(a->make.ratio);
	ebb_xfer_sum_free(a->make.sum);
	ebb_snap_close(a->make.snap);
	ebb_arena_release(&a->arena);
}

/* STORE[,STORE...] */
static int read_dests(struct asking *a, const char *list, struct ebb_err *err)
{
	const struct ebb_config *c = a->app->config;

	for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		size_t n = strcspn(p, ","), i = 0;

		while (i < c->nstores && (strlen(c->stores[i].open.name) != n || memcmp(c->stores[i].open.name, p, n) != 0))
			i++;
		if (i == c->nstores)
			return ebb_err_set(err, EBB_EUSAGE, "--to: there is no store '%.*s' in '%s'", (int)n, p, c->path);
		if (i >= EBB_XFER_BOOK_PLACES)
			return ebb_err_set(err, EBB_EUSAGE, "--to: only the first %d stores can be destinations", EBB_XFER_BOOK_PLACES);
		a->make.dests |= UINT64_C(1) << i;
	}
	return 0;
}

static int read_targets(struct asking *a, const struct ebb_cli_args *args, struct ebb_err *err)
{
	int n = ebb_cli_argc(args) - 1, r = 0;

	a->targets = ebb_arena_calloc(&a->arena, (size_t)n + 1, sizeof(*a->targets));
	if (!a->targets)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (int i = 0; r == 0 && i < n; i++) {
		r = ebb_target_parse(a->app, ebb_cli_arg(args, i + 1), &a->targets[i], err);
		if (r == 0 && !ebb_config_store(a->app->config, a->targets[a->ntargets++].store))
			r = ebb_err_set(err, EBB_EUSAGE, "store '%s' is not in '%s'", a->targets[i].store, a->app->config->path);
	}
	a->make.targets = a->targets;
	a->make.ntargets = a->ntargets;
	return r;
}

static int read_budget(struct asking *a, const char *text, struct ebb_err *err)
{
	struct ebb_money m;

	a->make.budget = -1;
	int r = text ? ebb_money_parse(text, &m, err) : 0;
	if (r < 0 || !text)
		return r < 0 ? ebb_err_set(err, EBB_EUSAGE, "--budget: '%s' is no amount of money; write it as in \"500 USD\"", text) : 0;
	if (strcmp(m.currency, "USD") != 0 || m.nano < 0)
		return ebb_err_set(err, EBB_EUSAGE, "--budget: transfers are planned in USD, not '%s'", text);
	a->make.budget = (ebb_xfer_num)m.nano * ((ebb_xfer_num)EBB_XFER_ONE * 1000);
	return 0;
}

static int read_copies(struct asking *a, const struct ebb_cli_args *args, struct ebb_err *err)
{
	long long n = ebb_cli_number(args, "copies", -1), dests = __builtin_popcountll(a->make.dests);

	if (n == -1)
		return 0;
	if (n < 1 || n > dests)
		return ebb_err_set(err, EBB_EUSAGE, "--copies: of %lld stores in --to, at least one and at most all", dests);
	if (n < dests && dests > EBB_XFER_CHOICES)
		return ebb_err_set(err, EBB_EUSAGE, "--copies chooses from at most %d stores, --to names %lld", EBB_XFER_CHOICES, dests);
	a->make.copies = n < dests ? (uint32_t)n : 0;
	return 0;
}

static int read_time(struct asking *a, const struct ebb_cli_args *args, struct ebb_err *err)
{
	int r = ebb_thawing_check(args, err);

	a->make.left = ebb_cli_number(args, "deadline", 0);
	if (a->make.left > INT64_C(366) * 86400 * EBB_CLOCK_SECOND)
		return ebb_err_set(err, EBB_EUSAGE, "--deadline: at most a year");
	a->make.speed = ebb_cli_string(args, "thaw");
	a->make.thaw_days = (int)ebb_cli_number(args, "thaw-days", EBB_THAWING_DAYS);
	return r;
}

/* What the plan does not do, and why; and what its run must be told. */
static void note_left(struct asking *a)
{
	if (a->make.plan.trees && a->make.thaw && ebb_transfer_bill_sleeps(a->make.x, &a->make.plan))
		ebb_app_note(a->app, "objects sleep where they are read; ebb transfer run FILE --thaw %s asks for them, which the plan holds", a->make.thaw);
	if (a->make.slots.merged)
		ebb_app_note(a->app, "links open and close more often until the deadline than %d times; in what comes then their order is not looked at",
			     EBB_TRANSFER_SLOTS_MAX);
	const struct ebb_transfer_left *l = ebb_transfer_index_left(a->make.index);

	if (l->present)
		ebb_app_note(a->app, "%lld objects stand at their destination already", (long long)l->present);
	if (l->taken)
		ebb_app_note(a->app, "%lld keys are taken at their destination, by something else or by what nothing proves to be the same; they are "
				     "left alone", (long long)l->taken);
	if (l->scarce)
		ebb_app_note(a->app, "%lld objects can stand at fewer stores than --copies says", (long long)l->scarce);
	if (l->archived)
		ebb_app_note(a->app, "%lld objects are archived wherever they are, and no price book says what thawing them costs; they are left alone", (long long)l->archived);
}

/* "move.eu-west-1.jsonl" of "move.jsonl". */
static const char *part_path(struct asking *a, const char *path, const char *site)
{
	const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');

	if (!dot || (slash && dot < slash))
		dot = path + strlen(path);
	char *out = ebb_arena_printf(&a->arena, "%.*s.%s%s", (int)(dot - path), path, site, dot);
	for (char *p = out ? out + (dot - path) + 1 : NULL; p && p < out + strlen(out) - strlen(dot); p++)
		if (*p == '/')
			*p = '-';
	return out;
}

/* A plan for each site that has something to read, for the agent there. */
static int write_parts(struct asking *a, const char *path, struct ebb_err *err)
{
	const struct ebb_config *c = a->app->config;
	char id[EBB_PLANFILE_ID_LEN];
	uint64_t seen = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->nstores; i++) {
		const char *site = ebb_transfer_make_site(&c->stores[i]);
		uint64_t only = 0;
		int64_t n = 0;

		for (size_t k = 0; k < c->nstores; k++)
			if (strcmp(ebb_transfer_make_site(&c->stores[k]), site) == 0)
				only |= UINT64_C(1) << k;
		if (seen & only)
			continue;
		seen |= only;
		const char *part = part_path(a, path, site);
		r = part ? ebb_transfer_make_file(&a->make, only, part, id, &n, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");
		if (r == 0 && n == 0)
			remove(part);	/* nothing is read there */
		else if (r == 0)
			ebb_app_note(a->app, "plan %.12s of %lld actions written to %s; run it at %s, again until nothing waits", id,
				     (long long)n, part, site);
	}
	return r;
}

static int write_plan(struct asking *a, const char *path, bool split, struct ebb_err *err)
{
	char id[EBB_PLANFILE_ID_LEN];
	int64_t n = 0;

	if (a->make.plan.status == EBB_XFER_INFEASIBLE) {
		ebb_app_note(a->app, "there is no plan, so '%s' is not written", path);
		return 0;
	}
	if (split)
		return write_parts(a, path, err);
	int r = ebb_transfer_make_file(&a->make, 0, path, id, &n, err);

	if (r == 0)
		ebb_app_note(a->app, "plan %.12s of %lld copies written to %s; ebb transfer run %s does exactly this", id, (long long)n, path,
			     path);
	return r;
}

static int plan_index(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(release) struct asking a = {.app = app, .make = {.app = app}};
	const char *to = ebb_cli_string(args, "to"), *path = ebb_cli_string(args, "output"), *format = ebb_cli_string(args, "format");
	int r;

	ebb_arena_init(&a.arena, 0);
	a.make.arena = &a.arena;
	bool split = a.make.split = ebb_cli_flag(args, "split");

	a.make.compress = ebb_cli_flag(args, "compress");
	if (a.make.compress && path && !split)
		return ebb_err_set(err, EBB_EUSAGE, "--compress takes --split: what is compressed by somebody elsewhere has crossed the link by then");
	if (!to || ebb_cli_argc(args) < 2)
		return ebb_err_set(err, EBB_EUSAGE, "transfer plan needs --instance FILE, or STORE... --to STORE");
	if ((r = ebb_app_config(app, err)) < 0 || (r = read_dests(&a, to, err)) < 0 || (r = read_targets(&a, args, err)) < 0 ||
	    (r = read_budget(&a, ebb_cli_string(args, "budget"), err)) < 0 || (r = read_copies(&a, args, err)) < 0 || (r = read_time(&a, args, err)) < 0 ||
	    (r = ebb_app_index(app, true, &ix, err)) < 0 ||
	    (r = ebb_app_snap(app, ix, &a.make.snap, err)) < 0 || (r = ebb_transfer_make(&a.make, err)) < 0)
		return r;
	r = print(app, format ? format : "text", a.make.x, &a.make.plan, a.make.thaw, &a.arena, err);
	if (r == 0 && path)
		r = write_plan(&a, path, split, err);
	note_left(&a);
	return r;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *what = ebb_cli_arg(args, 0), *path = ebb_cli_string(args, "instance");

	if (strcmp(what, "run") == 0 && ebb_cli_argc(args) == 2)
		return ebb_cmd_apply_plan(app, args, ebb_cli_arg(args, 1), err);
	if (strcmp(what, "run") == 0)
		return ebb_err_set(err, EBB_EUSAGE, "transfer run needs the file that transfer plan -o has written");
	if (strcmp(what, "plan") != 0)
		return ebb_err_set(err, EBB_EUSAGE, "'%s' is not something transfer does; it does plan and run", what);
	return path ? plan(app, path, ebb_cli_string(args, "format"), err) : plan_index(app, args, err);
}

static const struct ebb_cli_option options[] = {
	{"to", 0, EBB_CLI_STRING, "STORE[,STORE]", "plan: the stores that all objects are to stand in as well"},
	{"copies", 0, EBB_CLI_COUNT, "N", "plan: so many stores of --to are enough for each object, the cheapest ones; those that have it count (default: all)"},
	{"budget", 0, EBB_CLI_STRING, "MONEY", "plan: what it may cost, as in \"500 USD\""},
	{"deadline", 0, EBB_CLI_DURATION, "TIME", "plan: it must be done in that time; links have the rates that ebb.yaml gives them, runs its hours"},
	{"compress", 0, EBB_CLI_FLAG, NULL, "plan: agents at the stores compress what shrinks before a link, and decompress behind it (with --split)"},
	{"output", 'o', EBB_CLI_STRING, "FILE", "plan: write the actions there, for transfer run"},
	{"split", 0, EBB_CLI_FLAG, NULL, "plan: with -o, a file for each site, whose agent reads what is there: FILE with the region in its name"},
	{"instance", 0, EBB_CLI_STRING, "FILE", "plan what the file describes: sites, links, prices and groups (xfer-plan, version 1)"},
	{"format", 'f', EBB_CLI_CHOICE, "text|json|html|md", "how to write it; html and md are reports for who approves the money (default: text)"},
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "run: look whether every object still is what the plan saw, touch nothing"},
	{"max-objects", 0, EBB_CLI_COUNT, "N", "run: stop after so many actions"},
	{"max-bytes", 0, EBB_CLI_BYTES, "SIZE", "run: stop before more bytes than this are worked on"},
	{"jobs", 'j', EBB_CLI_COUNT, "N", "run: actions at the same time (default: 4)"},
	EBB_THAWING_OPTIONS,
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
	{"from, to, planned_bytes, sent_bytes", "string, number", "run: a line for each pair of stores that bytes went between"},
	{"run, done, skipped, failed, bytes", "string, number", "run: last line, as ebb-apply writes it"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb transfer plan lake:models/ --to frankfurt,mumbai -o move.jsonl", "the cheapest way from where the content is now",
	"ebb transfer plan lake:models/ --to frankfurt,mumbai,osaka --copies 2 -o move.jsonl", "wherever two copies cost least",
	"ebb transfer run move.jsonl", "do it, and compare what was sent with the plan",
	"ebb transfer plan lake:logs/ --to frankfurt --compress --split -o move.jsonl", "parts for agents in each region: move.me-central-1.jsonl, ...",
	"ebb transfer plan --instance move.json", "show the cheapest plan and what it saves",
	"ebb transfer plan --instance move.json --json | jq .cost_usd", "its cost",
	"ebb transfer plan --instance move.json --format md >plan.md", "a report to put before finance",
	NULL,
};

const struct ebb_cli_command ebb_cmd_transfer = {
	.name = "transfer",
	.summary = "find the cheapest way to move or replicate across regions",
	.usage = "plan STORE[:PREFIX]... --to STORE[,STORE] | plan --instance FILE | run FILE",
	.description =
		"plan finds the cheapest way to copy objects to further stores: which replicas to read, over which relays and\n"
		"along which trees to send.\nNothing is moved.\n"
		"\n"
		"From the index: content that stands at a destination under any key is not sent but copied there; content that\n"
		"stands in several stores (by digest or entity tag) is read where it is cheapest; relays are stores declared with\n"
		"relay: true.\nPrices come from the price books, and no way without a price is taken.\nDatasets stay within their\n"
		"residency.\n"
		"\n"
		"With --instance: from a file with sites, links and their prices, groups of objects, replicas and destinations.\n"
		"Such a plan also says where to compress.\n"
		"\n"
		"Every plan is recomputed by an independent verifier before it is printed, with a bound that no plan can be\n"
		"below.\n"
		"\n"
		"run does what plan -o has written, through the journal, as ebb-apply would: objects are streamed from store to\n"
		"store, checked end to end, hop by hop; sources stay; what lay at relays is removed at the end.\nIt then says for\n"
		"each link how much was planned and how much was sent.\nebb-undo removes the copies.\n"
		"\n"
		"With --deadline a link carries its rate (links in ebb.yaml; none: no limit) in the hours of limits.window until then.\n"
		"\n"
		"--split writes a plan for each region, to be run by an agent there, so that everything is read where it is.\nWhat other sites\n"
		"have to send first is waited for: such a run ends with status 7 and goes on when it is repeated, as a job does.\n"
		"With --compress these agents compress what shrinks (by samples, per extension) before it crosses.\n"
		"\n"
		"An infeasible instance says which constraint is in the way; the exit status is 0 then, too.\n"
		"\n"
		"Where slots, gb_per_hour and restore_hours change the plan, it is found by column generation and branch and bound.\n"
		"What these do not prove in a set number of steps is called feasible and comes with its bound.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
