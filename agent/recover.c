/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/recover.h"

#include <string.h>

#include "agent/dirs.h"
#include "agent/executor.h"
#include "agent/planfile.h"
#include "agent/replay.h"

struct recovery {
	const struct ebb_run *run;
	struct ebb_storeset *stores;
	struct ebb_journal *journal;
	struct ebb_replay replay;
	int64_t now;
	struct ebb_recover told;
};

static void release(struct recovery *rc)
{
	ebb_journal_close(rc->journal);
	ebb_replay_release(&rc->replay);
}

/* Both go into the same pack, which has one temporary. */
static bool one_pack(const struct ebb_op *a, const struct ebb_op *b)
{
	return a->pack && a->pack == b->pack && a->way == EBB_OP_APPLY && a->to_key && b->to_key;
}

/*
 * How far an open operation got. Not begun is what still has its original, unchanged, and nothing at its destination. Its temporary is
 * swept, unless the next attempt can go on with it (marks). @swept: that of the same pack was swept already.
 */
static int look(struct recovery *rc, struct ebb_executor_op *o, bool swept, struct ebb_err *err)
{
	struct ebb_store *from = ebb_storeset_find(rc->stores, o->op.store);
	struct ebb_store *to = o->op.to_store ? ebb_storeset_find(rc->stores, o->op.to_store) : NULL;
	char tag[EBB_EXECUTOR_TAG_MAX];
	struct ebb_record rec;
	struct ebb_err why = {0};
	int r = 0;

	if (!from || (o->op.to_store && !to))
		return ebb_err_set(err, EBB_EJOURNAL, "journal of run %s names a store that its plan lacks",
				   rc->run->id);
	ebb_executor_tag(rc->run->id, &o->op, tag);
	const struct ebb_marks *marks = o->op.way == EBB_OP_APPLY ? ebb_marks_find(&rc->replay.marks, o->op.n) : NULL;
	bool stands = ebb_store_check(from, o->op.key, &o->op.obj, NULL) == 0;
	bool arrived = to && ebb_store_head(to, o->op.to_key, &rec, NULL) == 0;
	if (o->op.how == EBB_OP_HIDE) { /* at the same key, seen or hidden */
		bool hidden = ebb_store_hidden(from, o->op.key, &o->op.obj, NULL) == 1;

		arrived = o->op.way == EBB_OP_APPLY ? hidden : stands;
		stands = o->op.way == EBB_OP_APPLY ? stands : hidden;
	}
	bool goes_on = marks && stands && !arrived;
	if (to && !swept && !goes_on && (ebb_store_caps(to) & EBB_CAP_WRITE))
		r = ebb_store_write_sweep(to, o->op.to_key, tag, &why);
	if (r < 0 && r != -EBB_ENOENT)
		return ebb_err_set(err, -r, "%s", why.msg);
	if (stands && !arrived) {
		o->settled = true;
		o->result = (struct ebb_op_result){.outcome = EBB_OP_BACK, .wire = marks ? ebb_marks_unsaid(marks) : 0};
	}
	return 0;
}

/* What kept an operation from being looked at; the run stays open. */
static int not_now(const struct ebb_replay *rep, struct ebb_err *err)
{
	for (size_t i = 0; i < rep->nopen; i++) {
		const struct ebb_err *why = &rep->open[i].result.why;

		if (rep->open[i].result.outcome == EBB_OP_BACK && why->code)
			return ebb_err_set(err, why->code, "'%s': %s", rep->open[i].op.key, why->msg);
	}
	return ebb_err_set(err, EBB_EJOURNAL, "its journal cannot be written");
}

static int settle(struct recovery *rc, struct ebb_err *err)
{
	struct ebb_replay *rep = &rc->replay;
	struct ebb_executor x = {
		.stores = rc->stores, .journal = rc->journal, .run = rc->run->id, .now = rc->now,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < rep->nopen; i++)
		r = look(rc, &rep->open[i], i > 0 && one_pack(&rep->open[i - 1].op, &rep->open[i].op), err);
	if (r == 0)
		r = ebb_executor_run(&x, rep->open, rep->nopen, err);
	if (r == 0 && atomic_load(&x.open))
		r = not_now(rep, err);
	for (size_t i = 0; r == 0 && i < rep->nopen; i++) {
		const struct ebb_op_result *res = &rep->open[i].result;

		rc->told.completed += res->outcome == EBB_OP_DONE;
		rc->told.put_back += res->outcome == EBB_OP_BACK;
		rc->told.failed += res->outcome == EBB_OP_FAILED || res->outcome == EBB_OP_SKIPPED;
	}
	return r;
}

/*
 * Directories. Of an apply: those being made get their metadata, and of those entered the time is noted, so that undo can tell
 * whether somebody else changed them since. Of an undo: they look untouched again, so that the undo that goes on puts back their times.
 */
static int settle_dir(struct recovery *rc, const struct ebb_replay_dir *d, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
	struct ebb_store *s = ebb_storeset_find(rc->stores, d->store);
	struct ebb_record rec;

	if (!s)
		return 0;
	if (rc->replay.way != EBB_OP_APPLY) {
		ebb_dirs_set_times(s, d->path, d->mtime, d->atime, NULL);
		return 0;
	}
	if (d->made) {
		if (ebb_store_head(s, d->path, &rec, NULL) == 0)
			ebb_dirs_make(s, d->path, d->like ? ebb_storeset_find(rc->stores, d->like) : NULL,
				      NULL);
		return 0;
	}
	if (ebb_dirs_times(s, d->path, &m, NULL) < 0)
		return 0;
	struct ebb_journal_rec left = {
		.type = EBB_JOURNAL_LEFT, .store = d->store, .path = d->path,
		.mtime = m.mtime, .atime = m.atime,
	};
	return ebb_journal_put(rc->journal, &left, err);
}

static int close_run(struct recovery *rc, struct ebb_err *err)
{
	struct ebb_journal_rec end = {
		.type = EBB_JOURNAL_END, .way = rc->replay.way, .outcome = "recovered",
		.ts = rc->now, .counts = rc->replay.applied,
	};
	int r = ebb_journal_put(rc->journal, &end, err);

	return r < 0 ? r : ebb_journal_sync(rc->journal, err);
}

static int open_stores(struct recovery *rc, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	int r = ebb_planfile_open(rc->run->plan_path, &plan, err);

	if (r == -EBB_EUSAGE) {
		/* nobody named it: a part of the run is gone */
		if (err)
			err->code = EBB_EJOURNAL;
		return -EBB_EJOURNAL;
	}
	return r < 0 ? r : ebb_storeset_expect(rc->stores, ebb_planfile_head(plan), err);
}

int ebb_recover_run(const struct ebb_run *run, struct ebb_storeset *stores, int64_t now,
		    struct ebb_recover *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct recovery rc = {.run = run, .stores = stores, .now = now};
	int r;

	if (run->closed)
		return 0;
	if ((r = ebb_replay_run(run->journal, &rc.replay, err)) < 0 ||
	    (r = open_stores(&rc, err)) < 0 ||
	    (r = ebb_journal_append_to(run->journal, &rc.journal, err)) < 0 ||
	    (r = settle(&rc, err)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < rc.replay.ndirs; i++)
		r = settle_dir(&rc, &rc.replay.dirs[i], err);
	if (r == 0)
		r = close_run(&rc, err);
	if (r < 0)
		return r;
	*ret = rc.told;
	return 1;
}
