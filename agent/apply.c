/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/apply.h"

#include <stdlib.h>
#include <string.h>

#include "agent/after.h"
#include "agent/breaker.h"
#include "agent/executor.h"
#include "agent/hours.h"
#include "agent/lower.h"
#include "agent/replay.h"
#include "agent/thaw.h"
#include "core/units.h"
#include "policies/residency.h"

/* A run in progress. */
struct applying {
	const struct ebb_apply *a;
	const struct ebb_run *run;
	struct ebb_planfile *plan;
	struct ebb_executor x;
	struct ebb_dirs *dirs;
	struct ebb_after *after;	/* what copies made; NULL: the plan has none */
	struct ebb_replay replay;	/* where earlier sessions came to */
	size_t back;			/* of replay.back: next to be done again */
	int64_t next;			/* next action of the plan */
	struct ebb_breaker breaker;
	struct ebb_arena arena;		/* of the window */
	struct ebb_executor_op *ops;	/* EBB_EXECUTOR_PACK, the larger of both limits */
	const char *pack;		/* key, by the plan, of the pack that the window fills; NULL: none */
	size_t n;
	int64_t *waiting;		/* actions that other sites have to come first for */
	size_t nwaiting;
	size_t shut;			/* of them: wait for the window of a link */
	int64_t opens;			/* the first such window, ns since the epoch */
	struct ebb_apply_done done;
};

static int64_t size_of(const struct ebb_record *rec)
{
	return ebb_record_has(rec, EBB_F_SIZE) ? rec->f[EBB_F_SIZE] : 0;
}

/* --- Before anything is touched -------------------------------------------------------------------------- */

static int admit_deletes(const struct ebb_apply *a, const struct ebb_planhead_store *s, int64_t n,
			 struct ebb_err *err)
{
	const struct ebb_planhead_limits *l = &a->limits;
	char share[EBB_UNITS_TEXT];

	if (l->max_delete >= 0 && n > l->max_delete)
		return ebb_err_set(err, EBB_ELIMIT,
				   "the plan deletes %lld objects of store '%s', max_delete allows %lld; nothing was done",
				   (long long)n, s->name, (long long)l->max_delete);
	if (l->max_delete_ppm >= 0 && (__int128)n * 1000000 > (__int128)s->objects * l->max_delete_ppm)
		return ebb_err_set(err, EBB_ELIMIT,
				   "the plan deletes %lld of the %lld objects of store '%s', max_delete allows %s; nothing was done",
				   (long long)n, (long long)s->objects, s->name,
				   ebb_units_exact_percent(l->max_delete_ppm, share));
	return 0;
}

static int admit_cost(const struct ebb_apply *a, const struct ebb_planhead *h, struct ebb_err *err)
{
	if (a->limits.max_cost < 0)
		return 0;
	if (h->all.unpriced)
		return ebb_err_set(err, EBB_ELIMIT,
				   "max_cost cannot be kept: %lld actions of the plan have no price; nothing was done",
				   (long long)h->all.unpriced);
	if (h->all.one_off > a->limits.max_cost)
		return ebb_err_set(err, EBB_ELIMIT, "the plan costs more than max_cost; nothing was done");
	return 0;
}

/* What lies in packs no scan counts, so of a share nothing can be said. */
static int admit_strikes(const struct ebb_apply *a, int64_t n, struct ebb_err *err)
{
	const struct ebb_planhead_limits *l = &a->limits;

	return l->max_delete >= 0 && n > l->max_delete
		       ? ebb_err_set(err, EBB_ELIMIT, "the plan deletes %lld objects in packs, max_delete allows %lld; nothing was done",
				     (long long)n, (long long)l->max_delete)
		       : 0;
}

static int count_deletes(struct ebb_planfile *plan, int64_t *counts, int64_t *strikes, struct ebb_err *err)
{
	const struct ebb_planhead *h = ebb_planfile_head(plan);
	struct ebb_planrow row;
	int r = ebb_planfile_seek(plan, 1, err);

	while (r >= 0 && (r = ebb_planfile_next(plan, &row, err)) == 1)
		if ((row.action == EBB_ACTION_DELETE && !row.awaits) || /* what was on its way is no loss */
		    (row.action == EBB_ACTION_DEDUP && row.how == EBB_ACTION_DROP))
			counts[ebb_planhead_store(h, row.store) - h->stores]++;
		else
			*strikes += row.action == EBB_ACTION_STRIKE;
	return r < 0 ? r : ebb_planfile_seek(plan, 1, err);
}

