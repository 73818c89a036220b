/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/apply.h"
#include "agent/audit.h"
#include "agent/cli.h"
#include "agent/cmd_apply.h"
#include "agent/realised.h"
#include "agent/replay.h"
#include "agent/sent.h"
#include "agent/session.h"
#include "agent/thawing.h"
#include "agent/transfer_rows.h"
#include "agent/undo.h"

struct applying {
	struct ebb_app *app;
	const char *path;		/* of the plan, as given */
	const struct ebb_cmd_apply_opts *opts;
	struct ebb_cmd_apply_told *told;
	struct ebb_planfile *plan;
	struct ebb_storeset *stores;
	struct ebb_apply apply;
	struct ebb_session_tell tell;
	struct ebb_thawing thawing;
	struct ebb_inuse inuse;
};

static const char *command(const struct applying *a)
{
	return a->opts->command ? a->opts->command : "ebb apply";
}

static void set_limits(struct applying *a)
{
	const struct ebb_config_limits *l = &a->app->config->limits;

	a->apply.limits = (struct ebb_planhead_limits){
		.max_delete = l->max_delete, .max_delete_ppm = l->max_delete_ppm,
		.max_objects = a->opts->max_objects >= 0 ? a->opts->max_objects : l->max_objects,
		.max_bytes = a->opts->max_bytes >= 0 ? a->opts->max_bytes : l->max_bytes,
		.max_cost = *l->max_cost.currency ? l->max_cost.nano : -1,
		.max_errors = l->max_errors, .window = l->window,
	};
}

/* Rules and prices may have changed since: apply does what was approved, and says so. */
static void note_changes(struct applying *a)
{
	const struct ebb_planhead *h = ebb_planfile_head(a->plan);
	const struct ebb_config *c = a->app->config;

	if (memcmp(h->rules_digest, c->rules_digest, sizeof(h->rules_digest)) != 0)
		ebb_app_note(a->app, "the configuration changed since the plan was made; the plan is applied as it is");
	if (memcmp(h->prices_digest, c->prices_digest, sizeof(h->prices_digest)) != 0)
		ebb_app_note(a->app, "prices changed since the plan was made; its amounts are those of then");
}

/* --- Looking only ---------------------------------------------------------------------------------------- */

struct sleepers {
	const struct ebb_storeset *stores;
	struct ebb_thaw thaw;
};

static int add_sleeper(void *ctx, const struct ebb_op *op, struct ebb_err *err)
{
	struct sleepers *s = ctx;

	return ebb_thaw_add_op(&s->thaw, s->stores, op, err);
}

/* What the plan reads must not sleep. */
static int wake(struct applying *a, struct ebb_err *err)
{
	struct sleepers s = {.stores = a->stores};

	if (a->opts->skip_asleep)
		return 0;
	int r = ebb_apply_each(&a->apply, a->plan, add_sleeper, &s, err);

	if (r == 0)
		r = ebb_thawing_settle(&a->thawing, a->stores, &s.thaw, err);
	ebb_thaw_release(&s.thaw);
	return r;
}

static int look(struct applying *a, struct ebb_err *err)
{
	struct ebb_journal_counts c = {0};
	struct ebb_planrow row;
	int r = ebb_apply_admit(&a->apply, a->plan, err);

	if (r == 0)
		r = wake(a, err);
	while (r >= 0 && (r = ebb_planfile_next(a->plan, &row, err)) == 1) {
		struct ebb_op op = {.action = row.action, .store = row.store, .key = row.obj.key,
				    .obj = row.obj, .with_store = row.with_store, .with_key = row.with.key,
				    .with = row.with};
		struct ebb_op_result res = {.outcome = EBB_OP_DONE};

		if (ebb_apply_look(&a->apply, &row, &res.why) < 0) {
			res.outcome = EBB_OP_SKIPPED;
			c.skipped++;
		} else {
			c.done++;
			c.bytes += ebb_op_subject(&op)->f[EBB_F_SIZE];
		}
		ebb_session_ended(&a->tell, &op, &res);
		r = ebb_app_cancelled(a->app, err);
	}
	a->told->counts = c;
	return r < 0 ? r : ebb_session_summary(&a->tell, NULL, "done", &c, err);
}

/* --- The run of this plan -------------------------------------------------------------------------------- */

struct candidate {
	const char *plan;
	struct ebb_run run;
	bool found;
};

static int is_ours(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct candidate *c = ctx;

	if (strcmp(run->plan, c->plan) != 0)
		return 0;
	ebb_run_release(&c->run);
	int r = ebb_run_copy(&c->run, run, err);
	c->found = r == 0;
	return r;
}

/* Begin a run, after everything that must hold before anything is touched. */
static int begin(struct applying *a, struct ebb_run *run, struct ebb_journal **j,
		 struct ebb_err *err)
{
	int r = ebb_apply_admit(&a->apply, a->plan, err);

