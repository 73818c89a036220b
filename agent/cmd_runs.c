/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb runs: what can still be taken back of each run; journals that are of no more use; one that is damaged out of the way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/session.h"
#include "agent/undo.h"
#include "core/units.h"

struct runs {
	struct ebb_app *app;
	struct ebb_out_table *table;
	int64_t older;		/* prune: also runs that ended before this, ns since the epoch; INT64_MIN: none */
	bool dry;
	int64_t kept, gone, bytes;
};

static int64_t size_on_disk(const struct ebb_run *run)
{
	const char *const files[] = {run->journal, run->plan_path};
	int64_t sum = 0;
	struct stat st;

	for (size_t i = 0; i < EBB_ARRAY_LEN(files); i++)
		sum += stat(files[i], &st) == 0 ? st.st_size : 0;
	return sum;
}

/* --- List ------------------------------------------------------------------------------------------------- */

static int show(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct runs *x = ctx;
	struct ebb_undo_left left;
	char a[EBB_OUT_TEXT_MAX], d[EBB_UNITS_TEXT];
	int r = ebb_undo_left(run, &left, err);

	if (r < 0)
		return ebb_err_wrap(err, "'ebb runs --set-aside %s' lets others go on", run->id);
	if (x->app->json) {
		json_t *o = json_pack("{s:s, s:s?, s:I, s:I, s:I, s:I, s:I}", "run", run->id, "outcome", run->closed ? run->outcome : NULL,
				      "actions", (json_int_t)run->actions, "undoable", (json_int_t)left.objects, "in_trash",
				      (json_int_t)left.trash, "packed", (json_int_t)left.packed, "disk_bytes", (json_int_t)size_on_disk(run));
		if (run->closed && ebb_out_json_time(o, "ended", run->ended)) {
			json_decref(o);
			o = NULL;
		}
		return ebb_out_json(x->app->out, o, err);
	}
	ebb_out_cell(x->table, "%s", run->id);
	ebb_out_cell(x->table, "%s", run->closed ? ebb_units_format_date(run->ended, d) : "killed");
	ebb_out_cell(x->table, "%s", ebb_out_count((uint64_t)run->actions, a));
	ebb_out_cell(x->table, "%s", ebb_out_count((uint64_t)left.objects, a));
	ebb_out_cell(x->table, "%s", ebb_out_count((uint64_t)left.trash, a));
	ebb_out_cell(x->table, "%s", ebb_out_count((uint64_t)left.packed, a));
	ebb_out_cell(x->table, "%s", ebb_out_bytes((uint64_t)size_on_disk(run), a));
	return 0;
}

static int list(struct runs *x, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"run", false}, {"ended", false}, {"actions", true}, {"can be undone", true}, {"in trash", true}, {"in packs", true}, {"journal", true},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	int r = t ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	x->table = t;
	if (r == 0)
		r = ebb_run_each(x->app->index_dir, show, x, err);
	if (r == 0 && !x->app->json)
		r = ebb_out_table_print(t, x->app->out, 0, err);
	return r;
}

/* --- Prune ------------------------------------------------------------------------------------------------ */

/* What a journal alone knows must be of no more use: what lies in the trash, and where members lie in packs. */
static bool is_spent(const struct runs *x, const struct ebb_run *run, const struct ebb_undo_left *left)
{
	if (!run->closed || left->trash || left->packed)
		return false;
	bool over = run->way != EBB_OP_APPLY || strcmp(run->outcome, "complete") == 0;
	return (over && left->objects == 0) || run->ended < x->older;
}

static int prune_one(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct runs *x = ctx;
	struct ebb_undo_left left;
	char a[EBB_OUT_TEXT_MAX];
	int64_t bytes = size_on_disk(run);
	int r = ebb_undo_left(run, &left, err);

	if (r < 0)
		return ebb_err_wrap(err, "'ebb runs --set-aside %s' lets others go on", run->id);
	if (!is_spent(x, run, &left)) {
		x->kept++;
		return 0;
	}
	if (!x->dry && (r = ebb_session_audit(x->app, "ebb runs --prune", "prune", run, NULL, 0, NULL, err)) == 0)
		r = ebb_run_remove(x->app->index_dir, run, err);
	if (r < 0)
		return r;
	x->gone++;
	x->bytes += bytes;
	if (!x->app->json)
		fprintf(x->app->out, "%s run %s%s%s%s\n", x->dry ? "would remove" : "removed", run->id, left.objects ? ", of which " : "",
			left.objects ? ebb_out_count((uint64_t)left.objects, a) : "", left.objects ? " actions could be undone" : "");
	return 0;
}

static int prune(struct runs *x, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	int r = x->dry ? ebb_app_config(x->app, err) : ebb_session_begin(x->app, "ebb runs --prune", &lock, err);

	if (r == 0)
		r = ebb_run_each(x->app->index_dir, prune_one, x, err);
	if (r < 0)
		return r;
	if (x->app->json)
		return ebb_out_json(x->app->out, json_pack("{s:b, s:I, s:I, s:I}", "dry_run", x->dry, "removed", (json_int_t)x->gone, "kept",
				(json_int_t)x->kept, "disk_bytes", (json_int_t)x->bytes), err);
	fprintf(x->app->out, "%s %s, %s; %lld kept\n", ebb_out_things((uint64_t)x->gone, "run", a), x->dry ? "would go" : "gone",
		ebb_out_bytes((uint64_t)x->bytes, b), (long long)x->kept);
	return 0;
}