int ebb_apply_admit(const struct ebb_apply *a, struct ebb_planfile *plan, struct ebb_err *err)
{
	const struct ebb_planhead *h = ebb_planfile_head(plan);
	EBB_CLEANUP(ebb_mem_freep) int64_t *counts = calloc(h->nstores + 1, sizeof(*counts));
	int64_t strikes = 0;
	struct ebb_hours hours;
	int r = counts ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	if (r == 0 && a->limits.window)
		r = ebb_hours_parse(a->limits.window, &hours, err);
	if (r == 0)
		r = admit_cost(a, h, err);
	if (r == 0)
		r = count_deletes(plan, counts, &strikes, err);
	if (r == 0)
		r = admit_strikes(a, strikes, err);
	for (size_t i = 0; r == 0 && i < h->nstores; i++)
		r = admit_deletes(a, &h->stores[i], counts[i], err);
	return r;
}

/* Once more what planning asked: the configuration, or the plan, may have changed since. The dataset is that of either key. */
static int resides(const struct ebb_apply *a, const struct ebb_planrow *row, struct ebb_err *err)
{
	const char *to = row->to_store && (row->action != EBB_ACTION_DEDUP) ? row->to_store : NULL;
	const char *why = a->rules ? ebb_residency_forbids(a->rules, row->action, row->obj.key, strlen(row->obj.key), to) : NULL;

	if (!why && a->rules && row->with_store && row->action == EBB_ACTION_COPY)
		why = ebb_residency_forbids(a->rules, row->action, row->with.key, strlen(row->with.key), to);
	return why ? ebb_err_set(err, EBB_ENOTSUP, "%s", why) : 0;
}

/* A delete where the dataset keeps copies: the plan names one that stays, and it must. Dedup compares all of it besides. */
static int keeps_copies(const struct ebb_apply *a, const struct ebb_planrow *row, struct ebb_err *err)
{
	bool strikes = row->action == EBB_ACTION_STRIKE;
	const struct ebb_record *what = strikes ? &row->with : &row->obj;
	bool asks = a->rules && (strikes || row->action == EBB_ACTION_DELETE) && what->f[EBB_F_SIZE] > 0;
	const struct ebb_rules_dataset *set = asks ? ebb_rules_floor(a->rules, what->key, strlen(what->key)) : NULL;
	struct ebb_err why = {0};

	if (set && (strikes || !row->with_store))
		return ebb_err_set(err, EBB_ENOTSUP, "its dataset keeps copies, and the plan names none that stays: plan anew");
	if (row->action != EBB_ACTION_DELETE || !row->with_store)
		return 0;
	int r = ebb_store_check(ebb_storeset_find(a->stores, row->with_store), row->with.key, &row->with, &why);
	return r < 0 ? ebb_err_set(err, r == -EBB_ENOENT ? EBB_ECHANGED : -r, "the copy that should stay at '%s:%s': %s", row->with_store,
				   row->with.key, why.msg) : 0;
}

/* What must hold of every row, however it is done. */
static int may(const struct ebb_apply *a, const struct ebb_planrow *row, struct ebb_err *err)
{
	int r = resides(a, row, err);

	if (r == 0)
		r = keeps_copies(a, row, err);
	return r == 0 && a->inuse ? ebb_inuse_check(a->inuse, row, err) : r;
}

int ebb_apply_look(const struct ebb_apply *a, const struct ebb_planrow *row, struct ebb_err *err)
{
	struct ebb_store *from = ebb_storeset_find(a->stores, row->store);
	struct ebb_store *to = row->to_store ? ebb_storeset_find(a->stores, row->to_store) : from;
	struct ebb_record rec;
	int r = may(a, row, err);

	if (r == 0 && !row->after && !row->awaits)
		r = ebb_store_check(from, row->obj.key, &row->obj, err); /* else it is not there yet */
	if (r == 0 && row->with_store && row->action != EBB_ACTION_STRIKE)
		r = ebb_store_check(ebb_storeset_find(a->stores, row->with_store), row->with.key, &row->with,
				    err);
	if (r < 0 || !row->to_key)
		return r;
	r = ebb_store_head(to, row->to_key, &rec, NULL);
	if (r == 0)
		return ebb_err_set(err, EBB_EEXIST, "something stands at '%s'", row->to_key);
	return 0;
}

