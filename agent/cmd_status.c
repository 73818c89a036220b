/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/beat.h"
#include "agent/cli.h"
#include "agent/lock.h"
#include "agent/out.h"
#include "agent/pending.h"
#include "agent/run.h"
#include "agent/thaw_order.h"
#include "agent/trash.h"
#include "core/units.h"

enum { LIMIT = 10 };

struct status {
	struct ebb_app *app;
	struct ebb_lock_holder holder;
	bool held;
	struct ebb_run *runs;	/* the last ones, oldest first */
	size_t n, limit;
	size_t hidden;
};

static int add_run(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct status *s = ctx;

	if (s->n == s->limit && s->limit) {
		ebb_run_release(&s->runs[0]);
		memmove(s->runs, s->runs + 1, --s->n * sizeof(*s->runs));
		s->hidden++;
	}
	if (s->limit == 0) {
		s->hidden++;
		return 0;
	}
	int r = ebb_run_copy(&s->runs[s->n], run, err);
	s->n += r == 0;
	return r;
}

/* What the state of a run means, in a word for programs. */
static const char *state(const struct status *s, const struct ebb_run *run)
{
	if (!run->closed)
		return s->held ? "running" : "killed";
	if (run->way == EBB_OP_UNDO)
		return "undone";
	if (run->way == EBB_OP_EXPIRE)
		return "expired";
	return run->outcome;
}

/* And in a sentence for people: what it is, and what to do. */
static const char *meaning(const char *state)
{
	static const struct {
		const char *state, *text;
	} texts[] = {
		{"running", "under way"},
		{"killed", "was killed; the next apply, undo or restore recovers it, applying its plan again goes on"},
		{"recovered", "was killed and recovered; applying its plan again goes on"},
		{"stopped", "stopped by a limit or a failure; applying its plan again goes on"},
		{"interrupted", "interrupted; applying its plan again goes on"},
		{"complete", "complete"},
		{"undone", "taken back, all or in part"},
		{"expired", "complete; its trash was emptied, all or in part"},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(texts); i++)
		if (strcmp(texts[i].state, state) == 0)
			return texts[i].text;
	return state;
}

static int runs_json(struct status *s, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n; i++) {
		const struct ebb_run *run = &s->runs[i];
		json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "run", run->id, "plan", run->plan, "state",
				      state(s, run), "actions", (json_int_t)run->actions);
		int bad = ebb_out_json_time(o, "started", run->started);

		if (run->closed) {
			bad |= ebb_out_json_time(o, "ended", run->ended);
			bad |= json_object_set_new(o, "done", json_integer(run->counts.done));
			bad |= json_object_set_new(o, "skipped", json_integer(run->counts.skipped));
			bad |= json_object_set_new(o, "failed", json_integer(run->counts.failed));
			bad |= json_object_set_new(o, "bytes", json_integer(run->counts.bytes));
		}
		if (bad) {
			json_decref(o);
			o = NULL;
		}
		r = ebb_out_json(s->app->out, o, err);
	}
	return r;
}

static int runs_text(struct status *s, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"run", false}, {"actions", true}, {"done", true}, {"skipped", true}, {"failed", true},
		{"state", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	char a[EBB_OUT_TEXT_MAX];

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < s->n; i++) {
		const struct ebb_run *run = &s->runs[i];
		const int64_t counts[] = {run->counts.done, run->counts.skipped, run->counts.failed};

		ebb_out_cell(t, "%s", run->id);
		ebb_out_cell(t, "%s", ebb_out_count((uint64_t)run->actions, a));
		for (size_t k = 0; k < 3; k++)
			ebb_out_cell(t, "%s", run->closed ? ebb_out_count((uint64_t)counts[k], a) : "?");
		ebb_out_cell(t, "%s", meaning(state(s, run)));
	}
	if (s->n == 0 && s->hidden == 0)
		fputs("no runs\n", s->app->out);
	if (s->hidden)
		fprintf(s->app->out, "%zu older runs are not shown: --limit\n", s->hidden);
	return s->n ? ebb_out_table_print(t, s->app->out, 0, err) : 0;
}

