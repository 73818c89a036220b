/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/advice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agent/out.h"

struct list {
	const struct ebb_report *r;
	struct ebb_advice *a;
	int n;
};

static const char *nano(const struct list *l, int64_t amount, char buf[EBB_OUT_TEXT_MAX])
{
	struct ebb_money m = l->r->total.cost;

	m.nano = amount;
	return ebb_out_money(&m, buf);
}

/* Keep the list sorted; what falls behind its end is dropped. */
__attribute__((format(printf, 3, 4)))
static void say(struct list *l, int64_t worth, const char *fmt, ...)
{
	int at = l->n;
	va_list ap;

	while (at > 0 && l->a[at - 1].worth < worth)
		at--;
	if (at == EBB_ADVICE_MAX)
		return;
	l->n += l->n < EBB_ADVICE_MAX;
	memmove(&l->a[at + 1], &l->a[at], (size_t)(l->n - 1 - at) * sizeof(*l->a));
	l->a[at].worth = worth;
	va_start(ap, fmt);
	vsnprintf(l->a[at].text, sizeof(l->a[at].text), fmt, ap);
	va_end(ap);
}

static void from_plan(struct list *l)
{
	const struct ebb_planhead *h = l->r->plan ? ebb_planfile_head(l->r->plan) : NULL;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; h && i < h->nrules; i++) {
		const struct ebb_planhead_rule *r = &h->rules[i];

		if (r->sum.objects && r->sum.saving > 0)
			say(l, r->sum.saving, "Rule '%s' (%s) would save %s a month on %s objects; once it costs %s.", r->rule,
			    r->action, nano(l, r->sum.saving, a), ebb_out_count((uint64_t)r->sum.objects, b),
			    nano(l, r->sum.one_off, c));
	}
}

/* The same of the last plan that was made, by what it promised. */
static void from_next(struct list *l)
{
	const struct ebb_savings *s = l->r->plan ? NULL : ebb_savings_next(&l->r->savings);
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; s && strcmp(s->currency, l->r->total.cost.currency) == 0 && i < s->n; i++) {
		const struct ebb_savings_row *r = &s->rows[i];

		if (r->planned_month > 0)
			say(l, r->planned_month, "Apply the last plan: rule '%s' (%s) would save %s a month on %s objects; once it costs %s.",
			    r->rule, r->action, nano(l, r->planned_month, a), ebb_out_count((uint64_t)r->planned, b),
			    nano(l, r->planned_once, c));
	}
}

static void from_dupes(struct list *l)
{
	const struct ebb_groups_totals *d = &l->r->dupes;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	if (d->redundant > 0)
		say(l, d->saving, "%s are stored more than once (%s a month): ebb dupes names them, do: dedup takes them away.",
		    ebb_out_bytes((uint64_t)d->redundant, a), nano(l, d->saving, b));
}

/* The row of a dimension with that value into *@ret; zero when there is none. */
static int row_of(const struct list *l, const char *dim, const char *value, struct ebb_alloc_row *ret,
		  struct ebb_err *err)
{
	struct ebb_alloc_row *rows;
	size_t n;
	int d = ebb_alloc_dim_find(l->r->money.alloc, dim);

	*ret = (struct ebb_alloc_row){.value = NULL};
	if (d < 0)
		return 0;
	int r = ebb_alloc_rows(l->r->money.alloc, (size_t)d, &rows, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (strcmp(rows[i].value, value) == 0)
			*ret = rows[i];
	if (r == 0)
		free(rows);
	return r;
}

static int from_hidden(struct list *l, struct ebb_err *err)
{
	static const struct {
		const char *type, *what;
	} hidden[] = {{"version", "Noncurrent versions"}, {"upload", "Unfinished uploads"}};
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	struct ebb_alloc_row row;
	int r = 0;

	for (size_t i = 0; i < EBB_ARRAY_LEN(hidden) && r == 0; i++) {
		r = row_of(l, "type", hidden[i].type, &row, err);
		if (r == 0 && row.bytes)
			say(l, row.cost, "%s hold %s and cost %s a month; no listing shows them.", hidden[i].what,
			    ebb_out_bytes((uint64_t)row.bytes, a), nano(l, row.cost, b));
	}
	return r;
}

static int from_gaps(struct list *l, struct ebb_err *err)
{
	const struct ebb_alloc_total *t = &l->r->total;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	struct ebb_alloc_row row;
	int r = row_of(l, "team", "", &row, err);

	if (r == 0 && row.bytes * 5 > t->bytes)
		say(l, row.cost / 100, "%s belong to no team (%s a month): label them by datasets or a mapping.",
		    ebb_out_bytes((uint64_t)row.bytes, a), nano(l, row.cost, b));
	if (t->unpriced)
		say(l, 0, "%s have no price: declare class, provider and region of their store, or add a price book.",
		    ebb_out_bytes((uint64_t)t->unpriced, a));
	uint64_t blind = 0;
	for (int i = 0; i < EBB_TALLY_UNKNOWNS; i++)
		blind += l->r->t->unknown[i].bytes;
	if (blind)
		say(l, 0, "Of %s it is not known when they were read last: feed access logs with ebb ingest, or mount with relatime.",
		    ebb_out_bytes(blind, a));
	return r;
}

/* Data idle for a year and more by evidence, as a share of the cost: an upper bound of what colder classes could save. */
static void from_ages(struct list *l)
{
	const struct ebb_tally *t = l->r->t;
	uint64_t idle = t->idle[EBB_TALLY_AGES - 1].bytes + t->idle[EBB_TALLY_AGES - 2].bytes;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	if (!idle || !l->r->total.bytes)
		return;
	int64_t share = (int64_t)((__int128)l->r->total.cost.nano * (int64_t)idle / l->r->total.bytes);
	say(l, share / 2, "%s have not been read for a year (about %s a month): a rule with `idle > 1y` says what moving or deleting them would bring.",
	    ebb_out_bytes(idle, a), nano(l, share, b));
}

int ebb_advice_find(const struct ebb_report *r, struct ebb_advice ret[EBB_ADVICE_MAX], struct ebb_err *err)
{
	struct list l = {r, ret, 0};

	from_plan(&l);
	from_next(&l);
	from_dupes(&l);
	from_ages(&l);
	int rc = from_hidden(&l, err);
	if (rc == 0)
		rc = from_gaps(&l, err);
	return rc < 0 ? rc : l.n;
}