/* --- Set aside -------------------------------------------------------------------------------------------- */

struct finding {
	const char *id;
	bool whole;
};

/* Its journal can be read, and its last session ended. */
static int find_whole(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct finding *f = ctx;
	struct ebb_undo_left left;

	(void)err;
	if (strcmp(run->id, f->id) == 0)
		f->whole = run->closed && ebb_undo_left(run, &left, NULL) == 0;
	return 0;
}

static int set_aside(struct runs *x, const char *id, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	struct finding f = {.id = id};
	int r = ebb_app_lock(x->app, "ebb runs --set-aside", &lock, err);

	if (r < 0)
		return r;
	if (!ebb_run_stands(x->app->index_dir, id))
		return ebb_err_set(err, EBB_ENOENT, "there is no run '%s'; its id must be whole", id);
	ebb_run_each(x->app->index_dir, find_whole, &f, NULL);
	if (f.whole)
		return ebb_err_set(err, EBB_EUSAGE, "run %s is whole and ended in good order; 'ebb undo' takes it back, --prune removes it when it is spent", id);
	if ((r = ebb_session_audit(x->app, "ebb runs --set-aside", "aside", NULL, NULL, 0, NULL, err)) < 0 ||
	    (r = ebb_run_set_aside(x->app->index_dir, id, &path, err)) < 0)
		return r;
	if (x->app->json)
		return ebb_out_json(x->app->out, json_pack("{s:s, s:s}", "run", id, "aside", path), err);
	fprintf(x->app->out, "run %s lies in '%s' now and is not read any more\n", id, path);
	ebb_app_note(x->app, "it cannot be undone from there; what it put into the trash stays in .ebb-trash/%s of its stores, and copies or "
		     "temporaries that it left half-done stay, too; originals were not removed without a verified copy", id);
	return 0;
}

/* --- The command ------------------------------------------------------------------------------------------ */

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	struct runs x = {.app = app, .older = INT64_MIN, .dry = ebb_cli_flag(args, "dry-run")};
	const char *aside = ebb_cli_string(args, "set-aside");
	long long older = ebb_cli_number(args, "older-than", -1);
	bool prunes = ebb_cli_flag(args, "prune");
	int r;

	if (!prunes && (older >= 0 || x.dry))
		return ebb_err_set(err, EBB_EUSAGE, "--older-than and --dry-run go with --prune");
	if (prunes && aside)
		return ebb_err_set(err, EBB_EUSAGE, "--prune and --set-aside do not go together");
	if (older >= 0)
		x.older = ebb_app_now(app) - older;
	r = prunes ? prune(&x, err) : aside ? set_aside(&x, aside, err) : list(&x, err);
	int flushed = ebb_out_flush(app->out, r == 0 ? err : NULL);
	return r < 0 ? r : flushed;
}

static const struct ebb_cli_option options[] = {
	{"prune", 0, EBB_CLI_FLAG, NULL, "remove the journals of runs of which nothing is left to be undone"},
	{"older-than", 0, EBB_CLI_DURATION, "TIME", "with --prune: also of those that ended longer ago, which cannot be undone then"},
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "with --prune: say which, touch nothing"},
	{"set-aside", 0, EBB_CLI_STRING, "RUN", "put a run whose journal is damaged, or that cannot be recovered, out of the way"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"run, outcome, ended, actions", "various", "a line for each run; outcome is null when it was killed"},
	{"undoable, in_trash, packed", "number", "of it: actions that could be undone; of these, in the trash, in packs"},
	{"disk_bytes", "number", "of it: journal and plan; with --prune: of all that went"},
	{"dry_run, removed, kept", "various", "with --prune: one line"},
	{"run, aside", "string", "with --set-aside: where it lies now"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb runs", "what could be undone of each run",
	"ebb runs --prune --older-than 180d -n", "which journals would go",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_runs;
const struct ebb_cli_command ebb_cmd_runs = {
	.name = "runs",
	.summary = "list runs, prune their journals, set a damaged one aside",
	.usage = "",
	.description =
		"Lists every run, how much of it could still be taken back, and what its journal takes on disk.\n"
		"\n"
		"With --prune the journals of runs go of which nothing is left: all was undone, or let go from the trash.\n"
		"With --older-than also those that ended longer ago; what they moved or compressed cannot be undone any more.\n"
		"A run with something in the trash, or in packs, always stays: only its journal knows what and where.\n"
		"\n"
		"A damaged journal stops every command that needs it, so that nothing is done without knowing.\n"
		"With --set-aside its run is renamed and not read any more, and others go on.\nThe stores are not touched.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = 0,
	.run = run,
};