static int lock(struct status *s, struct ebb_err *err)
{
	const struct ebb_lock_holder *h = &s->holder;

	if (!s->held)
		return 0;
	if (s->app->json)
		return ebb_out_json(s->app->out,
				    json_pack("{s:{s:I, s:s, s:s, s:s}}", "lock", "pid", (json_int_t)h->pid,
					      "host", h->host, "started", h->started, "command",
					      h->command),
				    err);
	fprintf(s->app->out, "running: %s (process %ld on %s, since %s)\n", h->command, h->pid, h->host,
		h->started);
	return 0;
}

static int trash_json(struct status *s, const struct ebb_config *config, const struct ebb_trash_sum *sum, struct ebb_err *err)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I}", "trash", sum->store, "objects", (json_int_t)sum->objects, "bytes",
			      (json_int_t)sum->bytes, "expired_bytes", (json_int_t)sum->expired_bytes, "unpriced", (json_int_t)sum->unpriced);
	int r = ebb_trash_month_json(o, config, sum->month, sum->unpriced < sum->objects, err);

	if (r == 0)
		return ebb_out_json(s->app->out, o, err);
	json_decref(o);
	return r;
}

static int trash(struct status *s, struct ebb_err *err)
{
	char month[EBB_TRASH_TEXT];
	EBB_CLEANUP(ebb_trash_release) struct ebb_trash t = {0};
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], d[EBB_UNITS_TEXT];
	const struct ebb_config *config = ebb_trash_prices(s->app);
	int r = ebb_trash_read(s->app->index_dir, config, ebb_app_now(s->app), &t, err);

	ebb_trash_by_store(&t);
	for (size_t i = 0; r == 0 && i < t.n; i++) {
		const struct ebb_trash_sum *sum = &t.sums[i];

		if (s->app->json) {
			r = trash_json(s, config, sum, err);
			continue;
		}
		if ((r = ebb_trash_month_text(config, sum, month, err)) == 0)
			fprintf(s->app->out, "trash of store %s: %s, %s, %s%s; %s may go now, first on %s\n", sum->store,
				ebb_out_things((uint64_t)sum->objects, "object", a), ebb_out_bytes((uint64_t)sum->bytes, b), month,
				sum->unpriced < sum->objects ? " a month" : "", ebb_out_bytes((uint64_t)sum->expired_bytes, c),
				ebb_units_format_date(sum->first, d));
	}
	return r;
}

/* What is being thawed, and until when copies that cost money may be there; as asked for, the stores are not asked. */
static int thaw(void *ctx, const struct ebb_thaw_order *o, struct ebb_err *err)
{
	struct status *s = ctx;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], d[EBB_UNITS_TEXT];
	int64_t end = o->expires ? o->expires : ebb_thaw_order_gone(o);

	if (s->app->json) {
		json_t *j = json_pack("{s:s, s:s, s:I, s:I}", "thaw", o->id, "state", ebb_thaw_order_state_name(o->state), "objects",
				      (json_int_t)o->objects, "bytes", (json_int_t)o->bytes);
		if (ebb_out_json_time(j, "copies_until", end)) {
			json_decref(j);
			j = NULL;
		}
		return ebb_out_json(s->app->out, j, err);
	}
	fprintf(s->app->out, "thaw order %s: %s, %s, %s; copies are kept until %s at the latest\n", o->id,
		ebb_out_things((uint64_t)o->objects, "object", a), ebb_out_bytes((uint64_t)o->bytes, b),
		o->state == EBB_THAW_ORDER_ASKING ? "interrupted, 'ebb thaw' goes on" : ebb_thaw_order_state_name(o->state),
		ebb_units_format_date(end, d));
	return 0;
}

