/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/realised.h"

#include <stdlib.h>
#include <string.h>

#include "agent/moved.h"
#include "agent/replay.h"
#include "core/cursor.h"
#include "core/date.h"
#include "core/names.h"
#include "policies/cost_storage.h"

/* Amounts in 10^-18 of one rule. */
struct sum {
	__int128 real, waiting;
};

struct measuring {
	struct ebb_app *app;
	struct ebb_snap *snap;
	struct ebb_names *names;
	struct ebb_planfile *plan;
	struct ebb_replay replay;
	struct ebb_arena window;	/* operations of the journal's window at hand */
	struct ebb_op **ops;
	size_t nops, room;
	bool applying;			/* that window */
	struct ebb_savings *s;
	struct sum *sums;		/* one for each row */
	struct ebb_moved *moved;	/* NULL without an index */
	int64_t ended;			/* of the run's last session */
	char pack[EBB_KEY_MAX + 1];	/* counted last */
	bool pack_gone;
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* --- What stands --- */

/* What a month of one object costs in 10^-18, or -1 without a price. */
static __int128 month_of(const struct measuring *m, const char *store, const char *class, const struct ebb_record *rec)
{
	const struct ebb_config_store *cs = ebb_config_store(m->app->config, store);
	const char *name = class ? class : cs ? cs->class : NULL;
	const struct ebb_price_class *c =
		cs && name ? ebb_price_find(m->app->config->prices, cs->provider, cs->region, name) : NULL;
	int64_t bytes = ebb_record_has(rec, EBB_F_ALLOC) ? rec->f[EBB_F_ALLOC] : rec->f[EBB_F_SIZE];
	struct ebb_bill bill;

	if (!c)
		return -1;
	ebb_bill_clear(&bill);
	ebb_cost_storage(&bill, EBB_BILL_BEFORE, c, ebb_cost_load(1, bytes), EBB_COST_MONTH);
	return ebb_bill_sum(&bill, EBB_BILL_BEFORE);
}

static const char *class_of(const struct measuring *m, const struct ebb_record *rec)
{
	return ebb_record_has(rec, EBB_F_CLASS) ? ebb_names_get(m->names, rec->f[EBB_F_CLASS]) : NULL;
}

/* The store as it was scanned after the run; false when it was not. */
static bool scanned_since(struct measuring *m, const char *store, struct ebb_index_store *ret)
{
	if (!m->snap || ebb_snap_store(m->snap, store, ret, NULL) < 0 || ret->finished <= m->ended)
		return false;
	m->s->measured = ret->finished > m->s->measured ? ret->finished : m->s->measured;
	return true;
}

/* A record as the last scan saw it: 1, 0 when nothing stands there, -1 when no scan can tell. */
static int look(struct measuring *m, const char *store, const char *key, struct ebb_record *ret)
{
	struct ebb_index_store st;

	if (!scanned_since(m, store, &st))
		return -1;
	int r = ebb_snap_get(m->snap, &st, key, ret, NULL);
	return r == 0 ? 1 : r == -EBB_ENOENT ? 0 : -1;
}

/* The version that a delete marker hid: behind its key, of its size. Returns as look(). */
static int look_hidden(struct measuring *m, const struct ebb_op *op, struct ebb_block_iter *it, struct ebb_record *ret)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_index_store st;
	struct ebb_block b;
	size_t len = strlen(op->key);
	int r;

	if (!scanned_since(m, op->store, &st) || ebb_cursor_open(m->snap, &st, op->key, &c, NULL) < 0)
		return -1;
	while ((r = ebb_cursor_next(c, &b, NULL)) == 1) {
		ebb_block_iter_init(it, &b);
		while (ebb_block_iter_next(it, ret, NULL) == 1) {
			size_t plain = ebb_record_plain_len(ret->key, ret->key_len);
			int cmp = ebb_record_key_cmp(ret->key, plain, op->key, len);

			if (cmp > 0)
				return 0;
			if (cmp == 0 && ret->f[EBB_F_KIND] == EBB_KIND_VERSION &&
			    ret->f[EBB_F_SIZE] == op->obj.f[EBB_F_SIZE] && ret->f[EBB_F_MTIME] == op->obj.f[EBB_F_MTIME])
				return 1;
		}
	}
	return r < 0 ? -1 : 0;
}

