/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/lifecycle_cost.h"

#include "policies/cost_move.h"
#include "policies/decide.h"

#define DAY_NS (INT64_C(86400) * 1000000000)
#define MONTH_DAYS 30

/* Months that an object is taken to live on. */
#define LIFE_MONTHS (EBB_DECIDE_LIFE_NS / DAY_NS / MONTH_DAYS)

/* What a month's reads of the object would cost in a class, where evidence has counted them. */
static void add_reads(struct ebb_bill *b, enum ebb_bill_side side, const struct ebb_price_class *c,
		      const struct ebb_record *r, int64_t now)
{
	int64_t days = ebb_record_has(r, EBB_F_WINDOW) ? (now - r->f[EBB_F_WINDOW]) / DAY_NS : 0;

	if (c->offline || days <= 0 || !ebb_record_has(r, EBB_F_RBYTES))
		return;
	ebb_cost_retrieval_part(b, side, c, (__int128)r->f[EBB_F_READS] * MONTH_DAYS,
				(__int128)r->f[EBB_F_RBYTES] * MONTH_DAYS, days);
}

/* @to NULL: it goes away. */
static void fill(const struct ebb_lifecycle_cost *c, const struct ebb_record *r,
		 const struct ebb_price_class *from, const struct ebb_price_class *to,
		 struct ebb_bill *b)
{
	int64_t age = c->now - r->f[EBB_F_MTIME];
	struct ebb_cost_move m = {
		.from = from,
		.to = to,
		.load = ebb_cost_load(1, r->f[EBB_F_SIZE]),
		.age_ns = age > 0 ? age : 0,
		.thaw = EBB_COST_THAW,
	};

	ebb_bill_clear(b);
	ebb_cost_move(b, &m);
	ebb_cost_storage(b, EBB_BILL_BEFORE, from, m.load, EBB_COST_MONTH);
	add_reads(b, EBB_BILL_BEFORE, from, r, c->now);
	if (!to)
		return;
	ebb_cost_storage(b, EBB_BILL_AFTER, to, m.load, EBB_COST_MONTH);
	add_reads(b, EBB_BILL_AFTER, to, r, c->now);
}

static void add(struct ebb_lifecycle_group *g, const struct ebb_bill *b, int64_t size)
{
	g->objects++;
	g->bytes += size;
	g->once += ebb_bill_sum(b, EBB_BILL_ONCE);
	g->before += ebb_bill_sum(b, EBB_BILL_BEFORE);
	g->after += ebb_bill_sum(b, EBB_BILL_AFTER);
}

static bool loses(const struct ebb_bill *b)
{
	__int128 saved = ebb_bill_sum(b, EBB_BILL_BEFORE) - ebb_bill_sum(b, EBB_BILL_AFTER);

	return saved < 0 || ebb_bill_sum(b, EBB_BILL_ONCE) > saved * LIFE_MONTHS;
}

/* The first rule that ends unfinished uploads of this age, or lc->n. */
static size_t abort_rule(const struct ebb_lifecycle_cost *c, const struct ebb_record *r)
{
	size_t i = 0;

	for (; i < c->lc->n; i++) {
		const struct ebb_lifecycle_rule *rule = &c->lc->rules[i];

		if (rule->enabled && rule->abort_days >= 0 && !ebb_lifecycle_is_blind(rule) &&
		    ebb_record_key_has_prefix(r->key, r->key_len, rule->prefix, __builtin_strlen(rule->prefix)) &&
		    (c->now - r->f[EBB_F_MTIME]) / DAY_NS >= rule->abort_days)
			break;
	}
	return i;
}

static void add_upload(struct ebb_lifecycle_cost *c, const struct ebb_record *r, const char *class,
		       struct ebb_lifecycle_due *due)
{
	const struct ebb_price_class *from = ebb_price_find(c->prices, c->provider, c->region, class);
	size_t i = abort_rule(c, r);
	struct ebb_bill b;

	if (i == c->lc->n)
		return;
	*due = (struct ebb_lifecycle_due){EBB_LIFECYCLE_EXPIRES, i, NULL};
	if (!from) {
		c->rules[i].unpriced++;
		return;
	}
	ebb_bill_clear(&b);
	ebb_cost_storage(&b, EBB_BILL_BEFORE, from, ebb_cost_load(1, r->f[EBB_F_SIZE]), EBB_COST_MONTH);
	add(&c->rules[i].aborted, &b, r->f[EBB_F_SIZE]);
}

static void add_due(struct ebb_lifecycle_cost *c, const struct ebb_record *r, const char *class,
		    const struct ebb_lifecycle_due *due, bool *ret_loses)
{
	const struct ebb_price_class *from = ebb_price_find(c->prices, c->provider, c->region, class);
	const struct ebb_price_class *to =
		due->class ? ebb_price_find(c->prices, c->provider, c->region, due->class) : NULL;
	struct ebb_lifecycle_sum *s = &c->rules[due->rule];
	struct ebb_bill b;

	if (!from || (due->class && !to)) {
		s->unpriced++;
		return;
	}
	fill(c, r, from, to, &b);
	if (b.missing) {
		s->unpriced++;
		return;
	}
	add(due->class ? &s->moved : &s->expired, &b, r->f[EBB_F_SIZE]);
	*ret_loses = loses(&b);
	if (*ret_loses)
		add(&s->losing, &b, r->f[EBB_F_SIZE]);
}

void ebb_lifecycle_cost_add(struct ebb_lifecycle_cost *c, const struct ebb_record *rec,
			    const char *class, struct ebb_lifecycle_due *ret_due, bool *ret_loses)
{
	struct ebb_lifecycle_object o = {
		.key = rec->key,
		.key_len = rec->key_len,
		.size = rec->f[EBB_F_SIZE],
		.created = rec->f[EBB_F_MTIME],
		.class = class ? class : "STANDARD",
	};

	*ret_due = (struct ebb_lifecycle_due){.fate = EBB_LIFECYCLE_STAYS};
	*ret_loses = false;
	if (!ebb_record_has(rec, EBB_F_SIZE) || !ebb_record_has(rec, EBB_F_MTIME))
		return;
	if (rec->f[EBB_F_KIND] == EBB_KIND_UPLOAD)
		add_upload(c, rec, o.class, ret_due);
	if (!ebb_record_has(rec, EBB_F_KIND) || rec->f[EBB_F_KIND] != EBB_KIND_FILE)
		return;
	*ret_due = ebb_lifecycle_due(c->lc, &o, c->now);
	if (ret_due->fate == EBB_LIFECYCLE_LATER)
		c->rules[ret_due->rule].later++;
	else if (ret_due->fate == EBB_LIFECYCLE_SKIPPED)
		c->rules[ret_due->rule].skipped++;
	else if (ret_due->fate != EBB_LIFECYCLE_STAYS)
		add_due(c, rec, o.class, ret_due, ret_loses);
}
