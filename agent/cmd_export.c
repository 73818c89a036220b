/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb export: rules for the provider's own lifecycle engine, as JSON or Terraform; a plan's moves as a manifest for S3 Batch Operations. */
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/export_hcl.h"
#include "agent/lifecycle_json.h"
#include "agent/out.h"
#include "agent/planfile.h"
#include "core/buf.h"
#include "policies/native.h"
#include "scanners/sigv4.h"

#define OUT_MAX (16u << 20)

struct exporting {
	struct ebb_app *app;
	struct ebb_arena arena;
	const struct ebb_rules_store *store;
	const char *bucket;
	struct ebb_lifecycle lc;
};

static void release(struct exporting *x)
{
	ebb_arena_release(&x->arena);
}

/* --- lifecycle rules --- */

static int find_store(struct exporting *x, const char *name, struct ebb_err *err)
{
	const struct ebb_config *c = x->app->config;

	if (!name && c->nstores != 1)
		return ebb_err_set(err, EBB_EUSAGE, "there are %zu stores: say which one to export rules for",
				   c->nstores);
	for (size_t i = 0; i < c->nstores; i++)
		if (!name || strcmp(c->rule_stores[i].name, name) == 0)
			x->store = &c->rule_stores[i];
	return x->store ? 0 : ebb_err_set(err, EBB_EUSAGE, "store '%s' is not in '%s'", name, c->path);
}

/* Put @rule in place of the one with its ID, or behind the others. The array has room. */
static void put(struct ebb_lifecycle *lc, const struct ebb_lifecycle_rule *rule)
{
	size_t i = 0;

	while (i < lc->n && strcmp(lc->rules[i].id, rule->id) != 0)
		i++;
	lc->rules[i] = *rule;
	lc->n += i == lc->n;
}

/* Rules of an earlier export that are not in the configuration any more go. */
static bool is_ours(const struct ebb_lifecycle_rule *r)
{
	return strncmp(r->id, EBB_NATIVE_ID, strlen(EBB_NATIVE_ID)) == 0;
}

static int begin(struct exporting *x, const char *merge, struct ebb_err *err)
{
	size_t room = ebb_rules_count(x->app->config->rules);
	struct ebb_lifecycle old = {0};
	int r = merge ? ebb_lifecycle_json_load(merge, &x->arena, &old, err) : 0;

	if (r < 0)
		return r;
	x->lc.by_class = old.by_class;
	x->lc.rules = ebb_arena_calloc(&x->arena, room + old.n + 1, sizeof(*x->lc.rules));
	if (!x->lc.rules)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < old.n; i++)
		if (!is_ours(&old.rules[i]))
			x->lc.rules[x->lc.n++] = old.rules[i];
	if (old.by_class)
		ebb_app_note(x->app, "'%s' moves small objects by class (varies_by_storage_class): kept as it is", merge);
	return 0;
}

static int add_rules(struct exporting *x, struct ebb_err *err)
{
	const struct ebb_rules *rules = x->app->config->rules;
	char why[EBB_NATIVE_WHY];

	for (size_t i = 0; i < ebb_rules_count(rules); i++) {
		const struct ebb_rule *rule = ebb_rules_get(rules, i);
		struct ebb_lifecycle_rule native;

		if (!rule->action->changes || (rule->store && strcmp(rule->store, x->store->name) != 0))
			continue;
		int r = ebb_native_rule(rules, i, x->store, x->app->config->prices, &x->arena, &native, why, err);
		if (r < 0)
			return r;
		if (r == 0)
			ebb_app_note(x->app, "rule '%s' is left out: %s", rule->name, why);
		else
			put(&x->lc, &native);
	}
	return 0;
}