	return r < 0 ? r
		     : ebb_run_create(a->app->index_dir, a->plan, ebb_app_now(a->app), run, j, err);
}

/*
 * The run to work on: the newest of this plan, unless something of it was undone; otherwise a new one.
 *
 * @return  0 with *j open; 1 when that run is complete.
 */
static int choose_run(struct applying *a, struct ebb_run *run, struct ebb_journal **j,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_replay_release) struct ebb_replay rep = {0};
	struct candidate c = {.plan = ebb_planfile_id(a->plan)};
	int r = ebb_run_each(a->app->index_dir, is_ours, &c, err);

	if (r == 0 && c.found)
		r = ebb_replay_run(c.run.journal, &rep, err);
	if (r < 0) {
		ebb_run_release(&c.run);
		return r;
	}
	/* relays are emptied at the end of a transfer, which is no reason to do it again */
	bool over = rep.undone || (rep.expired && !ebb_planhead_transfers(ebb_planfile_head(a->plan)));
	if (!c.found || over) {
		ebb_run_release(&c.run);
		return begin(a, run, j, err);
	}
	*run = c.run;
	if (rep.complete)
		return 1;
	a->tell.ended = (uint64_t)(rep.next - 1);
	return ebb_journal_append_to(run->journal, j, err);
}

/* What was only on its way goes from the relays. It may have been cut short before, so it is asked for again and again. */
static int clear_relays(struct applying *a, const struct ebb_run *run, struct ebb_err *err)
{
	const struct ebb_undo u = {
		.stores = a->stores, .clock = a->app->clock, .jobs = a->apply.jobs, .cancel = a->app->cancel,
		.ended = ebb_session_ended, .ctx = &(struct ebb_session_tell){.app = a->app},
	};
	struct ebb_journal_counts c = {0};
	int r = ebb_undo_expire(&u, run, &c, err);

	if (r == 0 && c.done)
		ebb_app_note(a->app, "removed %lld copies from relays", (long long)c.done);
	if (r == 0 && (c.skipped || c.failed))
		ebb_app_note(a->app, "%lld copies stay at relays", (long long)(c.skipped + c.failed));
	return r;
}

/* The folders that a key lay in below .ebb-transfer/, from the inside, as far as they are empty. */
static void prune(struct ebb_store *s, const char *key)
{
	char dir[EBB_KEY_MAX + 1];

	snprintf(dir, sizeof(dir), "%s", key);
	for (char *slash; (slash = strrchr(dir, '/'));) {
		slash[1] = '\0';
		if (ebb_store_rmdir(s, dir, NULL) < 0 && ebb_store_check(s, dir, NULL, NULL) != -EBB_ENOENT)
			return;
		*slash = '\0';
	}
}

/* What this site's part of a plan took away behind its last reader was put there by others, who left the folders. */
static int prune_relays(struct applying *a, struct ebb_err *err)
{
	struct ebb_planrow row;
	int r = ebb_planfile_seek(a->plan, 1, err);

	while (r >= 0 && (r = ebb_planfile_next(a->plan, &row, err)) == 1) {
		struct ebb_store *s = row.action == EBB_ACTION_DELETE && row.awaits ? ebb_storeset_find(a->stores, row.store) : NULL;

		if (s && (ebb_store_caps(s) & EBB_CAP_DIRS) && !strncmp(row.obj.key, EBB_TRANSFER_ROWS_RELAY, strlen(EBB_TRANSFER_ROWS_RELAY)))
			prune(s, row.obj.key);
	}
	return r < 0 ? r : ebb_planfile_seek(a->plan, 1, err);
}

/* What comes behind the last action of a transfer. */
static int end_transfer(struct applying *a, const struct ebb_run *run, bool complete, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_sent_release) struct ebb_sent links = {0};
	int r;

	if (!ebb_planhead_transfers(ebb_planfile_head(a->plan)))
		return 0;
	if (complete && ((r = clear_relays(a, run, err)) < 0 || (r = prune_relays(a, err)) < 0))
		return r;
	r = ebb_sent_read(a->plan, run->journal, &links, err);
	return r < 0 ? r : ebb_sent_print(&links, a->app->out, a->app->json, err);
}

