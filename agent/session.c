/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/session.h"

#include <inttypes.h>
#include <string.h>

#include "agent/audit.h"
#include "agent/out.h"
#include "agent/recover.h"

struct recovering {
	struct ebb_app *app;
	const char *command;
};

int ebb_session_audit(struct ebb_app *app, const char *command, const char *event, const struct ebb_run *run,
		      const struct ebb_journal_counts *counts, int failure, const struct ebb_err *why, struct ebb_err *err)
{
	bool begins = strcmp(event, "begin") == 0;
	const struct ebb_audit_event e = {
		.time = ebb_app_now(app), .command = command, .event = event, .counts = counts,
		.run = run ? run->id : NULL, .plan = run ? run->plan : NULL, .journal = run && !begins ? run->journal : NULL,
		.outcome = begins ? NULL : failure == -EBB_ECANCELLED ? "interrupted" : failure ? "stopped" : "complete",
		.why = failure && why && *why->msg ? why->msg : NULL,
	};

	return ebb_audit_append(app->index_dir, &e, err);
}

int ebb_session_stores(struct ebb_app *app, const struct ebb_run *run, struct ebb_storeset **ret,
		       struct ebb_err *err)
{
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *set = ebb_storeset_new(app->config);
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	int r = set ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	if (r < 0)
		return r;
	r = ebb_planfile_open(run->plan_path, &plan, err);
	if (r == -EBB_EUSAGE && err)
		err->code = EBB_EJOURNAL; /* nobody named it: a part of the run is gone */
	if (r < 0 || (r = ebb_storeset_expect(set, ebb_planfile_head(plan), err)) < 0)
		return r == -EBB_EUSAGE ? -EBB_EJOURNAL : r;
	*ret = set;
	set = NULL;
	return 0;
}

static int recover_one(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct recovering *rc = ctx;
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *set = NULL;
	struct ebb_recover told;
	struct ebb_err why = {0};

	if (run->closed)
		return 0;
	set = ebb_storeset_new(rc->app->config);
	if (!set)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = ebb_recover_run(run, set, ebb_app_now(rc->app), &told, &why);
	if (r == -EBB_ESTORE || r == -EBB_ECONFIG || r == -EBB_EIO || r == -EBB_EACCES || r == -EBB_ETRANSIENT) {
		ebb_app_note(rc->app, "run %s was killed and cannot be recovered now: %s", run->id,
			     why.msg);
		return 0;
	}
	if (r == -EBB_EJOURNAL)
		return ebb_err_set(err, EBB_EJOURNAL, "run %s was killed and cannot be recovered: %s; 'ebb runs --set-aside %s' lets others go on",
				   run->id, why.msg, run->id);
	if (r < 0)
		return ebb_err_set(err, -r, "run %s was killed and cannot be recovered: %s", run->id,
				   why.msg);
	if (r == 0)
		return 0;
	ebb_app_note(rc->app, "recovered run %s, which was killed: %zu actions completed, %zu not begun, %zu left",
		     run->id, told.completed, told.put_back, told.failed);
	const struct ebb_journal_counts c = {.done = (int64_t)told.completed, .failed = (int64_t)told.failed};
	return ebb_session_audit(rc->app, rc->command, "recover", run, &c, 0, NULL, err);
}

int ebb_session_begin(struct ebb_app *app, const char *command, struct ebb_lock **ret,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	struct recovering rc = {.app = app, .command = command};
	int r = ebb_app_config(app, err);

	if (r < 0 || (r = ebb_app_lock(app, command, &lock, err)) < 0 ||
	    (r = ebb_run_each(app->index_dir, recover_one, &rc, err)) < 0)
		return r;
	*ret = lock;
	lock = NULL;
	return 0;
}

static int left_json(struct ebb_session_tell *t, const struct ebb_op *op,
		     const struct ebb_op_result *r)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "outcome", ebb_op_outcome_name(r->outcome), "action",
			      ebb_action_kind(op->action)->name, "store", ebb_op_subject_store(op));
	const char *key = ebb_op_subject_key(op);

	if (!o || ebb_out_json_key(o, key, ebb_op_subject(op)->key_len ? strlen(key) : 0) ||
	    json_object_set_new(o, "code", json_string(ebb_err_name(r->why.code))) ||
	    ebb_out_json_bytes(o, "why", r->why.msg, strlen(r->why.msg))) {
		json_decref(o);
		o = NULL;
	}
	return ebb_out_json(t->app->out, o, NULL);
}

void ebb_session_ended(void *ctx, const struct ebb_op *op, const struct ebb_op_result *r)
{
	struct ebb_session_tell *t = ctx;
	FILE *f = t->app->err;

	t->ended++;
	if (r->outcome == EBB_OP_DONE) {
		t->bytes += (uint64_t)ebb_op_subject(op)->f[EBB_F_SIZE];
		ebb_progress_tick(&t->progress, t->ended, t->total, t->bytes);
		return;
	}
	if (t->app->json) {
		left_json(t, op, r);
		return;
	}
	ebb_progress_end(&t->progress);
	fprintf(f, "ebb: %s %s:", t->dry ? "would skip" : ebb_op_outcome_name(r->outcome),
		ebb_op_subject_store(op));
	ebb_out_name(f, ebb_op_subject_key(op), strlen(ebb_op_subject_key(op)));
	fprintf(f, ": %s\n", r->why.msg);
}

static void log_end(struct ebb_app *app, const struct ebb_run *run, const struct ebb_journal_counts *c)
{
	const struct ebb_log_field f[] = {
		ebb_log_str("run", run->id),
		ebb_log_int("done", (int64_t)c->done),
		ebb_log_int("skipped", (int64_t)c->skipped),
		ebb_log_int("failed", (int64_t)c->failed),
		ebb_log_int("bytes", (int64_t)c->bytes),
	};

	ebb_log_write(app->log, EBB_LOG_INFO, "run ended", f, EBB_ARRAY_LEN(f));
}

int ebb_session_summary(struct ebb_session_tell *t, const struct ebb_run *run, const char *past,
			const struct ebb_journal_counts *c, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	FILE *f = t->app->out;
	int r;

	ebb_progress_end(&t->progress);
	if (run)
		log_end(t->app, run, c);
	if (t->app->json) {
		json_t *o = json_pack("{s:s?, s:b, s:I, s:I, s:I, s:I}", "run", run ? run->id : NULL,
				      "dry_run", t->dry, "done", (json_int_t)c->done, "skipped",
				      (json_int_t)c->skipped, "failed", (json_int_t)c->failed, "bytes",
				      (json_int_t)c->bytes);
		r = ebb_out_json(f, o, err);
	} else {
		if (run)
			fprintf(f, "run %s: ", run->id);
		fprintf(f, "%s %s%s, %s", ebb_out_count((uint64_t)c->done, a), t->dry ? "would be " : "",
			past, ebb_out_bytes((uint64_t)c->bytes, b));
		if (c->skipped)
			fprintf(f, ", %s skipped", ebb_out_count((uint64_t)c->skipped, a));
		if (c->failed)
			fprintf(f, ", %s failed", ebb_out_count((uint64_t)c->failed, a));
		fputc('\n', f);
		r = ebb_out_flush(f, err);
	}
	if (r < 0)
		return r;
	return c->skipped || c->failed ? -EBB_EPARTIAL : 0;
}
