/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/thawing.h"

#include <string.h>

#include "agent/audit.h"
#include "agent/out.h"
#include "core/units.h"

struct ebb_thawing ebb_thawing_of(struct ebb_app *app, const struct ebb_cli_args *args, bool dry, const char *again)
{
	return (struct ebb_thawing){
		.app = app, .speed = ebb_cli_string(args, "thaw"), .days = (int)ebb_cli_number(args, "thaw-days", EBB_THAWING_DAYS),
		.wait = ebb_cli_flag(args, "wait"), .dry = dry, .again = again,
	};
}

int ebb_thawing_check(const struct ebb_cli_args *args, struct ebb_err *err)
{
	long long days = ebb_cli_number(args, "thaw-days", EBB_THAWING_DAYS);

	if (days < 1 || days > 3650)
		return ebb_err_set(err, EBB_EUSAGE, "--thaw-days is 1 to 3650");
	if (!ebb_cli_string(args, "thaw") && (ebb_cli_flag(args, "wait") || ebb_cli_number(args, "thaw-days", -1) >= 0))
		return ebb_err_set(err, EBB_EUSAGE, "--thaw-days and --wait go with --thaw");
	return 0;
}

const char *ebb_thawing_asleep(const struct ebb_thaw_counts *c, char out[128])
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	snprintf(out, 128, "%s (%s) in archive classes", ebb_out_things((uint64_t)c->objects[EBB_STORE_ASLEEP], "object", a),
		 ebb_out_bytes((uint64_t)c->bytes[EBB_STORE_ASLEEP], b));
	return out;
}

/* --- Quotes --- */

static int quote_json(struct ebb_app *app, FILE *f, const struct ebb_thaw_quote *q, const struct ebb_thaw_counts *c, int days,
		      int speed, struct ebb_err *err)
{
	json_t *o = json_pack("{s:s, s:b, s:i, s:I, s:I}", "speed", ebb_price_speed_name((enum ebb_price_speed)speed), "offered",
			      q->offered, "days", days, "objects", (json_int_t)c->objects[EBB_STORE_ASLEEP], "bytes",
			      (json_int_t)c->bytes[EBB_STORE_ASLEEP]);
	int bad = 0;

	(void)app;
	if (q->offered && q->priced) {
		bad |= json_object_set_new(o, "hours", json_integer(q->hours));
		bad |= ebb_out_json_money(o, "cost", &q->all);
		bad |= ebb_out_json_money(o, "copies", &q->copies);
		if (q->tier_days)
			bad |= ebb_out_json_money(o, "tiers", &q->tiers) | json_object_set_new(o, "tier_days", json_integer(q->tier_days));
	}
	if (bad) {
		json_decref(o);
		o = NULL;
	}
	return ebb_out_json(f, o, err);
}

static void quote_row(struct ebb_out_table *t, const struct ebb_thaw_quote *q, int days, int speed)
{
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell(t, "%s", ebb_price_speed_name((enum ebb_price_speed)speed));
	if (!q->offered || !q->priced) {
		ebb_out_cell(t, "%s", q->offered ? "?" : "not offered");
		ebb_out_cell(t, "%s", q->offered ? "no price is known" : "");
		ebb_out_cell(t, "%s", "");
		return;
	}
	ebb_out_cell(t, "%lld h", (long long)q->hours);
	ebb_out_cell(t, "%s", ebb_out_money(&q->all, a));
	/* what comes back from a tier is no copy: it is billed in faster ones until it has sunk again */
	bool copies = q->copies.nano || !q->tier_days;
	char b[EBB_OUT_TEXT_MAX], tiers[128] = "";
	if (q->tier_days)
		snprintf(tiers, sizeof(tiers), "%s%s at most for faster tiers, %lld d", copies ? ", " : "", ebb_out_money(&q->tiers, b),
			 (long long)q->tier_days);
	if (copies)
		ebb_out_cell(t, "%s for copies kept %d d%s", ebb_out_money(&q->copies, a), days, tiers);
	else
		ebb_out_cell(t, "%s", tiers);
}

