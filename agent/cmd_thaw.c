/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/packed.h"
#include "agent/packs.h"
#include "agent/session.h"
#include "agent/target.h"
#include "agent/thawing.h"
#include "core/cursor.h"
#include "core/units.h"

struct thawing {
	struct ebb_app *app;
	struct ebb_storeset *stores;
	struct ebb_thawing terms;
	struct ebb_thaw thaw;
	struct ebb_block_iter *it;
};

static void release(struct thawing *t)
{
	ebb_thaw_release(&t->thaw);
	ebb_storeset_free(t->stores);
	free(t->it);
}

/* --- What is meant --- */

static int add_block(struct thawing *t, const struct ebb_target *target, const struct ebb_store *s, const struct ebb_block *b,
		     struct ebb_err *err)
{
	struct ebb_record rec;
	int r = 0;

	ebb_block_iter_init(t->it, b);
	while (r == 0 && (r = ebb_block_iter_next(t->it, &rec, err)) == 1) {
		r = 0;
		if (rec.f[EBB_F_KIND] != EBB_KIND_FILE || !ebb_thaw_class(s, &rec) || !ebb_target_has(target, rec.key, rec.key_len))
			continue;
		EBB_CLEANUP(ebb_mem_freep) char *key = strndup(rec.key, rec.key_len);
		r = key ? ebb_thaw_add(&t->thaw, s, key, &rec, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");
		if (r == 0)
			r = ebb_thaw_sift(&t->thaw, t->stores, false, t->app->cancel, err);
	}
	return r;
}

/* Objects of the index in archive classes. */
static int add_known(struct thawing *t, struct ebb_snap *snap, const struct ebb_target *target, const struct ebb_store *s,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_index_store st;
	struct ebb_block b;
	int r = ebb_snap_store(snap, target->store, &st, NULL);

	if (r == -EBB_ENOENT)
		return 0; /* never scanned: only by its exact name */
	if (r == 0)
		r = ebb_cursor_open(snap, &st, target->key, &c, err);
	while (r == 0 && (r = ebb_cursor_next(c, &b, err)) == 1)
		if ((r = add_block(t, target, s, &b, err)) == 0)
			r = ebb_app_cancelled(t->app, err);
	return r;
}

/* By its exact key: as it stands there, or the pack in which it lies. */
static int add_exact(struct thawing *t, const struct ebb_target *target, struct ebb_store *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	struct ebb_packs_pack now;
	struct ebb_packed p;
	struct ebb_record rec;
	bool struck;
	struct ebb_store *in;

	if (!*target->key)
		return 0;
	if (ebb_store_head(s, target->key, &rec, NULL) == 0)
		return ebb_thaw_add(&t->thaw, s, target->key, &rec, err);
	ebb_arena_init(&arena, 0);
	int r = ebb_packed_find(t->app->index_dir, target->store, target->key, &arena, &p, &struck, err);
	if (r != 1 || (r = ebb_storeset_get(t->stores, p.store, &in, err)) < 0)
		return r;
	/* it may have been packed anew since */
	if (ebb_store_head(in, p.key, &rec, NULL) == -EBB_ENOENT && ebb_packs_follow(in, p.key, &arena, &now, NULL) == 1)
		return ebb_thaw_add(&t->thaw, in, now.key, &now.rec, err);
	r = ebb_thaw_add(&t->thaw, in, p.key, &p.rec, err);
	return r;
}

static int add_target(struct thawing *t, struct ebb_snap *snap, const char *word, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_target_release) struct ebb_target target = {0};
	size_t before = t->thaw.n;
	struct ebb_store *s;
	int r = ebb_target_parse(t->app, word, &target, err);

	if (r < 0 || (r = ebb_storeset_get(t->stores, target.store, &s, err)) < 0)
		return r;
	r = add_known(t, snap, &target, s, err);
	if (r == 0)
		r = ebb_thaw_sift(&t->thaw, t->stores, true, t->app->cancel, err);
	if (r == 0 && t->thaw.n == before && (r = add_exact(t, &target, s, err)) == 0)
		r = ebb_thaw_sift(&t->thaw, t->stores, true, t->app->cancel, err);
	if (r == 0 && t->thaw.n == before)
		ebb_app_note(t->app, "nothing of '%s' is in an archive", word);
	return r;
}

