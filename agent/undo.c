/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/undo.h"

#include <stdlib.h>
#include <string.h>

#include "agent/executor.h"
#include "agent/lower.h"
#include "agent/replay.h"
#include "agent/undo_dirs.h"
#include "agent/undo_packs.h"

/* A session that goes back over a run. */
struct going_back {
	const struct ebb_undo *u;
	const struct ebb_run *run;
	enum ebb_op_way way;
	struct ebb_replay replay;
	struct ebb_journal_reader *reader;
	struct ebb_executor x;
	struct ebb_undo_dirs *dirs;
	struct ebb_replay_segment seg;
	struct ebb_executor_op *ops;		/* of the segment, lowered the other way */
	const struct ebb_op **did;		/* what each takes back */
	size_t n;
	struct ebb_journal_counts counts;
	ebb_undo_each_fn *each;			/* only tell what would be done, to this */
	void *each_ctx;
	bool wrote;				/* to the journal */
	struct ebb_undo_packs_trail trail;
};

static int64_t size_of(const struct ebb_record *rec)
{
	return ebb_record_has(rec, EBB_F_SIZE) ? rec->f[EBB_F_SIZE] : 0;
}

static void tell(struct going_back *g, const struct ebb_op *did, const struct ebb_op_result *r)
{
	switch (r->outcome) {
	case EBB_OP_DONE:
		g->counts.done++;
		g->counts.bytes += size_of(ebb_op_subject(did));
		break;
	case EBB_OP_SKIPPED:
		g->counts.skipped++;
		break;
	case EBB_OP_FAILED:
		g->counts.failed++;
		break;
	default:
		return;
	}
	if (g->u->ended)
		g->u->ended(g->u->ctx, did, r);
}

static bool wanted(const struct going_back *g, const struct ebb_op *did)
{
	return !g->u->wanted || g->u->wanted(g->u->ctx, ebb_op_subject_store(did), ebb_op_subject_key(did));
}

/* In the trash, and its time is over. */
static bool may_expire(const struct going_back *g, const struct ebb_op *did)
{
	return did->to_key && did->expires && did->expires <= g->x.now;
}

static int lower(struct going_back *g, const struct ebb_executor_op *o, struct ebb_op *ret,
		 struct ebb_err *err)
{
	return g->way == EBB_OP_UNDO ? ebb_lower_undo(&o->op, &o->result, ret, err)
				     : ebb_lower_expire(&o->op, &o->result, ret, err);
}

/* What a dry run would meet: is the way back open? */
static void look(struct going_back *g, const struct ebb_executor_op *o, struct ebb_op_result *res)
{
	const struct ebb_op *op = &o->op;
	struct ebb_store *from = ebb_storeset_find(g->u->stores, op->store);
	struct ebb_store *to = op->to_store ? ebb_storeset_find(g->u->stores, op->to_store) : NULL;
	struct ebb_record rec;
	int r = 0;

	if (op->how == EBB_OP_HIDE) {
		if ((r = ebb_store_hidden(from, op->key, &op->obj, &res->why)) == 0)
			r = ebb_err_set(&res->why, EBB_ECHANGED, "is not hidden any more");
		res->outcome = r < 0 ? EBB_OP_SKIPPED : EBB_OP_DONE;
		return;
	}
	r = ebb_store_check(from, op->key, &op->obj, &res->why);
	/* the link that stands there is ours, and goes */
	bool link = op->action == EBB_ACTION_DEDUP && op->dedup == EBB_ACTION_HARDLINK;
	if (r == 0 && to && !link && ebb_store_head(to, op->to_key, &rec, NULL) == 0)
		r = ebb_err_set(&res->why, EBB_EEXIST, "something stands at '%s'", op->to_key);
	res->outcome = r < 0 ? EBB_OP_SKIPPED : EBB_OP_DONE;
}

