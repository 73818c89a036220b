/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/thaw.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lower.h"
#include "core/pool.h"
#include "policies/cost_retrieval.h"

#define WORKERS 16
#define LOOKED 64 /* at a time while waiting */
#define SIFTED 4096 /* that may be awake after all: so many are kept until somebody looks */
#define TIERING "INTELLIGENT_TIERING"
#define MILLION INT64_C(1000000)

void ebb_thaw_release(struct ebb_thaw *t)
{
	if (t->doubtful)
		ebb_thaw_release(t->doubtful);
	free(t->doubtful);
	ebb_arena_release(&t->arena);
	free(t->items);
	*t = (struct ebb_thaw){0};
}

/* --- Collecting --- */

const char *ebb_thaw_class(const struct ebb_store *s, const struct ebb_record *rec)
{
	static const char *const classes[] = {"GLACIER", "DEEP_ARCHIVE"};

	for (size_t i = 0; ebb_record_has(rec, EBB_F_CLASS) && i < EBB_ARRAY_LEN(classes); i++)
		if (rec->f[EBB_F_CLASS] == ebb_record_class_code(classes[i]) && ebb_store_may_sleep(s, classes[i]))
			return classes[i];
	if (ebb_record_has(rec, EBB_F_CLASS) && rec->f[EBB_F_CLASS] == ebb_record_class_code(TIERING) && ebb_store_tiers(s, TIERING))
		return TIERING;
	return NULL;
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int append(struct ebb_thaw *t, const struct ebb_thaw_item *what, struct ebb_err *err)
{
	const struct ebb_thaw_item *last = t->n ? &t->items[t->n - 1] : NULL;
	struct ebb_thaw_item i = *what;

	if (last && strcmp(last->key, i.key) == 0 && strcmp(last->store, i.store) == 0)
		return 0; /* members of one pack come one after the other */
	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct ebb_thaw_item *more = reallocarray(t->items, room, sizeof(*more));

		if (!more)
			return no_memory(err);
		t->items = more;
		t->room = room;
		last = t->n ? &more[t->n - 1] : NULL;
	}
	if (t->n == 0)
		ebb_arena_init(&t->arena, 0);
	i.store = last && strcmp(last->store, i.store) == 0 ? last->store : ebb_arena_strdup(&t->arena, i.store);
	i.key = ebb_arena_strdup(&t->arena, i.key);
	if (!i.store || !i.key)
		return no_memory(err);
	i.rec.key = i.key;
	i.rec.key_len = (uint32_t)strlen(i.key);
	t->items[t->n++] = i;
	return 0;
}

static struct ebb_thaw_item item_of(const struct ebb_store *s, const char *key, const struct ebb_record *rec)
{
	const char *class = ebb_thaw_class(s, rec);

	return (struct ebb_thaw_item){
		.store = ebb_store_name(s), .key = key, .class = class, .tiers = class && strcmp(class, TIERING) == 0, .rec = *rec,
		.size = ebb_record_has(rec, EBB_F_SIZE) ? rec->f[EBB_F_SIZE] : 0,
	};
}

int ebb_thaw_add_asked(struct ebb_thaw *t, const struct ebb_store *s, const char *key, const struct ebb_record *rec, struct ebb_err *err)
{
	const struct ebb_thaw_item i = item_of(s, key, rec);

	return i.class ? append(t, &i, err) : 0;
}

int ebb_thaw_add(struct ebb_thaw *t, const struct ebb_store *s, const char *key, const struct ebb_record *rec,
		 struct ebb_err *err)
{
	const struct ebb_thaw_item i = item_of(s, key, rec);

	if (!i.class)
		return 0;
	if (i.tiers && !t->doubtful && !(t->doubtful = calloc(1, sizeof(*t->doubtful))))
		return no_memory(err);
	return append(i.tiers ? t->doubtful : t, &i, err);
}

/* Whether the content of the object itself is read, by the store or by us. */
static bool reads(const struct ebb_op *op)
{
	const struct ebb_lower *l = ebb_lower_of(op->action);

	if (op->pack && op->way == EBB_OP_APPLY)
		return true;
	for (const enum ebb_step *s = l ? l->steps(op) : NULL; s && *s != EBB_STEP_END; s++)
		if (*s == EBB_STEP_SAMPLE || *s == EBB_STEP_COMPARE || *s == EBB_STEP_CLASS || *s == EBB_STEP_COPY ||
		    *s == EBB_STEP_UNPACK || *s == EBB_STEP_REPACK || *s == EBB_STEP_REPACKED)
			return true;
	return false;
}

