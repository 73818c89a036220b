/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/cmd_plan.h"
#include "agent/context.h"
#include "agent/habit_scan.h"
#include "agent/listing.h"
#include "agent/lower.h"
#include "agent/plan_packs.h"
#include "agent/plan_sample.h"
#include "agent/out.h"
#include "agent/planfile.h"
#include "agent/planstore.h"
#include "agent/plantext.h"
#include "agent/progress.h"
#include "agent/savings.h"
#include "agent/storeset.h"
#include "agent/survivors.h"
#include "compress/pack.h"
#include "core/clock.h"
#include "core/cursor.h"
#include "policies/decide.h"

struct planning {
	struct ebb_app *app;
	struct ebb_snap *snap;
	struct ebb_planfile_writer *out;	/* NULL: only the totals are wanted */
	struct ebb_decide *decide;
	struct ebb_context *context;
	struct ebb_survivors *survivors;	/* NULL: no rule asks for them */
	struct ebb_arena arena;			/* of the header */
	struct ebb_arena row_arena;
	struct ebb_index_store *sources;
	size_t nsources;
	bool *dest;				/* of config->stores: something goes there */
	bool *used;				/* of config->stores: its price took part */
	struct ebb_plantext_rule *how;		/* one for each rule of the header */
	struct ebb_progress progress;
	int64_t rows;				/* written so far */
	int64_t pack, pack_first;		/* the last pack, and number of the action that it begins with */
	uint64_t seen, total;			/* objects */
	struct ebb_shrink shrink;		/* what samples say */
	unsigned flags;				/* enum ebb_cmd_plan_flags */
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* --- Which stores ---------------------------------------------------------------------------------------- */

/* A plan is as good as the scan it is made from: there must be one, and it must be the last one begun. */
static int add_source(struct planning *p, const char *name, struct ebb_err *err)
{
	struct ebb_index_store *st = &p->sources[p->nsources];
	struct ebb_err why = {0};
	int r = ebb_snap_store(p->snap, name, st, &why);

	if (!ebb_config_store(p->app->config, name))
		return ebb_err_set(err, EBB_EUSAGE, "store '%s' is not in '%s'", name,
				   p->app->config->path);
	if (r == -EBB_ENOENT || (r == 0 && st->generation == 0))
		return ebb_err_set(err, EBB_ESTALE, "store '%s' was never scanned: run ebb scan %s", name,
				   name);
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	if (st->building)
		return ebb_err_set(err, EBB_ESTALE,
				   "the last scan of store '%s' did not come to its end: run ebb scan %s",
				   name, name);
	p->total += st->objects;
	p->nsources++;
	return 0;
}

static int choose(struct planning *p, const char *const *stores, size_t n, struct ebb_err *err)
{
	const struct ebb_config *c = p->app->config;
	int r = 0;

	p->sources = ebb_arena_calloc(&p->arena, n + c->nstores, sizeof(*p->sources));
	p->dest = ebb_arena_calloc(&p->arena, c->nstores, sizeof(*p->dest));
	p->used = ebb_arena_calloc(&p->arena, c->nstores, sizeof(*p->used));
	if (!p->sources || !p->dest || !p->used)
		return no_memory(err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_source(p, stores[i], err);
	for (size_t i = 0; r == 0 && n == 0 && i < c->nstores; i++)
		r = add_source(p, c->stores[i].open.name, err);
	return r;
}

/* --- Actions --------------------------------------------------------------------------------------------- */

/*
 * Key of the pack of an action: .ebb-packs/STORE/TIME OF THE PLAN/NUMBER OF ITS FIRST ACTION.tar.zst. NULL when memory is short. Apply names
 * it anew when it has to begin with a later action.
 */
static const char *pack_key(struct planning *p, const struct ebb_action *a)
{
	char time[sizeof("20261123T190000Z")];
	time_t s = (time_t)(ebb_app_now(p->app) / EBB_CLOCK_SECOND);
	struct tm tm;

	if (p->pack != a->pack) {
		p->pack = a->pack;
		p->pack_first = p->rows + 1;
	}
	gmtime_r(&s, &tm);
	strftime(time, sizeof(time), "%Y%m%dT%H%M%SZ", &tm);
	return ebb_arena_printf(&p->row_arena, "%s%s/%s/%06lld%s", EBB_RULES_PACKS_PREFIX, a->store, time,
				(long long)p->pack_first, EBB_PACK_SUFFIX);
}

static int on_action(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct planning *p = ctx;
	const struct ebb_lower *l = ebb_lower_of(a->id);
	const struct ebb_config *c = p->app->config;
	struct ebb_planrow row = {
		.rule = a->rule, .store = a->store, .action = a->id, .obj = *a->obj,
		.class = a->to_class ? ebb_rules_class(c->rules, a->store, a->obj) : NULL,
		.to_store = a->to_store, .to_class = a->to_class, .codec = a->codec, .level = a->level,
		.window = a->window, .keep_key = a->keep_key, .verify = a->verify,
		.purge = a->purge,
		.trash_ns = a->trash_ns, .priced = a->priced, .one_off = a->one_off.nano,
		.how = a->how, .with_store = a->with_store,
		.saving = a->saving.nano, .freed = a->freed, .wire = a->wire, .why = a->why,
	};

	if (ebb_record_has(a->obj, EBB_F_CLASS))
		row.class = ebb_rules_class(c->rules, a->store, a->obj);
	if (!l)
		return ebb_err_set(err, EBB_ENOTSUP, "action '%s' cannot be done yet",
				   ebb_action_kind(a->id)->name);
	for (size_t i = 0; a->to_store && i < c->nstores; i++)
		p->dest[i] |= strcmp(c->stores[i].open.name, a->to_store) == 0;
	for (size_t i = 0; a->with_store && i < c->nstores; i++)
		p->dest[i] |= strcmp(c->stores[i].open.name, a->with_store) == 0;
	if (a->priced)
		ebb_plantext_use(c, p->used, a->store, a->to_store);
	if (!p->out)
		return 0;
	ebb_arena_release(&p->row_arena);
	ebb_arena_init(&p->row_arena, 0);
	row.obj.key = ebb_arena_memdup(&p->row_arena, a->obj->key, a->obj->key_len);
	if (a->with) {
		row.with = *a->with;
		/* other links to it, by this plan too, move the time of its change; its bytes are compared */
		if (a->id != EBB_ACTION_STRIKE)
			row.with.known &= ~EBB_KNOWN(EBB_F_CTIME);
		row.with.key = ebb_arena_memdup(&p->row_arena, a->with->key, a->with->key_len);
	}
	if (!row.obj.key || (a->with && !row.with.key))
		return no_memory(err);
	if (a->pack)
		row.to_key = pack_key(p, a);
	else if (a->id == EBB_ACTION_REPACK && !a->to_store)
		row.to_key = NULL; /* nothing is left */
	else if (!a->to_class && !a->keep_key)
		row.to_key = l->target(&p->row_arena, row.obj.key, row.codec);
	if (!row.to_key && !a->keep_key && (!a->to_class || a->pack) && (ebb_action_kind(a->id)->needs_to || ebb_action_kind(a->id)->takes_codec))
		return no_memory(err);
	p->rows++;
	row.payback_days = ebb_planrow_payback(row.priced, row.one_off, row.saving);
	return ebb_planfile_put(p->out, &row, err);
}

static int decide_store(struct planning *p, struct ebb_decide *d, const struct ebb_index_store *st, ebb_decide_fn *fn, void *ctx,
			struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_block b;
	int r = ebb_cursor_open(p->snap, st, NULL, &c, err);

	while (r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1) {
		if ((r = ebb_app_cancelled(p->app, err)) < 0)
			break;
		r = ebb_decide_block(d, st->name, &b, fn, ctx, err);
		p->seen += b.n;
		ebb_progress_tick(&p->progress, p->seen, p->total, 0);
	}
	return r < 0 ? r : 0;
}

/* --- The header ------------------------------------------------------------------------------------------ */

static struct ebb_planhead_sum sum_of(const struct ebb_decide_sum *s)
{
	return (struct ebb_planhead_sum){
		.objects = s->objects, .bytes = s->bytes, .freed = s->freed, .wire = s->wire,
		.unpriced = s->unpriced, .one_off = s->one_off.nano, .saving = s->saving.nano,
	};
}

static int head_packed(const struct ebb_decide *d, size_t rule, struct ebb_planhead_packed *ret,
		       struct ebb_err *err)
{
	struct ebb_bundle b;
	int r = ebb_decide_offer(d, rule, &b, err);

	if (r == 1)
		*ret = (struct ebb_planhead_packed){
			.objects = b.objects, .bytes = b.bytes, .packs = b.packs,
			.one_off = b.one_off.nano, .saving = b.saving.nano,
		};
	return r < 0 ? r : 0;
}

static int head_rules(struct planning *p, struct ebb_planhead *h, struct ebb_err *err)
{
	const struct ebb_rules *rules = p->app->config->rules;
	const struct ebb_decide_totals *t = ebb_decide_totals(p->decide);

	h->nrules = 0;
	h->rules = ebb_arena_calloc(&p->arena, ebb_rules_count(rules), sizeof(*h->rules));
	p->how = ebb_arena_calloc(&p->arena, ebb_rules_count(rules), sizeof(*p->how));
	if (!h->rules || !p->how)
		return no_memory(err);
	for (size_t i = 0; i < ebb_rules_count(rules); i++) {
		const struct ebb_rule *rule = ebb_rules_get(rules, i);
		struct ebb_planhead_rule *row = &h->rules[h->nrules];

		if (!rule->action->changes)
			continue;
		p->how[h->nrules].purge = rule->purge;
		p->how[h->nrules].hidden = rule->hidden != EBB_RULES_VISIBLE;
		p->how[h->nrules].trash_ns = rule->trash_ns;
		row->rule = rule->name;
		row->action = rule->action->name;
		row->verify = rule->verify;
		row->sum = sum_of(&t->by_rule[i]);
		for (size_t k = 0; k < p->shrink.n; k++)
			if (p->shrink.v[k].rule == i && row->nsampled++ == 0)
				row->sampled = &p->shrink.v[k];
		for (int k = 0; k < EBB_REFUSE_COUNT; k++)
			row->refused[k] = sum_of(&t->refused[i][k]);
		int r = head_packed(p->decide, i, &row->packed, err);
		if (r < 0)
			return r;
		h->nrules++;
	}
	h->all = sum_of(&t->all);
	h->kept = sum_of(&t->kept);
	h->held = sum_of(&t->held);
	h->unmatched = sum_of(&t->unmatched);
	h->older = sum_of(&t->older);
	return 0;
}

/*
 * A bucket that a plan only writes to need not be there yet, or be within reach from here: whoever prices a migration may not even have access. The
 * header then has an identity that no store has, so apply refuses the plan.
 */
static int head_dest(struct planning *p, const struct ebb_config_store *cs, struct ebb_planhead_store *ret, struct ebb_err *err)
{
	struct ebb_err why = {0};
	int r = ebb_planstore_find(p->snap, cs, &p->arena, ret, &why);

	if (r >= 0 || r == -EBB_ENOMEM || r == -EBB_ECANCELLED || !cs->open.bucket)
		return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : r;
	ebb_app_note(p->app, "%s; the plan can be read, but not applied", why.msg);
	*ret = (struct ebb_planhead_store){.name = cs->open.name, .fsid = ""};
	return 0;
}

static int head_stores(struct planning *p, struct ebb_planhead *h, struct ebb_err *err)
{
	const struct ebb_config *c = p->app->config;
	int r = 0;

	h->stores = ebb_arena_calloc(&p->arena, p->nsources + c->nstores, sizeof(*h->stores));
	if (!h->stores)
		return no_memory(err);
	for (size_t i = 0; i < p->nsources; i++) {
		struct ebb_planhead_store *st = &h->stores[h->nstores++];
		const struct ebb_noncurrent *v = ebb_context_versions(p->context, p->sources[i].name);

		*st = ebb_planstore_scanned(&p->sources[i]);
		st->versions = v ? v->state : EBB_NONCURRENT_UNKNOWN;
		st->mfa_delete = v && v->mfa_delete;
		if (v && v->unread && v->state == EBB_NONCURRENT_ENABLED)
			ebb_app_note(p->app, "store '%s': lifecycle rules of its bucket cannot be read (s3:GetLifecycleConfiguration); they may "
				     "remove what is in the trash before its time", st->name);
	}
	for (size_t i = 0; r == 0 && i < c->nstores; i++) {
		const char *name = c->stores[i].open.name;

		if (!p->dest[i] || ebb_planhead_store(h, name))
			continue;
		r = head_dest(p, &c->stores[i], &h->stores[h->nstores], err);
		h->nstores++;
	}
	return r;
}

static int head_of(struct planning *p, int64_t now, struct ebb_planhead *h, struct ebb_err *err)
{
	const struct ebb_config *c = p->app->config;
	const struct ebb_config_limits *l = &c->limits;

	*h = (struct ebb_planhead){
		.now = now,
		.currency = ebb_price_currency(c->prices),
		.limits = {.max_delete = l->max_delete, .max_delete_ppm = l->max_delete_ppm,
			   .max_objects = l->max_objects, .max_bytes = l->max_bytes,
			   .max_cost = *l->max_cost.currency ? l->max_cost.nano : -1,
			   .max_errors = l->max_errors, .window = l->window},
	};
	memcpy(h->rules_digest, c->rules_digest, sizeof(h->rules_digest));
	memcpy(h->prices_digest, c->prices_digest, sizeof(h->prices_digest));
	int r = head_rules(p, h, err);
	return r < 0 ? r : head_stores(p, h, err);
}

/* --- The command ----------------------------------------------------------------------------------------- */

/* What listing the planned buckets again costs. Nothing where no bucket has a price. */
static int scan_cost(const struct planning *p, struct ebb_money *ret, struct ebb_err *err)
{
	const struct ebb_config *c = p->app->config;
	int any = 0;

	*ret = (struct ebb_money){0};
	for (size_t i = 0; i < p->nsources; i++) {
		const struct ebb_index_store *st = &p->sources[i];
		struct ebb_money m;
		int r = ebb_listing_cost(c, ebb_config_store(c, st->name), ebb_listing_requests(st->objects), &m, err);

		if (r == 1) {
			r = any ? ebb_money_add(*ret, m, &m, err) : 0;
			*ret = m;
			any = 1;
		}
		if (r < 0)
			return r;
	}
	return any;
}

static int tell(struct planning *p, const struct ebb_planhead *h, const char *path, const char *id,
		struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf samples = EBB_BUF_INIT(1 << 20);
	struct ebb_plantext text = {.head = h, .rules = p->how};
	FILE *f = p->app->out;

	if (p->app->json) {
		json_t *o = json_pack("{s:s?, s:s?, s:I, s:I, s:I, s:I, s:s}", "file", path, "id", id,
				      "objects", (json_int_t)h->all.objects, "bytes",
				      (json_int_t)h->all.bytes, "one_off_nano",
				      (json_int_t)h->all.one_off, "saving_month_nano",
				      (json_int_t)h->all.saving, "currency", h->currency);
		return ebb_out_json(f, o, err);
	}
	struct ebb_money scan;
	char a[EBB_OUT_TEXT_MAX];
	int r = ebb_plantext_samples(p->app->config, h, p->used, &samples, err);

	text.samples = samples.data;
	if (r == 0)
		r = ebb_plantext_print(f, &text, err);
	if (r == 0)
		r = scan_cost(p, &scan, err);
	if (r == 1)
		fprintf(f, "\n  listing these buckets costs %s a scan\n", ebb_out_money(&scan, a));
	if (r >= 0 && path && (p->flags & EBB_CMD_PLAN_STAYS))
		fprintf(f, "\n  plan %.12s written to %s; ebb apply %s does exactly this\n", id, path,
			path);
	return r < 0 ? r : ebb_out_flush(f, err);
}

/* What it promises, for the history; whoever may only read the index may plan all the same. */
static void record_savings(struct planning *p, const struct ebb_planhead *head, const char *id)
{
	struct ebb_savings s;
	struct ebb_err why = {0};
	int r = ebb_savings_of_plan(&p->arena, head, id, &s, &why);

	if (r == 0)
		r = ebb_savings_append(p->app->index_dir, &s, ebb_app_now(p->app), &why);
	if (r < 0 && r != -EBB_EACCES)
		ebb_app_note(p->app, "the plan is not in the history: %s", why.msg);
}

/* What compressing leaves: decide once without looking, and look into what would be compressed. */
static int sample(struct planning *p, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_plan_sample_freep) struct ebb_plan_sample *s = ebb_plan_sample_new(p->app);
	EBB_CLEANUP(ebb_decide_freep) struct ebb_decide *d = NULL;
	const struct ebb_config *c = p->app->config;

	if (!s)
		return no_memory(err);
	int r = ebb_decide_new(&p->arena, c->rules, c->prices, ebb_app_now(p->app), &d, err);
	if (r == 0)
		ebb_context_use(p->context, d);
	ebb_progress_start(&p->progress, p->app->err, p->app->quiet, "plan", "objects");
	for (size_t i = 0; r == 0 && i < p->nsources; i++)
		r = decide_store(p, d, &p->sources[i], ebb_plan_sample_note, s, err);
	ebb_progress_end(&p->progress);
	p->seen = 0;
	if (r == 0)
		r = ebb_plan_sample_read(s, &p->arena, &p->shrink, err);
	if (r == 0)
		ebb_decide_use_shrink(p->decide, &p->shrink);
	return r;
}

static int make(struct planning *p, const char *path, struct ebb_err *err)
{
	const struct ebb_config *c = p->app->config;
	char id[EBB_PLANFILE_ID_LEN] = "";
	int64_t now = ebb_app_now(p->app);
	struct ebb_planhead head;
	size_t missing = 0;
	int r = ebb_decide_new(&p->arena, c->rules, c->prices, now, &p->decide, err);

	if (r == 0)
		r = ebb_context_make(p->app, p->snap, p->sources, p->nsources, false, &p->context, err);
	if (r == 0)
		ebb_context_use(p->context, p->decide);
	if (r == 0 && (p->flags & EBB_CMD_PLAN_SAMPLE))
		r = sample(p, err);
	if (r == 0)
		r = ebb_survivors_find(p->app, p->snap, p->sources, p->nsources, now, &p->survivors, err);
	if (r == 0 && p->survivors)
		ebb_decide_use_copies(p->decide, ebb_survivors_copy, p->survivors);
	if (r == 0)
		r = ebb_habit_scan_tell(&p->arena, p->snap, p->sources, p->nsources, c->rules, now, p->decide, err);
	if (r == 0 && path)
		r = ebb_planfile_create(path, &p->out, err);
	ebb_progress_start(&p->progress, p->app->err, p->app->quiet, "plan", "objects");
	for (size_t i = 0; r == 0 && i < p->nsources; i++)
		r = decide_store(p, p->decide, &p->sources[i], on_action, p, err);
	ebb_progress_end(&p->progress);
	for (size_t i = 0; r == 0 && i < p->nsources; i++)
		r = ebb_plan_packs(p->app, p->snap, &p->sources[i], p->decide, on_action, p, &missing, err);
	if (missing)
		ebb_app_note(p->app, "%zu packs are left alone: what is in them is not known, 'ebb packs' reads it", missing);
	if (r < 0 || (r = head_of(p, now, &head, err)) < 0)
		return r;
	if (path) {
		r = ebb_planfile_commit(p->out, &head, id, err);
		p->out = NULL;
		if (r == 0 && (p->flags & EBB_CMD_PLAN_KEEP))
			record_savings(p, &head, id);
	}
	return r < 0 ? r : tell(p, &head, path, path ? id : NULL, err);
}

static void release(struct planning *p)
{
	ebb_planfile_abort(p->out);
	ebb_decide_free(p->decide);
	ebb_context_free(p->context);
	ebb_survivors_free(p->survivors);
	ebb_snap_close(p->snap);
	ebb_arena_release(&p->row_arena);
	ebb_arena_release(&p->arena);
}

int ebb_cmd_plan_make(struct ebb_app *app, const char *const *stores, size_t n, const char *path,
		      unsigned flags, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(release) struct planning p = {.app = app, .flags = flags};
	int r;

	if ((r = ebb_app_config(app, err)) < 0 || (r = ebb_app_index(app, true, &ix, err)) < 0 ||
	    (r = ebb_app_snap(app, ix, &p.snap, err)) < 0 || (r = choose(&p, stores, n, err)) < 0)
		return r;
	return make(&p, path, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *path = ebb_cli_string(args, "output");
	bool dry = ebb_cli_flag(args, "dry-run");
	size_t n = (size_t)ebb_cli_argc(args);
	EBB_CLEANUP(ebb_mem_freep) const char **stores = calloc(n + 1, sizeof(*stores));

	if (!path && !dry)
		return ebb_err_set(err, EBB_EUSAGE, "say where the plan goes: --output FILE, or only look: --dry-run");
	if (!stores)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		stores[i] = ebb_cli_arg(args, (int)i);
	unsigned flags = EBB_CMD_PLAN_STAYS | EBB_CMD_PLAN_KEEP | (ebb_cli_flag(args, "sample") ? EBB_CMD_PLAN_SAMPLE : 0);
	return ebb_cmd_plan_make(app, stores, n, dry ? NULL : path, flags, err);
}

static const struct ebb_cli_option options[] = {
	{"output", 'o', EBB_CLI_STRING, "FILE", "write the plan there; compressed when it ends in .zst"},
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "print the totals, write nothing"},
	{"sample", 0, EBB_CLI_FLAG, NULL, "read samples of what would be compressed: a measured saving with its error"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"file", "string", "where the plan was written, null with --dry-run"},
	{"id", "string", "id of the plan: SHA-256 of all behind its first line; null with --dry-run"},
	{"objects, bytes", "number", "actions, and the size of their objects"},
	{"one_off_nano, saving_month_nano", "number", "what they cost once and save a month, in billionths"},
	{"currency", "string", "of the amounts"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb plan -o plan.jsonl", "decide and price everything",
	"ebb plan -n scratch", "see what the rules would do in one store",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_plan;
const struct ebb_cli_command ebb_cmd_plan = {
	.name = "plan",
	.summary = "decide and price what to do, into a file",
	.usage = "[STORE...]",
	.description =
		"Holds every object of the index against the rules, prices what they ask for, and writes the actions to a file\n"
		"that ebb-apply does exactly.\nNothing is changed, and no store is read.\n"
		"\n"
		"The summary says for every rule what it would do, free, cost and save, and what was left alone and why.\n"
		"The same index, rules, prices and time give the same file, byte for byte.\n"
		"\n"
		"A store without a finished scan is refused with status 6.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
