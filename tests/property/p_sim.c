/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replays: the optimum against a slow search over all sequences of classes; no policy below it; no look-ahead; and `auto` against the
 * cheapest other policy on families of traces that it was not made for.
 */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "policies/auto.h"
#include "policies/sim.h"
#include "policies/sim_best.h"
#include "tests/support/s3_tariff.h"
#include "tests/support/seed.h"

#define MIB ((int64_t)1 << 20)
#define OBJECTS 60
#define DAYS 700

/* --- the optimum --- */

#define SHORT 7

/* The least cost of days @d and later for who stands at @p. */
static ebb_tariff_num slow(const struct ebb_tariff *t, struct ebb_tariff_place p, int64_t size,
			   const int64_t *reads, int d)
{
	ebb_tariff_num best = (ebb_tariff_num)1 << 120;

	if (d == SHORT)
		return 0;
	for (int c = 0; c < (int)t->n; c++) {
		struct ebb_tariff_place q = p;
		ebb_tariff_num cost;

		if (t->class[c].nsinks)
			continue;
		cost = ebb_tariff_move(t, &q, c, size);
		cost += ebb_tariff_day(t, &q, size, reads[d]);
		cost += slow(t, q, size, reads, d + 1);
		if (cost < best)
			best = cost;
	}
	return best;
}

static void optimum(struct ebb_prng *r)
{
	struct ebb_tariff t = s3_tariff;
	struct ebb_sim_best *b;
	int64_t reads[SHORT], size = (int64_t)ebb_prng_below(r, 64) * MIB + 1;
	struct ebb_tariff_place begin = {0};

	/* short minimums and cheap reads, so that a week has something to decide */
	t.class[STANDARD_IA].min_days = (int32_t)ebb_prng_below(r, 4);
	t.class[GLACIER_IR].min_days = (int32_t)ebb_prng_below(r, 6);
	t.class[STANDARD_IA].retrieval /= 1 + (int64_t)ebb_prng_below(r, 200);
	t.class[GLACIER_IR].retrieval /= 1 + (int64_t)ebb_prng_below(r, 200);
	for (int d = 0; d < SHORT; d++)
		reads[d] = ebb_prng_below(r, 3) ? -1 : (int64_t)ebb_prng_below(r, (uint64_t)size + 1);
	b = ebb_sim_best_new(&t, 1);
	EBB_SEED_CHECK(b, "no memory");
	for (int d = 0; d < SHORT; d++)
		ebb_sim_best_day(b, 0, size, reads[d]);
	EBB_SEED_CHECK(ebb_sim_best_cost(b, 0) == slow(&t, begin, size, reads, 0),
		       "the optimum of %lld bytes is not what a slow search finds", (long long)size);
	ebb_sim_best_free(b);
}

/* --- families of traces --- */

/* Thousandths of the object that are read on a day, -1: none. @state: what it likes to remember. */
typedef int64_t family_fn(struct ebb_prng *r, int object, int day, int64_t *state);

static bool chance(struct ebb_prng *r, uint64_t one_in)
{
	return ebb_prng_below(r, one_in) == 0;
}

/* Whole reads at a rate of the object's own, once in 5 to 400 days. */
static int64_t poisson(struct ebb_prng *r, int object, int day, int64_t *state)
{
	(void)day;
	(void)state;
	return chance(r, 5 + (uint64_t)(object * object) % 396) ? 1000 : -1;
}

/* Days or weeks of heavy reading, then months of none. */
static int64_t bursty(struct ebb_prng *r, int object, int day, int64_t *state)
{
	(void)object;
	if (day > *state + 20)
		*state = day + (int64_t)ebb_prng_below(r, 300);
	return day >= *state ? (int64_t)ebb_prng_below(r, 4000) : -1;
}

static int64_t periodic(struct ebb_prng *r, int object, int day, int64_t *state)
{
	static const int periods[] = {1, 7, 30, 91, 182, 365};

	(void)r;
	(void)state;
	return day % periods[object % 6] == 0 ? 1000 : -1;
}

/* The longer it was not read, the longer it will not be: gaps double or start anew. */
static int64_t heavy_tailed(struct ebb_prng *r, int object, int day, int64_t *state)
{
	int64_t gap = 1;

	(void)object;
	if (day < *state)
		return -1;
	while (gap < 1024 && !chance(r, 2))
		gap *= 2;
	*state = day + gap + (int64_t)ebb_prng_below(r, (uint64_t)gap);
	return (int64_t)ebb_prng_below(r, 1200);
}

/* Read daily at first, hardly ever later. */
static int64_t drifting(struct ebb_prng *r, int object, int day, int64_t *state)
{
	(void)state;
	return chance(r, 1 + (uint64_t)(day / (10 + object))) ? (int64_t)ebb_prng_below(r, 1500) : -1;
}

static int64_t never(struct ebb_prng *r, int object, int day, int64_t *state)
{
	(void)r;
	(void)object;
	(void)day;
	(void)state;
	return -1;
}

static int64_t hot(struct ebb_prng *r, int object, int day, int64_t *state)
{
	(void)object;
	(void)day;
	(void)state;
	return chance(r, 5) ? -1 : (int64_t)ebb_prng_below(r, 2000);
}

/* Looked at every other day, hardly anything fetched. */
static int64_t tiny(struct ebb_prng *r, int object, int day, int64_t *state)
{
	(void)object;
	(void)day;
	(void)state;
	return chance(r, 2) ? (int64_t)ebb_prng_below(r, 3) : -1;
}

/* A whole read every six weeks: just when a colder class would have begun to pay. */
static int64_t warm(struct ebb_prng *r, int object, int day, int64_t *state)
{
	(void)object;
	(void)day;
	(void)state;
	return chance(r, 45) ? 1000 : -1;
}

