/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/replay.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory for the journal");
}

/* Room for one more element; @n doubles as the size by powers of two. */
static void *more(void *p, size_t n, size_t size)
{
	if (n & (n - 1))
		return p;
	return reallocarray(p, n ? 2 * n : 1, size);
}

/* --- Directories ----------------------------------------------------------------------------------------- */

static void free_dir(struct ebb_replay_dir *d)
{
	free(d->store);
	free(d->path);
	free(d->like);
}

static void free_dirs(struct ebb_replay_dir **d, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free_dir(&(*d)[i]);
	free(*d);
	*d = NULL;
	*n = 0;
}

static int add_dir(struct ebb_replay_dir **d, size_t *n, const struct ebb_journal_rec *rec,
		   struct ebb_err *err)
{
	struct ebb_replay_dir dir = {
		.store = strdup(rec->store), .path = strdup(rec->path),
		.like = rec->like ? strdup(rec->like) : NULL,
		.mtime = rec->mtime, .atime = rec->atime, .made = rec->type == EBB_JOURNAL_MADE,
	};
	struct ebb_replay_dir *grown = more(*d, *n, sizeof(*grown));

	if (grown)
		*d = grown;
	if (!grown || !dir.store || !dir.path || (rec->like && !dir.like)) {
		free_dir(&dir);
		return no_memory(err);
	}
	(*d)[(*n)++] = dir;
	return 0;
}

static void drop_dir(struct ebb_replay *r, const struct ebb_journal_rec *rec)
{
	for (size_t i = r->ndirs; i-- > 0;) {
		struct ebb_replay_dir *d = &r->dirs[i];

		if (d->made || strcmp(d->path, rec->path) != 0 || strcmp(d->store, rec->store) != 0)
			continue;
		free_dir(d);
		memmove(d, d + 1, (--r->ndirs - i) * sizeof(*d));
		return;
	}
}

/* Those made in earlier windows exist, with their metadata. */
static void forget_made(struct ebb_replay *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->ndirs; i++) {
		if (r->dirs[i].made)
			free_dir(&r->dirs[i]);
		else
			r->dirs[kept++] = r->dirs[i];
	}
	r->ndirs = kept;
}

/* --- Operations ------------------------------------------------------------------------------------------ */

static void free_ops(struct ebb_executor_op **ops, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		ebb_op_release(&(*ops)[i].op);
	free(*ops);
	*ops = NULL;
	*n = 0;
}

/* Takes over rec->op's metadata. */
static int add_op(struct ebb_executor_op **ops, size_t *n, const struct ebb_journal_rec *rec,
		  struct ebb_err *err)
{
	struct ebb_executor_op *grown = more(*ops, *n, sizeof(*grown));

	if (!grown) {
		ebb_op_release(rec->op);
		return no_memory(err);
	}
	*ops = grown;
	grown[(*n)++] = (struct ebb_executor_op){
		.op = *rec->op, .again = true, .result = {.outcome = EBB_OP_BACK},
	};
	return 0;
}

/* Results come nearly in the order of the intents, so looking begins behind the last one found. */
static struct ebb_executor_op *op_of(struct ebb_executor_op *ops, size_t n, int64_t action, size_t *hint)
{
	for (size_t k = 0; k < n; k++) {
		size_t i = (*hint + k) % n;

		if (ops[i].op.n != action)
			continue;
		*hint = i + 1;
		return &ops[i];
	}
	return NULL;
}

/* Those that have a result go, all at once: there may be thousands. */
static void drop_settled(struct ebb_replay *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->nopen; i++) {
		if (r->open[i].settled)
			ebb_op_release(&r->open[i].op);
		else
			r->open[kept++] = r->open[i];
	}
	r->nopen = kept;
	r->hint = 0;
}

/* Within a window actions ascend or descend, so one beyond both ends is new. */
static bool is_new(const struct ebb_replay *r, int64_t n)
{
	size_t hint = 0;

	if (r->nopen == 0)
		return true;
	int64_t first = r->open[0].op.n, last = r->open[r->nopen - 1].op.n;
	if ((n > first && n > last) || (n < first && n < last))
		return true;
	return !op_of(r->open, r->nopen, n, &hint);
}

static void drop_back(struct ebb_replay *r, int64_t n)
{
	for (size_t i = 0; i < r->nback; i++) {
		if (r->back[i] != n)
			continue;
		memmove(&r->back[i], &r->back[i + 1], (--r->nback - i) * sizeof(n));
		return;
	}
}

static int add_back(struct ebb_replay *r, int64_t n, struct ebb_err *err)
{
	int64_t *grown = more(r->back, r->nback, sizeof(*grown));
	size_t i = r->nback;

	if (!grown)
		return no_memory(err);
	r->back = grown;
	for (; i > 0 && grown[i - 1] > n; i--)
		grown[i] = grown[i - 1];
	grown[i] = n;
	r->nback++;
	return 0;
}

