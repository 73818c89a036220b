/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb explain: which rule meets an object, what every rule says, and every fact with its evidence. */
#include <stdlib.h>
#include <string.h>

#include "agent/context.h"
#include "agent/habit_scan.h"
#include "agent/out.h"
#include "agent/survivors.h"
#include "agent/owner.h"
#include "agent/storeset.h"
#include "agent/target.h"
#include "compress/codec.h"
#include "compress/sample.h"
#include "core/snap.h"
#include "core/units.h"
#include "policies/decide.h"
#include "policies/expr_explain.h"

/* One object and what the rules say of it. */
struct explain {
	struct ebb_app *app;
	const struct ebb_config_store *cs;
	struct ebb_target target;
	struct ebb_index_store store;
	struct ebb_record rec;
	struct ebb_arena arena;
	struct ebb_rules_verdict *verdicts;
	size_t nverdicts;
	const struct ebb_rules_dataset *dataset;
	const struct ebb_rule *rule;	/* that meets it, or NULL */
	enum ebb_decide_refusal refusal;	/* of the plan, EBB_REFUSE_NONE when it would do it */
	const char *why;		/* what decided, where the object alone does not say it; or NULL */
	struct ebb_expr_env env;
	char *key;			/* owned: the key looked up */
};

static const char *truth_name(enum ebb_truth t)
{
	return t == EBB_TRUE ? "true" : t == EBB_FALSE ? "false" : "unknown";
}

/* Why rule @v does not meet the object, or that it does. */
static const char *reason(const struct explain *x, const struct ebb_rules_verdict *v)
{
	bool earlier = false;

	for (const struct ebb_rules_verdict *o = x->verdicts; o < v; o++)
		earlier |= o->fires || o->holds;
	if (v->fires)
		return v->cond == EBB_UNKNOWN && v->likely == EBB_TRUE && v->rule->action->changes
			       ? "meets it, if access logs lost nothing"
			       : "meets it";
	if (v->doubted)
		return "only access logs, which may have lost reads, say that no earlier rule meets it";
	if (v->holds && v->likely == EBB_TRUE)
		return "only access logs, which may have lost reads, say that its condition is true; with trust: logs it would meet";
	if (v->holds)
		return "its condition is unknown, so nothing changes it";
	if (v->rule->hidden)
		return "it is for what the bucket keeps out of sight";
	if (!ebb_rules_plain(v->rule))
		return v->rule->packed ? "it is for what lies in packs" : "it is for packs";
	if (!v->store_ok)
		return "another store";
	if (!v->kind_ok)
		return "another kind of dataset";
	if (!v->match_ok)
		return "the pattern does not match";
	if (v->cond == EBB_FALSE)
		return "its condition is false";
	if (v->cond == EBB_UNKNOWN)
		return v->likely == EBB_FALSE ? "its condition is false, if access logs lost nothing"
					      : "its condition is unknown";
	return earlier ? "an earlier rule meets it"
		       : "rules change only files that the scan saw whole and unchanging";
}

/* --- For people --- */

static void title(const struct explain *x, const char *text)
{
	fprintf(x->app->out, "\n%s%s%s\n", ebb_out_bold(x->app->out), text,
		ebb_out_plain(x->app->out));
}

static int print_verdicts(const struct explain *x, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"#", true}, {"rule", false}, {"do", false}, {"verdict", false}, {"condition", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	for (size_t i = 0; t && i < x->nverdicts; i++) {
		const struct ebb_rules_verdict *v = &x->verdicts[i];

		ebb_out_cell(t, "%zu", i + 1);
		ebb_out_cell(t, "%s", v->rule->name);
		ebb_out_cell(t, "%s", v->rule->action->name);
		ebb_out_cell(t, "%s", reason(x, v));
		ebb_out_cell(t, "%s", v->rule->when ? v->rule->when : "-");
	}
	title(x, "Rules");
	return t ? ebb_out_table_print(t, x->app->out, 2, err)
		 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* Facts of all conditions, each name once, in the order of the rules. */
static int collect_facts(const struct explain *x, struct ebb_expr_explain_fact **ret, size_t *ret_n,
			 struct ebb_err *err)
{
	struct ebb_expr_explain_fact *all = NULL;
	size_t n = 0, most = 0;

	for (size_t i = 0; i < x->nverdicts; i++)
		most += x->verdicts[i].nfacts;
	all = calloc(most + 1, sizeof(*all));
	if (!all)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < x->nverdicts; i++)
		for (size_t k = 0; k < x->verdicts[i].nfacts; k++) {
			const struct ebb_expr_explain_fact *f = &x->verdicts[i].facts[k];
			size_t j = 0;

			while (j < n && strcmp(all[j].name, f->name) != 0)
				j++;
			if (j == n)
				all[n++] = *f;
		}
	*ret = all;
	*ret_n = n;
	return 0;
}