static int add_targets(struct thawing *t, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	int r = ebb_app_index(t->app, true, &ix, err);

	if (r == 0)
		r = ebb_app_snap(t->app, ix, &snap, err);
	for (int i = 0; r == 0 && i < ebb_cli_argc(args); i++)
		r = add_target(t, snap, ebb_cli_arg(args, i), err);
	return r;
}

/* --- Orders --- */

static int print_order(struct thawing *t, const struct ebb_thaw_order *o, const struct ebb_thaw_counts *c, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], d[EBB_UNITS_TEXT];
	FILE *f = t->app->out;

	if (t->app->json) {
		json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "order", o->id, "state",
				      ebb_thaw_order_state_name(o->state), "speed", ebb_price_speed_name(o->speed), "days",
				      (json_int_t)o->days, "objects", (json_int_t)o->objects, "bytes", (json_int_t)o->bytes, "asleep",
				      (json_int_t)c->objects[EBB_STORE_ASLEEP], "thawing", (json_int_t)c->objects[EBB_STORE_THAWING],
				      "thawed", (json_int_t)c->objects[EBB_STORE_THAWED], "awake",
				      (json_int_t)c->objects[EBB_STORE_AWAKE]);
		int bad = ebb_out_json_time(j, "asked", o->asked);

		if (o->hours)
			bad |= ebb_out_json_time(j, "ready_by", ebb_thaw_order_ready(o));
		if (c->expires)
			bad |= ebb_out_json_time(j, "expires", c->expires);
		if (*o->cost.currency)
			bad |= ebb_out_json_money(j, "cost", &o->cost);
		if (bad) {
			json_decref(j);
			j = NULL;
		}
		return ebb_out_json(f, j, err);
	}
	fprintf(f, "order %s: %s, %s, %s", o->id, ebb_out_things((uint64_t)o->objects, "object", a), ebb_out_bytes((uint64_t)o->bytes, b),
		ebb_price_speed_name(o->speed));
	if (*o->cost.currency)
		fprintf(f, ", %s", ebb_out_money(&o->cost, a));
	fprintf(f, ": %lld thawed", (long long)c->objects[EBB_STORE_THAWED]);
	if (c->objects[EBB_STORE_THAWING])
		fprintf(f, ", %lld being thawed", (long long)c->objects[EBB_STORE_THAWING]);
	if (c->objects[EBB_STORE_ASLEEP])
		fprintf(f, ", %lld asleep", (long long)c->objects[EBB_STORE_ASLEEP]);
	if (c->objects[EBB_STORE_AWAKE])
		fprintf(f, ", %lld changed or gone", (long long)c->objects[EBB_STORE_AWAKE]);
	if (c->objects[EBB_STORE_THAWING] && o->hours)
		fprintf(f, "; ready until %s", ebb_units_exact_time(ebb_thaw_order_ready(o), d));
	if (c->expires)
		fprintf(f, "; copies kept until %s", ebb_units_exact_time(c->expires, d));
	return fputc('\n', f) == EOF ? ebb_out_failed(f, err) : 0;
}

static int open_store(void *ctx, const char *store, struct ebb_err *err)
{
	struct thawing *t = ctx;
	struct ebb_store *s;

	return ebb_storeset_get(t->stores, store, &s, err);
}

/* What an interrupted order did not come to ask for. */
static int ask_rest(struct thawing *t, struct ebb_thaw_order *o, struct ebb_thaw *x, struct ebb_err *err)
{
	int r = ebb_thawing_ask(&t->terms, t->stores, o, x, err);

	if (r < 0)
		return r;
	o->state = EBB_THAW_ORDER_ASKED;
	ebb_app_note(t->app, "order %s was interrupted; the rest of it is asked for now", o->id);
	return 0;
}