int ebb_thawing_quote(struct ebb_app *app, FILE *f, const struct ebb_thaw *t, int days, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {{"speed", false}, {"ready within", true}, {"cost", true}, {"of that", false}};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *o = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	struct ebb_thaw_quote q[EBB_PRICE_SPEEDS];
	struct ebb_thaw_counts c;
	int r = o ? ebb_thaw_price(t, app->config, days, q, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	ebb_thaw_count(t, &c);
	for (int i = 0; r == 0 && i < EBB_PRICE_SPEEDS; i++) {
		if (app->json)
			r = quote_json(app, f, &q[i], &c, days, i, err);
		else
			quote_row(o, &q[i], days, i);
	}
	if (r == 0 && !app->json)
		r = ebb_out_table_print(o, f, 0, err);
	return r;
}

/* --- Orders --- */

static enum ebb_price_speed speed_of(const char *name)
{
	for (int i = 0; i < EBB_PRICE_SPEEDS; i++)
		if (strcmp(ebb_price_speed_name((enum ebb_price_speed)i), name) == 0)
			return (enum ebb_price_speed)i;
	return EBB_PRICE_BULK;
}

static int admit(const struct ebb_thawing *w, const struct ebb_thaw_quote *q, struct ebb_err *err)
{
	const struct ebb_money *max = &w->app->config->limits.max_cost;
	char a[EBB_OUT_TEXT_MAX];

	if (!q->offered)
		return ebb_err_set(err, EBB_ENOTSUP, "not every class among them is thawed at speed '%s'; nothing was done", w->speed);
	if (!*max->currency)
		return 0;
	if (!q->priced)
		return ebb_err_set(err, EBB_ELIMIT, "max_cost cannot be kept: thawing has no price; nothing was done");
	if (q->all.nano > max->nano)
		return ebb_err_set(err, EBB_ELIMIT, "thawing costs %s, which is more than max_cost; nothing was done",
				   ebb_out_money(&q->all, a));
	return 0;
}

/* Who asks for what, at what price, before the first request and after the last one. */
static int audit(const struct ebb_thawing *w, const struct ebb_thaw_order *o, const char *event, int failure, const struct ebb_err *why,
		 struct ebb_err *err)
{
	char objects[24], bytes[24], days[24], cost[24];
	const struct ebb_audit_fact facts[] = {
		{"order", o->id}, {"speed", ebb_price_speed_name(o->speed)}, {"days", days}, {"objects", objects}, {"bytes", bytes},
		{"currency", o->cost.currency}, {"cost_nano", cost},
	};
	bool priced = *o->cost.currency;
	const struct ebb_audit_event e = {
		.time = ebb_app_now(w->app), .command = "ebb thaw", .event = event,
		.outcome = strcmp(event, "begin") == 0 ? NULL : failure == -EBB_ECANCELLED ? "interrupted" : failure ? "stopped" : "complete",
		.why = failure && why && *why->msg ? why->msg : NULL,
		.facts = facts, .nfacts = EBB_ARRAY_LEN(facts) - (priced ? 0 : 2),
	};

	snprintf(objects, sizeof(objects), "%lld", (long long)o->objects);
	snprintf(bytes, sizeof(bytes), "%lld", (long long)o->bytes);
	snprintf(days, sizeof(days), "%d", (int)o->days);
	snprintf(cost, sizeof(cost), "%lld", (long long)o->cost.nano);
	return ebb_audit_append(w->app->index_dir, &e, err);
}

int ebb_thawing_ask(const struct ebb_thawing *w, const struct ebb_storeset *stores, const struct ebb_thaw_order *o, struct ebb_thaw *t,
		    struct ebb_err *err)
{
	struct ebb_err why = {0};
	int r = audit(w, o, "begin", 0, NULL, err);

	if (r < 0)
		return r;
	r = ebb_thaw_ask(t, stores, ebb_price_speed_name(o->speed), (unsigned)o->days, w->app->cancel, &why);
	int logged = audit(w, o, "end", r, &why, r < 0 ? NULL : err);
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : logged;
}

int ebb_thawing_order(const struct ebb_thawing *w, const struct ebb_storeset *stores, struct ebb_thaw *t,
		      struct ebb_thaw_order *ret, struct ebb_err *err)
{
	struct ebb_thaw_quote q[EBB_PRICE_SPEEDS];
	enum ebb_price_speed speed = speed_of(w->speed);
	int r = ebb_thaw_price(t, w->app->config, w->days, q, err);

	if (r == 0)
		r = admit(w, &q[speed], err);
	if (r < 0)
		return r;
	*ret = (struct ebb_thaw_order){
		.state = EBB_THAW_ORDER_ASKING, .speed = speed, .days = w->days, .asked = ebb_app_now(w->app),
		.hours = q[speed].priced ? q[speed].hours : 0,
	};
	if (q[speed].priced)
		ret->cost = q[speed].all;
	if ((r = ebb_thaw_order_write(w->app->index_dir, ret, t, err)) < 0 ||
	    (r = ebb_thawing_ask(w, stores, ret, t, err)) < 0)
		return r;
	ret->state = EBB_THAW_ORDER_ASKED;
	return ebb_thaw_order_write(w->app->index_dir, ret, t, err);
}

/* --- Settling --- */

static int refuse(const struct ebb_thawing *w, const struct ebb_thaw *t, const struct ebb_thaw_counts *c, struct ebb_err *err)
{
	char text[128];
	int r = ebb_thawing_quote(w->app, w->app->json ? w->app->out : w->app->err, t, w->days, err);

	if (r < 0 || w->dry) {
		ebb_app_note(w->app, "%s must be thawed first, at one of these prices: --thaw SPEED", ebb_thawing_asleep(c, text));
		return r;
	}
	return ebb_err_set(err, EBB_EASLEEP, "%s must be thawed first, at one of the prices above: --thaw SPEED has it done; nothing was done",
			   ebb_thawing_asleep(c, text));
}

/* Asked for; the time at which all are ready, when it is known. */
static int come_back(const struct ebb_thawing *w, const struct ebb_thaw_counts *c, const struct ebb_thaw_order *o, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], when[EBB_UNITS_TEXT], by[EBB_UNITS_TEXT + 32] = "";

	if (o->hours)
		snprintf(by, sizeof(by), ", until %s at the latest", ebb_units_exact_time(ebb_thaw_order_ready(o), when));
	return ebb_err_set(err, EBB_EASLEEP, "%s %s being thawed%s; '%s' goes on when they can be read, --wait waits",
			   ebb_out_things((uint64_t)c->objects[EBB_STORE_THAWING], "object", a),
			   c->objects[EBB_STORE_THAWING] == 1 ? "is" : "are", by, w->again);
}