static int print_facts(const struct explain *x, const struct ebb_expr_explain_fact *f, size_t n,
		       struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {{"fact", false}, {"value", false}, {"from", false}};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	for (size_t i = 0; t && i < n; i++) {
		ebb_out_cell(t, "%s", f[i].name);
		ebb_out_cell_name(t, f[i].value, strlen(f[i].value));
		ebb_out_cell(t, "%s", f[i].evidence);
	}
	if (n)
		title(x, "Facts that the conditions use");
	return t ? ebb_out_table_print(t, x->app->out, 2, err)
		 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static void print_object(const struct explain *x)
{
	const struct ebb_record *r = &x->rec;
	FILE *f = x->app->out;
	char a[EBB_OUT_TEXT_MAX], owner[EBB_OWNER_MAX], etag[EBB_RECORD_ETAG_TEXT];

	fprintf(f, "%s%s:", ebb_out_bold(f), x->store.name);
	ebb_out_name(f, r->key, r->key_len);
	fprintf(f, "%s\n  %s", ebb_out_plain(f), ebb_record_kind_name(r->f[EBB_F_KIND]));
	if (r->f[EBB_F_KIND] == EBB_KIND_FILE)
		fprintf(f, ", %s", ebb_out_bytes((uint64_t)r->f[EBB_F_SIZE], a));
	if (ebb_record_has(r, EBB_F_UID))
		fprintf(f, ", owned by %s", ebb_owner_name(r->f[EBB_F_UID], owner));
	const char *class = ebb_record_has(r, EBB_F_CLASS) ? ebb_names_get(x->app->names, r->f[EBB_F_CLASS]) : NULL;
	if (class)
		fprintf(f, ", in class %s", class);
	if (ebb_record_etag_text(r, etag))
		fprintf(f, ", entity tag %s", etag);
	if (ebb_record_has(r, EBB_F_MTIME))
		fprintf(f, ", changed %s", ebb_out_ago(r->f[EBB_F_MTIME], x->env.now, a));
	fprintf(f, "; as of the scan %s\n", ebb_out_ago(x->store.finished, x->env.now, a));
	if (x->dataset)
		fprintf(f, "  dataset %s%s%s%s%s", x->dataset->match, x->dataset->kind ? ", kind " : "",
			x->dataset->kind ? x->dataset->kind : "", x->dataset->team ? ", team " : "",
			x->dataset->team ? x->dataset->team : "");
	if (x->dataset && x->dataset->copies)
		fprintf(f, ", keeps %lld cop%s of each content", (long long)x->dataset->copies, x->dataset->copies == 1 ? "y" : "ies");
	if (x->dataset)
		fputc('\n', f);
}

/* What the rule that meets it does, in full. */
static void print_action(const struct explain *x)
{
	const struct ebb_rule *rule = x->rule;
	FILE *f = x->app->out;
	char t[EBB_UNITS_TEXT];

	if (rule->retain)
		fprintf(f, "move it, with all of its checkpoint, to the store's trash for %s", ebb_units_exact_duration(rule->trash_ns, t));
	else if (rule->action->id != EBB_ACTION_DELETE)
		fprintf(f, "%s%s%s", rule->action->summary, rule->to ? ": " : "",
			rule->to ? rule->to : "");
	else if (rule->purge)
		fputs("remove it for good", f);
	else
		fprintf(f, "move it to the store's trash for %s",
			ebb_units_exact_duration(rule->trash_ns, t));
	if (rule->keep_key)
		fputs(", under its own key (Content-Encoding: zstd)", f);
}

/* Is there more to say than the refusal's own text? */
static bool says_why(const struct explain *x)
{
	return x->why && (x->refusal == EBB_REFUSE_LIVE || x->refusal == EBB_REFUSE_RESIDENCY || x->refusal == EBB_REFUSE_HURRIED ||
			  (x->rule && x->rule->retain));
}

static void print_outcome(const struct explain *x)
{
	FILE *f = x->app->out;

	if (x->rule && x->refusal != EBB_REFUSE_NONE) {
		fprintf(f, "\nRule '%s' meets it, but the plan leaves it alone: %s\n",
			x->rule->name, ebb_decide_refusal_text(x->refusal));
		if (says_why(x))
			fprintf(f, "  %s\n", x->why);
		return;
	}
	if (x->rule) {
		fprintf(f, "\nRule '%s' meets it: ", x->rule->name);
		print_action(x);
		fputc('\n', f);
		return;
	}
	for (size_t i = 0; i < x->nverdicts; i++)
		if (x->verdicts[i].holds) {
			fprintf(f, "\nRule '%s' may meet it, but not for certain: it stays as it is\n",
				x->verdicts[i].rule->name);
			return;
		}
	fputs("\nNo rule meets it: it stays as it is\n", f);
}

static int print_text(struct explain *x, struct ebb_err *err)
{
	struct ebb_expr_explain_fact *facts = NULL;
	size_t n = 0;
	int r = collect_facts(x, &facts, &n, err);

	if (r)
		return r;
	print_object(x);
	print_outcome(x);
	r = print_verdicts(x, err);
	if (!r)
		r = print_facts(x, facts, n, err);
	free(facts);
	return r;
}

/* --- For programs --- */

static int print_json(struct explain *x, struct ebb_err *err)
{
	struct ebb_expr_explain_fact *facts = NULL;
	size_t n = 0;
	int r = collect_facts(x, &facts, &n, err);
	json_t *o = json_pack("{ss}", "store", x->store.name), *rules = json_array(),
	       *list = json_array();

	if (r) {
		json_decref(o);
		json_decref(rules);
		json_decref(list);
		return r;
	}
	ebb_out_json_record(o, &x->rec, x->app->names);
	json_object_set_new(o, "rule", x->rule ? json_string(x->rule->name) : json_null());
	json_object_set_new(o, "do", json_string(x->rule ? x->rule->action->name : "keep"));
	bool refused = x->refusal != EBB_REFUSE_NONE;
	json_object_set_new(o, "refused",
			    refused ? json_string(ebb_decide_refusal_name(x->refusal)) : json_null());
	json_object_set_new(o, "refused_why",
			    refused ? json_string(ebb_decide_refusal_text(x->refusal)) : json_null());
	if (says_why(x))
		json_object_set_new(o, "why", json_string(x->why));
	if (x->dataset)
		json_object_set_new(o, "dataset", json_string(x->dataset->match));
	for (size_t i = 0; i < x->nverdicts; i++) {
		const struct ebb_rules_verdict *v = &x->verdicts[i];

		json_array_append_new(
			rules, json_pack("{ss ss sb sb sb ss ss sb sb ss}", "name", v->rule->name, "do",
					 v->rule->action->name, "store_ok", v->store_ok, "kind_ok",
					 v->kind_ok, "match_ok", v->match_ok, "condition",
					 truth_name(v->cond), "likely", truth_name(v->likely), "fires", v->fires, "holds", v->holds,
					 "verdict", reason(x, v)));
	}
	for (size_t i = 0; i < n; i++) {
		json_t *f = json_pack("{ss ss}", "name", facts[i].name, "from", facts[i].evidence);

		ebb_out_json_bytes(f, "value", facts[i].value, strlen(facts[i].value));
		json_array_append_new(list, f);
	}
	free(facts);
	json_object_set_new(o, "rules", rules);
	json_object_set_new(o, "facts", list);
	return ebb_out_json(x->app->out, o, err);
}

/* --- Looking it up --- */

/* The record of the key, or of the folder of that name. */
static int look_up(struct explain *x, struct ebb_snap *snap, struct ebb_err *err)
{
	struct ebb_err e = {0};
	char a[EBB_OUT_TEXT_MAX];
	int r = ebb_snap_get(snap, &x->store, x->key, &x->rec, &e);

	if (r == -EBB_ENOENT) {
		size_t n = strlen(x->key);

		if (n && x->key[n - 1] != '/') {
			memcpy(x->key + n, "/", 2);
			ebb_err_clear(&e);
			r = ebb_snap_get(snap, &x->store, x->key, &x->rec, &e);
			if (r)
				x->key[n] = 0;
		}
	}
	if (r == -EBB_ENOENT)
		return ebb_err_set(err, EBB_ENOENT,
				   "'%s:%s' is not in the index, last scanned %s; is it new, or left out?",
				   x->store.name, x->key, ebb_out_ago(x->store.finished, x->env.now, a));
	return r ? ebb_err_set(err, e.code, "%s", e.msg) : 0;
}

/* Copies as a plan of all stores sees them. *ret NULL: no rule asks. */
static int find_copies(struct explain *x, struct ebb_snap *snap, struct ebb_survivors **ret, struct ebb_err *err)
{
	const struct ebb_config *c = x->app->config;
	struct ebb_index_store *all = ebb_arena_calloc(&x->arena, c->nstores, sizeof(*all));
	size_t n = 0;

	if (!all)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < c->nstores; i++)
		n += ebb_snap_store(snap, c->stores[i].open.name, &all[n], NULL) == 0 && all[n].generation;
	return ebb_survivors_find(x->app, snap, all, n, x->env.now, ret, err);
}

