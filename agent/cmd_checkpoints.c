/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb checkpoints: runs and their checkpoints, which are complete, which would stay by the retain rules, and why. */
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/context.h"
#include "agent/out.h"
#include "core/cursor.h"
#include "core/text.h"
#include "policies/decide.h"

struct looking {
	struct ebb_app *app;
	struct ebb_snap *snap;
	struct ebb_arena arena;
	struct ebb_index_store *sources;
	size_t n;
	struct ebb_context *context;
	struct ebb_decide *decide;
	struct ebb_money *saving;	/* of each checkpoint, by its number; empty currency: not priced */
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* --- Money ----------------------------------------------------------------------------------------------- */

static int cmp_ckpt(const void *key, const void *member)
{
	const struct ebb_ckpt *a = key, *b = *(const struct ebb_ckpt *const *)member;

	return (a > b) - (a < b);
}

struct pricing {
	struct looking *l;
	const struct ebb_ckpt **at;	/* by address */
	size_t *number;
	size_t n;
};

static int by_address(const void *pa, const void *pb)
{
	return cmp_ckpt(*(const void *const *)pa, pb);
}

static int on_action(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct pricing *p = ctx;
	const struct ebb_rules *rules = p->l->app->config->rules;
	const struct ebb_ckpts *c = ebb_context_ckpts(p->l->context);
	size_t rule = 0;

	while (rule < ebb_rules_count(rules) && ebb_rules_get(rules, rule)->name != a->rule)
		rule++;
	if (rule == ebb_rules_count(rules) || !ebb_rules_get(rules, rule)->retain || !a->priced)
		return 0;
	const struct ebb_ckpt *k = ebb_ckpt_of(c, a->store, (uint16_t)rule, a->obj->key, a->obj->key_len);
	const struct ebb_ckpt **at = k ? bsearch(k, p->at, p->n, sizeof(*p->at), cmp_ckpt) : NULL;
	if (!at)
		return 0;
	struct ebb_money *m = &p->l->saving[p->number[at - p->at]];
	if (!*m->currency) {
		*m = a->saving;
		return 0;
	}
	return ebb_money_add(*m, a->saving, m, err);
}

/* What each would save: the sum of the actions that a plan would have for it. */
static int price(struct looking *l, struct ebb_err *err)
{
	const struct ebb_ckpts *c = ebb_context_ckpts(l->context);
	struct pricing p = {.l = l, .n = ebb_ckpt_count(c)};
	int r = 0;

	l->saving = ebb_arena_calloc(&l->arena, p.n + 1, sizeof(*l->saving));
	p.at = ebb_arena_calloc(&l->arena, p.n + 1, sizeof(*p.at));
	p.number = ebb_arena_calloc(&l->arena, p.n + 1, sizeof(*p.number));
	if (!l->saving || !p.at || !p.number)
		return no_memory(err);
	for (size_t i = 0; i < p.n; i++)
		p.at[i] = ebb_ckpt_get(c, i);
	qsort(p.at, p.n, sizeof(*p.at), by_address);
	for (size_t i = 0; i < p.n; i++) {
		const struct ebb_ckpt **at = bsearch(ebb_ckpt_get(c, i), p.at, p.n, sizeof(*p.at), cmp_ckpt);

		p.number[at - p.at] = i;
	}
	for (size_t i = 0; r >= 0 && i < l->n; i++) {
		EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *cur = NULL;
		struct ebb_block b;

		r = ebb_cursor_open(l->snap, &l->sources[i], NULL, &cur, err);
		while (r >= 0 && (r = ebb_cursor_next(cur, &b, err)) == 1)
			if ((r = ebb_app_cancelled(l->app, err)) < 0 ||
			    (r = ebb_decide_block(l->decide, l->sources[i].name, &b, on_action, &p, err)) < 0)
				break;
	}
	return r < 0 ? r : 0;
}

/* --- For people ------------------------------------------------------------------------------------------ */

static const struct ebb_out_col cols[] = {
	{"step", true}, {"files", true}, {"size", true}, {"state", false}, {"figure", true}, {"then", false}, {"saves a month", true}, {"why", false},
};

static void state_cell(struct ebb_out_table *t, const struct ebb_ckpt *k)
{
	char quoted[256];

	if (k->state == EBB_CKPT_COMPLETE)
		ebb_out_cell(t, "complete");
	else
		ebb_out_cell(t, "%s: %s", ebb_ckpt_state_name(k->state), ebb_text_quotes(k->state_why, quoted, sizeof(quoted)));
}

static void row(const struct looking *l, struct ebb_out_table *t, size_t i)
{
	const struct ebb_ckpts *c = ebb_context_ckpts(l->context);
	const struct ebb_ckpt *k = ebb_ckpt_get(c, i);
	char a[EBB_OUT_TEXT_MAX], why[512], quoted[600];

	ebb_out_cell(t, "%lld", (long long)k->step);
	ebb_out_cell(t, "%s", ebb_out_count((uint64_t)k->objects, a));
	ebb_out_cell(t, "%s", ebb_out_bytes((uint64_t)k->bytes, a));
	state_cell(t, k);
	if (k->has_figure)
		ebb_out_cell(t, "%.6g", k->figure);
	else
		ebb_out_cell(t, "%s", "");
	ebb_out_cell(t, "%s", k->kept & EBB_CKPT_RULELESS ? "" : k->kept ? "stays" : "goes");
	ebb_out_cell(t, "%s", k->kept || !*l->saving[i].currency ? "" : ebb_out_money(&l->saving[i], a));
	ebb_out_cell(t, "%s", ebb_text_quotes(ebb_ckpt_why(c, k, why, sizeof(why)), quoted, sizeof(quoted)));
}

struct sum {
	uint64_t all, go, bytes, go_bytes;
	struct ebb_money saving;
};

static int add(const struct looking *l, struct sum *s, size_t i, struct ebb_err *err)
{
	const struct ebb_ckpt *k = ebb_ckpt_get(ebb_context_ckpts(l->context), i);

	s->all++;
	s->bytes += (uint64_t)k->bytes;
	s->go += !k->kept;
	s->go_bytes += k->kept ? 0 : (uint64_t)k->bytes;
	if (k->kept || !*l->saving[i].currency)
		return 0;
	if (!*s->saving.currency) {
		s->saving = l->saving[i];
		return 0;
	}
	return ebb_money_add(s->saving, l->saving[i], &s->saving, err);
}

static void print_sum(FILE *f, const struct sum *s, const char *what)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	fprintf(f, "%s%s, %s", what, ebb_out_things(s->all, "checkpoint", a), ebb_out_bytes(s->bytes, b));
	fprintf(f, "; %s would go, %s", ebb_out_count(s->go, a), ebb_out_bytes(s->go_bytes, b));
	if (*s->saving.currency)
		fprintf(f, ", which saves %s a month", ebb_out_money(&s->saving, a));
	fputc('\n', f);
}

