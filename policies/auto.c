/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/auto.h"

#include <stdlib.h>

/* Retrievals of the whole object that a return costs: what ends the quiet, and leaving. */
#define RETURN_READS 2

/* What a candidate does. */
enum way {
	STAY,	/* at the base */
	WAIT,	/* goes to its class after its patience, comes back when that has cost a return */
	BE	/* in its class from the first day */
};

struct candidate {
	enum way way;
	int class;
};

/* One candidate's life on one object, on paper. */
struct life {
	struct ebb_tariff_place place;
	int32_t quiet;		/* whole days on which less than quiet_bytes were read */
	int32_t patience;
	int64_t quiet_bytes;
	ebb_tariff_num fetched;	/* bytes read since it came where it is */
	ebb_tariff_num cost;	/* ticks for a KiB */
};

struct object {
	int64_t size, weight;
	int base, lead;
	struct ebb_tariff_place place;	/* where it really is */
};

struct ebb_auto {
	const struct ebb_tariff *t;
	struct candidate candidate[2 * EBB_TARIFF_MAX];
	size_t n;
	struct object *objects;
	struct life *lives;	/* n for each object */
	/* weighted sums over objects and days: until yesterday, and today's */
	ebb_tariff_num cost[2 * EBB_TARIFF_MAX], days;
	int32_t elapsed;	/* days that the population has been watched */
	ebb_tariff_num cost_today[2 * EBB_TARIFF_MAX], days_today;
};

/* --- when is it quiet enough --- */

static int watched_class(const struct ebb_tariff *t)
{
	for (size_t c = 0; c < t->n; c++)
		if (t->class[c].nsinks > 0)
			return (int)c;
	return 0;
}

int ebb_auto_base(const struct ebb_tariff *t, int64_t size)
{
	int c = watched_class(t);
	const struct ebb_tariff_class *w = &t->class[c];
	int64_t saved;

	if (c == 0 || size < w->watched_from)
		return 0;
	saved = t->class[0].storage - w->sink[w->nsinks - 1].storage;
	return (ebb_tariff_num)saved * size > (ebb_tariff_num)w->watch << 30 ? c : 0;
}

/* What a day in @class saves. */
static ebb_tariff_num saving(const struct ebb_tariff *t, int base, int class, int64_t size)
{
	return ebb_tariff_storage(t, base, size) - ebb_tariff_storage(t, class, size);
}

bool ebb_auto_colder(const struct ebb_tariff *t, int base, int class, int64_t size)
{
	return class != base && class != 0 && !t->class[class].offline &&
	       t->class[class].nsinks == 0 && saving(t, base, class, size) > 0;
}

int64_t ebb_auto_quiet_bytes(const struct ebb_tariff *t, int base, int class, int64_t size)
{
	ebb_tariff_num byte = ebb_tariff_retrieval(t, class, 1), bytes;

	if (byte == 0)
		return INT64_MAX;
	bytes = saving(t, base, class, size) / byte;
	return bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX;
}

int32_t ebb_auto_patience(const struct ebb_tariff *t, int base, int class, int64_t size)
{
	ebb_tariff_num a_return = RETURN_READS * ebb_tariff_retrieval(t, class, size) +
				  ebb_tariff_entry(t, class) + ebb_tariff_entry(t, base);
	ebb_tariff_num day = saving(t, base, class, size), days;

	if (!ebb_auto_colder(t, base, class, size))
		return INT32_MAX;
	days = (a_return + day - 1) / day;
	return days < INT32_MAX ? (int32_t)days : INT32_MAX;
}

/* --- whom to believe --- */

/* The colder class that is cheapest to leave: the first to be waited for. */
static int nearest(const struct ebb_tariff *t)
{
	int near = -1;

	for (size_t c = 1; c < t->n; c++)
		if (t->class[c].nsinks == 0 && !t->class[c].offline &&
		    (near < 0 || t->class[c].retrieval < t->class[near].retrieval))
			near = (int)c;
	return near;
}

static void add_candidate(struct ebb_auto *a, enum way way, int class)
{
	a->candidate[a->n++] = (struct candidate){way, class};
}

struct ebb_auto *ebb_auto_new(const struct ebb_tariff *t, size_t objects)
{
	struct ebb_auto *a = calloc(1, sizeof(*a));
	int near = nearest(t);

	if (!a)
		return NULL;
	a->t = t;
	if (near > 0)
		add_candidate(a, WAIT, near);
	add_candidate(a, STAY, 0);
	for (int c = 1; c < (int)t->n; c++) {
		if (t->class[c].nsinks > 0 || t->class[c].offline)
			continue;
		if (c != near)
			add_candidate(a, WAIT, c);
		add_candidate(a, BE, c);
	}
	a->objects = calloc(objects + 1, sizeof(*a->objects));
	a->lives = calloc(objects + 1, a->n * sizeof(*a->lives));
	if (a->objects && a->lives)
		return a;
	ebb_auto_free(a);
	return NULL;
}

void ebb_auto_free(struct ebb_auto *a)
{
	if (!a)
		return;
	free(a->objects);
	free(a->lives);
	free(a);
}

