/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb check: validate the configuration offline and say what was understood. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/app.h"
#include "agent/check_money.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "compress/codec.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/text.h"
#include "core/units.h"
#include "policies/cost_storage.h"
#include "policies/rules_explain.h"

static const int64_t gib = INT64_C(1) << 30;

/* "retain the last 3, every 1000th step and the best 1 by least eval_loss, none younger than 7d; others into the trash for 30d" */
static int retains(struct ebb_buf *b, const struct ebb_rules_retain *k)
{
	char t[EBB_UNITS_TEXT];
	int bad = 0;

	if (k->keep_last)
		bad |= ebb_buf_addf(b, " the last %lld,", (long long)k->keep_last);
	if (k->keep_every)
		bad |= ebb_buf_addf(b, " steps that are multiples of %lld,", (long long)k->keep_every);
	if (k->keep_best)
		bad |= ebb_buf_addf(b, " the best %lld by the %s %s,", (long long)k->best_count, k->best_is_max ? "largest" : "least", k->keep_best);
	if (k->ntags)
		bad |= ebb_buf_adds(b, " what is tagged,");
	return bad | ebb_buf_addf(b, " what is younger than %s; the others", ebb_units_exact_duration(k->min_age_ns, t));
}

/* "compress with zstd, level 9", "tier to cold", "delete into the trash for 30 d" */
static int describe(const struct ebb_rule *r, struct ebb_buf *b)
{
	char t[EBB_OUT_TEXT_MAX], m[EBB_OUT_TEXT_MAX];
	int bad = ebb_buf_adds(b, r->action->name);

	if (r->packed)
		bad |= ebb_buf_adds(b, " what lies in packs");
	if (r->garbage_ppm)
		bad |= ebb_buf_addf(b, " when %s of a pack is of no use", ebb_units_exact_percent(r->garbage_ppm, t));

	if (r->to)
		bad |= ebb_buf_addf(b, " to %s", r->to);
	if (r->action->packs)
		bad |= ebb_buf_addf(b, " in packs of %s", ebb_units_exact_bytes(r->pack_bytes, t));
	if (r->class)
		bad |= ebb_buf_addf(b, " in class %s", r->class);
	if (r->codec)
		bad |= ebb_buf_addf(b, " with %s", r->codec);
	if (r->level)
		bad |= ebb_buf_addf(b, ", level %d", r->level);
	if (r->keep_key)
		bad |= ebb_buf_adds(b, ", under the same key (Content-Encoding: zstd)");
	if (r->window)
		bad |= ebb_buf_addf(b, ", repeats within %s (some %s of memory an object)",
				    ebb_units_exact_bytes(INT64_C(1) << r->window, t),
				    ebb_units_format_bytes(ebb_codec_memory(r->level, r->window), m));
	if (r->verify)
		bad |= ebb_buf_addf(b, ", copies verified by %s", ebb_action_verify_name((int)r->verify));
	if (r->action->id == EBB_ACTION_DEDUP)
		bad |= ebb_buf_addf(b, " by %s, leaving %lld", ebb_action_how_name(r->how), (long long)r->copies);
	if (r->retain)
		bad |= retains(b, r->retain);
	if (r->purge)
		bad |= ebb_buf_adds(b, " for good, without a trash");
	else if (r->action->trashes && !(r->action->id == EBB_ACTION_DEDUP && r->how == EBB_ACTION_REFLINK))
		bad |= ebb_buf_addf(b, " into the trash for %s", ebb_units_exact_duration(r->trash_ns, t));
	if (r->require_payback)
		bad |= ebb_buf_addf(b, ", if it pays back within %s", ebb_units_exact_duration(r->payback_ns, t));
	return bad;
}

/* Which objects a rule is about, without its condition: "scratch, kind checkpoints, runs/a" */
static int selectors(const struct ebb_rule *r, struct ebb_buf *b)
{
	const char *sep = "";
	int bad = ebb_buf_reserve(b, 0);

	if (r->store) {
		bad |= ebb_buf_addf(b, "%s", r->store);
		sep = ", ";
	}
	if (r->kind) {
		bad |= ebb_buf_addf(b, "%skind %s", sep, r->kind);
		sep = ", ";
	}
	if (r->match) {
		bad |= ebb_buf_addf(b, "%s%s", sep, r->match);
		sep = ", ";
	}
	return *sep ? bad : bad | ebb_buf_adds(b, "all");
}