static bool same(const struct ebb_record *now, const struct ebb_record *then)
{
	return ebb_record_has(then, EBB_F_SIZE) && now->f[EBB_F_SIZE] == then->f[EBB_F_SIZE] &&
	       ((ebb_record_has(then, EBB_F_MTIME) && now->f[EBB_F_MTIME] == then->f[EBB_F_MTIME]) ||
		(ebb_record_has(then, EBB_F_ETAG_LO) && ebb_record_has(now, EBB_F_ETAG_LO) &&
		 now->f[EBB_F_ETAG_HI] == then->f[EBB_F_ETAG_HI] && now->f[EBB_F_ETAG_LO] == then->f[EBB_F_ETAG_LO] &&
		 now->f[EBB_F_PARTS] == then->f[EBB_F_PARTS]));
}

/* --- One action --- */

/* What was found of an action; amounts -1 where they have no price. */
struct found {
	__int128 before, now, waiting;
	bool replaced, in_trash, unknown;
};

static void add_now(struct measuring *m, struct found *f, const char *store, const struct ebb_record *rec)
{
	const char *class = class_of(m, rec);
	__int128 amount = month_of(m, store, class, rec);

	f->unknown |= amount < 0;
	if (amount <= 0)
		return;
	f->now += amount;
	ebb_moved_stands(m->moved, store, rec, class, amount);
}

/* Others wrote or removed it since: it would not be there without us either. */
static void lose(struct found *f)
{
	f->replaced = true;
	f->before = 0;
}

/* The original: gone, still there in some class, or another object by now. */
static void see_original(struct measuring *m, const struct ebb_op *op, const struct ebb_op_result *res, struct found *f)
{
	struct ebb_record rec;
	int r = look(m, op->store, op->key, &rec);

	f->unknown |= r < 0;
	if (r == 0 && !op->to_key && !op->expires && !op->purge)
		lose(f); /* it was to stay in another class */
	if (r <= 0 || rec.f[EBB_F_KIND] != EBB_KIND_FILE)
		return;
	if (op->action == EBB_ACTION_DEDUP && op->dedup == EBB_ACTION_HARDLINK) /* a name of the copy that stays */
		return;
	if (op->action == EBB_ACTION_COPY) /* it was to stay */
		return;
	if (same(&rec, &op->obj) || same(&rec, &res->to)) {
		add_now(m, f, op->store, &rec);
		return;
	}
	lose(f);
}

/* In the trash, which no scan looks into, it costs what it did before, until the journal says that it was let go. */
static void see_trash(struct measuring *m, const struct ebb_op *op, struct found *f)
{
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = NULL;
	struct ebb_record rec;
	int r = !ebb_replay_is_gone(&m->replay, op->n);

	if (r && op->how == EBB_OP_HIDE) { /* a version that scans do see, and the bucket's own rules may have taken */
		it = malloc(sizeof(*it));
		r = it ? look_hidden(m, op, it, &rec) : -1;
	}
	f->unknown |= r < 0;
	f->in_trash = r == 1;
	if (r == 1) {
		f->waiting = f->before;
		f->now += f->before;
		if (op->how == EBB_OP_HIDE)
			ebb_moved_stands(m->moved, op->store, &rec, class_of(m, &rec), f->before);
	}
}

/* Where it went: another store, another form, a pack. */
static void see_copy(struct measuring *m, const struct ebb_op *op, struct found *f)
{
	const char *store = op->to_store ? op->to_store : op->store;
	struct ebb_record rec;
	int r;

	if (!op->to_key)
		return;
	if (op->action == EBB_ACTION_ARCHIVE) {
		if (strcmp(m->pack, op->to_key) == 0) { /* another member has paid for it */
			if (m->pack_gone)
				lose(f);
			return;
		}
		snprintf(m->pack, sizeof(m->pack), "%s", op->to_key);
	}
	r = look(m, store, op->to_key, &rec);
	f->unknown |= r < 0;
	m->pack_gone = r == 0;
	if (r == 0)
		lose(f);
	if (r == 1)
		add_now(m, f, store, &rec);
}

