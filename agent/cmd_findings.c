/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb findings: what could go, and no rule says so yet. */
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/context.h"
#include "agent/findings.h"
#include "agent/out.h"
#include "core/text.h"
#include "core/units.h"

#define IDLE_NS (INT64_C(180) * 86400 * 1000000000)

struct finding {
	struct ebb_app *app;
	struct ebb_snap *snap;
	struct ebb_arena arena;
	struct ebb_index_store *stores;
	size_t n;
	struct ebb_context *context;
	struct ebb_decide *decide;
	struct ebb_findings found;
};

static void release(struct finding *f)
{
	ebb_findings_release(&f->found);
	ebb_decide_free(f->decide);
	ebb_context_free(f->context);
	ebb_snap_close(f->snap);
	ebb_arena_release(&f->arena);
}

static int print_kind(const struct finding *f, size_t from, size_t to, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {{"what", false}, {"files", true}, {"size", true}, {"a month", true}, {"since", false}};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	char a[EBB_OUT_TEXT_MAX], name[600], u[EBB_UNITS_TEXT];
	FILE *out = f->app->out;

	for (size_t i = from; t && i < to; i++) {
		const struct ebb_findings_row *r = &f->found.rows[i];

		ebb_out_cell(t, "%s:%s", r->store, ebb_text_quotes(r->name, name, sizeof(name)));
		ebb_out_cell(t, "%s", r->kind == EBB_FINDINGS_EMPTY ? "" : ebb_out_count((uint64_t)r->objects, a));
		ebb_out_cell(t, "%s", r->kind == EBB_FINDINGS_EMPTY ? "" : ebb_out_bytes((uint64_t)r->bytes, a));
		ebb_out_cell(t, "%s", r->priced ? ebb_out_money(&r->saving, a) : "");
		ebb_out_cell(t, "%s", r->idle >= 0 ? ebb_units_format_duration(r->idle, u) : "");
	}
	fprintf(out, "%s%s%s\n", ebb_out_bold(out), ebb_findings_text(f->found.rows[from].kind), ebb_out_plain(out));
	int r = t ? ebb_out_table_print(t, out, 2, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");
	fputc('\n', out);
	return r;
}

static int print_text(const struct finding *f, struct ebb_err *err)
{
	int r = 0;

	if (f->found.n == 0)
		ebb_app_note(f->app, "nothing was found");
	for (size_t from = 0, to; r == 0 && from < f->found.n; from = to) {
		for (to = from; to < f->found.n && f->found.rows[to].kind == f->found.rows[from].kind;)
			to++;
		r = print_kind(f, from, to, err);
	}
	return r < 0 ? r : ebb_out_flush(f->app->out, err);
}

static int print_json(const struct finding *f, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->found.n; i++) {
		const struct ebb_findings_row *row = &f->found.rows[i];
		json_t *o = json_pack("{s:s, s:s, s:I, s:I}", "finding", ebb_findings_name(row->kind), "store", row->store, "objects",
				      (json_int_t)row->objects, "bytes", (json_int_t)row->bytes);

		if (!o || ebb_out_json_bytes(o, "what", row->name, strlen(row->name))) {
			json_decref(o);
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		}
		if (row->idle >= 0)
			json_object_set_new(o, "idle_seconds", json_integer(row->idle / 1000000000));
		if (row->priced) {
			ebb_out_json_money(o, "saving_month", &row->saving);
			json_object_set_new(o, "currency", json_string(row->saving.currency));
		}
		r = ebb_out_json(f->app->out, o, err);
	}
	return r < 0 ? r : ebb_out_flush(f->app->out, err);
}

static int choose(struct finding *f, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const struct ebb_config *c = f->app->config;
	size_t n = (size_t)ebb_cli_argc(args), all = n ? n : c->nstores;

	if (!(f->stores = ebb_arena_calloc(&f->arena, all + 1, sizeof(*f->stores))))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < all; i++) {
		const char *name = n ? ebb_cli_arg(args, (int)i) : c->stores[i].open.name;
		int r = ebb_snap_store(f->snap, name, &f->stores[f->n], err);

		if (r == 0 && !ebb_config_store(c, name))
			return ebb_err_set(err, EBB_EUSAGE, "store '%s' is not in '%s'", name, c->path);
		if (r == 0 && f->stores[f->n].generation == 0)
			return ebb_err_set(err, EBB_ESTALE, "store '%s' was never scanned: run ebb scan %s", name, name);
		if (r < 0)
			return r;
		f->n++;
	}
	return 0;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(release) struct finding f = {.app = app};
	int r;

	ebb_arena_init(&f.arena, (size_t)1 << 30);
	if ((r = ebb_app_config(app, err)) < 0 || (r = ebb_app_index(app, true, &ix, err)) < 0 || (r = ebb_app_snap(app, ix, &f.snap, err)) < 0 ||
	    (r = choose(&f, args, err)) < 0 || (r = ebb_context_make(app, f.snap, f.stores, f.n, true, &f.context, err)) < 0 ||
	    (r = ebb_decide_new(&f.arena, app->config->rules, app->config->prices, ebb_app_now(app), &f.decide, err)) < 0 ||
	    (r = ebb_findings_look(app, f.snap, f.stores, f.n, f.decide, ebb_context_ckpts(f.context), ebb_cli_number(args, "idle", IDLE_NS), &f.found,
				   err)) < 0)
		return r;
	return app->json ? print_json(&f, err) : print_text(&f, err);
}

static const struct ebb_cli_option options[] = {
	{"idle", 0, EBB_CLI_DURATION, "TIME", "datasets and runs are stale after so long (default: 180d)"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"finding", "string", "stale_dataset, two_formats, unpacked_archive, abandoned_run or empty_folder; a line for each"},
	{"store, what, what_b64", "string", "the folder, the archive, or the dataset's pattern with the values of its captures"},
	{"objects, bytes", "number", "files that could go"},
	{"idle_seconds", "number", "stale_dataset: since its last use, at least; abandoned_run: since its last write"},
	{"saving_month_nano, currency", "number, string", "what they cost a month, where they have prices"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb findings", "what could go in all stores",
	"ebb findings --idle 90d scratch", "stale is what nobody used for 90 days",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_findings;
const struct ebb_cli_command ebb_cmd_findings = {
	.name = "findings",
	.summary = "show stale datasets, weights in two formats, unpacked archives, abandoned runs",
	.usage = "[STORE...]",
	.description =
		"Looks through the index for what only shows in more than one object, and what it costs: datasets of which every file is\n"
		"idle (told apart by the captures of their pattern), PyTorch weights beside safetensors, archives beside what they were unpacked\n"
		"to, runs that have no complete checkpoint and are not written any more, folders without a file.\n"
		"\n"
		"Nothing is changed, and what is found is for somebody to judge.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
