/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/executor.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/lower.h"
#include "agent/packer.h"
#include "agent/steps.h"
#include "core/pool.h"

void ebb_executor_tag(const char *run, const struct ebb_op *op, char ret[EBB_EXECUTOR_TAG_MAX])
{
	bool together = op->pack && op->way == EBB_OP_APPLY;

	snprintf(ret, EBB_EXECUTOR_TAG_MAX, "%.60s.%lld.%s", run, (long long)(together ? op->pack : op->n),
		 ebb_op_way_name(op->way));
}

int ebb_executor_intend(struct ebb_executor *x, const struct ebb_executor_op *ops, size_t n,
			struct ebb_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct ebb_op op = ops[i].op; /* a record borrows the whole operation */
		struct ebb_journal_rec rec = {.type = EBB_JOURNAL_INTENT, .n = op.n, .op = &op};
		int r = ebb_journal_put(x->journal, &rec, err);

		if (r < 0)
			return r;
	}
	return ebb_journal_sync(x->journal, err);
}

/* All steps of one operation. *ret_open: something stays that could not be put back, and that recovery can finish. */
static int run_steps(struct ebb_executor *x, struct ebb_executor_op *o, bool *ret_open, struct ebb_err *err)
{
	const struct ebb_lower *l = ebb_lower_of(o->op.action);
	char tag[EBB_EXECUTOR_TAG_MAX];
	struct ebb_steps_ctx c = {
		.op = &o->op, .journal = x->journal, .tag = tag, .now = x->now,
		.cancel = x->cancel, .again = o->again,
		.copied = o->has_copied ? &o->copied : NULL, .marks = o->marks, .result = &o->result,
	};
	int r = 0;

	ebb_executor_tag(x->run, &o->op, tag);
	c.from = ebb_storeset_find(x->stores, o->op.store);
	c.to = o->op.to_store ? ebb_storeset_find(x->stores, o->op.to_store) : NULL;
	c.with = o->op.with_store ? ebb_storeset_find(x->stores, o->op.with_store) : NULL;
	if (!l || !c.from || (o->op.to_store && !c.to) || (o->op.with_store && !c.with))
		return ebb_err_set(err, EBB_EINVAL, "operation on a store that is not open");
	if (c.to && x->dirs)
		r = ebb_dirs_why(x->dirs, c.to, o->op.to_key, err);
	for (const enum ebb_step *s = l->steps(&o->op); r == 0 && *s != EBB_STEP_END; s++)
		r = ebb_steps_run(*s, &c, err);
	/* put back it would meet its own copy, as if it were somebody else's */
	*ret_open = (ebb_steps_finish(&c, r, err) && ebb_op_outcome_of(r) == EBB_OP_BACK) || (r < 0 && c.half);
	return r;
}

static int put_result(struct ebb_executor *x, const struct ebb_executor_op *o, struct ebb_err *err)
{
	static const enum ebb_journal_type types[EBB_OP_OUTCOMES] = {
		[EBB_OP_DONE] = EBB_JOURNAL_DONE, [EBB_OP_SKIPPED] = EBB_JOURNAL_SKIPPED,
		[EBB_OP_FAILED] = EBB_JOURNAL_FAILED, [EBB_OP_BACK] = EBB_JOURNAL_BACK,
	};
	struct ebb_journal_rec rec = {
		.type = types[o->result.outcome], .n = o->op.n, .result = o->result,
	};

	return x->journal ? ebb_journal_put(x->journal, &rec, err) : 0;
}

static bool may_begin(const struct ebb_executor *x)
{
	return !atomic_load(&x->stop) && !(x->cancel && atomic_load(x->cancel));
}

/* An operation has come as far as it does now. */
static void ended(struct ebb_executor *x, const struct ebb_executor_op *o)
{
	const struct ebb_op_result *res = &o->result;

	/* put back for a reason: it would meet every other operation too. A broken journal is told by the next sync. */
	bool back = res->outcome == EBB_OP_BACK;
	bool unknown = back && o->again && !o->settled;
	bool recorded = !unknown && put_result(x, o, NULL) == 0;
	if (!recorded)
		atomic_store(&x->open, true);
	if (!recorded || (back && res->why.code))
		atomic_store(&x->stop, true);
}

