/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/session.h"
#include "agent/target.h"
#include "agent/thawing.h"
#include "agent/undo.h"
#include "agent/undo_cost.h"

struct chosen {
	struct ebb_session_tell tell;	/* first: ebb_session_ended gets the whole struct */
	struct ebb_target *targets;
	size_t n;
};

static bool wanted(void *ctx, const char *store, const char *key)
{
	const struct chosen *c = ctx;

	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->targets[i].store, store) == 0 &&
		    ebb_target_has(&c->targets[i], key, strlen(key)))
			return true;
	return c->n == 0;
}

static int parse_targets(struct ebb_app *app, const struct ebb_cli_args *args, struct chosen *c,
			 struct ebb_err *err)
{
	int n = ebb_cli_argc(args) - 1, r = 0;

	c->targets = calloc((size_t)n + 1, sizeof(*c->targets));
	if (!c->targets)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (int i = 0; r == 0 && i < n; i++) {
		r = ebb_target_parse(app, ebb_cli_arg(args, i + 1), &c->targets[i], err);
		c->n += r == 0;
	}
	return r;
}

static void release(struct chosen *c)
{
	for (size_t i = 0; i < c->n; i++)
		ebb_target_release(&c->targets[i]);
	free(c->targets);
}

/* What it costs is told first, and must keep max_cost. */
static int tell_cost(struct ebb_app *app, const struct ebb_undo *u, const struct ebb_run *run, bool limited, struct ebb_err *err)
{
	const struct ebb_money *limit = &app->config->limits.max_cost;
	struct ebb_undo_cost cost;
	char a[EBB_OUT_TEXT_MAX];
	int r = ebb_undo_cost_of(u, run, app->config, &cost, err);

	if (r < 0)
		return r;
	if (u->dry && app->json)
		r = ebb_out_json(app->out, json_pack("{s:I, s:s, s:I}", "cost_nano", (json_int_t)cost.all.nano, "currency", cost.all.currency,
						     "unpriced", (json_int_t)cost.unpriced), err);
	else if (!app->quiet)
		ebb_undo_cost_print(&cost, app->config, u->dry ? app->out : app->err);
	if (r == 0 && !u->dry && *limit->currency && limited && (cost.unpriced || cost.all.nano > limit->nano))
		r = ebb_err_set(err, EBB_ELIMIT, cost.unpriced ? "max_cost cannot be kept: not every action has a price; --any-cost takes it back all the same" :
				"taking it back costs %s, which is more than max_cost; --any-cost takes it back all the same",
				ebb_out_money(&cost.all, a));
	return r;
}

static int undo(struct ebb_app *app, const struct ebb_run *run, struct chosen *c, const struct ebb_cli_args *args,
		struct ebb_err *err)
{
	bool dry = ebb_cli_flag(args, "dry-run");
	const struct ebb_thawing w = ebb_thawing_of(app, args, dry, "ebb undo");
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = NULL;
	struct ebb_journal_counts counts = {0};
	struct ebb_err why = {0};
	int r = ebb_session_stores(app, run, &stores, err);

	if (r < 0)
		return r;
	const struct ebb_undo u = {
		.stores = stores, .clock = app->clock, .jobs = (unsigned)ebb_cli_number(args, "jobs", 0), .cancel = app->cancel, .dry = dry,
		.wanted = wanted, .ended = ebb_session_ended, .ctx = c,
	};
	if ((r = tell_cost(app, &u, run, !ebb_cli_flag(args, "any-cost"), err)) < 0 || (r = ebb_thawing_undo(&w, &u, run, err)) < 0 ||
	    (!dry && (r = ebb_session_audit(app, "ebb undo", "begin", run, NULL, 0, NULL, err)) < 0))
		return r;
	ebb_progress_start(&c->tell.progress, app->err, app->quiet, "undo", "actions");
	r = ebb_undo_run(&u, run, &counts, &why);
	int logged = dry ? 0 : ebb_session_audit(app, "ebb undo", "end", run, &counts, r, &why, r < 0 ? NULL : &why);
	r = r < 0 ? r : logged;
	if (r == 0 && counts.done + counts.skipped + counts.failed == 0)
		ebb_app_note(app, "nothing of run %s is left to be taken back%s", run->id,
			     c->n ? " there" : "");
	int told = ebb_session_summary(&c->tell, run, "given back", &counts, err);
	return r < 0 ? ebb_err_set(err, -r, "%s; the same command goes on from here", why.msg) : told;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_run_release) struct ebb_run which = {0};
	bool dry = ebb_cli_flag(args, "dry-run");
	EBB_CLEANUP(release) struct chosen c = {.tell = {.app = app, .dry = dry}};
	int r = ebb_thawing_check(args, err);

	if (r == 0)
		r = dry ? ebb_app_config(app, err) : ebb_session_begin(app, "ebb undo", &lock, err);
	if (r < 0 || (r = parse_targets(app, args, &c, err)) < 0 ||
	    (r = ebb_run_find(app->index_dir, ebb_cli_arg(args, 0), &which, err)) < 0)
		return r;
	return undo(app, &which, &c, args, err);
}

static const struct ebb_cli_option options[] = {
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "look whether everything can be taken back, touch nothing"},
	{"jobs", 'j', EBB_CLI_COUNT, "N", "actions at the same time (default: 4)"},
	{"any-cost", 0, EBB_CLI_FLAG, NULL, "also when it costs more than max_cost of the configuration"},
	EBB_THAWING_OPTIONS,
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"outcome, action, store, path, path_b64, code, why", "string", "a line for each object that was skipped or failed"},
	{"speed, offered, hours, days, objects, bytes, cost_nano, copies_nano, currency", "various", "a line for each speed when archived objects must be thawed first"},
	{"cost_nano, currency, unpriced", "various", "with --dry-run, first line: what it costs, and actions without a price"},
	{"run", "string", "last line: the run"},
	{"dry_run", "boolean", "last line"},
	{"done, skipped, failed, bytes", "number", "last line: actions taken back, left, failed; size of the objects"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb undo last", "take back the last run",
	"ebb undo 20261123T190000Z-1f2e3d4c scratch:logs/", "take back a part of a run",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_undo;
const struct ebb_cli_command ebb_cmd_undo = {
	.name = "undo",
	.summary = "take back what a run did",
	.usage = "RUN|last [KEY...]",
	.description =
		"Takes a run back, all of it or the keys named (STORE:KEY or a path; a folder means all below it), last action first:\n"
		"from the trash, from the store it was moved to, from the compressed file; bytes, metadata and times.\n"
		"Times of folders come back as well, where nobody else changed the folder since and all of it was taken back.\n"
		"\n"
		"Where something new stands, it stays; that object is skipped and named, and the exit status is 1.\n"
		"What its rule deleted for good, and what the trash has let go, cannot come back.\n"
		"\n"
		"What taking it back costs (reading, early deletion, requests, bytes between regions) is told first, and must keep max_cost.\n"
		"\n"
		"What lies in archive classes by now must be thawed first: without --thaw nothing is done and the price is told,\n"
		"with it the same command goes on when everything can be read (status 7 until then).\n"
		"\n"
		"RUN may be the beginning of a run's id; ebb-status lists them.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