/* Which operations of the segment are taken back now. */
static int collect(struct going_back *g, struct ebb_err *err)
{
	g->ops = calloc(g->seg.nops + 1, sizeof(*g->ops));
	g->did = calloc(g->seg.nops + 1, sizeof(*g->did));
	if (!g->ops || !g->did)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = g->seg.nops; i-- > 0;) {
		const struct ebb_executor_op *o = &g->seg.ops[i];
		struct ebb_op_result no = {.outcome = EBB_OP_SKIPPED};
		bool away = ebb_replay_is_away(&g->replay, o->op.n);

		if (o->result.outcome != EBB_OP_DONE)
			continue;
		if (away || !wanted(g, &o->op) || (g->way == EBB_OP_EXPIRE && !may_expire(g, &o->op))) {
			/* what was let go does not come back; what was undone is as it was */
			if (!away || g->replay.expired)
				ebb_undo_dirs_incomplete(g->dirs, &o->op);
			/* what a relay held needs no way back */
			if (g->way == EBB_OP_UNDO && o->op.action != EBB_ACTION_COPY && wanted(g, &o->op) && ebb_replay_is_gone(&g->replay, o->op.n)) {
				ebb_err_set(&no.why, EBB_ENOTSUP, "was removed from the trash for good, when its time there was over");
				tell(g, &o->op, &no);
			}
			continue;
		}
		int r = lower(g, o, &g->ops[g->n].op, &no.why);
		if (r == 0 && g->way == EBB_OP_UNDO && o->op.action == EBB_ACTION_ARCHIVE &&
		    (r = ebb_undo_packs_follow(&g->trail, g->u->stores, &g->seg.arena, &g->ops[g->n].op, &no.why)) < 0)
			ebb_op_release(&g->ops[g->n].op);
		if (r == -EBB_ENOMEM)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		if (r < 0) {
			ebb_undo_dirs_incomplete(g->dirs, &o->op);
			tell(g, &o->op, &no);
			continue;
		}
		g->did[g->n++] = &o->op;
	}
	return 0;
}

/* Directories that the run made go with an undo; what else they were made in must be noted first. */
static bool has_made(const struct going_back *g)
{
	for (size_t i = 0; g->way == EBB_OP_UNDO && i < g->seg.ndirs; i++)
		if (g->seg.dirs[i].made)
			return true;
	return false;
}

static int run_ops(struct going_back *g, struct ebb_err *err)
{
	struct ebb_journal_rec w = {
		.type = EBB_JOURNAL_WINDOW, .way = g->way, .count = (int64_t)g->n, .ts = g->x.now,
	};
	int r;

	if (g->n == 0 && !has_made(g))
		return 0;
	g->wrote = true;
	if ((r = ebb_journal_put(g->x.journal, &w, err)) < 0 ||
	    (r = ebb_undo_dirs_plan(g->dirs, &g->seg, g->ops, g->n, err)) < 0)
		return r;
	if ((r = ebb_executor_intend(&g->x, g->ops, g->n, err)) < 0) {
		atomic_store(&g->x.open, true);
		return r;
	}
	ebb_undo_dirs_create(g->dirs, g->ops, g->n);
	r = ebb_executor_run(&g->x, g->ops, g->n, err);
	for (size_t i = 0; i < g->n; i++) {
		if (g->ops[i].result.outcome != EBB_OP_DONE)
			ebb_undo_dirs_incomplete(g->dirs, g->did[i]);
		tell(g, g->did[i], &g->ops[i].result);
	}
	return r;
}

static void look_all(struct going_back *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct ebb_op_result res = {0};

		look(g, &g->ops[i], &res);
		tell(g, g->did[i], &res);
	}
}

static void drop_window(struct going_back *g)
{
	for (size_t i = 0; i < g->n; i++)
		ebb_op_release(&g->ops[i].op);
	free(g->ops);
	free(g->did);
	g->ops = NULL;
	g->did = NULL;
	g->n = 0;
	ebb_replay_segment_release(&g->seg);
}

/* Why operations were left: the first failure that would have met all of them. */
static int stopper(struct going_back *g, struct ebb_err *err)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct ebb_err *why = &g->ops[i].result.why;

		if (g->ops[i].result.outcome == EBB_OP_BACK && why->code)
			return ebb_err_set(err, why->code, "'%s': %s", g->ops[i].op.key, why->msg);
	}
	return ebb_err_set(err, EBB_EJOURNAL, "the journal of run %s cannot be written", g->run->id);
}

