/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/meter.h"

/* Price of one byte, request or object. */
static long double unit(const struct ebb_price_figure *f)
{
	return f->ntiers ? (long double)f->tiers[0].atto / 1e18L / (long double)f->per : 0;
}

static long double of(const struct ebb_price_class *c, enum ebb_price_item i)
{
	return unit(&c->item[i]);
}

static int64_t billed(const struct ebb_price_class *c, int64_t size)
{
	return size < c->min_bytes ? c->min_bytes : size;
}

/* The place of an object in a class that tiers by itself. */
static long double rate(const struct ebb_meter *m)
{
	long double price = of(m->class, EBB_PRICE_STORAGE);

	if (m->size < m->class->monitored_from)
		return price;
	for (size_t i = 0; i < m->class->nsinks; i++)
		if (!m->class->sink[i].opt_in && m->idle >= m->class->sink[i].after_days)
			price = unit(&m->class->sink[i].storage);
	return price;
}

void ebb_meter_start(struct ebb_meter *m, const struct ebb_price_class *class, int64_t size,
		     int64_t days)
{
	*m = (struct ebb_meter){.class = class, .size = size, .days = days};
}

void ebb_meter_day(struct ebb_meter *m)
{
	const struct ebb_price_class *c = m->class;
	long double month = (long double)billed(c, m->size) * rate(m);

	month += (long double)c->overhead * of(c, EBB_PRICE_STORAGE);
	month += (long double)c->overhead_standard * of(c->standard, EBB_PRICE_STORAGE);
	if (m->size >= c->monitored_from)
		month += of(c, EBB_PRICE_MONITORING);
	if (m->thawed > 0) {
		month += (long double)m->size * of(c->standard, EBB_PRICE_STORAGE);
		m->thawed--;
	}
	m->bill += month / 30;
	m->days++;
	m->idle++;
}

static void restore(struct ebb_meter *m)
{
	const struct ebb_price_restore *r = &m->class->restore[EBB_PRICE_BULK];

	while (!r->retrieval.ntiers)
		r++;
	m->bill += unit(&r->request) + (long double)m->size * unit(&r->retrieval);
	m->thawed = 2;
}

void ebb_meter_read(struct ebb_meter *m)
{
	m->bill += of(m->class, EBB_PRICE_GET);
	if (m->class->offline)
		restore(m);
	else
		m->bill += (long double)m->size * of(m->class, EBB_PRICE_RETRIEVAL);
	m->idle = 0;
}

/* The days that were promised and not used. */
static void leave(struct ebb_meter *m)
{
	int64_t left = m->class->min_days - m->days;

	if (left > 0)
		m->bill += (long double)billed(m->class, m->size) *
			   of(m->class, EBB_PRICE_STORAGE) * (long double)left / 30;
}

void ebb_meter_change(struct ebb_meter *m, const struct ebb_price_class *to, bool moved)
{
	if (!moved) {
		ebb_meter_read(m);
		/* The copy is paid for, whether or not the archived object is still there. */
		m->bill += (long double)m->size * of(m->class->standard, EBB_PRICE_STORAGE) *
			   m->thawed / 30;
		m->thawed = 0;
		m->bill += of(to, EBB_PRICE_PUT) +
			   (long double)m->size * of(to, EBB_PRICE_UPLOAD);
	} else {
		m->bill += of(to, EBB_PRICE_TRANSITION);
	}
	if (!moved || !m->class->moves_free_early)
		leave(m);
	m->class = to;
	m->days = m->idle = 0;
}

void ebb_meter_delete(struct ebb_meter *m)
{
	leave(m);
}
