/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/cmd_trash.h"
#include "agent/out.h"
#include "agent/session.h"
#include "agent/trash.h"
#include "agent/undo.h"
#include "core/units.h"

#define COMMAND "ebb trash --empty"

struct emptying {
	struct ebb_session_tell tell;	/* first: ebb_session_ended gets the whole struct */
	const char *only;		/* id of a run, or NULL: all */
	struct ebb_journal_counts counts;
	int64_t left;			/* expired objects of the run at hand that cannot be reached */
};

static int show_json(struct ebb_app *app, const struct ebb_config *config, const struct ebb_trash *t, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct ebb_trash_sum *s = &t->sums[i];
		json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "run", s->run, "store", s->store,
				      "objects", (json_int_t)s->objects, "bytes", (json_int_t)s->bytes,
				      "expired", (json_int_t)s->expired, "expired_bytes",
				      (json_int_t)s->expired_bytes, "unpriced", (json_int_t)s->unpriced);
		r = ebb_trash_month_json(o, config, s->month, s->unpriced < s->objects, err);
		if (r < 0 || ebb_out_json_time(o, "first_expires", s->first) ||
		    ebb_out_json_time(o, "last_expires", s->last)) {
			json_decref(o);
			o = NULL;
		}
		r = r < 0 ? r : ebb_out_json(app->out, o, err);
	}
	return r < 0 ? r : ebb_out_flush(app->out, err);
}

static int sum_rows(struct ebb_out_table *o, const struct ebb_config *config, const struct ebb_trash *t, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], month[EBB_TRASH_TEXT];
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct ebb_trash_sum *s = &t->sums[i];

		ebb_out_cell(o, "%s", *s->run ? s->run : "in all");
		ebb_out_cell(o, "%s", s->store);
		ebb_out_cell(o, "%s", ebb_out_count((uint64_t)s->objects, a));
		ebb_out_cell(o, "%s", ebb_out_bytes((uint64_t)s->bytes, a));
		r = ebb_trash_month_text(config, s, month, err);
		ebb_out_cell(o, "%s", month);
		ebb_out_cell(o, "%s", ebb_out_bytes((uint64_t)s->expired_bytes, a));
		ebb_out_cell(o, "%s", ebb_units_format_date(s->first, a));
		ebb_out_cell(o, "%s", ebb_units_format_date(s->last, a));
	}
	return r;
}

static int show_text(struct ebb_app *app, const struct ebb_config *config, struct ebb_trash *t, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"run", false}, {"store", false}, {"objects", true}, {"size", true}, {"costs a month", true},
		{"may go now", true}, {"from", false}, {"to", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *o =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	if (!o)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (t->n == 0)
		fputs("nothing is in the trash\n", app->out);
	int r = sum_rows(o, config, t, err);
	if (r == 0 && t->n) {
		ebb_out_rule(o);
		ebb_trash_by_store(t);
		if ((r = sum_rows(o, config, t, err)) == 0)
			r = ebb_out_table_print(o, app->out, 0, err);
	}
	return r < 0 ? r : ebb_out_flush(app->out, err);
}

/* Object by object. */
struct listing {
	struct ebb_app *app;
	const struct ebb_config *config;
};

static int list_one(void *ctx, const struct ebb_trash_entry *e, struct ebb_err *err)
{
	const struct listing *l = ctx;
	FILE *f = l->app->out;
	struct ebb_money m;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], d[EBB_UNITS_TEXT], price[EBB_OUT_TEXT_MAX + 16] = "unpriced";
	int r = e->month < 0 ? 0 : ebb_trash_money(l->config, e->month, &m, err);

	if (r < 0)
		return r;
	if (l->app->json) {
		json_t *o = json_pack("{s:s, s:s, s:I}", "run", e->run, "store", e->store, "bytes", (json_int_t)e->size);

		r = ebb_trash_month_json(o, l->config, e->month, e->month >= 0, err);
		if (r < 0 || ebb_out_json_key(o, e->key, strlen(e->key)) || ebb_out_json_time(o, "expires", e->expires)) {
			json_decref(o);
			o = NULL;
		}
		return r < 0 ? r : ebb_out_json(f, o, err);
	}
	if (e->month >= 0)
		snprintf(price, sizeof(price), "%s a month", ebb_out_money(&m, b));
	fprintf(f, "%s  %10s  %22s  %s:", ebb_units_format_date(e->expires, d), ebb_out_bytes((uint64_t)e->size, a), price, e->store);
	ebb_out_name(f, e->key, strlen(e->key));
	return fputc('\n', f) == EOF ? ebb_out_failed(f, err) : ebb_app_cancelled(l->app, err);
}

static int list(struct ebb_app *app, bool objects, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_trash_release) struct ebb_trash t = {0};
	struct listing l = {.app = app, .config = ebb_trash_prices(app)};
	int r = objects ? ebb_trash_each(app->index_dir, l.config, list_one, &l, err)
			: ebb_trash_read(app->index_dir, l.config, ebb_app_now(app), &t, err);

	if (r < 0)
		return r;
	if (objects)
		return ebb_out_flush(app->out, err);
	return app->json ? show_json(app, l.config, &t, err) : show_text(app, l.config, &t, err);
}