/* Who decides what, before it is done: the plan, what it was made from, what it comes to. A run that goes on begins again. */
static int audit_begin(struct applying *a, const struct ebb_run *run, const char *event, const char *why, struct ebb_err *err)
{
	const struct ebb_planhead *h = ebb_planfile_head(a->plan);
	char rules[EBB_AUDIT_HEX], prices[EBB_AUDIT_HEX], actions[24], once[24], saving[24];
	const struct ebb_audit_fact facts[] = {
		{"actions", actions}, {"currency", h->currency}, {"one_off_nano", once}, {"saving_month_nano", saving},
		{"rules_sha256", rules}, {"prices_sha256", prices},
	};
	const struct ebb_audit_event e = {
		.time = ebb_app_now(a->app), .command = command(a), .event = event, .run = run ? run->id : NULL,
		.plan = ebb_planfile_id(a->plan), .why = why, .facts = facts, .nfacts = EBB_ARRAY_LEN(facts),
	};

	ebb_digest_hex(h->rules_digest, sizeof(h->rules_digest), rules);
	ebb_digest_hex(h->prices_digest, sizeof(h->prices_digest), prices);
	snprintf(actions, sizeof(actions), "%lld", (long long)ebb_planfile_count(a->plan));
	snprintf(once, sizeof(once), "%lld", (long long)h->all.one_off);
	snprintf(saving, sizeof(saving), "%lld", (long long)h->all.saving);
	return ebb_audit_append(a->app->index_dir, &e, err);
}

/* What it promised and did, for the history. A ledger that cannot be written is no failure of the run. */
static void record_savings(struct applying *a, const struct ebb_run *run)
{
	struct ebb_err why = {0};

	if (ebb_realised_record(a->app, run, &why) < 0)
		ebb_app_note(a->app, "the savings of this run are not in the history: %s", why.msg);
}

static int run_it(struct applying *a, const struct ebb_run *run, struct ebb_journal **j,
		  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *copy = NULL;
	struct ebb_apply_done done = {0};
	struct ebb_err why = {0};
	int r = ebb_planfile_open(run->plan_path, &copy, err);

	if (r < 0 || (r = audit_begin(a, run, "begin", NULL, err)) < 0)
		return r;
	a->tell.total = (uint64_t)run->actions;
	ebb_progress_start(&a->tell.progress, a->app->err, a->app->quiet, "apply", "actions");
	r = ebb_apply_run(&a->apply, run, copy, *j, &done, &why);
	a->told->counts = done.session;
	a->told->complete = done.complete;
	snprintf(a->told->run, sizeof(a->told->run), "%s", run->id);
	ebb_journal_close(*j);
	*j = NULL;
	record_savings(a, run);
	int ended = end_transfer(a, run, done.complete, r < 0 ? NULL : &why);
	r = r < 0 ? r : ended;
	int logged = ebb_session_audit(a->app, command(a), "end", run, &done.session, r, &why, r < 0 ? NULL : &why);
	r = r < 0 ? r : logged;
	int told = ebb_session_summary(&a->tell, run, "applied", &done.run, err);
	if (r < 0)
		return a->opts->again ? ebb_err_set(err, -r, "%s; %s goes on from here", why.msg, a->opts->again)
				      : ebb_err_set(err, -r, "%s; ebb apply %s goes on from here", why.msg, a->path);
	return told;
}

/* What the finished run left is not tried again: the plan no longer knows those objects. */
static int already(struct applying *a, const struct ebb_run *run, struct ebb_err *err)
{
	long long left = run->counts.skipped + run->counts.failed;

	fprintf(a->app->json ? a->app->err : a->app->out, "already applied by run %s; nothing to do\n",
		run->id);
	if (left)
		ebb_app_note(a->app, "%lld of its objects were skipped or failed; ebb scan and ebb plan judge them anew",
			     left);
	return a->app->json ? ebb_session_summary(&a->tell, run, "applied",
						  &(struct ebb_journal_counts){0}, err)
			    : 0;
}

static int apply(struct applying *a, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_run_release) struct ebb_run run = {0};
	EBB_CLEANUP(ebb_journal_closep) struct ebb_journal *j = NULL;
	int r = ebb_session_begin(a->app, command(a), &lock, err);

	if (r < 0 || (r = wake(a, err)) < 0)
		return r;
	struct ebb_err why = {0};
	r = choose_run(a, &run, &j, &why);
	if (r == -EBB_ELIMIT || r == -EBB_ECONFIG)
		audit_begin(a, NULL, "refuse", why.msg, NULL);
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	a->told->complete = r == 1;
	if (r == 1) {
		r = end_transfer(a, &run, true, err);
		return r < 0 ? r : already(a, &run, err);
	}
	return run_it(a, &run, &j, err);
}

static void release(struct applying *a)
{
	ebb_inuse_release(&a->inuse);
	ebb_planfile_close(a->plan);
	ebb_storeset_free(a->stores);
}