static bool same_family(const struct ebb_ckpt *a, const struct ebb_ckpt *b)
{
	return strcmp(a->store, b->store) == 0 && a->rule == b->rule && strcmp(a->family, b->family) == 0;
}

static int print_family(const struct looking *l, size_t from, size_t to, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	const struct ebb_ckpt *k = ebb_ckpt_get(ebb_context_ckpts(l->context), from);
	FILE *f = l->app->out;
	struct sum s = {0};
	int r = t ? 0 : no_memory(err);

	for (size_t i = from; r == 0 && i < to; i++) {
		row(l, t, i);
		r = add(l, &s, i, err);
	}
	if (r < 0)
		return r;
	fprintf(f, "%s%s:", ebb_out_bold(f), k->store);
	ebb_out_name(f, k->family, strlen(k->family));
	fprintf(f, "%s%s%s\n", ebb_out_plain(f), k->rule == EBB_RULES_NONE ? "" : "  by rule ",
		k->rule == EBB_RULES_NONE ? "" : ebb_rules_get(l->app->config->rules, k->rule)->name);
	r = ebb_out_table_print(t, f, 2, err);
	print_sum(f, &s, "  ");
	fputc('\n', f);
	return r;
}

static int print_text(const struct looking *l, struct ebb_err *err)
{
	const struct ebb_ckpts *c = ebb_context_ckpts(l->context);
	struct sum s = {0};
	int r = 0;

	for (size_t from = 0, to; r == 0 && from < ebb_ckpt_count(c); from = to) {
		for (to = from + 1; to < ebb_ckpt_count(c) && same_family(ebb_ckpt_get(c, from), ebb_ckpt_get(c, to));)
			to++;
		r = print_family(l, from, to, err);
	}
	for (size_t i = 0; r == 0 && i < ebb_ckpt_count(c); i++)
		r = add(l, &s, i, err);
	if (r == 0)
		print_sum(l->app->out, &s, "in all ");
	return r < 0 ? r : ebb_out_flush(l->app->out, err);
}

/* --- For programs ---------------------------------------------------------------------------------------- */

static int print_json(const struct looking *l, struct ebb_err *err)
{
	const struct ebb_ckpts *c = ebb_context_ckpts(l->context);
	char why[512];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ebb_ckpt_count(c); i++) {
		const struct ebb_ckpt *k = ebb_ckpt_get(c, i);
		json_t *reasons = json_array(), *o = json_pack("{s:s, s:I, s:I, s:I, s:s, s:b, s:o}", "store", k->store, "step", (json_int_t)k->step,
			"objects", (json_int_t)k->objects, "bytes", (json_int_t)k->bytes, "state", ebb_ckpt_state_name(k->state), "goes", !k->kept,
			"kept_by", reasons);

		for (int b = 0; o && b < EBB_CKPT_REASONS; b++)
			if (k->kept & 1u << b)
				json_array_append_new(reasons, json_string(ebb_ckpt_reason_name(b)));
		if (!o || ebb_out_json_key(o, k->path, k->path_len) || ebb_out_json_bytes(o, "family", k->family, strlen(k->family)) ||
		    ebb_out_json_time(o, "newest", k->newest) ||
		    ebb_out_json_bytes(o, "why", ebb_ckpt_why(c, k, why, sizeof(why)), strlen(why))) {
			json_decref(o);
			return no_memory(err);
		}
		json_object_set_new(o, "rule", k->rule == EBB_RULES_NONE ? json_null() : json_string(ebb_rules_get(l->app->config->rules, k->rule)->name));
		if (k->state != EBB_CKPT_COMPLETE)
			ebb_out_json_bytes(o, "state_why", k->state_why, strlen(k->state_why));
		if (k->has_figure)
			json_object_set_new(o, "figure", json_real(k->figure));
		if (!k->kept && *l->saving[i].currency) {
			json_object_set_new(o, "saving_month_nano", json_integer(l->saving[i].nano));
			json_object_set_new(o, "currency", json_string(l->saving[i].currency));
		}
		r = ebb_out_json(l->app->out, o, err);
	}
	return r < 0 ? r : ebb_out_flush(l->app->out, err);
}