static int print_rules(struct exporting *x, bool hcl, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(OUT_MAX);
	json_t *o = hcl ? NULL : ebb_lifecycle_json_write(&x->lc);

	if (hcl) {
		int r = ebb_export_hcl(&b, &x->lc, x->bucket, err);

		if (r < 0)
			return r;
		fwrite(b.data, 1, b.len, x->app->out);
		return 0;
	}
	if (!o || json_dumpf(o, x->app->out, JSON_INDENT(2)) < 0) {
		json_decref(o);
		return ebb_err_set(err, EBB_ENOMEM, "cannot print the configuration");
	}
	json_decref(o);
	fputc('\n', x->app->out);
	return 0;
}

/* --- what a store made of a configuration --- */

static const struct ebb_lifecycle_rule *rule_of(const struct ebb_lifecycle *lc, const char *id)
{
	for (size_t i = 0; i < lc->n; i++)
		if (strcmp(lc->rules[i].id, id) == 0)
			return &lc->rules[i];
	return NULL;
}

/* Does a rule say the same as one read back? NULL says nothing. */
static bool same_rule(const struct ebb_lifecycle_rule *a, const struct ebb_lifecycle_rule *b)
{
	struct ebb_lifecycle one = {.n = 1};
	json_t *x, *y;
	bool same;

	if (!b)
		return false;
	/* the writer only reads */
	one.rules = &(struct ebb_lifecycle_rule){0};
	*one.rules = *a;
	x = ebb_lifecycle_json_write(&one);
	*one.rules = *b;
	y = ebb_lifecycle_json_write(&one);
	same = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return same;
}

/*
 * Stores accept what they do not understand, and drop it: a size filter that is gone makes a rule meet everything. So what
 * was put is read back and held against what was meant.
 */
static int compare(struct exporting *x, const char *path, struct ebb_err *err)
{
	struct ebb_lifecycle back = {0};
	int r = ebb_lifecycle_json_load(path, &x->arena, &back, err);
	size_t bad = 0;

	for (size_t i = 0; r == 0 && i < x->lc.n; i++)
		if (!same_rule(&x->lc.rules[i], rule_of(&back, x->lc.rules[i].id))) {
			fprintf(x->app->err, "ebb: rule '%s' is not in '%s' as it was written\n", x->lc.rules[i].id, path);
			bad++;
		}
	for (size_t i = 0; r == 0 && i < back.n; i++)
		if (!rule_of(&x->lc, back.rules[i].id)) {
			fprintf(x->app->err, "ebb: rule '%s' of '%s' is not one of those exported\n", back.rules[i].id, path);
			bad++;
		}
	return r == 0 && bad ? ebb_err_set(err, EBB_EPARTIAL, "%s", "") : r;
}

static int export_rules(struct exporting *x, const struct ebb_cli_args *args, bool hcl,
			struct ebb_err *err)
{
	int r = ebb_app_config(x->app, err);

	if (r == 0)
		r = find_store(x, ebb_cli_argc(args) ? ebb_cli_arg(args, 0) : NULL, err);
	if (r == 0)
		r = begin(x, ebb_cli_string(args, "merge"), err);
	if (r == 0)
		r = add_rules(x, err);
	if (r < 0)
		return r;
	if (ebb_cli_string(args, "compare"))
		return compare(x, ebb_cli_string(args, "compare"), err);
	x->bucket = ebb_cli_string(args, "bucket");
	x->bucket = x->bucket ? x->bucket : x->store->name;
	return print_rules(x, hcl, err);
}

/* --- a plan as a manifest --- */