static int settle_order(struct thawing *t, struct ebb_thaw_order *o, struct ebb_thaw *x, struct ebb_err *err)
{
	enum ebb_thaw_order_state before = o->state;
	struct ebb_thaw_counts c;
	int r = ebb_thaw_look(x, t->stores, t->app->cancel, err);

	ebb_thaw_count(x, &c);
	if (r == 0 && o->state == EBB_THAW_ORDER_ASKING)
		r = ask_rest(t, o, x, err);
	ebb_thaw_count(x, &c);
	if (r == 0 && t->terms.wait && c.objects[EBB_STORE_THAWING]) {
		ebb_app_note(t->app, "waiting for order %s; an interrupt loses nothing", o->id);
		r = ebb_thaw_wait(x, t->stores, ebb_thaw_pause, t->app->cancel, t->app->cancel, err);
		ebb_thaw_count(x, &c);
	}
	if (r < 0)
		return r;
	/* what is back for good was told as ready once */
	bool stays = c.objects[EBB_STORE_THAWED] && (c.expires || o->state != EBB_THAW_ORDER_READY);
	bool over = o->state != EBB_THAW_ORDER_ASKING && !c.objects[EBB_STORE_THAWING] && !stays;
	if (!over && !c.objects[EBB_STORE_THAWING] && !c.objects[EBB_STORE_ASLEEP]) {
		o->state = EBB_THAW_ORDER_READY;
		o->expires = c.expires;
	}
	r = print_order(t, o, &c, err);
	if (r == 0 && over) /* every copy has expired: nothing is left to be known */
		return ebb_thaw_order_remove(t->app->index_dir, o->id, err);
	return r < 0 || o->state == before ? r : ebb_thaw_order_write(t->app->index_dir, o, x, err);
}

static int one_order(void *ctx, const struct ebb_thaw_order *o, struct ebb_err *err)
{
	struct thawing *t = ctx;
	struct ebb_thaw_order now = *o;
	struct ebb_thaw x = {0};
	int r = ebb_thaw_order_stores(t->app->index_dir, o->id, open_store, t, err);

	if (r == 0)
		r = ebb_thaw_order_read(t->app->index_dir, o->id, t->stores, &x, err);
	if (r == 0)
		r = settle_order(t, &now, &x, err);
	ebb_thaw_release(&x);
	return r;
}

/* --- The command --- */

static int order_it(struct thawing *t, struct ebb_err *err)
{
	struct ebb_thaw_order o;
	struct ebb_thaw_counts c;
	int r = ebb_thawing_order(&t->terms, t->stores, &t->thaw, &o, err);

	if (r < 0)
		return r;
	if (t->terms.wait) {
		ebb_app_note(t->app, "waiting for order %s; an interrupt loses nothing, 'ebb thaw' shows how it stands", o.id);
		r = ebb_thaw_wait(&t->thaw, t->stores, ebb_thaw_pause, t->app->cancel, t->app->cancel, err);
	}
	ebb_thaw_count(&t->thaw, &c);
	return r < 0 ? r : print_order(t, &o, &c, err);
}

/* What is named: a quote, or with --yes an order. */
static int thaw(struct thawing *t, const struct ebb_cli_args *args, struct ebb_err *err)
{
	struct ebb_thaw_counts c;
	char a[EBB_OUT_TEXT_MAX], text[128];
	int r = add_targets(t, args, err);

	if (r == 0)
		r = ebb_thaw_look(&t->thaw, t->stores, t->app->cancel, err);
	if (r < 0)
		return r;
	ebb_thaw_count(&t->thaw, &c);
	if (c.objects[EBB_STORE_THAWED])
		ebb_app_note(t->app, "%s can be read already", ebb_out_things((uint64_t)c.objects[EBB_STORE_THAWED], "object", a));
	if (c.objects[EBB_STORE_THAWING])
		ebb_app_note(t->app, "%s thawing already", ebb_out_things((uint64_t)c.objects[EBB_STORE_THAWING], "object", a));
	if (c.objects[EBB_STORE_ASLEEP] == 0)
		return 0;
	if (ebb_cli_flag(args, "yes"))
		return order_it(t, err);
	if (!t->app->json)
		fprintf(t->app->out, "%s\n", ebb_thawing_asleep(&c, text));
	r = ebb_thawing_quote(t->app, t->app->out, &t->thaw, t->terms.days, err);
	if (r == 0)
		ebb_app_note(t->app, "nothing was asked for: --yes --speed SPEED does");
	return r;
}