static void see(struct measuring *m, const struct ebb_planrow *row, const struct ebb_op *op,
		const struct ebb_op_result *res, struct found *f)
{
	*f = (struct found){.before = op->action == EBB_ACTION_COPY ? 0 : month_of(m, op->store, row->class, &op->obj)};
	f->unknown = f->before < 0 || (op->action == EBB_ACTION_DEDUP && op->dedup == EBB_ACTION_REFLINK);
	if (f->unknown)
		return;
	see_original(m, op, res, f);
	if (op->expires)
		see_trash(m, op, f);
	else if (op->how != EBB_OP_REPLACE)
		see_copy(m, op, f);
}

/* As the index had it. Who owned it is known where its metadata went with it: not of what was deleted. */
static struct ebb_record as_it_was(const struct ebb_op *op)
{
	struct ebb_record rec = op->obj;

	if (op->has_meta && !ebb_record_has(&rec, EBB_F_UID)) {
		ebb_record_set(&rec, EBB_F_UID, op->meta.uid);
		ebb_record_set(&rec, EBB_F_GID, op->meta.gid);
	}
	return rec;
}

static size_t row_of(const struct measuring *m, const struct ebb_planrow *row)
{
	size_t i = 0;

	while (i < m->s->n && strcmp(m->s->rows[i].rule, row->rule) != 0)
		i++;
	return i;
}

static int count(struct measuring *m, const struct ebb_op *op, const struct ebb_op_result *res, struct ebb_err *err)
{
	struct ebb_planrow row;
	struct found f;
	int r;

	/* undone: away, but not because the trash let it go */
	if (ebb_replay_is_away(&m->replay, op->n) && !ebb_replay_is_gone(&m->replay, op->n))
		return 0;
	if ((r = ebb_planfile_seek(m->plan, op->n, err)) < 0 || (r = ebb_planfile_next(m->plan, &row, err)) < 0)
		return r;
	size_t i = r == 1 ? row_of(m, &row) : m->s->n;
	if (i == m->s->n)
		return ebb_err_set(err, EBB_EJOURNAL, "action %lld of the journal is not in its plan", (long long)op->n);
	struct ebb_savings_row *to = &m->s->rows[i];
	to->done++;
	to->done_once += row.one_off;
	to->done_month += row.saving;
	see(m, &row, op, res, &f);
	if (f.unknown) {
		to->unknown++;
		if (m->moved)
			ebb_moved_forget(m->moved);
		return 0;
	}
	struct ebb_record was = as_it_was(op);
	ebb_moved_done(m->moved, op->store, &was, row.class, f.before);
	to->seen++;
	to->replaced += f.replaced;
	to->waiting += f.in_trash;
	m->sums[i].waiting += f.waiting;
	m->sums[i].real += f.before - f.now;
	return 0;
}

/* --- The journal --- */

static void forget_window(struct measuring *m)
{
	for (size_t i = 0; i < m->nops; i++)
		ebb_op_release(m->ops[i]);
	m->nops = 0;
	ebb_arena_release(&m->window);
	ebb_arena_init(&m->window, 0);
}

static int keep_op(struct measuring *m, struct ebb_op *op, struct ebb_err *err)
{
	if (m->nops == m->room) {
		size_t room = m->room ? 2 * m->room : 256;
		void *p = reallocarray(m->ops, room, sizeof(*m->ops));

		if (!p)
			return no_memory(err);
		m->ops = p;
		m->room = room;
	}
	m->ops[m->nops++] = op;
	return 0;
}

static struct ebb_op *find_op(const struct measuring *m, int64_t n)
{
	for (size_t i = 0; i < m->nops; i++)
		if (m->ops[i]->n == n)
			return m->ops[i];
	return NULL;
}

static int take(struct measuring *m, struct ebb_journal_rec *rec, struct ebb_err *err)
{
	struct ebb_op *op;

	switch (rec->type) {
	case EBB_JOURNAL_INTENT:
		return keep_op(m, rec->op, err);
	case EBB_JOURNAL_DONE:
		op = m->applying ? find_op(m, rec->n) : NULL;
		return op ? count(m, op, &rec->result, err) : 0;
	default:
		return 0;
	}
}