int ebb_apply_each(const struct ebb_apply *a, struct ebb_planfile *plan, ebb_apply_each_fn *fn, void *ctx,
		   struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	struct ebb_planrow row;
	struct ebb_op op;
	int r = ebb_planfile_seek(plan, 1, err);

	ebb_arena_init(&arena, 0);
	while (r >= 0 && (r = ebb_planfile_next(plan, &row, err)) == 1) {
		const struct ebb_store *s = ebb_storeset_find(a->stores, row.store);
		const struct ebb_lower_env env = {.run = "", .now = ebb_clock_now(a->clock), .caps = s ? ebb_store_caps(s) : 0,
						  .sleeps = s && ebb_store_may_sleep(s, row.class), .pack = row.n};

		if (row.after || ebb_lower_apply(&env, &row, &arena, &op, NULL) < 0)
			continue;
		r = fn(ctx, &op, err);
		ebb_arena_release(&arena);
		ebb_arena_init(&arena, 0);
	}
	return r < 0 ? r : ebb_planfile_seek(plan, 1, err);
}

/* --- A window -------------------------------------------------------------------------------------------- */

/* Next row to be done: what was put back first. 1, 0 at the end. */
static int next_row(struct applying *p, struct ebb_planrow *row, struct ebb_err *err)
{
	int64_t n = p->back < p->replay.nback ? p->replay.back[p->back] : p->next;
	int r = ebb_planfile_seek(p->plan, n, err);

	return r < 0 ? r : ebb_planfile_next(p->plan, row, err);
}

static void row_taken(struct applying *p)
{
	if (p->back < p->replay.nback)
		p->back++;
	else
		p->next++;
}

/* Rows live until the next one; operations until the end of the window. */
static int keep_strings(struct applying *p, struct ebb_planrow *row, struct ebb_err *err)
{
	const char **s[] = {&row->rule, &row->store, &row->obj.key, &row->to_store, &row->to_class,
			    &row->to_key, &row->codec, &row->class, &row->with_store, &row->with.key};

	for (size_t i = 0; i < EBB_ARRAY_LEN(s); i++)
		if (*s[i] && !(*s[i] = ebb_arena_strdup(&p->arena, *s[i])))
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	return 0;
}

static void settle(struct ebb_executor_op *o, int r, const struct ebb_err *why)
{
	o->settled = true;
	o->op.has_meta = false;
	o->result = (struct ebb_op_result){.outcome = ebb_op_outcome_of(r), .why = *why};
}

static size_t size_of_xattrs(const struct ebb_meta *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nxattrs; i++)
		n += strlen(m->xattrs[i].name) + m->xattrs[i].len;
	return n;
}

/* The store copies an object with its metadata; where others are wanted it is streamed. */
static int by_store(struct ebb_store *s, struct ebb_executor_op *o, struct ebb_err *err)
{
	const uint32_t parts = EBB_META_OWNER | EBB_META_MODE | EBB_META_XATTRS;
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};
	int r;

	ebb_meta_init(&now);
	if ((r = ebb_store_get_meta(s, o->op.key, &now, err)) < 0)
		return r;
	if (ebb_meta_compare(&o->op.meta, &now, parts, NULL) == 0)
		o->op.has_meta = false;
	else
		o->op.how = EBB_OP_RENAME;
	return 0;
}

