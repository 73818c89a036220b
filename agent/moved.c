/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/moved.h"

#include <stdlib.h>
#include <string.h>

#include "policies/alloc.h"

/* One series. Amounts in 10^-18. */
struct part {
	const char *name, *value;	/* NULL: everything */
	size_t dim;
	__int128 sum, now;		/* taken out by all objects; what stands of the one at hand */
};

struct ebb_moved {
	struct ebb_alloc *alloc;	/* only asked in which rows an object counts */
	const char *currency;
	struct part *parts;
	size_t n;
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* Two budgets for one value have one series. */
static bool has_part(const struct ebb_moved *m, const struct ebb_budget *b)
{
	for (size_t i = 1; i < m->n; i++)
		if (strcmp(m->parts[i].name, b->dim) == 0 && strcmp(m->parts[i].value, b->value) == 0)
			return true;
	return false;
}

int ebb_moved_new(const struct ebb_config *c, const struct ebb_names *names, int64_t now, struct ebb_moved **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_moved_freep) struct ebb_moved *m = calloc(1, sizeof(*m));

	if (!m || !(m->parts = calloc(c->alerts.nbudgets + 1, sizeof(*m->parts))))
		return no_memory(err);
	int r = ebb_alloc_new(c->rules, c->prices, names, c->alerts.labels, now, &m->alloc, err);
	if (r < 0)
		return r;
	m->currency = ebb_price_currency(c->prices);
	m->n = 1; /* everything */
	for (size_t i = 0; i < c->alerts.nbudgets; i++) {
		const struct ebb_budget *b = &c->alerts.budgets[i];
		int dim = b->dim ? ebb_alloc_dim_find(m->alloc, b->dim) : -1;

		/* a label that nothing has: its series is empty */
		if (b->dim && !has_part(m, b))
			m->parts[m->n++] = (struct part){b->dim, b->value, dim < 0 ? SIZE_MAX : (size_t)dim, 0, 0};
	}
	*ret = m;
	m = NULL;
	return 0;
}

void ebb_moved_free(struct ebb_moved *m)
{
	if (!m)
		return;
	ebb_alloc_free(m->alloc);
	free(m->parts);
	free(m);
}

static bool counts(struct ebb_moved *m, const struct part *p, const char *store, const struct ebb_record *rec, const char *class)
{
	return !p->name || (p->dim != SIZE_MAX && ebb_alloc_counts(m->alloc, store, rec, class, p->dim, p->value));
}

void ebb_moved_stands(struct ebb_moved *m, const char *store, const struct ebb_record *rec, const char *class, __int128 amount)
{
	for (size_t i = 0; i < m->n; i++)
		if (counts(m, &m->parts[i], store, rec, class))
			m->parts[i].now += amount;
}

void ebb_moved_done(struct ebb_moved *m, const char *store, const struct ebb_record *rec, const char *class, __int128 amount)
{
	for (size_t i = 0; i < m->n; i++)
		m->parts[i].sum += (counts(m, &m->parts[i], store, rec, class) ? amount : 0) - m->parts[i].now;
	ebb_moved_forget(m);
}

void ebb_moved_forget(struct ebb_moved *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->parts[i].now = 0;
}

int ebb_moved_give(const struct ebb_moved *m, struct ebb_arena *arena, struct ebb_savings *ret, struct ebb_err *err)
{
	struct ebb_savings_moved *list = ebb_arena_calloc(arena, m->n, sizeof(*list));

	if (!list)
		return no_memory(err);
	for (size_t i = 0; i < m->n; i++) {
		struct ebb_money money = {.nano = 0};
		int r = *m->currency ? ebb_bill_money(m->parts[i].sum, m->currency, &money, err) : 0;

		if (r < 0)
			return r;
		list[i] = (struct ebb_savings_moved){m->parts[i].name, m->parts[i].value, money.nano};
	}
	ret->moved = list;
	ret->nmoved = m->n;
	return 0;
}

bool ebb_moved_whole(const struct ebb_savings *s, const struct ebb_config *c)
{
	int64_t month;

	for (size_t i = 0; i < c->alerts.nbudgets; i++)
		if (!ebb_savings_moved(s, c->alerts.budgets[i].dim, c->alerts.budgets[i].value, &month))
			return false;
	return ebb_savings_moved(s, NULL, NULL, &month);
}