int ebb_cmd_apply_file(struct ebb_app *app, const char *path, const struct ebb_cmd_apply_opts *opts,
		       struct ebb_cmd_apply_told *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct applying a = {
		.app = app, .path = path, .opts = opts, .told = ret, .tell = {.app = app, .dry = opts->dry},
	};
	char *again = NULL;
	int r;

	*ret = (struct ebb_cmd_apply_told){0};
	if ((r = ebb_planfile_open(a.path, &a.plan, err)) < 0 || (r = ebb_app_config(app, err)) < 0)
		return r;
	a.stores = ebb_storeset_new(app->config);
	if (!a.stores)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if ((r = ebb_storeset_expect(a.stores, ebb_planfile_head(a.plan), err)) < 0)
		return r;
	a.apply.stores = a.stores;
	a.apply.rules = app->config->rules;
	a.apply.inuse = app->config->guards.open_files ? &a.inuse : NULL;
	a.apply.links = &app->config->links;
	a.apply.index = app->index_dir;
	a.apply.clock = app->clock;
	a.apply.cancel = app->cancel;
	a.apply.jobs = opts->jobs;
	a.apply.ended = ebb_session_ended;
	a.apply.ctx = &a.tell;
	set_limits(&a);
	note_changes(&a);
	if (asprintf(&again, "ebb apply %s", path) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	a.thawing = (struct ebb_thawing){.app = app, .speed = opts->thaw, .days = opts->thaw_days, .wait = opts->wait, .dry = opts->dry,
					 .again = opts->again ? opts->again : again};
	r = opts->dry ? look(&a, err) : apply(&a, err);
	free(again);
	return r;
}

int ebb_cmd_apply_plan(struct ebb_app *app, const struct ebb_cli_args *args, const char *path, struct ebb_err *err)
{
	const struct ebb_cmd_apply_opts opts = {
		.dry = ebb_cli_flag(args, "dry-run"),
		.max_objects = ebb_cli_number(args, "max-objects", -1),
		.max_bytes = ebb_cli_number(args, "max-bytes", -1),
		.jobs = (unsigned)ebb_cli_number(args, "jobs", 0),
		.thaw = ebb_cli_string(args, "thaw"),
		.thaw_days = (int)ebb_cli_number(args, "thaw-days", EBB_THAWING_DAYS),
		.wait = ebb_cli_flag(args, "wait"),
	};
	struct ebb_cmd_apply_told told;
	int r = ebb_thawing_check(args, err);

	return r < 0 ? r : ebb_cmd_apply_file(app, path, &opts, &told, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	return ebb_cmd_apply_plan(app, args, ebb_cli_arg(args, 0), err);
}

static const struct ebb_cli_option options[] = {
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "look whether every object still is what the plan saw, touch nothing"},
	{"max-objects", 0, EBB_CLI_COUNT, "N", "stop after so many actions"},
	{"max-bytes", 0, EBB_CLI_BYTES, "SIZE", "stop before more bytes than this are worked on"},
	{"jobs", 'j', EBB_CLI_COUNT, "N", "actions at the same time (default: 4)"},
	EBB_THAWING_OPTIONS,
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"outcome, action, store, path, path_b64, code, why", "string", "a line for each object that was skipped or failed"},
	{"speed, offered, hours, days, objects, bytes, cost_nano, copies_nano, currency", "various", "a line for each speed when archived objects must be thawed first"},
	{"from, to, planned_bytes, sent_bytes", "string, number", "transfers: a line for each pair of stores that bytes went between"},
	{"run", "string", "last line: id of the run, for ebb-undo; null with --dry-run"},
	{"dry_run", "boolean", "last line"},
	{"done, skipped, failed", "number", "last line: actions of the run so far"},
	{"bytes", "number", "last line: size of the objects that were done"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb apply -n plan.jsonl", "see what changed since the plan was made",
	"ebb apply plan.jsonl", "do it",
	"ebb undo last", "take it back",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_apply;
const struct ebb_cli_command ebb_cmd_apply = {
	.name = "apply",
	.summary = "do exactly what a plan says",
	.usage = "FILE",
	.description =
		"Does the actions of a plan, each after a look whether its object still is what the plan saw.\n"
		"What changed is skipped and named, and the exit status is 1.\n"
		"\n"
		"Every action is in the journal of the run before it begins.\nDeleted objects wait in .ebb-trash of their store;\n"
		"moved and compressed ones are read back and compared before the original goes.\nNothing is ever overwritten.\n"
		"ebb-undo takes a run back, from what INDEX/runs knows; unlike the index that folder cannot be rebuilt.\n"
		"\n"
		"When objects that it has to read sleep in archive classes nothing is done: what thawing costs is told, by speed.\nWith --thaw they "
		"are thawed first; the same command goes on when they can be read (status 7 until then).\n"
		"\n"
		"A run that was interrupted, stopped by a limit or killed goes on when the same plan is applied again.\n"
		"A plan that is done is not done twice.\n"
		"\n"
		"Before anything is touched the plan must keep max_delete and max_cost, and every store must be the one that\n"
		"the plan saw (status 4 when a mount is missing).\nOther limits stop the run on the way, with status 7.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
