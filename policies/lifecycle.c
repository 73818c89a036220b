/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/lifecycle.h"

#include <string.h>

#include "core/mem.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

/* From warm to cold: moves go down this list only. */
static const char *const waterfall[] = {"STANDARD",   "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA",
					"GLACIER_IR", "GLACIER",     "DEEP_ARCHIVE"};

/* Classes that take small objects in configurations of the old kind: this place in the list and behind. */
#define ARCHIVE 5

/* Place in the list; classes that are not in it stand behind it. */
static size_t place(const char *class)
{
	size_t i = 0;

	while (i < EBB_ARRAY_LEN(waterfall) && strcmp(waterfall[i], class) != 0)
		i++;
	return i;
}

static bool is_colder(const char *class, const char *than)
{
	size_t a = place(class), b = place(than);

	return strcmp(class, than) != 0 && (a > b || a == EBB_ARRAY_LEN(waterfall));
}

bool ebb_lifecycle_is_blind(const struct ebb_lifecycle_rule *r)
{
	return r->ntags > 0;
}

static bool meets(const struct ebb_lifecycle_rule *r, const struct ebb_lifecycle_object *o)
{
	size_t len = strlen(r->prefix);

	return r->enabled && !ebb_lifecycle_is_blind(r) && o->key_len >= len &&
	       memcmp(o->key, r->prefix, len) == 0 && (r->over < 0 || o->size > r->over) &&
	       (r->under < 0 || o->size < r->under);
}

static bool is_due(const struct ebb_lifecycle_when *w, int64_t created, int64_t now)
{
	int64_t at;

	if (w->date >= 0)
		return now >= w->date;
	if (__builtin_mul_overflow(w->days, DAY_NS, &at) || __builtin_add_overflow(at, created, &at) ||
	    __builtin_add_overflow(at, DAY_NS - 1, &at))
		return false;
	return at / DAY_NS * DAY_NS <= now;
}

/* Too small to be moved to @class by this rule? */
static bool is_small(const struct ebb_lifecycle *lc, const struct ebb_lifecycle_rule *r,
		     const struct ebb_lifecycle_object *o, const char *class)
{
	if (o->size >= EBB_LIFECYCLE_SMALL || r->over >= 0 || r->under >= 0)
		return false;
	return !(lc->by_class && place(class) >= ARCHIVE);
}

/* One move of a rule that meets the object, against the best found so far. */
static void try_move(const struct ebb_lifecycle *lc, size_t rule, const struct ebb_lifecycle_move *m,
		     const struct ebb_lifecycle_object *o, int64_t now, struct ebb_lifecycle_due *best)
{
	const struct ebb_lifecycle_rule *r = &lc->rules[rule];
	enum ebb_lifecycle_fate fate = EBB_LIFECYCLE_MOVES;

	if (!is_colder(m->class, o->class))
		return;
	if (!is_due(&m->when, o->created, now))
		fate = EBB_LIFECYCLE_LATER;
	else if (is_small(lc, r, o, m->class))
		fate = EBB_LIFECYCLE_SKIPPED;
	if (fate > best->fate ||
	    (fate == best->fate && fate != EBB_LIFECYCLE_LATER && is_colder(m->class, best->class)))
		*best = (struct ebb_lifecycle_due){fate, rule, m->class};
}

struct ebb_lifecycle_due ebb_lifecycle_due(const struct ebb_lifecycle *lc,
					   const struct ebb_lifecycle_object *o, int64_t now)
{
	struct ebb_lifecycle_due best = {.fate = EBB_LIFECYCLE_STAYS};

	for (size_t i = 0; i < lc->n; i++) {
		const struct ebb_lifecycle_rule *r = &lc->rules[i];

		if (!meets(r, o))
			continue;
		if (r->expires && is_due(&r->expire, o->created, now))
			return (struct ebb_lifecycle_due){EBB_LIFECYCLE_EXPIRES, i, NULL};
		if (r->expires && best.fate == EBB_LIFECYCLE_STAYS)
			best = (struct ebb_lifecycle_due){EBB_LIFECYCLE_LATER, i, NULL};
		for (size_t k = 0; k < r->nmoves; k++)
			try_move(lc, i, &r->moves[k], o, now, &best);
	}
	return best;
}
