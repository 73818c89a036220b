/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/sim.h"

#include <stdlib.h>

#include "core/err.h"
#include "policies/auto.h"
#include "policies/sim_best.h"

/* When age and idle rules move: the days of the usual lifecycle configuration. */
#define COLD_DAYS 30
#define COLDER_DAYS 90

/* Policies that are a class for a given day. */
#define SIMPLE EBB_SIM_AUTO

enum { STANDARD, STANDARD_IA, GLACIER_IR, INTELLIGENT_TIERING, CLASSES };

static const char *const class_names[CLASSES] = {"STANDARD", "STANDARD_IA", "GLACIER_IR",
						 "INTELLIGENT_TIERING"};

struct object {
	int64_t size, today;	/* bytes read today, -1: not read */
	int32_t created, read;	/* days; the day after the last read */
	struct ebb_tariff_place place[EBB_SIM_AUTO + 1];
};

struct ebb_sim {
	const struct ebb_tariff *t;
	int class[CLASSES];	/* their numbers in the tariff */
	size_t n, begun;	/* objects by creation; those before `begun` exist today */
	size_t *order;
	struct object *objects;
	struct ebb_auto *auto_;
	struct ebb_sim_best *best;
	int32_t day;		/* today */
	ebb_tariff_num cost[EBB_SIM_POLICIES];
};

/* Where an object should be after so many days. */
static int by_days(int32_t days)
{
	return days < COLD_DAYS ? STANDARD : days < COLDER_DAYS ? STANDARD_IA : GLACIER_IR;
}

static int by_age(const struct object *o, int32_t day, int now)
{
	(void)now;
	return by_days(day - o->created);
}

static int by_idle(const struct object *o, int32_t day, int now)
{
	(void)now;
	return by_days(day - o->read);
}

/* Colder classes have higher numbers. */
static int by_idle_sticky(const struct object *o, int32_t day, int now)
{
	int class = by_days(day - o->read);

	return class > now ? class : now;
}

static const struct policy {
	const char *name, *text;
	int class;	/* always this one, unless there is a function */
	int (*want)(const struct object *o, int32_t day, int now);
} policies[EBB_SIM_POLICIES] = {
	[EBB_SIM_STANDARD] = {"standard", "everything in STANDARD", STANDARD, NULL},
	[EBB_SIM_STANDARD_IA] = {"standard_ia", "everything in STANDARD_IA", STANDARD_IA, NULL},
	[EBB_SIM_GLACIER_IR] = {"glacier_ir", "everything in GLACIER_IR", GLACIER_IR, NULL},
	[EBB_SIM_AGE] = {"age", "by age: STANDARD_IA at 30 days, GLACIER_IR at 90", 0, by_age},
	[EBB_SIM_IDLE] = {"idle", "idle 30 and 90 days, back on the day after a read", 0, by_idle},
	[EBB_SIM_IDLE_STICKY] = {"idle_sticky", "idle 30 and 90 days, never back", 0,
				 by_idle_sticky},
	[EBB_SIM_INTELLIGENT_TIERING] = {"intelligent_tiering", "everything in INTELLIGENT_TIERING",
					 INTELLIGENT_TIERING, NULL},
	[EBB_SIM_AUTO] = {"auto", "tier: class: auto, from the past alone", 0, NULL},
	[EBB_SIM_CLAIRVOYANT] = {"clairvoyant", "the optimum, for who knows the future", 0, NULL},
};

const char *ebb_sim_name(enum ebb_sim_policy p)
{
	return policies[p].name;
}

const char *ebb_sim_text(enum ebb_sim_policy p)
{
	return policies[p].text;
}

static int by_creation(const void *a, const void *b, void *arg)
{
	const struct object *o = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;

	if (o[i].created != o[j].created)
		return o[i].created < o[j].created ? -1 : 1;
	return i < j ? -1 : i > j;
}