/* --- What is valid, and yet hardly meant --- */

/* Takes one warning. */
typedef int warn_fn(struct ebb_app *app, const char *text, struct ebb_err *err);

/* Of the classes that are priced and may be meant, the nearest to @class, or NULL. */
static const char *nearest_class(const struct ebb_config *c, const char *class)
{
	/* Those of the book that ships with ebb, then those of the other stores. */
	static const char *const usual[] = {"NVME", "SSD", "HDD", "TAPE"};
	EBB_CLEANUP(ebb_mem_freep) const char **words =
		calloc(c->nstores + EBB_ARRAY_LEN(usual), sizeof(*words));
	size_t n = 0;

	for (size_t i = 0; words && i < EBB_ARRAY_LEN(usual); i++)
		if (ebb_price_find(c->prices, NULL, NULL, usual[i]))
			words[n++] = usual[i];
	for (size_t i = 0; words && i < c->nstores; i++)
		if (c->stores[i].price)
			words[n++] = c->stores[i].class;
	return n ? ebb_text_nearest(class, words, n) : NULL;
}

static int warn_class(struct ebb_app *app, const struct ebb_config_store *s, warn_fn *fn,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(65536);
	char quoted[EBB_TEXT_QUOTED];
	const char *near;
	int bad;

	if (!s->class || !*ebb_price_currency(app->config->prices) || s->price)
		return 0;
	near = nearest_class(app->config, s->class);
	bad = ebb_buf_addf(&text, "no price book prices class '%s' of store '%s'",
			   ebb_text_quotes(s->class, quoted, sizeof(quoted)), s->open.name);
	if (s->provider)
		bad |= ebb_buf_addf(&text, " (%s, region '%s')", s->provider,
				    ebb_text_quotes(s->region ? s->region : "", quoted, sizeof(quoted)));
	/* Where the class is right, the region is not. */
	if (near && strcmp(near, s->class) != 0)
		bad |= ebb_buf_addf(&text, "; did you mean '%s'?",
				    ebb_text_quotes(near, quoted, sizeof(quoted)));
	else
		bad |= ebb_buf_adds(&text, ": what lies there is counted as unpriced");
	return bad ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : fn(app, text.data, err);
}

static int warn_residency(struct ebb_app *app, size_t i, warn_fn *fn, struct ebb_err *err)
{
	const struct ebb_rules *rules = app->config->rules;
	const struct ebb_rules_dataset *set = ebb_rules_explain_forbidden(rules, i);
	const struct ebb_rule *r = ebb_rules_get(rules, i);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(65536);
	int bad;

	if (!set)
		return 0;
	const struct ebb_rules_store *to = ebb_rules_store(rules, r->to);
	bad = ebb_buf_addf(&text, "rule '%s' moves nothing: store '%s' %s%s, dataset '%s' may lie only in",
			   r->name, r->to, to->jurisdiction ? "lies in " : "has no jurisdiction",
			   to->jurisdiction ? to->jurisdiction : "", set->match);
	for (const char *const *j = set->residency; *j; j++)
		bad |= ebb_buf_addf(&text, "%s %s", j == set->residency ? "" : ",", *j);
	return bad ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : fn(app, text.data, err);
}

/* Pinned bytes pass through a machine that nobody placed. */
static int warn_here(struct ebb_app *app, warn_fn *fn, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(65536);
	const struct ebb_rules_dataset *set = ebb_rules_pinned(app->config->rules);

	if (!set || app->config->here)
		return 0;
	if (ebb_buf_addf(&text, "dataset '%s' is pinned, and where ebb runs is not said (jurisdiction: at the top): nothing of it is moved or compressed",
			 set->match) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	return fn(app, text.data, err);
}

static int warn(struct ebb_app *app, warn_fn *fn, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < app->config->nstores && !r; i++)
		r = warn_class(app, &app->config->stores[i], fn, err);
	for (size_t i = 0; i < ebb_rules_count(app->config->rules) && !r; i++)
		r = warn_residency(app, i, fn, err);
	if (!r)
		r = warn_here(app, fn, err);
	return r ? r : ebb_check_money_warn(app, fn, err);
}