static int count_expired(void *ctx, const struct ebb_op *did, const struct ebb_op_result *r, struct ebb_err *err)
{
	struct emptying *e = ctx;

	(void)r;
	(void)err;
	e->left += did->expires <= ebb_app_now(e->tell.app);
	return 0;
}

/* A store that is gone, from the configuration or for now, must not keep the trash of others from being emptied. */
static int left(struct emptying *e, const struct ebb_run *run, const char *why, struct ebb_err *err)
{
	e->left = 0;
	int r = ebb_undo_trash(run, count_expired, e, err);
	if (r == 0 && e->left)
		ebb_app_note(e->tell.app, "run %s: %lld expired objects stay in the trash: %s", run->id, (long long)e->left, why);
	e->counts.skipped += e->left;
	return r;
}

static int empty_run(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct emptying *e = ctx;
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = NULL;
	struct ebb_app *app = e->tell.app;
	struct ebb_journal_counts c = {0};

	if (e->only && strcmp(e->only, run->id) != 0)
		return 0;
	struct ebb_err why = {0};
	int r = ebb_session_stores(app, run, &stores, &why);
	if (r < 0 && !e->only && (why.code == EBB_ECONFIG || why.code == EBB_ESTORE))
		return left(e, run, why.msg, err);
	if (r < 0)
		return ebb_err_set(err, -r, "run %s: %s", run->id, why.msg);
	const struct ebb_undo u = {
		.stores = stores, .clock = app->clock, .cancel = app->cancel, .dry = e->tell.dry,
		.ended = ebb_session_ended, .ctx = e,
	};
	r = ebb_undo_expire(&u, run, &c, &why);
	int logged = e->tell.dry || (r == 0 && c.done + c.failed == 0)
			     ? 0 : ebb_session_audit(app, COMMAND, "end", run, &c, r, &why, r < 0 ? NULL : err);
	e->counts.done += c.done;
	e->counts.skipped += c.skipped;
	e->counts.failed += c.failed;
	e->counts.bytes += c.bytes;
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : logged;
}

int ebb_cmd_trash_empty(struct ebb_app *app, const char *word, bool dry, struct ebb_journal_counts *ret,
			struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_run_release) struct ebb_run which = {0};
	struct emptying e = {.tell = {.app = app, .dry = dry}};
	int r = e.tell.dry ? ebb_app_config(app, err)
			   : ebb_session_begin(app, COMMAND, &lock, err);

	if (r == 0 && word) {
		r = ebb_run_find(app->index_dir, word, &which, err);
		e.only = which.id;
	}
	if (r == 0 && !e.tell.dry)
		r = ebb_session_audit(app, COMMAND, "begin", word ? &which : NULL, NULL, 0, NULL, err);
	if (r < 0)
		return r;
	ebb_progress_start(&e.tell.progress, app->err, app->quiet, "empty the trash", "objects");
	r = ebb_run_each(app->index_dir, empty_run, &e, err);
	*ret = e.counts;
	int told = ebb_session_summary(&e.tell, NULL, "removed for good", &e.counts, r < 0 ? NULL : err);
	return r < 0 ? r : told;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	struct ebb_journal_counts counts;

	if (ebb_cli_flag(args, "empty") && ebb_cli_flag(args, "objects"))
		return ebb_err_set(err, EBB_EUSAGE, "--objects lists; it does not go with --empty");
	if (ebb_cli_flag(args, "empty"))
		return ebb_cmd_trash_empty(app, ebb_cli_string(args, "run"), ebb_cli_flag(args, "dry-run"), &counts, err);
	if (ebb_cli_string(args, "run") || ebb_cli_flag(args, "dry-run"))
		return ebb_err_set(err, EBB_EUSAGE, "--run and --dry-run go with --empty");
	return list(app, ebb_cli_flag(args, "objects"), err);
}

static const struct ebb_cli_option options[] = {
	{"objects", 0, EBB_CLI_FLAG, NULL, "a line for each object: when it may go, its size and price"},
	{"empty", 0, EBB_CLI_FLAG, NULL, "remove for good what has expired"},
	{"run", 0, EBB_CLI_STRING, "RUN", "with --empty: only what this run put there"},
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "with --empty: say what would go, touch nothing"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"run, store", "string", "a line for each run and store with something in the trash"},
	{"objects, bytes", "number", "what lies there"},
	{"expired, expired_bytes", "number", "of that, what --empty would remove now"},
	{"month_nano, currency, unpriced", "number, string, number", "what keeping it costs a month, in billionths, where there are prices; objects without"},
	{"run, store, path, path_b64, bytes, month_nano, currency, expires", "various", "with --objects: a line for each"},
	{"first_expires, last_expires", "string", "when the first and the last of it may go"},
	{"dry_run, done, skipped, failed, bytes", "various", "with --empty: one line, as for ebb-apply"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb trash", "see what lies in the trash",
	"ebb trash --objects", "see each object",
	"ebb trash --empty", "free what has expired; for cron",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_trash;
const struct ebb_cli_command ebb_cmd_trash = {
	.name = "trash",
	.summary = "list the trash, remove what has expired",
	.usage = "",
	.description =
		"Deleted objects wait in .ebb-trash of their store for as long as their rule said.\n"
		"Listed are size, price and time by run, then for each store in all; prices are those of the class that the objects had.\n"
		"With --empty those whose time is over are removed for good, and their space is free; others never are.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = 0,
	.run = run,
};