static bool has_bit(const struct ebb_replay *r, const uint64_t *bits, int64_t n)
{
	return n >= 1 && n <= r->actions && (bits[n / 64] >> (n % 64) & 1);
}

bool ebb_replay_is_away(const struct ebb_replay *r, int64_t n)
{
	return has_bit(r, r->away, n);
}

bool ebb_replay_is_gone(const struct ebb_replay *r, int64_t n)
{
	return has_bit(r, r->gone, n);
}

static void count_done(struct ebb_replay *r, const struct ebb_op *op)
{
	if (op->way == EBB_OP_APPLY) {
		r->applied.done++;
		if (ebb_record_has(&op->obj, EBB_F_SIZE))
			r->applied.bytes += op->obj.f[EBB_F_SIZE];
		return;
	}
	r->away[op->n / 64] |= UINT64_C(1) << (op->n % 64);
	if (op->way == EBB_OP_EXPIRE)
		r->gone[op->n / 64] |= UINT64_C(1) << (op->n % 64);
	*(op->way == EBB_OP_UNDO ? &r->undone : &r->expired) += 1;
}

static int result(struct ebb_replay *r, const struct ebb_journal_rec *rec, struct ebb_err *err)
{
	struct ebb_executor_op *o = op_of(r->open, r->nopen, rec->n, &r->hint);
	bool apply = r->way == EBB_OP_APPLY;
	int e = 0;

	if (!o || o->settled) /* said twice: the first holds */
		return 0;
	if (apply && rec->result.outcome != EBB_OP_BACK)
		ebb_marks_drop(&r->marks, rec->n);
	else if (apply)
		ebb_marks_count(&r->marks, rec->n, rec->result.wire);
	if (rec->result.outcome == EBB_OP_DONE)
		count_done(r, &o->op);
	else if (apply && rec->result.outcome == EBB_OP_SKIPPED)
		r->applied.skipped++;
	else if (apply && rec->result.outcome == EBB_OP_FAILED)
		r->applied.failed++;
	else if (apply)
		e = add_back(r, rec->n, err);
	o->settled = true;
	return e;
}

static int intent(struct ebb_replay *r, const struct ebb_journal_rec *rec, struct ebb_err *err)
{
	if (rec->n > r->actions || rec->op->way != r->way || !is_new(r, rec->n)) {
		ebb_op_release(rec->op);
		return ebb_err_set(err, EBB_EJOURNAL, "journal is damaged: intent %lld does not belong there",
				   (long long)rec->n);
	}
	if (r->way == EBB_OP_APPLY) {
		drop_back(r, rec->n);
		if (rec->n >= r->next)
			r->next = rec->n + 1;
	}
	return add_op(&r->open, &r->nopen, rec, err);
}

/* --- The whole journal ----------------------------------------------------------------------------------- */

static int begin(struct ebb_replay *r, const struct ebb_journal_rec *rec, struct ebb_err *err)
{
	r->plan = strdup(rec->plan);
	r->actions = rec->actions;
	r->next = 1;
	r->away = calloc((size_t)rec->actions / 64 + 1, sizeof(*r->away));
	r->gone = calloc((size_t)rec->actions / 64 + 1, sizeof(*r->gone));
	return r->plan && r->away && r->gone ? 0 : no_memory(err);
}

static int window(struct ebb_replay *r, const struct ebb_journal_rec *rec, struct ebb_err *err)
{
	struct ebb_replay_window *grown = more(r->windows, r->nwindows, sizeof(*grown));

	if (!grown)
		return no_memory(err);
	r->windows = grown;
	drop_settled(r);
	if (r->nopen)
		return ebb_err_set(err, EBB_EJOURNAL, "journal is damaged: a window begins while one is open");
	grown[r->nwindows++] = (struct ebb_replay_window){rec->at, rec->way};
	if (r->way != EBB_OP_APPLY)
		free_dirs(&r->dirs, &r->ndirs);
	forget_made(r);
	r->way = rec->way;
	ebb_arena_release(&r->arena);
	ebb_arena_init(&r->arena, 0);
	return 0;
}

static int mark(struct ebb_replay *r, const struct ebb_journal_rec *rec, struct ebb_err *err)
{
	const struct ebb_executor_op *o = op_of(r->open, r->nopen, rec->n, &r->hint);

	if (!o || o->settled || !o->op.to_key)
		return 0;
	return ebb_marks_add(&r->marks, rec->n, o->op.to_store, o->op.to_key, &rec->mark, rec->state, err);
}