/* What a GiB in the store's class costs a month: 1, 0 when it has no price, or negative. */
static int gib_month(const struct ebb_config *c, const struct ebb_config_store *s,
		     struct ebb_money *ret, struct ebb_err *err)
{
	return ebb_cost_storage_bytes(s->price, gib, ebb_price_currency(c->prices), ret, err);
}

/* --- For people --- */

static void title(struct ebb_app *app, const char *text)
{
	fprintf(app->out, "\n%s%s%s\n", ebb_out_bold(app->out), text, ebb_out_plain(app->out));
}

static int price_cell(const struct ebb_config *c, const struct ebb_config_store *s,
		      struct ebb_out_table *t, struct ebb_err *err)
{
	struct ebb_money m;
	char a[EBB_OUT_TEXT_MAX];
	int r = gib_month(c, s, &m, err);

	if (r < 0)
		return r;
	if (!r)
		ebb_out_cell(t, s->class ? "not priced" : "no class, not priced");
	else
		ebb_out_cell(t, "%s (%s)", ebb_money_format(m, a),
			     ebb_price_confidence_name(s->price->item[EBB_PRICE_STORAGE].confidence));
	return 0;
}

static int print_stores(struct ebb_app *app, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"name", false}, {"type", false}, {"where", false}, {"class", false},
		{"a GiB a month", false},
	};
	const struct ebb_config *c = app->config;
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < c->nstores; i++) {
		const struct ebb_config_store *s = &c->stores[i];

		ebb_out_cell(t, "%s", s->open.name);
		ebb_out_cell(t, "%s", s->open.type);
		ebb_out_cell(t, "%s", s->location);
		ebb_out_cell(t, "%s", s->class ? s->class : "-");
		int r = price_cell(c, s, t, err);
		if (r)
			return r;
	}
	title(app, "Stores");
	return ebb_out_table_print(t, app->out, 2, err);
}

static int print_rules(struct ebb_app *app, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"#", true}, {"name", false}, {"objects", false}, {"do", false}, {"when", false},
	};
	const struct ebb_config *c = app->config;
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < ebb_rules_count(c->rules); i++) {
		const struct ebb_rule *r = ebb_rules_get(c->rules, i);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf what = EBB_BUF_INIT(65536);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf where = EBB_BUF_INIT(65536);

		if (describe(r, &what) || selectors(r, &where))
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		ebb_out_cell(t, "%zu", i + 1);
		ebb_out_cell(t, "%s", r->name);
		ebb_out_cell(t, "%s", where.data);
		ebb_out_cell(t, "%s", what.data);
		ebb_out_cell(t, "%s", r->when ? r->when : "always");
	}
	title(app, "Rules (the first that matches decides; the rest stays as it is)");
	if (!ebb_rules_count(c->rules)) {
		fputs("  none: a plan would be empty\n", app->out);
		return 0;
	}
	return ebb_out_table_print(t, app->out, 2, err);
}

/* "1 TiB (1,099,511,627,776 bytes)": units are echoed back, so that nobody is surprised. */
static void bytes_cell(struct ebb_out_table *t, int64_t n)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	ebb_out_cell(t, "%s (%s bytes)", ebb_out_bytes((uint64_t)n, a), ebb_out_count((uint64_t)n, b));
}

