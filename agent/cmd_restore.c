/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/session.h"
#include "agent/target.h"
#include "agent/thawing.h"
#include "agent/undo.h"

struct restoring {
	struct ebb_session_tell tell;	/* first: ebb_session_ended gets the whole struct */
	struct ebb_target target;
	const struct ebb_thawing *thawing;
	bool looking;			/* only whether a run took it */
	bool found;
};

static bool wanted(void *ctx, const char *store, const char *key)
{
	struct restoring *r = ctx;

	return strcmp(r->target.store, store) == 0 && ebb_target_has(&r->target, key, strlen(key));
}

static void ended(void *ctx, const struct ebb_op *op, const struct ebb_op_result *res)
{
	struct restoring *r = ctx;

	if (r->looking)
		r->found = true;
	else
		ebb_session_ended(&r->tell, op, res);
}

/* Runs, newest last, as ebb_run_each gives them. */
struct runs {
	struct ebb_run *run;
	size_t n;
};

static int add_run(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct runs *all = ctx;
	struct ebb_run *more = reallocarray(all->run, all->n + 1, sizeof(*more));

	if (!more)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	all->run = more;
	int r = ebb_run_copy(&all->run[all->n], run, err);
	all->n += r == 0;
	return r;
}

static void release_runs(struct runs *all)
{
	for (size_t i = 0; i < all->n; i++)
		ebb_run_release(&all->run[i]);
	free(all->run);
}

static int undo(struct ebb_app *app, const struct ebb_run *run, struct restoring *r, bool dry,
		struct ebb_journal_counts *counts, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = NULL;
	int e = ebb_session_stores(app, run, &stores, err);

	if (e < 0)
		return e;
	const struct ebb_undo u = {
		.stores = stores, .clock = app->clock, .cancel = app->cancel, .dry = dry,
		.wanted = wanted, .ended = ended, .ctx = r,
	};
	if (!r->looking && (e = ebb_thawing_undo(r->thawing, &u, run, err)) < 0)
		return e;
	if (dry)
		return ebb_undo_run(&u, run, counts, err);
	if ((e = ebb_session_audit(app, "ebb restore", "begin", run, NULL, 0, NULL, err)) < 0)
		return e;
	struct ebb_err why = {0};
	e = ebb_undo_run(&u, run, counts, &why);
	int logged = ebb_session_audit(app, "ebb restore", "end", run, counts, e, &why, e < 0 ? NULL : err);
	return e < 0 ? ebb_err_set(err, -e, "%s", why.msg) : logged;
}

/* The newest run that took it and did not give it back. */
static int restore(struct ebb_app *app, const char *word, struct restoring *r,
		   const struct runs *all, struct ebb_err *err)
{
	struct ebb_journal_counts counts = {0};
	int e = 0;

	r->found = false;
	for (size_t i = all->n; e == 0 && i-- > 0;) {
		r->looking = true;
		e = undo(app, &all->run[i], r, true, &counts, err);
		if (e < 0 || !r->found)
			continue;
		r->looking = false;
		e = undo(app, &all->run[i], r, r->tell.dry, &counts, err);
		return e < 0 ? e : ebb_session_summary(&r->tell, &all->run[i], "given back", &counts, err);
	}
	return e < 0 ? e : ebb_err_set(err, EBB_ENOENT, "no run took '%s', or it was given back already", word);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(release_runs) struct runs all = {0};
	bool dry = ebb_cli_flag(args, "dry-run");
	const struct ebb_thawing w = ebb_thawing_of(app, args, dry, "ebb restore");
	int worst = 0, r = ebb_thawing_check(args, err);

	if (r == 0)
		r = dry ? ebb_app_config(app, err) : ebb_session_begin(app, "ebb restore", &lock, err);
	if (r == 0)
		r = ebb_run_each(app->index_dir, add_run, &all, err);
	for (int i = 0; r == 0 && i < ebb_cli_argc(args); i++) {
		struct restoring one = {.tell = {.app = app, .dry = dry}, .thawing = &w};

		r = ebb_target_parse(app, ebb_cli_arg(args, i), &one.target, err);
		if (r < 0)
			break;
		r = restore(app, ebb_cli_arg(args, i), &one, &all, err);
		ebb_target_release(&one.target);
		if (r == -EBB_EPARTIAL) {
			worst = r;
			r = 0;
		}
	}
	return r < 0 ? r : worst;
}

static const struct ebb_cli_option options[] = {
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "look whether it can be given back, touch nothing"},
	EBB_THAWING_OPTIONS,
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"outcome, action, store, path, path_b64, code, why", "string", "a line for each object that was skipped or failed"},
	{"run", "string", "for each argument: the run it was taken from"},
	{"dry_run", "boolean", "for each argument"},
	{"done, skipped, failed, bytes", "number", "for each argument: objects given back, left, failed; their size"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb restore /data/scratch/results.csv", "bring back one file",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_restore;
const struct ebb_cli_command ebb_cmd_restore = {
	.name = "restore",
	.summary = "bring back an object, whichever run took it",
	.usage = "STORE:KEY|PATH...",
	.description =
		"Looks for the newest run that deleted, moved, compressed or archived the object, and takes back that one action, as ebb-undo does.\n"
		"A folder means all below it, as far as one run took it.\n"
		"What sleeps in an archive class is thawed first with --thaw; without, its price is told and nothing is done.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