static int take(struct ebb_replay *r, const struct ebb_journal_rec *rec, struct ebb_err *err)
{
	struct ebb_executor_op *o;

	switch (rec->type) {
	case EBB_JOURNAL_RUN:
		return begin(r, rec, err);
	case EBB_JOURNAL_WINDOW:
		return window(r, rec, err);
	case EBB_JOURNAL_DIR:
	case EBB_JOURNAL_MADE:
		return add_dir(&r->dirs, &r->ndirs, rec, err);
	case EBB_JOURNAL_LEFT:
		drop_dir(r, rec);
		return 0;
	case EBB_JOURNAL_INTENT:
		return intent(r, rec, err);
	case EBB_JOURNAL_COPIED:
		o = op_of(r->open, r->nopen, rec->n, &r->hint);
		if (o) {
			o->has_copied = true;
			o->copied = rec->result;
		}
		return 0;
	case EBB_JOURNAL_MARK:
		return mark(r, rec, err);
	case EBB_JOURNAL_END:
		r->complete |= rec->way == EBB_OP_APPLY && strcmp(rec->outcome, "complete") == 0;
		/* a directory that vanished before it was left has nothing to be put back */
		free_dirs(&r->dirs, &r->ndirs);
		return 0;
	default:
		return result(r, rec, err);
	}
}

void ebb_replay_release(struct ebb_replay *r)
{
	free_ops(&r->open, &r->nopen);
	free_dirs(&r->dirs, &r->ndirs);
	ebb_marks_release(&r->marks);
	ebb_arena_release(&r->arena);
	free(r->plan);
	free(r->back);
	free(r->windows);
	free(r->away);
	free(r->gone);
	*r = (struct ebb_replay){0};
}

int ebb_replay_run(const char *journal, struct ebb_replay *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *j = NULL;
	EBB_CLEANUP(ebb_replay_release) struct ebb_replay r = {0};
	struct ebb_journal_rec rec;
	int e = ebb_journal_open(journal, &j, err);

	ebb_arena_init(&r.arena, 0);
	while (e >= 0 && (e = ebb_journal_next(j, &r.arena, &rec, err)) == 1) {
		if ((rec.type == EBB_JOURNAL_RUN) != (r.plan == NULL))
			e = ebb_err_set(err, EBB_EJOURNAL, "%s: damaged: it does not begin with a run",
					journal);
		else
			e = take(&r, &rec, err);
		r.ended = rec.type == EBB_JOURNAL_END;
	}
	if (e < 0)
		return e;
	drop_settled(&r);
	if (!r.plan)
		return ebb_err_set(err, EBB_EJOURNAL, "%s: empty", journal);
	*ret = r;
	r = (struct ebb_replay){0};
	return 0;
}

/* --- One window ------------------------------------------------------------------------------------------ */

void ebb_replay_segment_release(struct ebb_replay_segment *s)
{
	free_ops(&s->ops, &s->nops);
	free_dirs(&s->dirs, &s->ndirs);
	free_dirs(&s->left, &s->nleft);
	ebb_arena_release(&s->arena);
}

static int take_into(struct ebb_replay_segment *s, const struct ebb_journal_rec *rec,
		     struct ebb_err *err)
{
	struct ebb_executor_op *o;

	switch (rec->type) {
	case EBB_JOURNAL_DIR:
	case EBB_JOURNAL_MADE:
		return add_dir(&s->dirs, &s->ndirs, rec, err);
	case EBB_JOURNAL_LEFT:
		return add_dir(&s->left, &s->nleft, rec, err);
	case EBB_JOURNAL_INTENT:
		return add_op(&s->ops, &s->nops, rec, err);
	case EBB_JOURNAL_DONE:
	case EBB_JOURNAL_SKIPPED:
	case EBB_JOURNAL_FAILED:
	case EBB_JOURNAL_BACK:
		o = op_of(s->ops, s->nops, rec->n, &s->hint);
		if (o)
			o->result = rec->result;
		return 0;
	default:
		return 0;
	}
}

int ebb_replay_segment(struct ebb_journal_reader *j, const struct ebb_replay *r, size_t i,
		       struct ebb_replay_segment *ret, struct ebb_err *err)
{
	int64_t end = i + 1 < r->nwindows ? r->windows[i + 1].at : INT64_MAX;
	struct ebb_journal_rec rec;
	int e = 1;

	*ret = (struct ebb_replay_segment){0};
	ebb_arena_init(&ret->arena, 0);
	ebb_journal_seek(j, r->windows[i].at);
	while (e == 1 && ebb_journal_tell(j) < end &&
	       (e = ebb_journal_next(j, &ret->arena, &rec, err)) == 1)
		if (take_into(ret, &rec, err) < 0)
			return -EBB_ENOMEM;
	return e < 0 ? e : 0;
}

int ebb_replay_each(const char *journal, ebb_replay_fn *fn, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_replay_release) struct ebb_replay rep = {0};
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *j = NULL;
	int r;

	if ((r = ebb_replay_run(journal, &rep, err)) < 0 || (r = ebb_journal_open(journal, &j, err)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < rep.nwindows; i++) {
		EBB_CLEANUP(ebb_replay_segment_release) struct ebb_replay_segment s = {0};

		if (rep.windows[i].way != EBB_OP_APPLY)
			continue;
		r = ebb_replay_segment(j, &rep, i, &s, err);
		for (size_t k = 0; r == 0 && k < s.nops; k++)
			r = fn(ctx, &s.ops[k], !ebb_replay_is_away(&rep, s.ops[k].op.n), err);
	}
	return r;
}