static int print_limits(struct ebb_app *app, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {{"", false}, {"", false}};
	const struct ebb_config_limits *l = &app->config->limits;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_out_cell(t, "deleted");
	if (l->max_delete >= 0)
		ebb_out_cell(t, "%s objects, and %s of a store's objects",
			     ebb_out_count((uint64_t)l->max_delete, a),
			     ebb_units_exact_percent(l->max_delete_ppm, b));
	else
		ebb_out_cell(t, "%s of a store's objects", ebb_units_exact_percent(l->max_delete_ppm, b));
	ebb_out_cell(t, "actions");
	ebb_out_cell(t, "%s", l->max_objects < 0 ? "no limit" : ebb_out_count((uint64_t)l->max_objects, a));
	ebb_out_cell(t, "bytes");
	if (l->max_bytes < 0)
		ebb_out_cell(t, "no limit");
	else
		bytes_cell(t, l->max_bytes);
	ebb_out_cell(t, "one-off cost");
	ebb_out_cell(t, "%s", *l->max_cost.currency ? ebb_out_money(&l->max_cost, a) : "no limit");
	ebb_out_cell(t, "failed actions");
	ebb_out_cell(t, "%s", ebb_out_count((uint64_t)l->max_errors, a));
	if (l->bandwidth) {
		ebb_out_cell(t, "bytes read");
		ebb_out_cell(t, "%s", l->bandwidth);
	}
	if (l->requests) {
		ebb_out_cell(t, "operations on objects");
		ebb_out_cell(t, "%s", l->requests);
	}
	ebb_out_cell(t, "hours");
	ebb_out_cell(t, "%s", l->window ? l->window : "at any time");
	if (app->config->guards.recent_ns) {
		ebb_out_cell(t, "in use");
		ebb_out_cell(t, "what was written within %s before the scan", ebb_units_exact_duration(app->config->guards.recent_ns, b));
	}
	if (!app->config->guards.open_files) {
		ebb_out_cell(t, "open files");
		ebb_out_cell(t, "are not looked for");
	}
	for (size_t i = 0; i < app->config->guards.nignore; i++) {
		ebb_out_cell(t, "references");
		ebb_out_cell(t, "of %s do not count", app->config->guards.ignore[i]);
	}
	if (app->config->here) {
		ebb_out_cell(t, "runs in");
		ebb_out_cell(t, "%s", app->config->here);
	}
	if (l->approve_bytes >= 0) {
		ebb_out_cell(t, "approved by somebody above");
		bytes_cell(t, l->approve_bytes);
	}
	if (l->approve_deletions >= 0) {
		ebb_out_cell(t, "approved by somebody above");
		ebb_out_cell(t, "%s", ebb_out_things((uint64_t)l->approve_deletions, "deletion", a));
	}
	if (l->approve_cost >= 0) {
		struct ebb_money cost = {.nano = l->approve_cost};

		snprintf(cost.currency, sizeof(cost.currency), "%s", ebb_price_currency(app->config->prices));
		ebb_out_cell(t, "approved by somebody above");
		ebb_out_cell(t, "%s, or an action without a price", ebb_out_money(&cost, a));
	}
	for (size_t i = 0; i < app->config->links.n; i++) {
		const struct ebb_config_link *link = &app->config->links.v[i];

		ebb_out_cell(t, "%s to %s", link->from, link->to);
		ebb_out_cell(t, "%s%s%s%s", link->rate ? ebb_units_exact_bytes(link->rate, a) : "", link->rate ? " a second" : "",
			     link->rate && link->window ? ", " : "", link->window ? link->window : "");
	}
	title(app, "Limits of a run, at most");
	return ebb_out_table_print(t, app->out, 2, err);
}

/* What ebb run and ebb agent do, if the file says so. */
static int print_night(struct ebb_app *app, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {{"", false}, {"", false}};
	const struct ebb_config *c = app->config;
	const struct ebb_config_night *n = &c->night;
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	char a[EBB_UNITS_TEXT], host[65] = "";

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_out_cell(t, "digests");
	ebb_out_cell(t, "%s", n->hash);
	ebb_out_cell(t, "expired trash");
	ebb_out_cell(t, n->empty_trash ? "is removed for good" : "stays until 'ebb trash --empty'");
	for (const char *const *v = n->reports; v && *v; v++) {
		ebb_out_cell(t, "report");
		ebb_out_cell(t, "%s (%s)", *v, ebb_config_night_format(*v));
	}
	if (n->scheduled) {
		gethostname(host, sizeof(host) - 1);
		int64_t next = ebb_schedule_after(&n->schedule, ebb_schedule_seed(host), ebb_app_now(app));
		ebb_out_cell(t, "the agent begins next");
		ebb_out_cell(t, "%s on this machine%s%s", ebb_units_exact_time(next - next % EBB_CLOCK_SECOND, a), n->zone ? ", zone " : "",
			     n->zone ? n->zone : "");
	}
	for (size_t i = 0; i < c->nstores; i++)
		if (c->stores[i].watermark_high) {
			ebb_out_cell(t, "watermark of %s", c->stores[i].open.name);
			ebb_out_cell(t, "above %s of its filesystem down to %s", ebb_units_exact_percent(c->stores[i].watermark_high, host),
				     ebb_units_exact_percent(c->stores[i].watermark_low, a));
		}
	title(app, "Every night");
	return ebb_out_table_print(t, app->out, 2, err);
}