/* An action that is given up leaves nothing behind of what earlier attempts had sent. */
static void sweep(const struct ebb_executor *x, const struct ebb_executor_op *o)
{
	struct ebb_store *to = o->marks ? ebb_storeset_find(x->stores, o->marks->to_store) : NULL;
	char tag[EBB_EXECUTOR_TAG_MAX];

	if (!to || (o->result.outcome != EBB_OP_SKIPPED && o->result.outcome != EBB_OP_FAILED))
		return;
	ebb_executor_tag(x->run, &o->op, tag);
	ebb_store_write_sweep(to, o->marks->to_key, tag, NULL);
}

/*
 * Begun before, and now a store failed: where the original does not stand as it was, nobody knows whether it was done. It is no failure then, and
 * stays open until somebody can look.
 */
static bool is_unknown(const struct ebb_executor *x, const struct ebb_executor_op *o, int code)
{
	struct ebb_store *from = ebb_storeset_find(x->stores, o->op.store);
	bool ours = code == -EBB_EIO || code == -EBB_EACCES || code == -EBB_ETRANSIENT || code == -EBB_ETHROTTLE;

	return o->again && ours && from && ebb_store_check(from, o->op.key, &o->op.obj, NULL) < 0;
}

static void run_one(struct ebb_executor *x, struct ebb_executor_op *o)
{
	struct ebb_op_result *res = &o->result;

	if (!o->settled)
		*res = (struct ebb_op_result){.outcome = EBB_OP_BACK};
	if (!o->settled && may_begin(x)) {
		bool open = false;
		int r = run_steps(x, o, &open, &res->why);

		open |= is_unknown(x, o, r);
		res->outcome = r == 0 ? EBB_OP_DONE : open ? EBB_OP_BACK : ebb_op_outcome_of(r);
		if (open)
			o->again = true;
	}
	sweep(x, o);
	ended(x, o);
}

/* One operation, or those that go into one pack. */
static void run_job_of(struct ebb_executor *x, struct ebb_executor_op *o, size_t n)
{
	if (!o->op.pack || o->op.way != EBB_OP_APPLY) {
		run_one(x, o);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!o[i].settled)
			o[i].result = (struct ebb_op_result){.outcome = EBB_OP_BACK};
	if (may_begin(x))
		ebb_packer_run(x, o, n);
	for (size_t i = 0; i < n; i++)
		ended(x, &o[i]);
}

/* How many from here on are done together. */
static size_t together(const struct ebb_executor_op *o, size_t n)
{
	size_t k = 1;

	while (o->op.pack && o->op.way == EBB_OP_APPLY && k < n && o[k].op.pack == o->op.pack)
		k++;
	return k;
}

struct job {
	struct ebb_executor *x;
	struct ebb_executor_op *o;
	size_t n;
};

static int run_job(void *arg, struct ebb_err *err)
{
	struct job *j = arg;

	(void)err;
	run_job_of(j->x, j->o, j->n);
	return 0;
}

/* One thread does it: a pool would only cost. */
static void run_here(struct ebb_executor *x, struct ebb_executor_op *ops, size_t n)
{
	for (size_t i = 0, k; i < n; i += k) {
		k = together(ops + i, n - i);
		run_job_of(x, &ops[i], k);
	}
}

int ebb_executor_run(struct ebb_executor *x, struct ebb_executor_op *ops, size_t n,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) struct job *jobs = calloc(n + 1, sizeof(*jobs));
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = NULL;
	size_t threads = x->jobs ? x->jobs : EBB_EXECUTOR_JOBS, given = 0;

	if (threads > n)
		threads = n;
	if (threads > 1 && jobs && ebb_pool_new(threads, n, &pool, NULL) == 0) {
		for (size_t k; given < n; given += k) {
			k = together(ops + given, n - given);
			jobs[given] = (struct job){x, &ops[given], k};
			if (ebb_pool_submit(pool, run_job, &jobs[given], NULL) < 0)
				break;
		}
		ebb_pool_wait(pool, NULL);
	}
	run_here(x, ops + given, n - given);
	return x->journal && atomic_load(&x->stop) ? ebb_journal_sync(x->journal, err) : 0;
}