static int one_window(struct going_back *g, size_t i, struct ebb_err *err)
{
	int r = ebb_replay_segment(g->reader, &g->replay, i, &g->seg, err);

	/* letting go is no way back: times of directories stay as they are */
	if (r == 0 && g->way == EBB_OP_UNDO)
		r = ebb_undo_dirs_enter(g->dirs, &g->seg, err);
	if (r < 0 || (r = collect(g, err)) < 0)
		return r;
	for (size_t k = 0; g->each && r == 0 && k < g->n; k++)
		r = g->each(g->each_ctx, g->did[k], &g->ops[k].op, err);
	if (r < 0 || g->each)
		return r;
	if (g->u->dry) {
		look_all(g);
		return 0;
	}
	r = run_ops(g, err);
	if (r == 0 && g->way == EBB_OP_UNDO)
		r = ebb_undo_packs(g->u->stores, &g->replay, &g->seg, g->ops, g->n, err);
	if (r == 0)
		ebb_undo_dirs_leave(g->dirs, &g->seg, g->way == EBB_OP_EXPIRE, g->x.now);
	if (r == 0 && atomic_load(&g->x.stop))
		r = stopper(g, err);
	return r;
}

static int all_windows(struct going_back *g, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = g->replay.nwindows; r == 0 && i-- > 0;) {
		if (g->replay.windows[i].way != EBB_OP_APPLY)
			continue;
		if (g->u->cancel && atomic_load(g->u->cancel))
			return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
		r = one_window(g, i, err);
		drop_window(g);
	}
	if (r == 0 && g->u->cancel && atomic_load(g->u->cancel))
		r = ebb_err_set(err, EBB_ECANCELLED, "interrupted");
	return r;
}

/* What was begun and never finished is given up with the rest. */
static void sweep(const struct going_back *g)
{
	for (size_t i = 0; i < g->replay.marks.n; i++) {
		const struct ebb_marks *m = &g->replay.marks.v[i];
		const struct ebb_op op = {.n = m->n, .way = EBB_OP_APPLY};
		struct ebb_store *to = ebb_storeset_find(g->u->stores, m->to_store);
		char tag[EBB_EXECUTOR_TAG_MAX];

		ebb_executor_tag(g->run->id, &op, tag);
		if (to)
			ebb_store_write_sweep(to, m->to_key, tag, NULL);
	}
}

static int close_session(struct going_back *g, int r, const struct ebb_err *why)
{
	struct ebb_journal_rec end = {
		.type = EBB_JOURNAL_END, .way = g->way, .ts = ebb_clock_now(g->u->clock),
		.outcome = r == 0 ? "complete" : r == -EBB_ECANCELLED ? "interrupted" : "stopped",
		.why = r < 0 ? why->msg : NULL, .counts = g->counts,
	};
	if (atomic_load(&g->x.open)) /* without an end the next session recovers it */
		return ebb_journal_sync(g->x.journal, NULL);
	int e = ebb_journal_put(g->x.journal, &end, NULL);

	return e < 0 ? e : ebb_journal_sync(g->x.journal, NULL);
}