static int64_t square_root(int64_t n)
{
	int64_t r = 0;

	for (int64_t bit = (int64_t)1 << 30; bit; bit >>= 1)
		if ((r + bit) * (r + bit) <= n)
			r += bit;
	return r;
}

/*
 * Objects weigh by the root of their size: money goes by bytes, but a single large object would
 * then speak for all of them.
 */
void ebb_auto_begin(struct ebb_auto *a, size_t i, int64_t size)
{
	struct object *o = &a->objects[i];

	o->size = size;
	o->weight = 1 + square_root(size);
	o->base = ebb_auto_base(a->t, size);
	for (size_t k = 0; k < a->n; k++) {
		int class = a->candidate[k].class;

		a->lives[i * a->n + k] = (struct life){
			.patience = ebb_auto_patience(a->t, o->base, class, size),
			.quiet_bytes = ebb_auto_quiet_bytes(a->t, o->base, class, size),
		};
	}
}

/* Did the base begin to tier the object by itself? What is cheap where it is stays there. */
static bool sinks(const struct ebb_auto *a, const struct object *o,
		  const struct ebb_tariff_place *p)
{
	const struct ebb_tariff_class *base = &a->t->class[o->base];

	return p->class == o->base && base->nsinks > 0 && o->size >= base->watched_from &&
	       p->unread >= base->sink[0].after_days;
}

/* Where a candidate spends today. */
static int want(const struct ebb_auto *a, const struct object *o, const struct candidate *c,
		const struct life *l)
{
	if (c->way == BE && ebb_auto_colder(a->t, o->base, c->class, o->size))
		return c->class;
	if (c->way != WAIT)
		return o->base;
	if (l->place.class == c->class)
		return l->fetched < o->size || a->t->class[c->class].retrieval == 0 ? c->class
										  : o->base;
	return l->quiet >= l->patience && !sinks(a, o, &l->place) ? c->class : o->base;
}

/* Ticks that candidate @k may be cheaper by on paper without being believed. */
static ebb_tariff_num unpaid(const struct ebb_auto *a, size_t k)
{
	return k == 0 || a->candidate[k].way == STAY
		       ? 0
		       : ebb_tariff_retrieval(a->t, a->candidate[k].class, 1024);
}

/* What candidate @k costs a KiB: the object's own past, and some days of the population's. */
static ebb_tariff_num score(const struct ebb_auto *a, size_t i, size_t k)
{
	int32_t days = a->elapsed < EBB_AUTO_PRIOR_DAYS ? a->elapsed : EBB_AUTO_PRIOR_DAYS;
	ebb_tariff_num all = a->days ? a->cost[k] / a->days * days : 0;

	return a->lives[i * a->n + k].cost + all + unpaid(a, k);
}

int ebb_auto_class(struct ebb_auto *a, size_t i)
{
	struct object *o = &a->objects[i];
	ebb_tariff_num doubt = RETURN_READS * ebb_tariff_retrieval(a->t, a->candidate[0].class, 1024);
	ebb_tariff_num least = score(a, i, (size_t)o->lead) - doubt;

	for (size_t k = 0; k < a->n; k++) {
		ebb_tariff_num s = score(a, i, k);

		if ((int)k != o->lead && s < least) {
			least = s;
			o->lead = (int)k;
		}
	}
	int class = want(a, o, &a->candidate[o->lead], &a->lives[i * a->n + (size_t)o->lead]);
	if (sinks(a, o, &o->place))
		class = o->base;
	if (class != o->place.class)
		o->place = (struct ebb_tariff_place){.class = class};
	return class;
}

static ebb_tariff_num live(const struct ebb_auto *a, const struct object *o,
			   const struct candidate *c, struct life *l, int64_t bytes)
{
	int class = want(a, o, c, l);
	ebb_tariff_num cost;

	if (class != l->place.class) {
		l->fetched = 0;
		l->quiet = 0;
	}
	cost = ebb_tariff_move(a->t, &l->place, class, o->size);
	cost += ebb_tariff_day(a->t, &l->place, o->size, bytes);
	l->quiet = bytes > 0 && bytes >= l->quiet_bytes ? 0 : l->quiet + 1;
	if (bytes > 0)
		l->fetched += bytes;
	return cost;
}

void ebb_auto_learn(struct ebb_auto *a, size_t i, int64_t bytes)
{
	struct object *o = &a->objects[i];
	int64_t kib = o->size >> 10 ? o->size >> 10 : 1;

	for (size_t k = 0; k < a->n; k++) {
		struct life *l = &a->lives[i * a->n + k];
		ebb_tariff_num cost = live(a, o, &a->candidate[k], l, bytes) / kib;

		l->cost += cost;
		a->cost_today[k] += cost * o->weight;
	}
	a->days_today += o->weight;
	ebb_tariff_day(a->t, &o->place, o->size, bytes);
}

void ebb_auto_next_day(struct ebb_auto *a)
{
	for (size_t k = 0; k < a->n; k++) {
		a->cost[k] += a->cost_today[k];
		a->cost_today[k] = 0;
	}
	a->days += a->days_today;
	a->days_today = 0;
	a->elapsed++;
}