int ebb_thaw_add_op(struct ebb_thaw *t, const struct ebb_storeset *stores, const struct ebb_op *op, struct ebb_err *err)
{
	const struct ebb_store *from = ebb_storeset_find(stores, op->store);
	const struct ebb_store *with = op->with_store ? ebb_storeset_find(stores, op->with_store) : NULL;
	int r = 0;

	if (!reads(op))
		return 0;
	if (from)
		r = ebb_thaw_add(t, from, op->key, &op->obj, err);
	if (r == 0 && with && op->action != EBB_ACTION_COPY) /* a copy takes but metadata from it */
		r = ebb_thaw_add(t, with, op->with_key, &op->with, err);
	return r < 0 ? r : ebb_thaw_sift(t, stores, false, NULL, err);
}

static int by_name(const void *a, const void *b)
{
	const struct ebb_thaw_item *x = a, *y = b;
	int d = strcmp(x->store, y->store);

	return d ? d : strcmp(x->key, y->key);
}

static void keep_each_once(struct ebb_thaw *t)
{
	size_t n = 0;

	if (t->n)
		qsort(t->items, t->n, sizeof(*t->items), by_name);
	for (size_t i = 0; i < t->n; i++)
		if (n == 0 || by_name(&t->items[n - 1], &t->items[i]) != 0)
			t->items[n++] = t->items[i];
	t->n = n;
}

/* --- Many at a time --- */

struct crowd {
	struct ebb_thaw *t;
	const struct ebb_storeset *stores;
	const atomic_bool *cancel;
	int (*each)(struct crowd *c, struct ebb_store *s, struct ebb_thaw_item *i, struct ebb_err *err);
	const char *speed;
	unsigned days;
	atomic_size_t next;
	size_t end;
	atomic_bool failed;
};

static int work(void *arg, struct ebb_err *err)
{
	struct crowd *c = arg;
	size_t i;
	int r = 0;

	while (r == 0 && !atomic_load(&c->failed) && (i = atomic_fetch_add(&c->next, 1)) < c->end) {
		struct ebb_thaw_item *item = &c->t->items[i];
		struct ebb_store *s = ebb_storeset_find(c->stores, item->store);
		struct ebb_err why = {0};

		if (c->cancel && atomic_load(c->cancel))
			r = ebb_err_set(&why, EBB_ECANCELLED, "interrupted");
		else if (!s)
			r = ebb_err_set(&why, EBB_EINVAL, "store '%s' is not open", item->store);
		else
			r = c->each(c, s, item, &why);
		if (r < 0)
			r = ebb_err_set(err, -r, "'%s' in store '%s': %s", item->key, item->store, why.msg);
	}
	if (r < 0)
		atomic_store(&c->failed, true);
	return r;
}

