/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/cmd_show.h"
#include "agent/jsonline.h"
#include "agent/out.h"
#include "agent/planfile.h"
#include "agent/plantext.h"
#include "core/snap.h"
#include "core/text.h"
#include "core/units.h"

enum { LIMIT = 20 };

/* What is printed for people, collected in one pass over the actions. */
struct showing {
	struct ebb_app *app;
	struct ebb_planfile *plan;
	const char *rule;		/* only this one, or NULL */
	const struct ebb_planhead *head;	/* of what is shown */
	struct ebb_plantext_rule *how;	/* owned: one for each rule of @head */
	const struct ebb_config *config;	/* that the plan was made from, or NULL */
	bool *used;			/* owned: of config->stores, or NULL */
	struct ebb_out_table *t;	/* owned: actions */
	int64_t shown, more;		/* actions in it, and others */
};

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
	ebb_out_cell(t, "%s",
		     ebb_plantext_does(ebb_action_kind(row->action)->name, row->purge,
				       row->trash_ns, a));
	ebb_out_cell(t, "%s", ebb_out_bytes((uint64_t)row->obj.f[EBB_F_SIZE], a));
	amount(t, row, row->saving, currency);
	ebb_out_cell(t, "%s", row->store);
	ebb_out_cell_name(t, row->obj.key, row->obj.key_len);
	ebb_out_cell_name(t, row->why, strlen(row->why));
}

/* What a row says of its rule, and of the stores whose prices took part. */
static void learn(struct showing *s, const struct ebb_planrow *row)
{
	for (size_t i = 0; row->action == EBB_ACTION_DELETE && i < s->head->nrules; i++)
		if (strcmp(s->head->rules[i].rule, row->rule) == 0) {
			s->how[i].purge = row->purge;
			s->how[i].trash_ns = row->trash_ns;
		}
	if (s->used && row->priced)
		ebb_plantext_use(s->config, s->used, row->store, row->to_store);
}

static int read_rows(struct showing *s, long long limit, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"n", true}, {"action", false}, {"size", true}, {"saves a month", true},
		{"store", false}, {"path", false}, {"why", false},
	};
	struct ebb_planrow row;
	int r;

	s->t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	if (!s->t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	while ((r = ebb_planfile_next(s->plan, &row, err)) == 1) {
		if (!is_wanted(s->rule, &row))
			continue;
		learn(s, &row);
		if (limit >= 0 && s->shown == limit) {
			s->more++;
			continue;
		}
		add_row(s->t, &row, s->head->currency);
		s->shown++;
	}
	return r;
}

static int print_rows(const struct showing *s, struct ebb_err *err)
{
	FILE *f = s->app->out;

	fputc('\n', f);
	int r = s->shown ? ebb_out_table_print(s->t, f, 2, err) : 0;
	if (s->more)
		fprintf(f, "  and %" PRId64 " more: --limit says how many are shown\n", s->more);
	return r;
}

/* The configuration, if it still is the one that the plan was made from, prices included. */
static const struct ebb_config *config_of(struct ebb_app *app, const struct ebb_planhead *h)
{
	const struct ebb_config *c;

	if (ebb_app_config_optional(app, NULL) < 0 || !(c = app->config) ||
	    memcmp(c->rules_digest, h->rules_digest, sizeof(h->rules_digest)) != 0 ||
	    memcmp(c->prices_digest, h->prices_digest, sizeof(h->prices_digest)) != 0)
		return NULL;
	return c;
}

/* When the scan that the plan saw ended, ns; 0 when the index has another one by now, or is not there. */
static int64_t scanned(struct ebb_app *app, const struct ebb_planhead_store *s)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	struct ebb_index_store st;

	if (ebb_app_index(app, true, &ix, NULL) || ebb_snap_open(ix, &snap, NULL) ||
	    ebb_snap_store(snap, s->name, &st, NULL) || st.generation != s->generation ||
	    st.root_ino != s->ino)
		return 0;
	return st.finished;
}

static const char *second(int64_t ns, char t[EBB_UNITS_TEXT])
{
	return ebb_units_exact_time(ns - ns % EBB_CLOCK_SECOND, t);
}

static void print_store(struct ebb_app *app, const struct ebb_planhead_store *s)
{
	int64_t when = s->generation ? scanned(app, s) : 0;
	char t[EBB_UNITS_TEXT];

	if (!s->generation)
		fprintf(app->out, "  store %s, a destination, not scanned\n", s->name);
	else if (when)
		fprintf(app->out, "  store %s, as of its scan of %s\n", s->name, second(when, t));
	else
		fprintf(app->out, "  store %s, as of its scan number %" PRId64 "\n", s->name,
			s->generation);
}