static int print_warning(struct ebb_app *app, const char *text, struct ebb_err *err)
{
	(void)err;
	fprintf(app->out, "warning: %s\n", text);
	return 0;
}

static int print_text(struct ebb_app *app, struct ebb_err *err)
{
	const struct ebb_config *c = app->config;
	const char *currency = ebb_price_currency(c->prices);
	size_t rules = ebb_rules_count(c->rules);
	int r;

	fprintf(app->out, "%s is fine: %zu store%s, %zu rule%s, %s%s\n", c->path, c->nstores,
		c->nstores == 1 ? "" : "s", rules, rules == 1 ? "" : "s",
		*currency ? "prices in " : "no prices", currency);
	r = warn(app, print_warning, err);
	if (!r)
		r = print_stores(app, err);
	if (!r)
		r = print_rules(app, err);
	if (!r)
		r = print_limits(app, err);
	if (!r)
		r = ebb_check_money_text(app, err);
	return r ? r : print_night(app, err);
}

/* --- For programs --- */

static int json_store(struct ebb_app *app, const struct ebb_config_store *s, struct ebb_err *err)
{
	struct ebb_money m;
	int priced = gib_month(app->config, s, &m, err);
	json_t *o = json_pack("{ss ss ss ss* ss* ss* sb}", "is", "store", "name", s->open.name, "type",
			      s->open.type, "path", s->open.path, "location", s->location, "class", s->class,
			      "one_file_system", s->one_file_system);

	if (priced < 0) {
		json_decref(o);
		return priced;
	}
	if (priced) {
		ebb_out_json_money(o, "gib_month", &m);
		json_object_set_new(o, "currency", json_string(m.currency));
	}
	return ebb_out_json(app->out, o, err);
}

static int json_rule(struct ebb_app *app, size_t i, struct ebb_err *err)
{
	const struct ebb_rule *r = ebb_rules_get(app->config->rules, i);
	json_t *o = json_pack("{ss sI ss ss ss* ss* ss* ss* ss* ss* sb sI sI}", "is", "rule", "number",
			      (json_int_t)(i + 1), "name", r->name, "do", r->action->name, "match",
			      r->match, "store", r->store, "kind", r->kind, "when", r->when, "to",
			      r->to, "codec", r->codec, "purge", r->purge, "line",
			      (json_int_t)r->line, "column", (json_int_t)r->col);

	if (r->action->id == EBB_ACTION_DEDUP) {
		json_object_set_new(o, "how", json_string(ebb_action_how_name(r->how)));
		json_object_set_new(o, "copies", json_integer(r->copies));
	}
	if (r->action->trashes && !r->purge)
		json_object_set_new(o, "trash_seconds", json_integer(r->trash_ns / 1000000000));
	if (r->verify)
		json_object_set_new(o, "verify", json_string(ebb_action_verify_name((int)r->verify)));
	if (r->packed)
		json_object_set_new(o, "packed", json_true());
	if (r->garbage_ppm)
		json_object_set_new(o, "garbage_ppm", json_integer(r->garbage_ppm));
	if (r->keep_key)
		json_object_set_new(o, "keep_key", json_true());
	if (r->window)
		json_object_set_new(o, "window_bytes", json_integer(INT64_C(1) << r->window));
	if (r->require_payback)
		json_object_set_new(o, "payback_seconds", json_integer(r->payback_ns / 1000000000));
	return ebb_out_json(app->out, o, err);
}

static int json_limits(struct ebb_app *app, struct ebb_err *err)
{
	const struct ebb_config_limits *l = &app->config->limits;
	json_t *o = json_pack("{ss sI sI}", "is", "limits", "max_delete_ppm",
			      (json_int_t)l->max_delete_ppm, "max_errors", (json_int_t)l->max_errors);

	if (l->max_delete >= 0)
		json_object_set_new(o, "max_delete", json_integer(l->max_delete));
	if (l->max_objects >= 0)
		json_object_set_new(o, "max_objects", json_integer(l->max_objects));
	if (l->max_bytes >= 0)
		json_object_set_new(o, "max_bytes", json_integer(l->max_bytes));
	if (*l->max_cost.currency) {
		ebb_out_json_money(o, "max_cost", &l->max_cost);
		json_object_set_new(o, "currency", json_string(l->max_cost.currency));
	}
	if (l->bandwidth)
		json_object_set_new(o, "bandwidth", json_string(l->bandwidth));
	if (l->requests)
		json_object_set_new(o, "requests", json_string(l->requests));
	if (l->window)
		json_object_set_new(o, "window", json_string(l->window));
	if (l->approve_cost >= 0)
		json_object_set_new(o, "approve_cost_nano", json_integer(l->approve_cost));
	if (l->approve_bytes >= 0)
		json_object_set_new(o, "approve_bytes", json_integer(l->approve_bytes));
	if (l->approve_deletions >= 0)
		json_object_set_new(o, "approve_deletions", json_integer(l->approve_deletions));
	return ebb_out_json(app->out, o, err);
}