/* A read and a half on the day after patience ended: the worst for who waits. */
static int64_t adversary(struct ebb_prng *r, int object, int day, int64_t *state)
{
	(void)r;
	(void)state;
	return day % (object % 2 ? 60 : 99) == 0 ? 1500 : -1;
}

static int64_t mixed(struct ebb_prng *r, int object, int day, int64_t *state)
{
	static family_fn *const all[] = {poisson, bursty, periodic, heavy_tailed, drifting, never, hot, tiny};

	return all[object % 8](r, object, day, state);
}

/*
 * What `auto` may cost at most, in thousandths of the cheapest other policy. Over many seeds it is 1000 to 1030 on the average, 1090 where
 * nothing is ever read and the cheapest is to be in the coldest class from the first day; a trace of sixty objects strays.
 */
static const struct {
	const char *name;
	family_fn *next;
	int64_t bound;
} families[] = {
	{"poisson", poisson, 1150},
	{"bursty", bursty, 1100},
	{"periodic", periodic, 1050},
	{"heavy-tailed", heavy_tailed, 1100},
	{"drifting", drifting, 1050},
	{"never read", never, 1250},
	{"hot", hot, 1001},
	{"tiny reads", tiny, 1250},
	{"warm", warm, 1100},
	{"adversary", adversary, 1050},
	{"mixed", mixed, 1050},
};

static void replay(struct ebb_prng *r, family_fn *next, int64_t nano[EBB_SIM_POLICIES])
{
	struct ebb_sim_object objects[OBJECTS];
	int64_t state[OBJECTS] = {0};
	struct ebb_sim *s = NULL;
	struct ebb_err err = {0};
	struct ebb_money m = {0};

	for (int i = 0; i < OBJECTS; i++) {
		objects[i].size = MIB << (10 + ebb_prng_below(r, 8));
		objects[i].created = (int32_t)ebb_prng_below(r, DAYS / 2);
	}
	EBB_SEED_CHECK(ebb_sim_new(&s3_tariff, objects, OBJECTS, &s, &err) == 0, "%s", err.msg);
	for (int d = 0; d < DAYS; d++)
		for (int i = 0; i < OBJECTS; i++) {
			int64_t part = d < objects[i].created ? -1
							    : next(r, i, d - objects[i].created, &state[i]);

			/* the last day is read, so that all traces are as long */
			if (part >= 0 || d == DAYS - 1)
				ebb_sim_read(s, (size_t)i, d, part > 0 ? objects[i].size / 1000 * part : 0);
		}
	ebb_sim_end(s);
	for (int p = 0; p < EBB_SIM_POLICIES; p++) {
		EBB_SEED_CHECK(ebb_sim_cost(s, p, &m, &err) == 0, "%s", err.msg);
		nano[p] = m.nano;
	}
	ebb_sim_free(s);
}

static void bounded(struct ebb_prng *r, size_t family)
{
	int64_t nano[EBB_SIM_POLICIES], again[EBB_SIM_POLICIES], least = INT64_MAX;
	struct ebb_prng same = *r;

	replay(r, families[family].next, nano);
	for (int p = 0; p < EBB_SIM_AUTO; p++)
		least = nano[p] < least ? nano[p] : least;
	for (int p = 0; p <= EBB_SIM_IDLE_STICKY; p++)
		EBB_SEED_CHECK(nano[EBB_SIM_CLAIRVOYANT] <= nano[p], "%s: %s costs less than the optimum",
			       families[family].name, ebb_sim_name(p));
	EBB_SEED_CHECK((__int128)nano[EBB_SIM_AUTO] * 1000 <= (__int128)least * families[family].bound,
		       "%s: auto costs %lld nano, the cheapest other %lld", families[family].name,
		       (long long)nano[EBB_SIM_AUTO], (long long)least);
	replay(&same, families[family].next, again);
	EBB_SEED_CHECK(memcmp(nano, again, sizeof(nano)) == 0, "%s: not the same twice",
		       families[family].name);
}

/* Two futures, one past: the same decisions until they part. */
static void no_look_ahead(struct ebb_prng *r)
{
	struct ebb_auto *a = ebb_auto_new(&s3_tariff, 2), *b = ebb_auto_new(&s3_tariff, 2);
	int part = 1 + (int)ebb_prng_below(r, 300);
	int64_t size = MIB << ebb_prng_below(r, 20), state = 0;

	EBB_SEED_CHECK(a && b, "no memory");
	for (size_t i = 0; i < 2; i++) {
		ebb_auto_begin(a, i, size);
		ebb_auto_begin(b, i, size);
	}
	for (int d = 0; d <= part; d++) {
		for (size_t i = 0; i < 2; i++) {
			int64_t bytes = mixed(r, (int)i + part % 8, d, &state);

			bytes = bytes > 0 ? size / 1000 * bytes : bytes;
			EBB_SEED_CHECK(ebb_auto_class(a, i) == ebb_auto_class(b, i),
				       "day %d: decided by what was not seen", d);
			ebb_auto_learn(a, i, bytes);
			ebb_auto_learn(b, i, d == part ? 1000 * size : bytes);
		}
		ebb_auto_next_day(a);
		ebb_auto_next_day(b);
	}
	ebb_auto_free(a);
	ebb_auto_free(b);
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();

	for (int i = 0; i < 150; i++)
		optimum(&r);
	for (int i = 0; i < 50; i++)
		no_look_ahead(&r);
	for (size_t f = 0; f < EBB_ARRAY_LEN(families); f++)
		bounded(&r, f);
	return 0;
}