/* Metadata that must survive are read before the intent is written, since undo takes them from there. */
static void get_meta(struct applying *p, struct ebb_executor_op *o)
{
	struct ebb_store *s = ebb_storeset_find(p->a->stores, o->op.store);
	bool other = o->op.action == EBB_ACTION_COPY && o->op.with_store;
	struct ebb_store *of = other ? ebb_storeset_find(p->a->stores, o->op.with_store) : s;
	struct ebb_err why = {0};
	int r = ebb_store_check(s, o->op.key, &o->op.obj, &why);

	if (r == 0 && other)
		r = ebb_store_check(of, o->op.with_key, &o->op.with, &why);
	if (r == 0 && (ebb_store_caps(of) & EBB_CAP_META))
		r = ebb_store_get_meta(of, other ? o->op.with_key : o->op.key, &o->op.meta, &why);
	if (r == 0 && o->op.how == EBB_OP_COPY)
		r = by_store(s, o, &why);
	else if (r == 0 && o->op.action == EBB_ACTION_COPY && !o->op.codec && ebb_store_can_take(ebb_storeset_find(p->a->stores, o->op.to_store), s))
		o->op.how = EBB_OP_TAKE;
	if (r == 0 && size_of_xattrs(&o->op.meta) > EBB_JOURNAL_LINE_MAX / 4)
		r = ebb_err_set(&why, EBB_ENOTSUP, "its extended attributes do not fit the journal");
	if (r < 0)
		settle(o, r, &why);
}

/* A key of a bucket may be none that a filesystem can hold; and what goes into a bucket goes into its declared class. */
static int fit(const struct applying *p, struct ebb_op *op, struct ebb_err *err)
{
	const struct ebb_store *to = op->to_store ? ebb_storeset_find(p->a->stores, op->to_store) : NULL;
	uint32_t caps = to ? ebb_store_caps(to) : 0;

	if (!to)
		return 0;
	if (op->pack && !(caps & EBB_CAP_RANGE))
		return ebb_err_set(err, EBB_ENOTSUP, "store '%s' cannot read parts of packs", op->to_store);
	if ((caps & EBB_CAP_DIRS) &&
	    (!ebb_store_key_ok(op->to_key) || op->to_key[strlen(op->to_key) - 1] == '/'))
		return ebb_err_set(err, EBB_ENOTSUP,
				   "its key cannot be a path in store '%s': parts of it are empty, '.' or '..'", op->to_store);
	if (!(caps & EBB_CAP_DIRS) && strlen(op->to_key) > EBB_STORE_OBJECT_KEY_MAX)
		return ebb_err_set(err, EBB_ENOTSUP, "its path is longer than the %d bytes that a key in store '%s' may have",
				   EBB_STORE_OBJECT_KEY_MAX, op->to_store);
	if ((caps & EBB_CAP_CLASS) && !op->class && (op->action == EBB_ACTION_COPY || strcmp(op->to_store, op->store) != 0))
		op->class = ebb_storeset_class(p->a->stores, op->to_store);
	const char *archive = op->class || op->action != EBB_ACTION_COPY ? NULL : ebb_thaw_class(to, &op->obj);
	if (archive && ebb_store_may_sleep(to, archive))
		op->class = "STANDARD"; /* what was thawed is wanted awake */
	return 0;
}

/*
 * What the plan of another site makes: it is taken as it stands once it is there. 0; 1: it, or what comes before it, is not there yet;
 * negative.
 */
static int await(struct applying *p, struct ebb_planrow *row, struct ebb_err *err)
{
	struct ebb_store *s = ebb_storeset_find(p->a->stores, row->store);
	struct ebb_record rec;
	struct ebb_err why = {0};
	int r;

	for (size_t i = 0; row->after && i < p->nwaiting; i++)
		if (p->waiting[i] == row->after)
			return 1;
	if (!row->awaits)
		return 0;
	r = ebb_store_head(s, row->obj.key, &rec, &why);
	if (r == -EBB_ENOENT)
		return 1;
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	if (row->action == EBB_ACTION_COPY && row->form <= EBB_PLANROW_ENCODE && rec.f[EBB_F_SIZE] != row->obj.f[EBB_F_SIZE])
		return ebb_err_set(err, EBB_ECHANGED, "what came there is not of the size that was to come");
	rec.key = row->obj.key;
	rec.key_len = row->obj.key_len;
	row->obj = rec;
	return 0;
}

/* Whether a copy has to wait for the window of its link. */
static bool is_shut(struct applying *p, const struct ebb_planrow *row)
{
	const struct ebb_config_link *l = p->a->links && row->action == EBB_ACTION_COPY ? ebb_config_links_find(p->a->links, row->store, row->to_store) : NULL;
	int64_t now = ebb_clock_now(p->a->clock);

	if (!l || !l->window || ebb_hours_contain(&l->hours, now))
		return false;
	int64_t opens = ebb_hours_next(&l->hours, now);
	p->opens = p->shut++ == 0 || opens < p->opens ? opens : p->opens;
	return true;
}