/* Items @from to @end, each by c->each. */
static int crowd(struct crowd *c, size_t from, size_t end, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = NULL;
	size_t n = end - from < WORKERS ? end - from : WORKERS;

	atomic_store(&c->next, from);
	c->end = end;
	if (n <= 1)
		return work(c, err);
	int r = ebb_pool_new(n, n, &pool, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (ebb_pool_submit(pool, work, c, NULL) < 0)
			break; /* one of them has failed */
	return r < 0 ? r : ebb_pool_wait(pool, err);
}

static int look_at(struct crowd *c, struct ebb_store *s, struct ebb_thaw_item *i, struct ebb_err *err)
{
	int r = ebb_store_sleep(s, i->key, &i->rec, &i->state, &i->rest, err);

	(void)c;
	if (r == 0 && i->tiers && i->state == EBB_STORE_AWAKE)
		i->state = EBB_STORE_THAWED; /* back, or never away */
	if (r != -EBB_ENOENT && r != -EBB_ECHANGED)
		return r;
	i->state = EBB_STORE_AWAKE;
	i->rest = (struct ebb_store_rest){0};
	return 0;
}

int ebb_thaw_sift(struct ebb_thaw *t, const struct ebb_storeset *stores, bool all, const atomic_bool *cancel, struct ebb_err *err)
{
	struct crowd c = {.t = t->doubtful, .stores = stores, .cancel = cancel, .each = look_at};

	if (!c.t || (!all && c.t->n < SIFTED))
		return 0;
	int r = crowd(&c, 0, c.t->n, err);
	for (size_t i = 0; r == 0 && i < c.t->n; i++)
		if (c.t->items[i].state == EBB_STORE_ASLEEP || c.t->items[i].state == EBB_STORE_THAWING)
			r = append(t, &c.t->items[i], err);
	if (r == 0)
		ebb_thaw_release(c.t);
	return r;
}

int ebb_thaw_look(struct ebb_thaw *t, const struct ebb_storeset *stores, const atomic_bool *cancel, struct ebb_err *err)
{
	struct crowd c = {.t = t, .stores = stores, .cancel = cancel, .each = look_at};
	int r = ebb_thaw_sift(t, stores, true, cancel, err);

	keep_each_once(t);
	return r < 0 ? r : crowd(&c, 0, t->n, err);
}

static int ask_for(struct crowd *c, struct ebb_store *s, struct ebb_thaw_item *i, struct ebb_err *err)
{
	if (i->state != EBB_STORE_ASLEEP)
		return 0;
	int r = ebb_store_thaw(s, i->key, c->speed, i->tiers ? 0 : c->days, err);
	if (r == 0)
		i->state = EBB_STORE_THAWING;
	return r;
}

int ebb_thaw_ask(struct ebb_thaw *t, const struct ebb_storeset *stores, const char *speed, unsigned days,
		 const atomic_bool *cancel, struct ebb_err *err)
{
	struct crowd c = {.t = t, .stores = stores, .cancel = cancel, .each = ask_for, .speed = speed, .days = days};

	return crowd(&c, 0, t->n, err);
}

void ebb_thaw_count(const struct ebb_thaw *t, struct ebb_thaw_counts *ret)
{
	*ret = (struct ebb_thaw_counts){0};
	for (size_t i = 0; i < t->n; i++) {
		const struct ebb_thaw_item *item = &t->items[i];

		ret->objects[item->state]++;
		ret->bytes[item->state] += item->size;
		if (item->rest.expires && (!ret->expires || item->rest.expires < ret->expires))
			ret->expires = item->rest.expires;
	}
}

/* --- Price --- */

/* What sleeps in one way: the class that is an archive, or that works like the tier where @tiering has put it away. */
static const struct {
	const char *class, *tiering;
} ways[] = {{"GLACIER", NULL}, {"DEEP_ARCHIVE", NULL}, {"GLACIER", TIERING}, {"DEEP_ARCHIVE", TIERING}};

static size_t way_of(const struct ebb_thaw_item *i)
{
	if (i->tiers)
		return i->rest.tier == EBB_STORE_TIER_DEEP ? 3 : 2;
	return strcmp(i->class, ways[0].class) == 0 ? 0 : 1;
}

/* What sleeps in one way in one store; items are in order of stores. */
struct heap {
	const char *store;
	struct ebb_cost_load load;
};

/* What the store charges for a heap. 1 with @b filled in; 0: not offered or not priced, which @q says. */
static int add_heap(struct ebb_bill *b, const struct ebb_config *c, const struct heap *h, size_t way, struct ebb_cost_thaw as,
		    struct ebb_thaw_quote *q)
{
	const struct ebb_rules_store *s = c ? ebb_rules_store(c->rules, h->store) : NULL;
	const struct ebb_price_class *class = s ? ebb_price_find(c->prices, s->provider, s->region, ways[way].class) : NULL;
	const struct ebb_price_class *tiering =
		s && ways[way].tiering ? ebb_price_find(c->prices, s->provider, s->region, ways[way].tiering) : NULL;

	if (!class || !class->offline || (ways[way].tiering && !tiering)) {
		q->priced = false;
		return 0;
	}
	if (!ebb_price_known(&class->restore[as.speed].retrieval) && !ebb_price_known(&class->restore[as.speed].request)) {
		q->offered = false;
		return 0;
	}
	if (class->restore[as.speed].hours > q->hours)
		q->hours = class->restore[as.speed].hours;
	ebb_bill_clear(b);
	if (tiering) {
		int64_t days = ebb_cost_retrieval_tiered(b, EBB_BILL_ONCE, tiering, class, h->load, as.speed);

		q->tier_days = days > q->tier_days ? days : q->tier_days;
	} else {
		ebb_cost_retrieval_restore(b, EBB_BILL_ONCE, class, h->load, MILLION, as);
	}
	q->priced &= !b->missing;
	return 1;
}

/* Lines of that name; all for NULL. */
static int add_money(const struct ebb_bill *b, const char *what, const struct ebb_config *c, struct ebb_money *sum, struct ebb_err *err)
{
	__int128 amount = 0;
	struct ebb_money m;

	for (size_t i = 0; i < b->n; i++)
		if (!what || strcmp(b->line[i].what, what) == 0)
			amount += b->line[i].amount;
	int r = ebb_bill_money(amount, ebb_price_currency(c->prices), &m, err);
	return r < 0 ? r : ebb_money_add(*sum, m, sum, err);
}

static int price_heap(const struct ebb_config *c, const struct heap *h, size_t way, int days, struct ebb_thaw_quote *quotes,
		      struct ebb_err *err)
{
	struct ebb_bill b;
	int r = 0;

	for (int speed = 0; r == 0 && speed < EBB_PRICE_SPEEDS; speed++) {
		struct ebb_thaw_quote *q = &quotes[speed];

		if (add_heap(&b, c, h, way, (struct ebb_cost_thaw){(enum ebb_price_speed)speed, days}, q) == 0)
			continue;
		if ((r = add_money(&b, NULL, c, &q->all, err)) == 0 && (r = add_money(&b, EBB_COST_COPIES, c, &q->copies, err)) == 0)
			r = add_money(&b, EBB_COST_TIERS, c, &q->tiers, err);
	}
	return r;
}

int ebb_thaw_price(const struct ebb_thaw *t, const struct ebb_config *c, int days,
		   struct ebb_thaw_quote ret[EBB_PRICE_SPEEDS], struct ebb_err *err)
{
	int r = 0;

	for (int i = 0; i < EBB_PRICE_SPEEDS; i++)
		ret[i] = (struct ebb_thaw_quote){.offered = true, .priced = true};
	for (size_t from = 0, to; r == 0 && from < t->n; from = to) {
		struct heap heaps[EBB_ARRAY_LEN(ways)] = {0};

		for (to = from; to < t->n && strcmp(t->items[to].store, t->items[from].store) == 0; to++) {
			const struct ebb_thaw_item *i = &t->items[to];
			struct heap *h = &heaps[way_of(i)];

			if (i->state == EBB_STORE_ASLEEP)
				*h = (struct heap){i->store, {h->load.objects + 1, h->load.bytes + i->size}};
		}
		for (size_t k = 0; r == 0 && k < EBB_ARRAY_LEN(heaps); k++)
			if (heaps[k].load.objects)
				r = price_heap(c, &heaps[k], k, days, ret, err);
	}
	return r;
}

/* --- Waiting --- */

void ebb_thaw_pause(void *ctx, int64_t ns)
{
	const atomic_bool *cancel = ctx;
	const int64_t slice = EBB_CLOCK_SECOND / 5;

	for (int64_t left = ns; left > 0 && !(cancel && atomic_load(cancel)); left -= slice) {
		struct timespec t = {0, slice};
		nanosleep(&t, NULL);
	}
}

/* Look at a few from @from on; the first that cannot be read yet, or behind them. */
static int look_on(struct crowd *c, size_t from, size_t *ret, struct ebb_err *err)
{
	size_t end = c->t->n - from < LOOKED ? c->t->n : from + LOOKED;
	int r = crowd(c, from, end, err);

	for (*ret = from; r == 0 && *ret < end; ++*ret) {
		const struct ebb_thaw_item *i = &c->t->items[*ret];

		if (i->state == EBB_STORE_ASLEEP)
			return ebb_err_set(err, EBB_EASLEEP, "'%s' in store '%s' sleeps again", i->key, i->store);
		if (i->state == EBB_STORE_THAWING)
			return 0;
	}
	return r;
}

int ebb_thaw_wait(struct ebb_thaw *t, const struct ebb_storeset *stores, ebb_thaw_pause_fn *pause, void *ctx,
		  const atomic_bool *cancel, struct ebb_err *err)
{
	struct crowd c = {.t = t, .stores = stores, .cancel = cancel, .each = look_at};
	int64_t ns = EBB_THAW_PAUSE;
	size_t at = 0, now;

	while (at < t->n) {
		int r = look_on(&c, at, &now, err);

		if (r < 0)
			return r;
		ns = now > at ? EBB_THAW_PAUSE : ns;
		bool waits = now < t->n && t->items[now].state == EBB_STORE_THAWING;
		at = now;
		if (!waits)
			continue;
		pause(ctx, ns);
		ns = 2 * ns < EBB_THAW_PAUSE_MAX ? 2 * ns : EBB_THAW_PAUSE_MAX;
	}
	return 0;
}