int ebb_thawing_settle(const struct ebb_thawing *w, const struct ebb_storeset *stores, struct ebb_thaw *t, struct ebb_err *err)
{
	struct ebb_thaw_order o = {0};
	struct ebb_thaw_counts c;
	int r = ebb_thaw_look(t, stores, w->app->cancel, err);

	if (r < 0)
		return r;
	ebb_thaw_count(t, &c);
	if (c.objects[EBB_STORE_ASLEEP] && (!w->speed || w->dry))
		return refuse(w, t, &c, err);
	if (c.objects[EBB_STORE_ASLEEP] && (r = ebb_thawing_order(w, stores, t, &o, err)) < 0)
		return r;
	ebb_thaw_count(t, &c);
	if (c.objects[EBB_STORE_THAWING] == 0 || w->dry)
		return 0;
	if (!w->wait)
		return come_back(w, &c, &o, err);
	ebb_app_note(w->app, "waiting until %lld objects are thawed; an interrupt loses nothing", (long long)c.objects[EBB_STORE_THAWING]);
	return ebb_thaw_wait(t, stores, ebb_thaw_pause, w->app->cancel, w->app->cancel, err);
}

struct sleepers {
	const struct ebb_storeset *stores;
	struct ebb_thaw thaw;
};

static int add_sleeper(void *ctx, const struct ebb_op *did, const struct ebb_op *back, struct ebb_err *err)
{
	struct sleepers *s = ctx;

	(void)did;
	return ebb_thaw_add_op(&s->thaw, s->stores, back, err);
}

int ebb_thawing_undo(const struct ebb_thawing *w, const struct ebb_undo *u, const struct ebb_run *run, struct ebb_err *err)
{
	struct sleepers s = {.stores = u->stores};
	int r = ebb_undo_each(u, run, add_sleeper, &s, err);

	if (r == 0)
		r = ebb_thawing_settle(w, u->stores, &s.thaw, err);
	ebb_thaw_release(&s.thaw);
	return r;
}
