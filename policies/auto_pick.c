/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/auto_pick.h"

#include "policies/auto.h"

/* A return: the read that ends the quiet, and leaving. */
#define RETURN_READS 2

static int32_t least(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* Storage for @days, of which the first begins after @unread days without a read. */
static ebb_tariff_num storage(const struct ebb_tariff *t, int class, int64_t size, int32_t unread,
			      int32_t days)
{
	const struct ebb_tariff_class *c = &t->class[class];
	ebb_tariff_num cost = 0;
	struct ebb_tariff_place p = {.class = class, .unread = unread};

	/* one piece for each sink: a day of it, times the days until the next */
	while (days > 0) {
		int32_t piece = days;

		for (int i = 0; i < c->nsinks && size >= c->watched_from; i++)
			if (p.unread < c->sink[i].after_days)
				piece = least(piece, c->sink[i].after_days - p.unread);

		struct ebb_tariff_place day = p;
		cost += piece * ebb_tariff_day(t, &day, size, -1);
		p.unread += piece;
		days -= piece;
	}
	return cost;
}

/* Days to look ahead for a move to @class. */
static int32_t ahead(const struct ebb_tariff *t, int from, int class,
		     const struct ebb_auto_pick_facts *f)
{
	int32_t quiet = f->told ? f->ahead : f->idle;

	/* any read, however small, takes an object back up in a class that tiers by itself */
	if (t->class[class].nsinks == 0 && f->daily >= 0 && f->window > quiet &&
	    f->daily <= ebb_auto_quiet_bytes(t, from, class, f->size))
		quiet = f->window;
	return least(quiet, EBB_AUTO_PICK_DAYS);
}

static ebb_tariff_num reads(const struct ebb_tariff *t, int class, int32_t days,
			    const struct ebb_auto_pick_facts *f)
{
	return f->daily > 0 ? days * ebb_tariff_retrieval(t, class, f->daily) : 0;
}

static struct ebb_auto_pick weigh(const struct ebb_tariff *t, int from, int class,
				  const struct ebb_auto_pick_facts *f)
{
	const struct ebb_tariff_class *c = &t->class[class];
	struct ebb_tariff_place here = {.class = from, .days = f->days_in_class};
	struct ebb_auto_pick p = {.class = class, .days = ahead(t, from, class, f)};
	int32_t early = c->min_days > p.days ? c->min_days - p.days : 0;
	/* what tiers by itself has seen reads as rarely as the object was read */
	int32_t unread = f->daily > 0 ? 0 : f->idle;

	p.stay = storage(t, from, f->size, unread, p.days) + reads(t, from, p.days, f);
	p.there = storage(t, class, f->size, 0, p.days) + reads(t, class, p.days, f) +
		  early * ebb_tariff_storage(t, class, f->size) +
		  RETURN_READS * ebb_tariff_retrieval(t, class, f->size) + ebb_tariff_entry(t, from);
	p.move = ebb_tariff_leave(t, &here, f->size) + ebb_tariff_entry(t, class);
	return p;
}

struct ebb_auto_pick ebb_auto_pick(const struct ebb_tariff *t, int from, const bool *eligible,
				   const struct ebb_auto_pick_facts *f)
{
	struct ebb_auto_pick best = {.class = from};
	ebb_tariff_num most = 0;

	for (int c = 0; c < (int)t->n; c++) {
		struct ebb_auto_pick p;

		if (c == from || !eligible[c] || t->class[c].offline)
			continue;
		p = weigh(t, from, c, f);
		if (p.days > 0 && p.stay - p.there - p.move > most) {
			most = p.stay - p.there - p.move;
			best = p;
		}
	}
	return best;
}