static int json_warning(struct ebb_app *app, const char *text, struct ebb_err *err)
{
	return ebb_out_json(app->out, json_pack("{ss ss}", "is", "warning", "text", text), err);
}

static int print_json(struct ebb_app *app, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < app->config->nstores && !r; i++)
		r = json_store(app, &app->config->stores[i], err);
	for (size_t i = 0; i < ebb_rules_count(app->config->rules) && !r; i++)
		r = json_rule(app, i, err);
	if (!r)
		r = json_limits(app, err);
	if (!r)
		r = ebb_check_money_json(app, err);
	return r ? r : warn(app, json_warning, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	int r = ebb_app_config(app, err);

	(void)args;
	if (r)
		return r;
	return app->json ? print_json(app, err) : print_text(app, err);
}

static const struct ebb_cli_field json[] = {
	{"is", "string", "what the object describes: store, rule, limits, budget, shared or warning"},
	{"name, label, value, month_nano, currency", "various", "budget: as declared, in the currency of the prices; without label it is for everything"},
	{"label, of, split", "string", "shared: what is split, and how"},
	{"name, type, path, class", "string", "store: as declared"},
	{"location", "string", "store: its path, or s3://BUCKET/PREFIX"},
	{"one_file_system", "boolean", "store: other filesystems below are not entered"},
	{"gib_month_nano, currency", "number, string", "store: price of a GiB for 30 days, in billionths of the currency; absent when not priced"},
	{"number, line, column", "number", "rule: its place in the order, and in the file"},
	{"do, match, store, kind, when, to, codec", "string", "rule: as written; absent when not given"},
	{"purge", "boolean", "rule: deletes without a trash"},
	{"packed, garbage_ppm", "boolean, number", "rule: for what lies in packs; repack: least share of no use, in millionths"},
	{"verify", "string", "rule: how copies are verified, where it is not by digest"},
	{"window_bytes", "number", "rule: compress with `long`"},
	{"keep_key", "boolean", "rule: compress under the same key"},
	{"trash_seconds, payback_seconds", "number", "rule: time in the trash; longest payback accepted"},
	{"max_delete, max_delete_ppm, max_objects, max_bytes, max_errors", "number", "limits: absent when there is none; ppm is a share of a store's objects"},
	{"text", "string", "warning: what is valid, and yet hardly meant"},
	{"max_cost_nano, currency, window, bandwidth, requests", "number, strings", "limits: absent when there is none"},
	{"approve_cost_nano, approve_bytes, approve_deletions", "number", "limits: plans above wait for ebb-approve; absent when there is none"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb check", "check ebb.yaml in this folder",
	"ebb --config /etc/ebb.yaml check --quiet && ebb --config /etc/ebb.yaml scan", "scan only with a valid configuration",
	NULL,
};

const struct ebb_cli_command ebb_cmd_check = {
	.name = "check",
	.summary = "validate configuration, rules and prices, and say what was understood",
	.usage = "",
	.description =
		"Reads the configuration and the price books it names, checks them whole, and prints what was understood:\n"
		"stores with their prices, rules in their order, limits with their units echoed back.\n"
		"Neither the stores nor the index are touched.\n"
		"\n"
		"Warnings, which leave the status at 0, name classes that no price book prices, and rules that move to where the\n"
		"residency of a dataset never lets it lie.\n"
		"\n"
		"Errors name file, line and column, what was expected, and the nearest valid word; the exit status is 3 then.\n"
		"Rules that would delete everything are refused unless they say so.",
	.json = json,
	.examples = examples,
	.run = run,
};