static int check_args(const struct ebb_cli_args *args, struct ebb_err *err)
{
	long long days = ebb_cli_number(args, "days", EBB_THAWING_DAYS);

	if (days < 1 || days > 3650)
		return ebb_err_set(err, EBB_EUSAGE, "--days is 1 to 3650");
	if (ebb_cli_flag(args, "yes") && ebb_cli_argc(args) == 0)
		return ebb_err_set(err, EBB_EUSAGE, "--yes: what is to be thawed?");
	if (ebb_cli_flag(args, "yes") && !ebb_cli_string(args, "speed"))
		return ebb_err_set(err, EBB_EUSAGE, "--yes goes with --speed; without both the prices are shown");
	return 0;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(release) struct thawing t = {
		.app = app, .it = malloc(sizeof(*t.it)),
		.terms = {.app = app, .speed = ebb_cli_string(args, "speed"), .days = (int)ebb_cli_number(args, "days", EBB_THAWING_DAYS),
			  .wait = ebb_cli_flag(args, "wait")},
	};
	int r = check_args(args, err);

	if (r < 0 || (r = ebb_app_config(app, err)) < 0)
		return r;
	bool looks = ebb_cli_argc(args) && !ebb_cli_flag(args, "yes");
	if (!looks && (r = ebb_app_lock(app, "ebb thaw", &lock, err)) < 0)
		return r;
	t.stores = ebb_storeset_new(app->config);
	if (!t.stores || !t.it)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	r = ebb_cli_argc(args) ? thaw(&t, args, err) : ebb_thaw_order_each(app->index_dir, one_order, &t, err);
	int flushed = ebb_out_flush(app->out, r == 0 ? err : NULL);
	return r < 0 ? r : flushed;
}

static const struct ebb_cli_option options[] = {
	{"speed", 's', EBB_CLI_CHOICE, "bulk|standard|expedited", "how fast, and how dear"},
	{"days", 'd', EBB_CLI_COUNT, "N", "days that the copies are kept (default: 2)"},
	{"yes", 'y', EBB_CLI_FLAG, NULL, "ask for it, at the price of --speed"},
	{"wait", 0, EBB_CLI_FLAG, NULL, "wait until everything can be read"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"speed, offered, days, objects, bytes", "various", "a quote: a line for each speed"},
	{"hours, cost_nano, copies_nano, currency", "number", "of it: hours at most, cost of all, and of the copies; where prices are known"},
	{"tiers_nano, tier_days", "number", "what objects back in faster tiers cost there at most, in so many days; part of the cost"},
	{"order, state, speed, days, objects, bytes", "various", "an order: asking, asked or ready"},
	{"asleep, thawing, thawed, awake", "number", "how its objects stand; awake: changed or gone since"},
	{"asked, ready_by, expires", "string", "when it was asked for, is ready at the latest, and the first copy goes"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb thaw lake:old/", "see hours and prices",
	"ebb thaw lake:old/ --speed bulk --days 3 --yes", "ask for it",
	"ebb thaw --wait", "wait until everything that was asked for can be read",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_thaw;
const struct ebb_cli_command ebb_cmd_thaw = {
	.name = "thaw",
	.summary = "have archived objects made readable, at a price shown first",
	.usage = "[STORE:KEY|PATH...]",
	.description =
		"Objects in GLACIER and DEEP_ARCHIVE cannot be read before their store has made a temporary copy, which takes minutes\n"
		"to days and costs money.\n"
		"What INTELLIGENT_TIERING has put into its archive tiers comes back for good, into its first tier, without a copy.\n"
		"Shows how long and how much, by speed; with --yes and --speed the copies are asked for.\n"
		"An object that lies in an archived pack means its pack.\n"
		"\n"
		"Without arguments: how the orders stand, by asking the store.\n"
		"One that was interrupted while it asked goes on.\n"
		"An order is forgotten when all its copies have expired.\n"
		"\n"
		"The cost keeps max_cost of the configuration.\nObjects, speed and price stand in INDEX/thaws before the first request.\n"
		"\n"
		"apply, undo, restore and get thaw what they need with --thaw SPEED.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 0,
	.max_args = -1,
	.run = run,
};