/* Totals of one rule only, as if the plan knew no other. -EBB_EUSAGE naming the nearest when there is none. */
static int only_rule(const struct ebb_planhead *h, const char *rule, struct ebb_planhead *ret,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) const char **words = calloc(h->nrules + 1, sizeof(*words));
	char hint[512];

	if (!words)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	*ret = *h;
	for (size_t i = 0; i < h->nrules; i++) {
		words[i] = h->rules[i].rule;
		if (strcmp(words[i], rule) != 0)
			continue;
		ret->rules = &h->rules[i];
		ret->nrules = 1;
		ret->all = h->rules[i].sum;
		ret->kept = ret->held = ret->unmatched = ret->older = (struct ebb_planhead_sum){0};
		return 0;
	}
	return ebb_err_set(err, EBB_EUSAGE, "the plan has no rule '%s'%s", rule,
			   ebb_text_suggest(rule, words, h->nrules, hint, sizeof(hint)));
}

static int print_totals(struct showing *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf samples = EBB_BUF_INIT(1 << 20);
	struct ebb_plantext text = {.head = s->head, .rules = s->how};
	int r = s->used ? ebb_plantext_samples(s->config, s->head, s->used, &samples, err) : 0;

	text.samples = samples.data;
	return r < 0 ? r : ebb_plantext_print(s->app->out, &text, err);
}

static void release(struct showing *s)
{
	ebb_out_table_free(s->t);
	free(s->how);
	free(s->used);
}

static int show_text(struct ebb_app *app, struct ebb_planfile *plan, const char *rule,
		     const struct ebb_planhead *shown, long long limit, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct showing s = {
		.app = app, .plan = plan, .rule = rule, .head = shown,
		.config = config_of(app, shown),
		.how = calloc(shown->nrules + 1, sizeof(*s.how)),
	};
	const struct ebb_planhead *h = ebb_planfile_head(plan);
	char t[EBB_UNITS_TEXT];

	if (s.config)
		s.used = calloc(s.config->nstores + 1, sizeof(*s.used));
	if (!s.how || (s.config && !s.used))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = read_rows(&s, limit, err);
	if (r < 0)
		return r;
	fprintf(app->out, "%splan %.12s%s of %s\n", ebb_out_bold(app->out), ebb_planfile_id(plan),
		ebb_out_plain(app->out), second(h->now, t));
	for (size_t i = 0; i < h->nstores; i++)
		print_store(app, &h->stores[i]);
	fputc('\n', app->out);
	r = print_totals(&s, err);
	if (r == 0 && limit != 0)
		r = print_rows(&s, err);
	return r < 0 ? r : ebb_out_flush(app->out, err);
}

static int show(struct ebb_app *app, const char *path, const char *rule, long long limit, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	struct ebb_planhead shown;
	int r = ebb_planfile_open(path, &plan, err);

	if (r == 0)
		shown = *ebb_planfile_head(plan);
	if (r == 0 && rule)
		r = only_rule(ebb_planfile_head(plan), rule, &shown, err);
	if (r < 0)
		return r;
	if (app->json)
		return show_json(app, plan, rule, limit, err);
	return show_text(app, plan, rule, &shown, limit, err);
}

int ebb_cmd_show_plan(struct ebb_app *app, const char *path, struct ebb_err *err)
{
	return show(app, path, NULL, app->json ? -1 : LIMIT, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	return show(app, ebb_cli_arg(args, 0), ebb_cli_string(args, "rule"),
		    ebb_cli_number(args, "limit", app->json ? -1 : LIMIT), err);
}

static const struct ebb_cli_option options[] = {
	{"limit", 'l', EBB_CLI_COUNT, "N", "actions shown (default: 20, with --json all)"},
	{"rule", 'r', EBB_CLI_STRING, "NAME", "only actions and totals of this rule"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"schema, id, actions", "string, string, number", "first line: what plan this is"},
	{"created, now_ns, currency, rules_sha256, prices_sha256, stores, limits, totals, kept, held, unmatched, rules", "various",
	 "second line: the header, as in the plan file; the digests are those of the configuration and of the price books"},
	{"n, rule, action", "number, string, string", "each further line: an action"},
	{"store, path, path_b64", "string", "its object; path_b64 when the path is not UTF-8"},
	{"kind, size, alloc, mtime_ns, ctime_ns, ino, dev, nlink", "various",
	 "what the object must still be, null where unknown"},
	{"verify", "string", "how the copy is verified before the original goes: size, checksum or bytes; otherwise by its digest"},
	{"to_class", "string", "the class it goes into where it is; only where that is what is done"},
	{"to_store, to_path, to_path_b64, codec, level, keep_key, purge, trash_s", "various", "how it is done; to_path_b64 when that path is not UTF-8"},
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
