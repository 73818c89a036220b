/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/habits.h"

#include <string.h>

#include "core/err.h"
#include "policies/reclass.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

/* Survival as a fraction of ONE: 32 bits, so that products fit 64. */
#define ONE (INT64_C(1) << 31)

/* Quiet times of the objects of one dataset in one store, by their length in days; longer ones count as the longest. */
struct set {
	const char *store;
	const struct ebb_rules_dataset *dataset;	/* NULL: of none */
	int64_t ended[EBB_HABITS_DAYS + 1], lasting[EBB_HABITS_DAYS + 1];
	struct set *next;
};

struct ebb_habits {
	struct ebb_arena *arena;
	const struct ebb_rules *rules;
	int64_t now;
	struct set *sets;
};

struct ebb_habits *ebb_habits_new(struct ebb_arena *arena, const struct ebb_rules *rules, int64_t now)
{
	struct ebb_habits *h = ebb_arena_calloc(arena, 1, sizeof(*h));

	if (h)
		*h = (struct ebb_habits){.arena = arena, .rules = rules, .now = now};
	return h;
}

bool ebb_habits_wanted(const struct ebb_rules *rules)
{
	for (size_t i = 0; i < ebb_rules_count(rules); i++) {
		const struct ebb_rule *r = ebb_rules_get(rules, i);

		if (r->action->id == EBB_ACTION_TIER && r->class && strcmp(r->class, EBB_RECLASS_AUTO) == 0)
			return true;
	}
	return false;
}

static struct set *find(const struct ebb_habits *h, const char *store, const char *key, size_t len)
{
	const struct ebb_rules_dataset *d = ebb_rules_dataset(h->rules, key, len);

	for (struct set *s = h->sets; s; s = s->next)
		if (s->dataset == d && strcmp(s->store, store) == 0)
			return s;
	return NULL;
}

static struct set *find_or_add(struct ebb_habits *h, const char *store, const struct ebb_record *r)
{
	struct set *s = find(h, store, r->key, r->key_len);

	if (s || !(s = ebb_arena_calloc(h->arena, 1, sizeof(*s))))
		return s;
	s->store = ebb_arena_strdup(h->arena, store);
	s->dataset = ebb_rules_dataset(h->rules, r->key, r->key_len);
	s->next = h->sets;
	h->sets = s;
	return s->store ? s : NULL;
}

/* A quiet time of @days. What ended later than can be seen lasted at least so long. */
static void count(struct set *s, int64_t days, bool ended)
{
	bool seen = days < EBB_HABITS_DAYS;

	if (days > 0)
		(ended && seen ? s->ended : s->lasting)[seen ? days : EBB_HABITS_DAYS]++;
}

/* The last quiet time that ended with a read, and the one since. */
static void learn(const struct ebb_habits *h, struct set *s, const struct ebb_record *r)
{
	uint64_t before = (uint64_t)r->f[EBB_F_DAYS] & ~UINT64_C(1);
	bool born = !ebb_record_has(r, EBB_F_WINDOW) || r->f[EBB_F_MTIME] >= r->f[EBB_F_WINDOW];
	int64_t days;

	count(s, ebb_record_idle(r, h->now, EBB_TRUST_LIKELY).lo / DAY_NS, false);
	if (before) {
		count(s, __builtin_ctzll(before), true);
	} else if (r->f[EBB_F_READS] > 0 && ebb_record_has(r, EBB_F_ATIME)) {
		/* all reads that are remembered fell on one day */
		days = (r->f[EBB_F_ATIME] - r->f[born ? EBB_F_MTIME : EBB_F_WINDOW]) / DAY_NS;
		if (born || days >= EBB_HABITS_DAYS)
			count(s, days, true);
	}
}

int ebb_habits_learn(struct ebb_habits *h, const char *store, const struct ebb_block *b, struct ebb_block_iter *iter,
		     struct ebb_err *err)
{
	const uint32_t need = EBB_KNOWN(EBB_F_READS) | EBB_KNOWN(EBB_F_DAYS) | EBB_KNOWN(EBB_F_MTIME) | EBB_KNOWN(EBB_F_KIND);
	struct ebb_record rec;
	int r = 0;

	if ((b->known_any & need) != need)
		return 0;
	ebb_block_iter_init(iter, b);
	while ((r = ebb_block_iter_next(iter, &rec, err)) == 1) {
		struct set *s;

		if ((rec.known & need) != need || rec.f[EBB_F_KIND] != EBB_KIND_FILE)
			continue;
		if (!(s = find_or_add(h, store, &rec)))
			return ebb_err_set(err, EBB_ENOMEM, "no memory for the habits of datasets");
		learn(h, s, &rec);
	}
	return r;
}

int32_t ebb_habits_ahead(const struct ebb_habits *h, const char *store, const char *key, size_t len, int32_t idle, int32_t most,
			 int64_t *ret_times)
{
	const struct set *s = find(h, store, key, len);
	int64_t risk = 0, left = ONE, sum = 0;
	int32_t day = EBB_HABITS_DAYS;

	/* @risk: quiet times that reached the day at hand */
	for (; s && day > idle; day--)
		risk += s->ended[day] + s->lasting[day];
	if (!s || idle >= EBB_HABITS_DAYS || risk < EBB_HABITS_LEAST)
		return -1;
	*ret_times = risk;
	for (day = idle + 1; day <= EBB_HABITS_DAYS && risk >= EBB_HABITS_LEAST; day++) {
		left -= left * s->ended[day] / risk;
		sum += left;
		risk -= s->ended[day] + s->lasting[day];
	}
	/* nobody saw further: who is still quiet stays so for as long again */
	sum = (sum + left * (day - 1)) / ONE;
	return sum > most ? most : (int32_t)sum;
}
