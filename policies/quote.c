/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/quote.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/date.h"
#include "core/err.h"
#include "core/units.h"

/* Objects below are left alone by lifecycle rules of S3 made since September 2024. */
#define LIFECYCLE_SKIPS (INT64_C(128) << 10)

static int64_t size_of(const struct ebb_quote *q)
{
	return q->load.objects ? (int64_t)(q->load.bytes / q->load.objects) : 0;
}

/* The tiers of a month's storage. The overhead at the plain class's rate is always its first. */
static void count_tiers(const struct ebb_quote *q, struct ebb_bill *b)
{
	__int128 before[EBB_BILL_SIDES] = {0, q->stored, q->stored};

	for (size_t i = 0; i < b->n; i++) {
		struct ebb_bill_line *l = &b->line[i];
		const struct ebb_price_class *c = l->side == EBB_BILL_BEFORE ? q->from : q->to;

		if (l->side == EBB_BILL_ONCE || l->over != 1 || l->class != c ||
		    l->figure != &c->item[EBB_PRICE_STORAGE])
			continue;
		ebb_bill_tiers(l, before[l->side]);
		before[l->side] += l->quantity;
	}
}

void ebb_quote_bill(const struct ebb_quote *q, struct ebb_bill *ret)
{
	struct ebb_cost_move m = {
		.from = q->from,
		.to = q->to,
		.load = q->load,
		.age_ns = q->age_ns < 0 ? q->from->min_days * EBB_DATE_DAY_NS : q->age_ns,
		.rewritten = q->rewritten,
		.thaw = q->thaw,
		.egress = q->egress,
	};

	ebb_bill_clear(ret);
	if (q->to != q->from)
		ebb_cost_move(ret, &m);
	ebb_cost_storage_settled(ret, EBB_BILL_BEFORE, q->from, q->load, q->reads);
	ebb_cost_retrieval(ret, EBB_BILL_BEFORE, q->from, q->load, q->reads, q->thaw);
	if (q->to) {
		ebb_cost_storage_settled(ret, EBB_BILL_AFTER, q->to, q->load, q->reads);
		ebb_cost_retrieval(ret, EBB_BILL_AFTER, q->to, q->load, q->reads, q->thaw);
	}
	if (q->stored >= 0)
		count_tiers(q, ret);
}

/* --- Notes --- */

struct notes {
	ebb_quote_note_fn *fn;
	void *ctx;
};

static void note(const struct notes *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(const struct notes *n, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n->fn(n->ctx, text);
}

static void note_source(const struct ebb_quote *q, const struct notes *n)
{
	if (q->age_ns < 0 && q->from->min_days && q->to != q->from)
		note(n,
		     "the objects are taken to have been in %s for its %" PRId64
		     " days; say their age to see early deletion",
		     q->from->name, q->from->min_days);
}

static void note_destination(const struct ebb_quote *q, const struct notes *n)
{
	const struct ebb_price_class *to = q->to;
	char a[EBB_UNITS_TEXT], b[EBB_UNITS_TEXT];

	if (to->min_days)
		note(n, "whoever leaves %s before %" PRId64 " days pays for the rest of them",
		     to->name, to->min_days);
	if (to->offline)
		note(n, "reading from %s takes up to %" PRId64 " hours (%s restore)", to->name,
		     to->restore[q->thaw.speed].hours, ebb_price_speed_name(q->thaw.speed));
	if (size_of(q) < to->min_bytes)
		note(n, "%s bills each object as %s", to->name,
		     ebb_units_exact_bytes(to->min_bytes, a));
	if (to->overhead + to->overhead_standard > 0)
		note(n, "%s adds %s at its own rate and %s at that of %s to each object", to->name,
		     ebb_units_exact_bytes(to->overhead, a),
		     ebb_units_exact_bytes(to->overhead_standard, b), to->standard->name);
	if (to->nsinks && size_of(q) < to->monitored_from)
		note(n, "objects below %s stay in the first tier of %s",
		     ebb_units_exact_bytes(to->monitored_from, a), to->name);
	if (to->nsinks && size_of(q) >= to->monitored_from)
		note(n, "the month then is that of objects that have settled in %s: until they have been "
			"idle for long enough they cost more", to->name);
	if (strcmp(to->provider, "aws") == 0 && size_of(q) < LIFECYCLE_SKIPS && !q->egress &&
	    to != q->from)
		note(n, "S3 lifecycle rules skip objects below 128KiB unless the rule has a filter "
		     "for size");
}

static void note_figures(const struct ebb_quote *q, const struct ebb_bill *b,
			 const struct notes *n)
{
	const struct ebb_bill_line *doubt = ebb_bill_doubtful(b);

	for (size_t i = 0; q->stored < 0 && i < b->n; i++) {
		const struct ebb_price_figure *f = b->line[i].figure;

		if (f->ntiers < 2 || b->line[i].quantity / b->line[i].over <= f->tiers[1].from)
			continue;
		note(n,
		     "the volume passes the first tier of %s, whose price is taken for all of it; "
		     "say what else is stored there to count tiers",
		     b->line[i].class ? b->line[i].class->name : b->line[i].what);
		break;
	}
	if (doubt && doubt->figure->confidence >= EBB_PRICE_SAMPLE)
		note(n, "a price is %s: %s of %s (%s)",
		     doubt->figure->confidence == EBB_PRICE_SAMPLE ? "a sample" : "of low confidence",
		     doubt->what, doubt->class ? doubt->class->name : "the way",
		     doubt->figure->source ? doubt->figure->source : "no source");
}

void ebb_quote_notes(const struct ebb_quote *q, const struct ebb_bill *b, ebb_quote_note_fn *fn,
		     void *ctx)
{
	const struct notes n = {fn, ctx};

	note_source(q, &n);
	if (q->to)
		note_destination(q, &n);
	note_figures(q, b, &n);
}

/* --- Arithmetic --- */

/* quantity / (over * per) with six digits behind the point at most, cut off. */
static int add_quantity(const struct ebb_bill_line *l, struct ebb_buf *out)
{
	__int128 divisor = (__int128)l->over * l->figure->per;
	__int128 whole = l->quantity / divisor, rest = l->quantity % divisor;
	char text[EBB_DECIMAL_TEXT];
	struct ebb_decimal d = {.mant = whole, .scale = 0};

	for (; d.scale < 6 && rest && rest <= (__int128)1 << 120; d.scale++) {
		rest *= 10;
		d.mant = d.mant * 10 + rest / divisor;
		rest %= divisor;
	}
	return ebb_buf_addf(out, "%s%s %s", rest ? "~" : "", ebb_decimal_format(d, text),
			    l->figure->unit);
}

int ebb_quote_arithmetic(const struct ebb_bill_line *l, struct ebb_buf *out)
{
	char price[EBB_PRICE_TEXT], amount[EBB_DECIMAL_TEXT];

	if (add_quantity(l, out) < 0)
		return -EBB_ENOMEM;
	ebb_bill_text(l->amount, amount);
	if (l->before >= 0)
		return ebb_buf_addf(out, " by tiers = %s", amount);
	return ebb_buf_addf(out, " x %s = %s", ebb_price_text(l->figure, price), amount);
}
