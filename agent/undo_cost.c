/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/undo_cost.h"

#include <string.h>

#include "agent/lower.h"
#include "agent/out.h"
#include "policies/cost_move.h"
#include "policies/cost_requests.h"
#include "policies/cost_retention.h"
#include "policies/cost_retrieval.h"

struct adding {
	const struct ebb_config *c;
	struct ebb_undo_cost *ret;
	int64_t age;
	char pack[EBB_KEY_MAX + 1];	/* the last one whose own cost was counted */
};

/* Class of an object of a store, by its code; the declared one of the store when it has none of its own. */
static const struct ebb_price_class *class_of(const struct ebb_config *c, const struct ebb_rules_store *s, const char *name,
					      const struct ebb_record *rec)
{
	const struct ebb_config_store *cs = ebb_config_store(c, s->name);
	const struct ebb_price_class *p = NULL;

	if (!name && rec && ebb_record_has(rec, EBB_F_CLASS))
		for (size_t i = 0; !p && i < ebb_price_count(c->prices); i++) {
			const struct ebb_price_class *x = ebb_price_get(c->prices, i);

			if (ebb_record_class_code(x->name) == rec->f[EBB_F_CLASS])
				p = ebb_price_find(c->prices, s->provider, s->region, x->name);
		}
	else if (name)
		p = ebb_price_find(c->prices, s->provider, s->region, name);
	return p || name || !cs ? p : cs->price;
}

static bool is_own(const struct ebb_rules_store *s)
{
	return !s->provider || !*s->provider;
}

/* Whether content is read and written anew, or changed in class. */
static bool has_step(const struct ebb_op *op, enum ebb_step a, enum ebb_step b)
{
	const struct ebb_lower *l = ebb_lower_of(op->action);

	for (const enum ebb_step *s = l ? l->steps(op) : NULL; s && *s != EBB_STEP_END; s++)
		if (*s == a || *s == b)
			return true;
	return false;
}

/* Leaving the class it is in now. A pack is left when all its members are back; it is counted with the first. */
static void leave(struct adding *a, struct ebb_bill *b, const struct ebb_op *op, const struct ebb_price_class *from, bool read)
{
	const struct ebb_cost_load all = ebb_cost_load(1, op->obj.f[EBB_F_SIZE]);

	if (op->member.coded) {
		if (strcmp(a->pack, op->key) != 0) {
			snprintf(a->pack, sizeof(a->pack), "%s", op->key);
			ebb_cost_retention(b, EBB_BILL_ONCE, from, all, a->age, false);
			ebb_cost_retrieval_restore(b, EBB_BILL_ONCE, from, all, 1000000, EBB_COST_THAW);
		}
		ebb_cost_retrieval_part(b, EBB_BILL_ONCE, from, 1, op->member.coded, 1);
		return;
	}
	ebb_cost_retention(b, EBB_BILL_ONCE, from, all, a->age, false);
	if (read)
		ebb_cost_retrieval(b, EBB_BILL_ONCE, from, all, 1000000, EBB_COST_THAW);
}

static void price_copy(struct adding *a, struct ebb_bill *b, const struct ebb_op *op, const struct ebb_rules_store *from,
		       const struct ebb_rules_store *to)
{
	const struct ebb_price_class *f = class_of(a->c, from, NULL, &op->obj), *t = class_of(a->c, to, op->class, NULL);
	int64_t size = op->member.coded ? op->member.size : op->obj.f[EBB_F_SIZE];

	if (f)
		leave(a, b, op, f, true);
	if (f && from != to && !(is_own(from) && is_own(to)))
		ebb_bill_add(b, EBB_BILL_ONCE, "egress", f,
			     ebb_price_egress(a->c->prices, from->provider, from->region, to->provider, to->region), size, 1);
	if (t) { /* written, and read back */
		ebb_cost_requests_write(b, EBB_BILL_ONCE, t, ebb_cost_load(1, size));
		ebb_cost_retrieval_part(b, EBB_BILL_ONCE, t, 1, size, 1);
	}
	if ((!f && !is_own(from)) || (!t && !is_own(to)))
		b->missing = "class";
}