static int find_classes(struct ebb_sim *s, struct ebb_err *err)
{
	for (int c = 0; c < CLASSES; c++) {
		s->class[c] = ebb_tariff_find(s->t, class_names[c]);
		if (s->class[c] < 0)
			return ebb_err_set(err, EBB_ECONFIG, "class %s has no price",
					   class_names[c]);
	}
	return 0;
}

int ebb_sim_new(const struct ebb_tariff *t, const struct ebb_sim_object *objects, size_t n,
		struct ebb_sim **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_sim_freep) struct ebb_sim *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to simulate");
	s->t = t;
	r = find_classes(s, err);
	if (r < 0)
		return r;
	s->n = n;
	s->order = calloc(n + 1, sizeof(*s->order));
	s->objects = calloc(n + 1, sizeof(*s->objects));
	s->auto_ = ebb_auto_new(t, n);
	s->best = ebb_sim_best_new(t, n);
	if (!s->order || !s->objects || !s->auto_ || !s->best)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to simulate %zu objects", n);
	for (size_t i = 0; i < n; i++) {
		s->order[i] = i;
		s->objects[i] = (struct object){.size = objects[i].size,
						.created = objects[i].created,
						.read = objects[i].created,
						.today = -1};
	}
	qsort_r(s->order, n, sizeof(*s->order), by_creation, s->objects);
	s->day = n ? s->objects[s->order[0]].created : 0;
	*ret = s;
	s = NULL;
	return 0;
}

void ebb_sim_free(struct ebb_sim *s)
{
	if (!s)
		return;
	free(s->order);
	free(s->objects);
	ebb_auto_free(s->auto_);
	ebb_sim_best_free(s->best);
	free(s);
}

static void charge(struct ebb_sim *s, struct object *o, enum ebb_sim_policy p, int class)
{
	s->cost[p] += ebb_tariff_move(s->t, &o->place[p], class, o->size) +
		      ebb_tariff_day(s->t, &o->place[p], o->size, o->today);
}

static void charge_object(struct ebb_sim *s, size_t i)
{
	struct object *o = &s->objects[i];

	for (int p = 0; p < SIMPLE; p++) {
		const struct policy *policy = &policies[p];
		int now = o->place[p].class;

		charge(s, o, p, s->class[policy->want ? policy->want(o, s->day, now) : policy->class]);
	}
	charge(s, o, EBB_SIM_AUTO, ebb_auto_class(s->auto_, i));
	ebb_auto_learn(s->auto_, i, o->today);
	ebb_sim_best_day(s->best, i, o->size, o->today);
}

/* Today is over: charge it, and go on to tomorrow. */
static void finish_day(struct ebb_sim *s)
{
	for (; s->begun < s->n && s->objects[s->order[s->begun]].created <= s->day; s->begun++) {
		size_t i = s->order[s->begun];

		ebb_auto_begin(s->auto_, i, s->objects[i].size);
	}
	for (size_t k = 0; k < s->begun; k++) {
		struct object *o = &s->objects[s->order[k]];

		charge_object(s, s->order[k]);
		if (o->today >= 0)
			o->read = s->day + 1;
		o->today = -1;
	}
	ebb_auto_next_day(s->auto_);
	s->day++;
}

void ebb_sim_read(struct ebb_sim *s, size_t i, int32_t day, int64_t bytes)
{
	struct object *o = &s->objects[i];

	while (s->day < day)
		finish_day(s);
	o->today = o->today < 0 ? bytes : o->today + bytes;
	if (o->today > EBB_TARIFF_BYTES)
		o->today = EBB_TARIFF_BYTES;
}

void ebb_sim_end(struct ebb_sim *s)
{
	finish_day(s);
	for (size_t i = 0; i < s->n; i++)
		s->cost[EBB_SIM_CLAIRVOYANT] += ebb_sim_best_cost(s->best, i);
}

int ebb_sim_cost(const struct ebb_sim *s, enum ebb_sim_policy p, struct ebb_money *ret,
		 struct ebb_err *err)
{
	return ebb_tariff_money(s->t, s->cost[p], ret, err);
}