/* The agent, and plans that wait for a yes. */
static int nights(struct status *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pending_free) struct ebb_pendings all = {0};
	struct ebb_beat b;
	char at[EBB_UNITS_TEXT];
	int r = ebb_pending_list(s->app->index_dir, &all, err);

	if (r == 0 && ebb_beat_read(s->app->index_dir, &b)) {
		bool alive = ebb_beat_alive(&b, ebb_app_now(s->app));

		if (s->app->json)
			r = ebb_out_json(s->app->out, json_pack("{s:s, s:b, s:I, s:s?}", "agent", b.state, "alive", alive, "pid",
								(json_int_t)b.pid, "config_error", *b.error ? b.error : NULL), err);
		else
			fprintf(s->app->out, "agent: %s%s%s%s%s\n", alive ? b.state : "no agent lives", alive && b.next != INT64_MAX ? ", next run at " : "",
				alive && b.next != INT64_MAX ? ebb_units_exact_time(b.next - b.next % EBB_CLOCK_SECOND, at) : "",
				*b.error ? "; the configuration on disk is not in use: " : "", b.error);
	}
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		bool yes = all.v[i].state == EBB_PENDING_APPROVED;

		if (s->app->json)
			r = ebb_out_json(s->app->out, json_pack("{s:s, s:s}", "pending", all.v[i].plan, "state", yes ? "approved" : "waiting"), err);
		else
			fprintf(s->app->out, "plan %.12s %s: %s\n", all.v[i].plan, yes ? "is approved, for the next run" : "waits for approval",
				all.v[i].above);
	}
	return r;
}

static void release(struct status *s)
{
	for (size_t i = 0; i < s->n; i++)
		ebb_run_release(&s->runs[i]);
	free(s->runs);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct status s = {
		.app = app, .limit = (size_t)ebb_cli_number(args, "limit", LIMIT),
	};
	struct ebb_err why = {0};
	int r = ebb_lock_look(app->index_dir, &s.holder, &why);

	if (r < 0 && r != -EBB_ENOENT)
		return ebb_err_set(err, -r, "%s", why.msg);
	s.held = r == 1;
	s.runs = calloc(s.limit + 1, sizeof(*s.runs));
	if (!s.runs)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if ((r = ebb_run_each(app->index_dir, add_run, &s, err)) < 0 || (r = lock(&s, err)) < 0 ||
	    (r = app->json ? runs_json(&s, err) : runs_text(&s, err)) < 0 ||
	    (r = trash(&s, err)) < 0 || (r = ebb_thaw_order_each(app->index_dir, thaw, &s, err)) < 0 || (r = nights(&s, err)) < 0)
		return r;
	return ebb_out_flush(app->out, err);
}

static const struct ebb_cli_option options[] = {
	{"limit", 'l', EBB_CLI_COUNT, "N", "runs shown (default: 10)"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"lock", "object", "first line when a run is under way: pid, host, started, command"},
	{"run, plan, actions, started", "various", "a line for each run"},
	{"state", "string", "running, killed, recovered, stopped, interrupted, complete, undone, expired"},
	{"ended, done, skipped, failed, bytes", "various", "of a run that was not killed: by its last session"},
	{"trash, objects, bytes, expired_bytes", "various", "a line for each store with something in the trash"},
	{"month_nano, currency, unpriced", "number, string, number", "there, what keeping it costs a month, in billionths, where there are prices; objects without"},
	{"thaw, state, objects, bytes, copies_until", "various", "a line for each order of ebb-thaw"},
	{"agent, alive, pid, config_error", "various", "a line when an agent has run on this index: its state, whether it lives, why it keeps an older configuration"},
	{"pending, state", "string", "a line for each plan that waits for approval, or is approved"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb status", "see the last runs, and what they left in the trash",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_status;
const struct ebb_cli_command ebb_cmd_status = {
	.name = "status",
	.summary = "last runs, what is under way, what lies in the trash",
	.usage = "",
	.description =
		"Lists the last runs and what their state means, who holds the run lock, the trash of each store, the agent, and plans that wait for\n"
		"approval.\n"
		"Nothing is changed: a run that was killed is recovered by the next command that changes something.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = 0,
	.run = run,
};