static void price_class(struct adding *a, struct ebb_bill *b, const struct ebb_op *op, const struct ebb_rules_store *s)
{
	const struct ebb_price_class *f = class_of(a->c, s, NULL, &op->obj), *t = class_of(a->c, s, op->class, NULL);

	if (f && t)
		ebb_cost_move(b, &(struct ebb_cost_move){.from = f, .to = t, .load = ebb_cost_load(1, op->obj.f[EBB_F_SIZE]),
							 .age_ns = a->age, .rewritten = true, .thaw = EBB_COST_THAW});
	else if (!is_own(s))
		b->missing = "class";
}

static void add_parts(struct ebb_undo_cost *ret, const struct ebb_bill *b)
{
	for (size_t i = 0; i < b->n; i++) {
		size_t k = 0;

		while (k < ret->n && strcmp(ret->part[k].what, b->line[i].what) != 0)
			k++;
		if (k == EBB_UNDO_COST_PARTS)
			k--; /* more kinds than there are; the sum stays right */
		else if (k == ret->n)
			ret->part[ret->n++].what = b->line[i].what;
		ret->part[k].amount += b->line[i].amount;
	}
}

static int add(void *ctx, const struct ebb_op *did, const struct ebb_op *back, struct ebb_err *err)
{
	struct adding *a = ctx;
	const struct ebb_rules_store *from = ebb_rules_store(a->c->rules, back->store);
	const struct ebb_rules_store *to = back->to_store ? ebb_rules_store(a->c->rules, back->to_store) : from;
	struct ebb_bill b;

	(void)did;
	(void)err;
	a->ret->objects++;
	ebb_bill_clear(&b);
	if (!from || !to)
		b.missing = "store";
	else if (has_step(back, EBB_STEP_CLASS, EBB_STEP_CLASS))
		price_class(a, &b, back, from);
	else if (has_step(back, EBB_STEP_COPY, EBB_STEP_UNPACK))
		price_copy(a, &b, back, from, to);
	a->ret->unpriced += b.missing != NULL;
	if (!b.missing)
		add_parts(a->ret, &b);
	return 0;
}

int ebb_undo_cost_of(const struct ebb_undo *u, const struct ebb_run *run, const struct ebb_config *c, struct ebb_undo_cost *ret,
		     struct ebb_err *err)
{
	struct adding a = {.c = c, .ret = ret, .age = ebb_clock_now(u->clock) - run->started};
	__int128 sum = 0;

	*ret = (struct ebb_undo_cost){0};
	int r = ebb_undo_each(u, run, add, &a, err);
	for (size_t i = 0; i < ret->n; i++)
		sum += ret->part[i].amount;
	return r < 0 || !*ebb_price_currency(c->prices) ? r : ebb_bill_money(sum, ebb_price_currency(c->prices), &ret->all, err);
}

void ebb_undo_cost_print(const struct ebb_undo_cost *c, const struct ebb_config *config, FILE *f)
{
	char a[EBB_OUT_TEXT_MAX];
	const char *before = ": ";
	struct ebb_money m;

	if (c->all.nano == 0 && c->unpriced == 0)
		return;
	fprintf(f, "taking it back costs %s", *c->all.currency ? ebb_out_money(&c->all, a) : "an unknown amount");
	for (size_t i = 0; i < c->n; i++) {
		if (c->part[i].amount == 0 || ebb_bill_money(c->part[i].amount, ebb_price_currency(config->prices), &m, NULL) < 0)
			continue;
		fprintf(f, "%s%s %s", before, c->part[i].what, ebb_out_money(&m, a));
		before = ", ";
	}
	if (c->unpriced)
		fprintf(f, "; %s without a price", ebb_out_things((uint64_t)c->unpriced, "action", a));
	fputc('\n', f);
}