/* A row that is not lowered, by what tells of it. */
static struct ebb_op bare(const struct ebb_planrow *row)
{
	struct ebb_op op = {.n = row->n, .action = row->action, .store = row->store, .key = row->obj.key, .obj = row->obj};

	if (row->action == EBB_ACTION_STRIKE) { /* its subject lies in the pack */
		op.with_store = row->with_store;
		op.with_key = row->with.key;
		op.with = row->with;
	}
	return op;
}

/* Put back without a reason that would stop the run; the next session looks again. */
static int wait_with(struct applying *p, const struct ebb_planrow *row, struct ebb_executor_op *o, struct ebb_err *err)
{
	int64_t *v = reallocarray(p->waiting, p->nwaiting + 1, sizeof(*v));

	if (!v)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	p->waiting = v;
	v[p->nwaiting++] = row->n;
	o->op = bare(row);
	ebb_meta_init(&o->op.meta);
	o->settled = true;
	o->result = (struct ebb_op_result){.outcome = EBB_OP_BACK};
	p->n++;
	return 0;
}

static bool is_packed(const struct ebb_planrow *row)
{
	return ebb_action_kind(row->action)->packs;
}

static int add_row(struct applying *p, struct ebb_planrow *row, struct ebb_err *err)
{
	const struct ebb_store *s = ebb_storeset_find(p->a->stores, row->store);
	const struct ebb_lower_env env = {
		.run = p->run->id, .now = p->x.now, .caps = ebb_store_caps(s), .sleeps = ebb_store_may_sleep(s, row->class),
		.pack = !is_packed(row) ? 0 : p->n ? p->ops[0].op.pack : row->n,
	};
	struct ebb_executor_op *o = &p->ops[p->n];
	struct ebb_err why = {0};
	int r = keep_strings(p, row, err);

	if (r < 0)
		return r;
	*o = (struct ebb_executor_op){0};
	p->pack = env.pack ? row->to_key : NULL;
	if ((r = may(p->a, row, &why)) == 0 && ((r = await(p, row, &why)) == 1 || (r == 0 && is_shut(p, row))))
		return wait_with(p, row, o, err);
	if (r == 0)
		r = ebb_lower_apply(&env, row, &p->arena, &o->op, &why);
	if (r == 0 && row->after && !row->awaits)
		r = ebb_after_take(p->after, row->after, &o->op, &why);
	if (r == 0 && row->form >= EBB_PLANROW_DECODE)
		o->op.has_digest = false; /* the journal has that of the content, or that of the coded bytes */
	if (r == -EBB_ENOMEM)
		return ebb_err_set(err, EBB_ENOMEM, "%s", why.msg);
	if (r == 0)
		r = fit(p, &o->op, &why);
	if (r < 0) {
		o->op = bare(row);
		o->op.pack = env.pack;
		settle(o, r, &why);
	}
	ebb_meta_init(&o->op.meta);
	if (o->op.has_meta)
		get_meta(p, o);
	o->marks = ebb_marks_find(&p->replay.marks, row->n);
	p->n++;
	return 0;
}

/* A window is of one pack, or of other actions up to its limits. */
static bool has_room(const struct applying *p, const struct ebb_planrow *row, int64_t bytes)
{
	if (p->n == 0)
		return true;
	if (p->pack || is_packed(row))
		return p->pack && is_packed(row) && strcmp(p->pack, row->to_key) == 0 &&
		       strcmp(p->ops[0].op.store, row->store) == 0 && p->n < EBB_EXECUTOR_PACK;
	return p->n < EBB_EXECUTOR_WINDOW && bytes < EBB_APPLY_WINDOW_BYTES;
}

/* Whether the row goes on from an action of this window, whose end it must wait for. */
static bool must_wait(const struct applying *p, const struct ebb_planrow *row)
{
	for (size_t i = 0; row->after && i < p->n; i++)
		if (p->ops[i].op.n == row->after)
			return true;
	return false;
}