/* Put the object to the gates of the plan. */
static int ask_plan(struct explain *x, struct ebb_snap *snap, size_t rule, struct ebb_err *err)
{
	const struct ebb_config *c = x->app->config;
	EBB_CLEANUP(ebb_context_freep) struct ebb_context *ctx = NULL;
	EBB_CLEANUP(ebb_survivors_freep) struct ebb_survivors *copies = NULL;
	struct ebb_decide *d = NULL;
	struct ebb_action a = {0};
	int r = ebb_decide_new(&x->arena, c->rules, c->prices, x->env.now, &d, err);

	if (r == 0)
		r = ebb_context_make(x->app, snap, &x->store, 1, false, &ctx, err);
	if (r == 0)
		ebb_context_use(ctx, d);
	if (r == 0)
		r = ebb_habit_scan_tell(&x->arena, snap, &x->store, 1, c->rules, x->env.now, d, err);
	if (r == 0)
		r = find_copies(x, snap, &copies, err);
	if (r == 0 && copies)
		ebb_decide_use_copies(d, ebb_survivors_copy, copies);
	if (r == 0)
		r = ebb_decide_one(d, rule, x->store.name, &x->rec, &a, &x->refusal, err);
	if (r == 0 && a.why && !(x->why = ebb_arena_strdup(&x->arena, a.why)))
		r = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_decide_free(d);
	return r;
}