static int manifest_line(struct exporting *x, const struct ebb_planrow *row, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf key = EBB_BUF_INIT(4 * EBB_KEY_MAX);

	if (ebb_sigv4_encode(&key, row->obj.key, row->obj.key_len, true) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	fprintf(x->app->out, "%s,%s\n", x->bucket ? x->bucket : row->store, key.data);
	return 0;
}

static int export_plan(struct exporting *x, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	const char *path = ebb_cli_string(args, "plan"), *class = ebb_cli_string(args, "class");
	struct ebb_planrow row;
	int64_t others = 0;
	int r;

	if (!path || !class)
		return ebb_err_set(err, EBB_EUSAGE, "a batch manifest needs --plan FILE and --class CLASS: one job moves "
						    "into one class");
	x->bucket = ebb_cli_string(args, "bucket");
	r = ebb_planfile_open(path, &plan, err);
	while (r >= 0 && (r = ebb_planfile_next(plan, &row, err)) == 1) {
		if (row.to_class && strcmp(row.to_class, class) == 0)
			r = manifest_line(x, &row, err);
		else
			others++;
	}
	if (r < 0)
		return r;
	if (others)
		ebb_app_note(x->app, "%lld actions of the plan are no moves into %s and are left out", (long long)others,
			     class);
	return 0;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct exporting x = {.app = app};
	const char *format = ebb_cli_string(args, "format");
	int r;

	ebb_arena_init(&x.arena, 0);
	if (format && strcmp(format, "batch") == 0)
		return export_plan(&x, args, err);
	if (ebb_cli_string(args, "plan") || ebb_cli_string(args, "class"))
		return ebb_err_set(err, EBB_EUSAGE, "--plan and --class belong to --format batch");
	r = export_rules(&x, args, format && strcmp(format, "terraform") == 0, err);
	if (r == -EBB_ENOENT && err)
		err->code = EBB_ECONFIG;
	return r == -EBB_ENOENT ? -EBB_ECONFIG : r;
}

static const struct ebb_cli_option options[] = {
	{"format", 'f', EBB_CLI_CHOICE, "lifecycle|terraform|batch", "what to write (default: lifecycle, JSON as S3 takes it)"},
	{"merge", 0, EBB_CLI_STRING, "FILE", "keep the rules of this lifecycle configuration that ebb did not make"},
	{"compare", 0, EBB_CLI_STRING, "FILE", "print nothing; tell where this configuration, read back from the store, differs"},
	{"bucket", 0, EBB_CLI_STRING, "NAME", "name of the bucket (default: that of the store)"},
	{"plan", 0, EBB_CLI_STRING, "FILE", "batch: take the moves of this plan"},
	{"class", 0, EBB_CLI_STRING, "CLASS", "batch: those into this class"},
	{0},
};

static const char *const examples[] = {
	"aws s3api get-bucket-lifecycle-configuration --bucket lake > old.json; ebb export --merge old.json lake > new.json",
	"add rules to what a bucket has; put-bucket-lifecycle-configuration takes new.json",
	"aws s3api get-bucket-lifecycle-configuration --bucket lake > back.json; ebb export --merge old.json --compare back.json lake",
	"see that the store kept every word of it",
	"ebb simulate --lifecycle new.json lake", "see first what that would do and cost",
	"ebb export --format batch --plan plan.jsonl --class GLACIER_IR > manifest.csv",
	"what a plan moves into a class, for one S3 Batch Operations job",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_export;
const struct ebb_cli_command ebb_cmd_export = {
	.name = "export",
	.summary = "write rules for the provider's own lifecycle engine",
	.usage = "[STORE]",
	.description =
		"What a provider can do by itself, at any scale, should run there.\n"
		"Rules that a lifecycle configuration can express become one; those that it cannot are named on stderr, each\n"
		"with the reason, and left out.\n"
		"Lifecycle rules know prefixes, sizes and ages.\n"
		"They know no reads, no other conditions, no order, no money and no trash.\n"
		"\n"
		"A move gets an explicit smallest size: below it, it would not pay back in three years, or in the time that the\n"
		"rule requires.\n"
		"Rules made here carry an ID that begins with 'ebb: '; with --merge, older ones of them are replaced.\n"
		"\n"
		"Some stores accept filters that they do not know, and drop them, so that a rule meets everything.\n"
		"With --compare, what the bucket has after it was put is held against what was exported; the exit status is 1\n"
		"where they differ.\n"
		"\n"
		"A batch manifest lists bucket and key (percent-encoded) of the objects that a plan moves into a class.",
	.options = options,
	.examples = examples,
	.max_args = 1,
	.run = run,
};
