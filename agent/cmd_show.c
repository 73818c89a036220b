/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/jsonline.h"
#include "agent/out.h"
#include "agent/planfile.h"
#include "agent/plantext.h"
#include "core/units.h"

enum { LIMIT = 20 };

static bool is_wanted(const char *rule, const struct ebb_planrow *row)
{
	return !rule || strcmp(rule, row->rule) == 0;
}

/* The very lines of the plan, so that whoever reads a plan file reads this too. */
static int show_json(struct ebb_app *app, struct ebb_planfile *plan, const char *rule,
		     long long limit, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf line = EBB_BUF_INIT(EBB_PLANHEAD_MAX);
	json_t *id = json_pack("{s:s, s:s, s:I}", "schema", EBB_PLANFILE_SCHEMA, "id",
			       ebb_planfile_id(plan), "actions", (json_int_t)ebb_planfile_count(plan));
	struct ebb_planrow row;
	int r = ebb_out_json(app->out, id, err);

	if (r == 0 && (r = ebb_planhead_write(&line, ebb_planfile_head(plan), err)) == 0)
		fwrite(line.data, 1, line.len, app->out);
	while (r == 0 && limit != 0 && (r = ebb_planfile_next(plan, &row, err)) == 1) {
		r = ebb_app_cancelled(app, err);
		if (r < 0 || !is_wanted(rule, &row))
			continue;
		ebb_buf_clear(&line);
		r = ebb_planrow_write(&line, &row, err);
		if (r == 0 && fwrite(line.data, 1, line.len, app->out) != line.len)
			return ebb_out_failed(app->out, err);
		limit -= limit > 0;
	}
	return r < 0 ? r : ebb_out_flush(app->out, err);
}

static void amount(struct ebb_out_table *t, const struct ebb_planrow *row, int64_t nano,
		   const char *currency)
{
	const struct ebb_planhead_sum s = {.objects = 1, .unpriced = !row->priced};
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell(t, "%s", ebb_plantext_money(&s, nano, currency, a));
}

static void add_row(struct ebb_out_table *t, const struct ebb_planrow *row, const char *currency)
{
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell(t, "%" PRId64, row->n);
	ebb_out_cell(t, "%s", ebb_action_kind(row->action)->name);
	ebb_out_cell(t, "%s", ebb_out_bytes((uint64_t)row->obj.f[EBB_F_SIZE], a));
	amount(t, row, row->saving, currency);
	ebb_out_cell(t, "%s", row->store);
	ebb_out_cell_name(t, row->obj.key, row->obj.key_len);
	ebb_out_cell_name(t, row->why, strlen(row->why));
}

static int show_rows(struct ebb_app *app, struct ebb_planfile *plan, const char *rule,
		     long long limit, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"n", true}, {"action", false}, {"size", true}, {"saves a month", true},
		{"store", false}, {"path", false}, {"why", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	const char *currency = ebb_planfile_head(plan)->currency;
	struct ebb_planrow row;
	int64_t more = 0, shown = 0;
	int r;

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	while ((r = ebb_planfile_next(plan, &row, err)) == 1) {
		if (!is_wanted(rule, &row))
			continue;
		if (limit >= 0 && shown == limit) {
			more++;
			continue;
		}
		add_row(t, &row, currency);
		shown++;
	}
	if (r < 0)
		return r;
	fputc('\n', app->out);
	r = shown ? ebb_out_table_print(t, app->out, 2, err) : 0;
	if (more)
		fprintf(app->out, "  and %" PRId64 " more: --limit says how many are shown\n", more);
	return r;
}

static int show_text(struct ebb_app *app, struct ebb_planfile *plan, const char *rule,
		     long long limit, struct ebb_err *err)
{
	const struct ebb_planhead *h = ebb_planfile_head(plan);
	char t[EBB_UNITS_TEXT];

	fprintf(app->out, "%splan %.12s%s of %s\n", ebb_out_bold(app->out), ebb_planfile_id(plan),
		ebb_out_plain(app->out), ebb_units_exact_time(h->now, t));
	for (size_t i = 0; i < h->nstores; i++)
		fprintf(app->out, "  store %s, %s\n", h->stores[i].name,
			h->stores[i].generation ? "as of its last scan" : "a destination, not scanned");
	fputc('\n', app->out);
	int r = ebb_plantext_print(app->out, h, err);
	if (r == 0 && limit != 0)
		r = show_rows(app, plan, rule, limit, err);
	return r < 0 ? r : ebb_out_flush(app->out, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	const char *rule = ebb_cli_string(args, "rule");
	int r = ebb_planfile_open(ebb_cli_arg(args, 0), &plan, err);

	if (r < 0)
		return r;
	if (app->json)
		return show_json(app, plan, rule, ebb_cli_number(args, "limit", -1), err);
	return show_text(app, plan, rule, ebb_cli_number(args, "limit", LIMIT), err);
}

static const struct ebb_cli_option options[] = {
	{"limit", 'l', EBB_CLI_COUNT, "N", "actions shown (default: 20, with --json all)"},
	{"rule", 'r', EBB_CLI_STRING, "NAME", "only actions of this rule"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"schema, id, actions", "string, string, number", "first line: what plan this is"},
	{"created, now_ns, currency, stores, limits, totals, kept, held, unmatched, rules", "various",
	 "second line: the header, as in the plan file"},
	{"n, rule, action", "number, string, string", "each further line: an action"},
	{"store, path, path_b64", "string", "its object; path_b64 when the path is not UTF-8"},
	{"kind, size, alloc, mtime_ns, ctime_ns, ino, dev, nlink", "various",
	 "what the object must still be, null where unknown"},
	{"to_store, to_path, codec, level, purge, trash_s", "various", "how it is done"},
	{"one_off_nano, saving_month_nano", "number", "in billionths of currency, null when unpriced"},
	{"payback_days", "number", "null: never"},
	{"freed_bytes, wire_bytes", "number", "space it frees, bytes between stores"},
	{"why", "string", "the facts that decided"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb show plan.jsonl", "read a plan",
	"ebb show --json plan.jsonl | jq -r 'select(.action == \"delete\") | .path'",
	"list what would be deleted",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_show;
const struct ebb_cli_command ebb_cmd_show = {
	.name = "show",
	.summary = "read a plan",
	.usage = "FILE",
	.description =
		"Prints the totals of a plan, what it leaves alone and why, and its actions.\n"
		"A file that was altered or cut off is refused with status 6.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