/* When the run last changed what scans see: emptying the trash does not. */
static int find_end(struct measuring *m, const struct ebb_run *run, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *j = NULL;
	struct ebb_journal_rec rec;
	int r;

	m->ended = run->ended;
	if (run->way != EBB_OP_EXPIRE)
		return 0;
	r = ebb_journal_open(run->journal, &j, err);
	while (r >= 0 && (r = ebb_journal_next(j, &m->window, &rec, err)) == 1) {
		if (rec.type == EBB_JOURNAL_END && rec.way != EBB_OP_EXPIRE)
			m->ended = rec.ts;
		if (rec.type == EBB_JOURNAL_INTENT)
			ebb_op_release(rec.op);
		if (rec.type == EBB_JOURNAL_WINDOW)
			forget_window(m);
	}
	forget_window(m);
	return r;
}

static int read_journal(struct measuring *m, const char *path, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *j = NULL;
	int r = ebb_journal_open(path, &j, err);

	while (r >= 0) {
		struct ebb_journal_rec rec;

		r = ebb_journal_next(j, &m->window, &rec, err);
		if (r <= 0)
			break;
		if (rec.type == EBB_JOURNAL_WINDOW) {
			bool applying = rec.way == EBB_OP_APPLY;

			forget_window(m); /* nothing of this record is needed any more */
			m->applying = applying;
			if ((r = ebb_app_cancelled(m->app, err)) < 0)
				break;
			continue;
		}
		r = take(m, &rec, err);
	}
	forget_window(m);
	return r;
}

/* --- A run --- */

static void release(struct measuring *m)
{
	forget_window(m);
	ebb_arena_release(&m->window);
	ebb_replay_release(&m->replay);
	ebb_planfile_close(m->plan);
	ebb_names_free(m->names);
	ebb_moved_free(m->moved);
	free(m->ops);
	free(m->sums);
}

static int settle(struct measuring *m, struct ebb_err *err)
{
	struct ebb_money money;
	int r = 0;

	for (size_t i = 0; i < m->s->n && r == 0 && *m->s->currency; i++) {
		struct ebb_savings_row *row = &m->s->rows[i];

		r = ebb_bill_money(m->sums[i].real, m->s->currency, &money, err);
		row->real_month = r == 0 ? money.nano : 0;
		if (r == 0)
			r = ebb_bill_money(m->sums[i].waiting, m->s->currency, &money, err);
		row->waiting_month = r == 0 ? money.nano : 0;
	}
	return r;
}

/* Copies of the plan's texts: it is closed before they are used. */
static int keep_texts(struct ebb_arena *arena, struct ebb_savings *s, struct ebb_err *err)
{
	const char **stores;
	size_t n = 0;

	while (s->stores[n])
		n++;
	stores = ebb_arena_calloc(arena, n + 1, sizeof(*stores));
	s->currency = ebb_arena_strdup(arena, s->currency);
	if (!stores || !s->currency)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		if (!(stores[i] = ebb_arena_strdup(arena, s->stores[i])))
			return no_memory(err);
	s->stores = stores;
	for (size_t i = 0; i < s->n; i++) {
		s->rows[i].rule = ebb_arena_strdup(arena, s->rows[i].rule);
		s->rows[i].action = ebb_arena_strdup(arena, s->rows[i].action);
		if (!s->rows[i].rule || !s->rows[i].action)
			return no_memory(err);
	}
	return 0;
}

int ebb_realised_run(struct ebb_app *app, const struct ebb_run *run, struct ebb_snap *snap, struct ebb_arena *arena,
		     struct ebb_savings *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct measuring m = {.app = app, .snap = snap, .s = ret};
	int r = ebb_planfile_open(run->plan_path, &m.plan, err);

	ebb_arena_init(&m.window, 0);
	if (r == 0)
		r = ebb_replay_run(run->journal, &m.replay, err);
	if (r == 0)
		r = find_end(&m, run, err);
	if (r == 0 && snap)
		r = ebb_names_read(snap, &m.names, err);
	if (r == 0 && snap)
		r = ebb_moved_new(app->config, m.names, ebb_app_now(app), &m.moved, err);
	if (r == 0)
		r = ebb_savings_of_plan(arena, ebb_planfile_head(m.plan), run->plan, ret, err);
	if (r == 0)
		r = keep_texts(arena, ret, err);
	if (r < 0)
		return r;
	snprintf(ret->run, sizeof(ret->run), "%s", run->id);
	ret->time = run->started;
	m.sums = calloc(ret->n + 1, sizeof(*m.sums));
	if (!m.sums)
		return no_memory(err);
	r = read_journal(&m, run->journal, err);
	if (r == 0)
		r = settle(&m, err);
	return r == 0 && m.moved ? ebb_moved_give(m.moved, arena, ret, err) : r;
}

