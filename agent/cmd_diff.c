/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ebb diff: two plans side by side. Rows of a plan stand by store, in the order of the header, and by key; so both are read once, in
 * step, and memory does not grow with them.
 */
#include <inttypes.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/planfile.h"
#include "agent/plantext.h"

enum { LIMIT = 40 };

/* A plan being read. */
struct side {
	struct ebb_planfile *plan;
	struct ebb_planrow row;
	bool there;		/* row holds the next action */
};

struct diff {
	struct ebb_app *app;
	struct side a, b;
	int64_t added, removed, changed, same;
	long long limit;	/* lines still shown; negative: all */
};

static int advance(struct side *s, struct ebb_err *err)
{
	int r = ebb_planfile_next(s->plan, &s->row, err);

	s->there = r == 1;
	return r < 0 ? r : 0;
}

/* Stores compare by name: both headers may order them otherwise. Plans of `ebb plan` have stores in one order. */
static size_t place(const struct side *s, const struct ebb_planhead *order)
{
	const struct ebb_planhead_store *st = ebb_planhead_store(order, s->row.store);

	return st ? (size_t)(st - order->stores) : SIZE_MAX;
}

static int compare(const struct diff *d)
{
	const struct ebb_planhead *order = ebb_planfile_head(d->a.plan);

	if (!d->a.there || !d->b.there)
		return d->a.there ? -1 : 1;
	size_t a = place(&d->a, order), b = place(&d->b, order);
	if (a != b)
		return a < b ? -1 : 1;
	int c = ebb_record_key_cmp(d->a.row.obj.key, d->a.row.obj.key_len, d->b.row.obj.key,
				   d->b.row.obj.key_len);
	return c ? c : (int)d->a.row.action - (int)d->b.row.action;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_action(const struct ebb_planrow *a, const struct ebb_planrow *b)
{
	return same_text(a->rule, b->rule) && same_text(a->to_store, b->to_store) &&
	       same_text(a->to_class, b->to_class) && same_text(a->to_key, b->to_key) && same_text(a->codec, b->codec) &&
	       a->level == b->level && a->window == b->window && a->keep_key == b->keep_key && a->verify == b->verify && a->purge == b->purge && a->trash_ns == b->trash_ns &&
	       a->priced == b->priced && a->one_off == b->one_off && a->saving == b->saving &&
	       ebb_record_same_content(&a->obj, &b->obj);
}

static int print(struct diff *d, const char *change, const struct ebb_planrow *row,
		 struct ebb_err *err)
{
	FILE *f = d->app->out;

	if (d->limit == 0)
		return 0;
	d->limit -= d->limit > 0;
	if (d->app->json) {
		json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "change", change, "action",
				      ebb_action_kind(row->action)->name, "rule", row->rule, "store",
				      row->store);
		if (ebb_out_json_key(o, row->obj.key, row->obj.key_len)) {
			json_decref(o);
			o = NULL;
		}
		return ebb_out_json(f, o, err);
	}
	fprintf(f, "%c %s %s:", *change == 'a' ? '+' : *change == 'r' ? '-' : '*',
		ebb_action_kind(row->action)->name, row->store);
	ebb_out_name(f, row->obj.key, row->obj.key_len);
	fprintf(f, "  (%s)\n", row->rule);
	return 0;
}

static int step(struct diff *d, struct ebb_err *err)
{
	int c = compare(d), r = 0;

	if (c < 0) {
		d->removed++;
		r = print(d, "removed", &d->a.row, err);
	} else if (c > 0) {
		d->added++;
		r = print(d, "added", &d->b.row, err);
	} else if (same_action(&d->a.row, &d->b.row)) {
		d->same++;
	} else {
		d->changed++;
		r = print(d, "changed", &d->b.row, err);
	}
	if (r == 0 && c <= 0)
		r = advance(&d->a, err);
	if (r == 0 && c >= 0)
		r = advance(&d->b, err);
	return r;
}

static int print_totals(struct diff *d, struct ebb_err *err)
{
	const struct ebb_planhead *a = ebb_planfile_head(d->a.plan), *b = ebb_planfile_head(d->b.plan);
	char was[EBB_OUT_TEXT_MAX], is[EBB_OUT_TEXT_MAX];
	FILE *f = d->app->out;

	if (d->app->json) {
		json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "change", "totals",
				      "added", (json_int_t)d->added, "removed", (json_int_t)d->removed,
				      "changed", (json_int_t)d->changed, "same", (json_int_t)d->same,
				      "bytes", (json_int_t)(b->all.bytes - a->all.bytes), "one_off_nano",
				      (json_int_t)(b->all.one_off - a->all.one_off),
				      "saving_month_nano", (json_int_t)(b->all.saving - a->all.saving));
		return ebb_out_json(f, o, err);
	}
	fprintf(f, "%" PRId64 " added, %" PRId64 " removed, %" PRId64 " changed, %" PRId64 " the same\n",
		d->added, d->removed, d->changed, d->same);
	fprintf(f, "size %s -> %s", ebb_out_bytes((uint64_t)a->all.bytes, was),
		ebb_out_bytes((uint64_t)b->all.bytes, is));
	fprintf(f, ", costs once %s -> %s", ebb_plantext_money(&a->all, a->all.one_off, a->currency, was),
		ebb_plantext_money(&b->all, b->all.one_off, b->currency, is));
	fprintf(f, ", saves a month %s -> %s\n",
		ebb_plantext_money(&a->all, a->all.saving, a->currency, was),
		ebb_plantext_money(&b->all, b->all.saving, b->currency, is));
	return ebb_out_flush(f, err);
}

static void release(struct diff *d)
{
	ebb_planfile_close(d->a.plan);
	ebb_planfile_close(d->b.plan);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct diff d = {
		.app = app, .limit = ebb_cli_number(args, "limit", app->json ? -1 : LIMIT),
	};
	int r;

	if ((r = ebb_planfile_open(ebb_cli_arg(args, 0), &d.a.plan, err)) < 0 ||
	    (r = ebb_planfile_open(ebb_cli_arg(args, 1), &d.b.plan, err)) < 0 ||
	    (r = advance(&d.a, err)) < 0 || (r = advance(&d.b, err)) < 0)
		return r;
	while (r == 0 && (d.a.there || d.b.there)) {
		r = step(&d, err);
		if (r == 0)
			r = ebb_app_cancelled(app, err);
	}
	return r < 0 ? r : print_totals(&d, err);
}

static const struct ebb_cli_option options[] = {
	{"limit", 'l', EBB_CLI_COUNT, "N", "differences shown (default: 40, with --json all)"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"change", "string", "added, removed, changed; the last line is totals"},
	{"action, rule, store, path, path_b64", "string", "of the action; when changed, of the second plan"},
	{"added, removed, changed, same", "number", "totals: actions"},
	{"bytes, one_off_nano, saving_month_nano", "number", "totals: second plan less the first"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb diff yesterday.jsonl today.jsonl", "see what a change of rules did",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_diff;
const struct ebb_cli_command ebb_cmd_diff = {
	.name = "diff",
	.summary = "compare two plans",
	.usage = "FILE FILE",
	.description =
		"Names the actions that only one of two plans has (- the first, + the second) and those that both have in other words (*):\n"
		"another rule, destination, price, or another state of the object.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