/* --- The command ----------------------------------------------------------------------------------------- */

static int add_source(struct looking *l, const char *name, struct ebb_err *err)
{
	struct ebb_index_store *st = &l->sources[l->n];
	int r = ebb_snap_store(l->snap, name, st, err);

	if (r == 0 && !ebb_config_store(l->app->config, name))
		return ebb_err_set(err, EBB_EUSAGE, "store '%s' is not in '%s'", name, l->app->config->path);
	if (r == 0 && st->generation == 0)
		return ebb_err_set(err, EBB_ESTALE, "store '%s' was never scanned: run ebb scan %s", name, name);
	l->n += r == 0;
	return r;
}

static int choose(struct looking *l, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const struct ebb_config *c = l->app->config;
	size_t n = (size_t)ebb_cli_argc(args);
	int r = 0;

	l->sources = ebb_arena_calloc(&l->arena, n + c->nstores, sizeof(*l->sources));
	if (!l->sources)
		return no_memory(err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_source(l, ebb_cli_arg(args, (int)i), err);
	for (size_t i = 0; r == 0 && n == 0 && i < c->nstores; i++)
		r = add_source(l, c->stores[i].open.name, err);
	return r;
}

static void release(struct looking *l)
{
	ebb_decide_free(l->decide);
	ebb_context_free(l->context);
	ebb_snap_close(l->snap);
	ebb_arena_release(&l->arena);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(release) struct looking l = {.app = app};
	int r;

	ebb_arena_init(&l.arena, (size_t)1 << 34);
	if ((r = ebb_app_config(app, err)) < 0 || (r = ebb_app_index(app, true, &ix, err)) < 0 ||
	    (r = ebb_app_snap(app, ix, &l.snap, err)) < 0 || (r = choose(&l, args, err)) < 0 ||
	    (r = ebb_context_make(app, l.snap, l.sources, l.n, true, &l.context, err)) < 0 ||
	    (r = ebb_decide_new(&l.arena, app->config->rules, app->config->prices, ebb_app_now(app), &l.decide, err)) < 0)
		return r;
	ebb_context_use(l.context, l.decide);
	if ((r = price(&l, err)) < 0)
		return r;
	if (app->json)
		return print_json(&l, err);
	if (ebb_ckpt_count(ebb_context_ckpts(l.context)) == 0) {
		ebb_app_note(app, "no checkpoints are known by their names; a pattern with {step} names others (ebb.yaml, datasets)");
		return 0;
	}
	return print_text(&l, err);
}

static const struct ebb_cli_field json[] = {
	{"store, path, path_b64, family", "string", "a line for each checkpoint; its family has '*' for steps and figures"},
	{"rule", "string", "retain rule that meets it, or null"},
	{"step, objects, bytes", "number", "of the checkpoint"},
	{"newest", "string", "when its newest file was written"},
	{"state, state_why", "string", "complete, incomplete or unknown, and why not complete"},
	{"figure", "number", "of keep_best, where known"},
	{"goes", "boolean", "a plan would delete it"},
	{"kept_by", "array", "newest, latest, last, every, best, tagged, young, writing, alone, doubt, live, ruleless"},
	{"why", "string", "the same for people"},
	{"saving_month_nano, currency", "number, string", "what deleting it saves, where it goes and has prices"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb checkpoints", "every run: what would go, what stays and why",
	"ebb checkpoints --json scratch | jq 'select(.goes)'", "the same for programs",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_checkpoints;
const struct ebb_cli_command ebb_cmd_checkpoints = {
	.name = "checkpoints",
	.summary = "show training runs, their checkpoints, and which would go",
	.usage = "[STORE...]",
	.description =
		"Finds checkpoints by their names (checkpoint-N, global_stepN, iter_N, step-N, epoch=E-step=S-NAME=VALUE) or by patterns with\n"
		"{step} in rules and datasets, and shows for each run which are complete, and which of them the rules with `do: retain` keep or delete.\n"
		"\n"
		"Reads the index and the facts that the last scan learned; touches no store.",
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