static int prepare(struct going_back *g, struct ebb_err *err)
{
	int r;

	if ((r = ebb_replay_run(g->run->journal, &g->replay, err)) < 0 ||
	    (r = ebb_journal_open(g->run->journal, &g->reader, err)) < 0)
		return r;
	if (g->replay.nopen && !g->u->dry)
		return ebb_err_set(err, EBB_EJOURNAL, "run %s must be recovered first", g->run->id);
	if (!g->u->dry &&
	    (r = ebb_journal_append_to(g->run->journal, &g->x.journal, err)) < 0)
		return r;
	g->dirs = ebb_undo_dirs_new(g->u->stores, g->x.journal);
	return g->dirs ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static void release(struct going_back *g)
{
	drop_window(g);
	ebb_undo_packs_trail_release(&g->trail);
	ebb_undo_dirs_free(g->dirs);
	ebb_journal_reader_close(g->reader);
	ebb_journal_close(g->x.journal);
	ebb_replay_release(&g->replay);
}

static int go_back(const struct ebb_undo *u, const struct ebb_run *run, enum ebb_op_way way,
		   struct ebb_journal_counts *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct going_back g = {
		.u = u, .run = run, .way = way,
		.x = {.stores = u->stores, .run = run->id, .jobs = u->jobs, .cancel = u->cancel,
		      .now = ebb_clock_now(u->clock)},
	};
	struct ebb_err why = {0};
	int r = prepare(&g, &why);

	if (r == 0) {
		r = all_windows(&g, &why);
		if (way == EBB_OP_UNDO && !u->dry && !u->wanted)
			sweep(&g);
		if (g.wrote) { /* a session that did nothing leaves no trace */
			int e = close_session(&g, r, &why);
			if (r == 0 && e < 0)
				r = ebb_err_set(&why, -e, "the journal of run %s cannot be written", run->id);
		}
	}
	*ret = g.counts;
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

int ebb_undo_each(const struct ebb_undo *u, const struct ebb_run *run, ebb_undo_each_fn *fn, void *ctx,
		  struct ebb_err *err)
{
	struct ebb_undo looking = *u;
	EBB_CLEANUP(release) struct going_back g = {
		.u = &looking, .run = run, .way = EBB_OP_UNDO, .each = fn, .each_ctx = ctx,
		.x = {.stores = u->stores, .run = run->id, .cancel = u->cancel, .now = ebb_clock_now(u->clock)},
	};
	looking.dry = true;
	looking.ended = NULL;
	int r = prepare(&g, err);

	return r < 0 ? r : all_windows(&g, err);
}

int ebb_undo_run(const struct ebb_undo *u, const struct ebb_run *run,
		 struct ebb_journal_counts *ret, struct ebb_err *err)
{
	return go_back(u, run, EBB_OP_UNDO, ret, err);
}

int ebb_undo_expire(const struct ebb_undo *u, const struct ebb_run *run,
		    struct ebb_journal_counts *ret, struct ebb_err *err)
{
	return go_back(u, run, EBB_OP_EXPIRE, ret, err);
}

struct standing {
	ebb_undo_trash_fn *fn;
	void *ctx;
};

static int hand_on(void *ctx, const struct ebb_executor_op *o, bool standing, struct ebb_err *err)
{
	const struct standing *s = ctx;

	return standing && o->result.outcome == EBB_OP_DONE ? s->fn(s->ctx, &o->op, &o->result, err) : 0;
}

/* Each action of @run that was done and not taken back or let go since, in no special order. A negative return of @fn stops. */
static int each_standing(const struct ebb_run *run, ebb_undo_trash_fn *fn, void *ctx, struct ebb_err *err)
{
	return ebb_replay_each(run->journal, hand_on, &(struct standing){fn, ctx}, err);
}

static bool in_trash(const struct ebb_op *did)
{
	return did->expires && did->to_key;
}

struct trash {
	ebb_undo_trash_fn *fn;
	void *ctx;
};

static int tell_trash(void *ctx, const struct ebb_op *did, const struct ebb_op_result *r, struct ebb_err *err)
{
	const struct trash *t = ctx;

	return in_trash(did) ? t->fn(t->ctx, did, r, err) : 0;
}

int ebb_undo_trash(const struct ebb_run *run, ebb_undo_trash_fn *fn, void *ctx,
		   struct ebb_err *err)
{
	struct trash t = {fn, ctx};

	return each_standing(run, tell_trash, &t, err);
}

static int count_left(void *ctx, const struct ebb_op *did, const struct ebb_op_result *r, struct ebb_err *err)
{
	struct ebb_undo_left *left = ctx;
	struct ebb_op back;

	(void)err;
	if (ebb_lower_undo(did, r, &back, NULL) < 0)
		return 0;
	ebb_op_release(&back);
	left->objects++;
	left->trash += in_trash(did);
	left->packed += did->pack != 0;
	return 0;
}

int ebb_undo_left(const struct ebb_run *run, struct ebb_undo_left *ret, struct ebb_err *err)
{
	*ret = (struct ebb_undo_left){0};
	return each_standing(run, count_left, ret, err);
}