static int decide(struct explain *x, struct ebb_snap *snap, struct ebb_err *err)
{
	const struct ebb_rules *rules = x->app->config->rules;

	x->nverdicts = ebb_rules_count(rules);
	x->verdicts = ebb_arena_calloc(&x->arena, x->nverdicts + 1, sizeof(*x->verdicts));
	if (!x->verdicts)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = ebb_rules_explain(rules, &x->rec, x->store.name, x->env.now, &x->arena, x->verdicts,
				  &x->dataset, err);
	if (r < 0)
		return r;
	x->rule = r == EBB_RULES_NONE ? NULL : ebb_rules_get(rules, (size_t)r);
	if (x->rule && x->rule->action->changes)
		return ask_plan(x, snap, (size_t)r, err);
	for (size_t i = 0; i < x->nverdicts; i++)
		if (x->verdicts[i].holds)
			x->refusal = EBB_REFUSE_UNKNOWN;
	return 0;
}

static int find(struct explain *x, struct ebb_snap *snap, const char *word, struct ebb_err *err)
{
	int r = ebb_target_parse(x->app, word, &x->target, err);

	if (r)
		return r;
	x->cs = ebb_config_store(x->app->config, x->target.store);
	if (!x->cs)
		return ebb_err_set(err, EBB_EUSAGE, "no store is called '%s' in '%s'", x->target.store,
				   x->app->config->path);
	if (!*x->target.key)
		return ebb_err_set(err, EBB_EUSAGE, "'%s' is a whole store; name an object in it: %s:KEY",
				   word, x->target.store);
	if (asprintf(&x->key, "%s ", x->target.key) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	x->key[strlen(x->key) - 1] = 0;	/* the room is for the '/' of a folder */
	x->env.store = x->target.store;
	x->env.class = x->cs->class;
	r = ebb_snap_store(snap, x->target.store, &x->store, err);
	if (!r)
		r = look_up(x, snap, err);
	return r ? r : decide(x, snap, err);
}

/* A part of the object itself, for the sample. */
struct part {
	struct ebb_store *store;
	const struct explain *x;
};

static int64_t read_part(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	const struct part *p = ctx;
	int r = ebb_store_read_range(p->store, p->x->key, NULL, off, buf, len, err);

	return r < 0 ? r : (int64_t)len;
}

/* --sample: what compressing would leave, by reading parts of the object now. */
static int print_sample(struct explain *x, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = ebb_storeset_new(x->app->config);
	struct part p = {.x = x};
	struct ebb_record now;
	struct ebb_sample_estimate e;
	int level = x->rule && x->rule->level ? x->rule->level : ebb_codec_zstd.level_default;
	char text[EBB_UNITS_TEXT];
	int r = stores ? ebb_storeset_get(stores, x->store.name, &p.store, err) :
			 ebb_err_set(err, EBB_ENOMEM, "out of memory");

	if (r == 0)
		r = ebb_store_head(p.store, x->key, &now, err);
	if (r == 0)
		r = ebb_sample_estimate(read_part, &p, now.f[EBB_F_SIZE], level, &e, err);
	if (r < 0)
		return r;
	if (x->app->json) {
		json_t *o = json_pack("{s:{s:i,s:i,s:i,s:I}}", "sample", "level", level, "permille", e.permille,
				      "margin", e.margin, "read", (json_int_t)e.read);
		return ebb_out_json(x->app->out, o, err);
	}
	fprintf(x->app->out, "\nSample of %s: zstd %d would leave %d.%d %% +- %d.%d of it\n",
		ebb_units_format_bytes(e.read, text), level, e.permille / 10, e.permille % 10,
		e.margin / 10, e.margin % 10);
	return 0;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	int r = ebb_app_config(app, err);

	if (!r)
		r = ebb_app_index(app, true, &ix, err);
	if (!r)
		r = ebb_app_snap(app, ix, &snap, err);
	for (int i = 0; i < ebb_cli_argc(args) && !r; i++) {
		struct explain x = {
			.app = app,
			.env = {.now = ebb_app_now(app)},
		};

		ebb_arena_init(&x.arena, 16 * 1024 * 1024);
		r = find(&x, snap, ebb_cli_arg(args, i), err);
		if (!r && i && !app->json)
			fputc('\n', app->out);
		if (!r)
			r = app->json ? print_json(&x, err) : print_text(&x, err);
		if (!r && ebb_cli_flag(args, "sample"))
			r = print_sample(&x, err);
		ebb_target_release(&x.target);
		ebb_arena_release(&x.arena);
		free(x.key);
	}
	return r;
}

static const struct ebb_cli_option options[] = {
	{"sample", 0, EBB_CLI_FLAG, NULL, "read parts of the object, and estimate what zstd would leave of it"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"store, path, path_b64, kind, size, ...", "", "the object, as ebb-find(1) shows it"},
	{"rule", "string", "name of the rule that meets it, or null"},
	{"do", "string", "what that rule does; keep when none meets it"},
	{"refused, refused_why", "string", "why a plan leaves it alone though the rule meets, or may meet, it: a word and a sentence; else null"},
	{"dataset", "string", "pattern of its dataset, when it has one"},
	{"rules", "array", "every rule: name, do, store_ok, kind_ok, match_ok, condition (true, false, unknown), likely (the same if access logs lost nothing), fires, holds (unknown, so nothing changes it), verdict"},
	{"facts", "array", "every fact that a condition uses: name, value, from (where it comes from)"},
	{"sample", "object", "with --sample, on a line of its own: level, permille of the size that is left, margin (95 %), bytes read"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb explain /data/scratch/run1/a.log", "why a file is, or is not, in the plan",
	"ebb explain scratch:run1/a.log --json", "the same by key, for a program",
	NULL,
};

const struct ebb_cli_command ebb_cmd_explain = {
	.name = "explain",
	.summary = "say which rule meets an object, with every fact and its evidence",
	.usage = "STORE:KEY|PATH...",
	.description =
		"Looks objects up in the index and shows what every rule says of them: whether store, dataset and pattern fit,\n"
		"whether the condition is true, false or unknown, and which rule meets the object in the end.\n"
		"Every fact that a condition uses is shown with its value and where that comes from.\n"
		"A rule that meets an object may still be refused when a plan is made: the same gates are asked here.\n"
		"\n"
		"A rule that changes anything fires only when its condition is certainly true; a rule that keeps protects also\n"
		"when it may be true.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