int ebb_realised_record(struct ebb_app *app, const struct ebb_run *run, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
	struct ebb_savings s;

	ebb_arena_init(&arena, 0);
	int r = ebb_realised_run(app, run, NULL, &arena, &s, err);
	return r < 0 ? r : ebb_savings_append(app->index_dir, &s, ebb_app_now(app), err);
}

/* --- After a scan --- */

struct scanned {
	struct ebb_app *app;
	struct ebb_snap *snap;
	const char *const *stores;
	size_t n;
	struct ebb_savings_list ledger;
};

/* Did the run touch a store that was scanned? */
static bool touches(const struct scanned *c, const struct ebb_savings *s)
{
	for (size_t i = 0; s->stores[i]; i++)
		for (size_t k = 0; k < c->n; k++)
			if (strcmp(s->stores[i], c->stores[k]) == 0)
				return true;
	return false;
}

static bool is_due(const struct scanned *c, const struct ebb_run *run, const struct ebb_savings *old, int64_t now)
{
	if (!run->closed || now - run->started > EBB_REALISED_DAYS * EBB_DATE_DAY_NS)
		return false;
	if (!old)
		return true;
	return touches(c, old) && (!old->measured || !ebb_moved_whole(old, c->app->config) || ebb_savings_sum(old).unknown || run->ended > old->measured ||
					  now - old->measured > EBB_REALISED_AGAIN * EBB_DATE_DAY_NS);
}

static bool equal_moved(const struct ebb_savings *a, const struct ebb_savings *b)
{
	int64_t month;

	for (size_t i = 0; i < a->nmoved; i++)
		if (!ebb_savings_moved(b, a->moved[i].dim, a->moved[i].value, &month) || month != a->moved[i].month)
			return false;
	return a->nmoved == b->nmoved;
}

static bool equal(const struct ebb_savings *a, const struct ebb_savings *b)
{
	struct ebb_savings_row x = ebb_savings_sum(a), y = ebb_savings_sum(b);

	return x.done == y.done && x.seen == y.seen && x.real_month == y.real_month && x.waiting == y.waiting &&
	       x.replaced == y.replaced && x.unknown == y.unknown && equal_moved(a, b) &&
	       b->measured - a->measured < EBB_REALISED_AGAIN * EBB_DATE_DAY_NS;
}

static int measure(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct scanned *c = ctx;
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
	const struct ebb_savings *old = ebb_savings_find(&c->ledger, run->id);
	int64_t now = ebb_app_now(c->app);
	struct ebb_savings s;
	struct ebb_err why = {0};

	if (!is_due(c, run, old, now))
		return 0;
	ebb_arena_init(&arena, 0);
	int r = ebb_realised_run(c->app, run, c->snap, &arena, &s, &why);
	if (r == -EBB_ECANCELLED || r == -EBB_ENOMEM)
		return ebb_err_set(err, -r, "%s", why.msg);
	if (r < 0) {
		ebb_app_note(c->app, "what run %s saved cannot be measured: %s", run->id, why.msg);
		return 0;
	}
	if (!touches(c, &s) || (old && equal(old, &s)))
		return 0;
	return ebb_savings_append(c->app->index_dir, &s, now, err);
}

int ebb_realised_scanned(struct ebb_app *app, struct ebb_index *ix, const char *const *stores, size_t n, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	struct scanned c = {.app = app, .stores = stores, .n = n};
	int64_t now = ebb_app_now(app);
	int r = ebb_snap_open(ix, &snap, err);

	c.snap = snap;
	if (r == 0)
		r = ebb_savings_load(app->index_dir, now - (EBB_REALISED_DAYS + 1) * EBB_DATE_DAY_NS, now, &c.ledger, err);
	if (r == 0)
		r = ebb_run_each(app->index_dir, measure, &c, err);
	ebb_savings_release(&c.ledger);
	return r;
}