/* Fill the window. Returns 0; -EBB_ELIMIT when a limit ends it (it may hold operations all the same). */
static int fill(struct applying *p, struct ebb_err *err)
{
	struct ebb_planrow row;
	int64_t bytes = 0;
	int r = 1;

	while ((r = next_row(p, &row, err)) == 1 && has_room(p, &row, bytes) && !must_wait(p, &row)) {
		int64_t size = size_of(row.action == EBB_ACTION_STRIKE ? &row.with : &row.obj);

		if ((r = ebb_breaker_admit(&p->breaker, size, err)) < 0 ||
		    (r = add_row(p, &row, err)) < 0)
			return r;
		bytes += size;
		row_taken(p);
	}
	return r < 0 ? r : 0;
}

static void empty(struct applying *p)
{
	for (size_t i = 0; i < p->n; i++)
		ebb_op_release(&p->ops[i].op);
	p->n = 0;
	p->pack = NULL;
	ebb_arena_release(&p->arena);
	ebb_arena_init(&p->arena, 0);
}

static void tell(struct applying *p, const struct ebb_executor_op *o)
{
	struct ebb_journal_counts *c = &p->done.session;

	switch (o->result.outcome) {
	case EBB_OP_DONE:
		c->done++;
		c->bytes += size_of(ebb_op_subject(&o->op));
		break;
	case EBB_OP_SKIPPED:
		c->skipped++;
		break;
	case EBB_OP_FAILED:
		c->failed++;
		break;
	default:
		return;
	}
	ebb_breaker_ended(&p->breaker, o->result.outcome == EBB_OP_FAILED);
	if (p->a->ended)
		p->a->ended(p->a->ctx, &o->op, &o->result);
}

/* Why a window stopped the run: the first failure that would meet every operation. */
static int stopper(const struct applying *p, struct ebb_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct ebb_err *why = &p->ops[i].result.why;

		if (p->ops[i].result.outcome == EBB_OP_BACK && why->code &&
		    why->code != EBB_ECANCELLED)
			return ebb_err_set(err, why->code, "'%s' in store '%s': %s", p->ops[i].op.key,
					   p->ops[i].op.store, why->msg);
	}
	return ebb_err_set(err, EBB_EJOURNAL, "the journal of run %s cannot be written", p->run->id);
}

/* Intents, directories, the work, the results. */
static int run_window(struct applying *p, struct ebb_err *err)
{
	struct ebb_journal_rec w = {
		.type = EBB_JOURNAL_WINDOW, .way = EBB_OP_APPLY, .count = (int64_t)p->n,
		.ts = p->x.now,
	};
	int r = ebb_journal_put(p->x.journal, &w, err);

	for (size_t i = 0; r == 0 && i < p->n; i++)
		if (!p->ops[i].settled)
			r = ebb_dirs_plan(p->dirs, &p->ops[i].op, err);
	if (r < 0)
		return r;
	if ((r = ebb_executor_intend(&p->x, p->ops, p->n, err)) < 0 ||
	    (r = ebb_dirs_create(p->dirs, err)) < 0) {
		atomic_store(&p->x.open, true);
		return r;
	}
	r = ebb_executor_run(&p->x, p->ops, p->n, err);
	for (size_t i = 0; i < p->n; i++)
		tell(p, &p->ops[i]);
	for (size_t i = 0; p->after && r == 0 && i < p->n; i++)
		r = ebb_after_add(p->after, &p->ops[i].op, &p->ops[i].result, err);
	if (r == 0)
		r = ebb_dirs_leave(p->dirs, false, err);
	if (r == 0 && atomic_load(&p->x.stop))
		r = stopper(p, err);
	return r;
}

/* --- The run --------------------------------------------------------------------------------------------- */

static int may_go_on(struct applying *p, struct ebb_err *err)
{
	struct ebb_hours h;

	if (p->a->cancel && atomic_load(p->a->cancel))
		return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
	if (p->a->limits.window && ebb_hours_parse(p->a->limits.window, &h, NULL) == 0 &&
	    !ebb_hours_contain(&h, ebb_clock_now(p->a->clock)))
		return ebb_err_set(err, EBB_ELIMIT, "stopped by window: it is not within %s",
				   p->a->limits.window);
	return ebb_breaker_check(&p->breaker, err);
}

static int stay_shut(const struct applying *p, struct ebb_err *err)
{
	char when[EBB_UNITS_TEXT];

	return ebb_err_set(err, EBB_ELIMIT, "%zu actions wait for the windows of their links; %s%s", p->shut,
			   p->opens < INT64_MAX ? "the next one opens at " : "none opens within nine days",
			   p->opens < INT64_MAX ? ebb_units_exact_time(p->opens, when) : "");
}

static int all_windows(struct applying *p, struct ebb_err *err)
{
	int r = 0;

	while (r == 0 && (r = may_go_on(p, err)) == 0) {
		int filled = fill(p, err);

		if (filled < 0 && filled != -EBB_ELIMIT)
			return filled;
		if (p->n == 0 && filled == 0 && p->shut)
			return stay_shut(p, err);
		if (p->n == 0 && filled == 0 && p->nwaiting)
			return ebb_err_set(err, EBB_ELIMIT, "%zu actions wait for what other sites have to send", p->nwaiting);
		if (p->n == 0)
			return filled;
		p->x.now = ebb_clock_now(p->a->clock);
		struct ebb_err why = {0};
		r = run_window(p, &why);
		empty(p);
		if (r < 0 && err) {
			ebb_err_clear(err);
			ebb_err_set(err, -r, "%s", why.msg);
		}
		if (r == 0)
			r = filled;
	}
	return r;
}

static int close_session(struct applying *p, int r, const struct ebb_err *why, struct ebb_err *err)
{
	struct ebb_journal_rec end = {
		.type = EBB_JOURNAL_END, .way = EBB_OP_APPLY, .ts = ebb_clock_now(p->a->clock),
		.outcome = r == 0 ? "complete" : r == -EBB_ECANCELLED ? "interrupted" : "stopped",
		.why = r < 0 ? why->msg : NULL, .counts = p->done.run,
	};
	if (atomic_load(&p->x.open)) /* without an end the next session recovers it */
		return ebb_journal_sync(p->x.journal, err);
	int e = ebb_dirs_leave(p->dirs, true, err);

	if (e == 0)
		e = ebb_journal_put(p->x.journal, &end, err);
	return e < 0 ? e : ebb_journal_sync(p->x.journal, err);
}

static int prepare(struct applying *p, struct ebb_err *err)
{
	int r = ebb_replay_run(p->run->journal, &p->replay, err);

	if (r == 0 && ebb_planhead_transfers(ebb_planfile_head(p->plan)))
		r = ebb_after_load(p->run->journal, &p->after, err);

	if (r < 0)
		return r;
	p->next = p->replay.next;
	p->done.run = p->replay.applied;
	p->dirs = ebb_dirs_new(p->a->stores, p->x.journal);
	p->ops = calloc(EBB_EXECUTOR_PACK, sizeof(*p->ops));
	p->x.dirs = p->dirs;
	if (!p->dirs || !p->ops)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (p->replay.nopen || (p->replay.ndirs && p->replay.way == EBB_OP_APPLY))
		return ebb_err_set(err, EBB_EJOURNAL, "run %s must be recovered first", p->run->id);
	return 0;
}

static void release(struct applying *p)
{
	if (p->ops)
		empty(p);
	free(p->ops);
	free(p->waiting);
	ebb_arena_release(&p->arena);
	ebb_dirs_free(p->dirs);
	ebb_after_free(p->after);
	ebb_replay_release(&p->replay);
}

static void add_counts(struct ebb_journal_counts *to, const struct ebb_journal_counts *c)
{
	to->done += c->done;
	to->skipped += c->skipped;
	to->failed += c->failed;
	to->bytes += c->bytes;
}

int ebb_apply_run(const struct ebb_apply *a, const struct ebb_run *run, struct ebb_planfile *plan,
		  struct ebb_journal *journal, struct ebb_apply_done *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct applying p = {
		.a = a, .run = run, .plan = plan,
		.x = {.stores = a->stores, .journal = journal, .run = run->id, .index = a->index, .jobs = a->jobs,
		      .cancel = a->cancel, .now = ebb_clock_now(a->clock)},
	};
	struct ebb_err why = {0};
	int r = prepare(&p, &why);

	*ret = p.done;
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	ebb_breaker_init(&p.breaker, &a->limits);
	r = all_windows(&p, &why);
	add_counts(&p.done.run, &p.done.session);
	p.done.complete = r == 0;
	int closed = close_session(&p, r, &why, r < 0 ? NULL : &why);
	if (r == 0 && closed < 0) {
		p.done.complete = false;
		r = closed;
	}
	*ret = p.done;
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}
