/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/native.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "policies/cost_move.h"
#include "policies/decide.h"
#include "policies/expr_ast.h"
#include "policies/reclass.h"
#include "policies/rules_ast.h"

#define DAY_NS (INT64_C(86400) * 1000000000)
#define MONTH_DAYS 30

/* Largest size that is looked at for the smallest object worth moving. */
#define LARGEST (INT64_C(1) << 40)

/* --- money --- */

static bool pays(const struct ebb_price_class *from, const struct ebb_price_class *to, int64_t size,
		 int64_t life_ns)
{
	struct ebb_cost_load load = ebb_cost_load(1, size);
	struct ebb_cost_move m = {.from = from, .to = to, .load = load, .thaw = EBB_COST_THAW,
				  .age_ns = INT64_MAX};
	struct ebb_bill b;
	__int128 saved;

	ebb_bill_clear(&b);
	ebb_cost_move(&b, &m);
	ebb_cost_storage(&b, EBB_BILL_BEFORE, from, load, EBB_COST_MONTH);
	ebb_cost_storage(&b, EBB_BILL_AFTER, to, load, EBB_COST_MONTH);
	saved = ebb_bill_sum(&b, EBB_BILL_BEFORE) - ebb_bill_sum(&b, EBB_BILL_AFTER);
	return saved > 0 && ebb_bill_sum(&b, EBB_BILL_ONCE) <= saved * (life_ns / DAY_NS) / MONTH_DAYS;
}

int64_t ebb_native_smallest(const struct ebb_price_class *from, const struct ebb_price_class *to,
			    int64_t life_ns)
{
	int64_t lo = 0, hi = LARGEST;

	if (!from || !to)
		return EBB_LIFECYCLE_SMALL;
	if (!pays(from, to, hi, life_ns))
		return INT64_MAX;
	/* larger objects save more for the same fee */
	while (hi - lo > 1) {
		int64_t mid = lo + (hi - lo) / 2;

		if (pays(from, to, mid, life_ns))
			hi = mid;
		else
			lo = mid;
	}
	return hi;
}

/* --- which objects --- */

/* The rule's pattern as a prefix, when it is one: "logs/" of "logs/(two stars)". */
static bool prefix_of(const struct ebb_rule *rule, struct ebb_arena *arena, const char **ret)
{
	size_t len = rule->match ? strlen(rule->match) : 0;

	if (len >= 2 && strcmp(rule->match + len - 2, "**") == 0)
		len -= 2;
	else if (len)
		return false;
	/* the bytes before the stars must be plain, and end a component */
	for (size_t i = 0; i < len; i++)
		if (strchr("*?[]{}\\", rule->match[i]))
			return false;
	if (len && rule->match[len - 1] != '/')
		return false;
	*ret = ebb_arena_memdup(arena, rule->match ? rule->match : "", len);
	return *ret != NULL;
}

/* May a key that begins with @prefix be one that @rule meets? */
static bool overlaps(const struct ebb_rules_rule *rule, const char *prefix)
{
	size_t n = 0, len = strlen(prefix);
	const char *p = rule->glob ? ebb_glob_prefix(rule->glob, &n) : "";

	return memcmp(p, prefix, n < len ? n : len) == 0;
}

/*
 * An earlier rule that may take objects away from rule @i: lifecycle rules cannot say "except". From a rule about hidden things only
 * `keep` can, and such a rule itself takes no object.
 */
static const char *shadowed_by(const struct ebb_rules *r, size_t i, const char *store,
			       const char *prefix)
{
	for (size_t k = 0; k < i; k++) {
		const struct ebb_rule *rule = &r->rules[k].pub;

		if (!ebb_rules_plain(rule) || (r->rules[i].pub.hidden && rule->action->changes))
			continue;
		if ((!rule->store || strcmp(rule->store, store) == 0) && overlaps(&r->rules[k], prefix))
			return rule->name;
	}
	return NULL;
}

/* A dataset that keeps copies of what rule @i would let expire. */
static const char *floored_by(const struct ebb_rules *r, size_t i, const char *prefix)
{
	const struct ebb_rule *rule = &r->rules[i].pub;

	for (size_t k = 0; rule->action->id == EBB_ACTION_DELETE && rule->hidden == EBB_RULES_VISIBLE && k < r->nsets; k++) {
		size_t n = 0, len = strlen(prefix);
		const char *p = ebb_glob_prefix(r->sets[k].glob, &n);

		if (r->sets[k].pub.copies && memcmp(p, prefix, n < len ? n : len) == 0)
			return r->sets[k].pub.match;
	}
	return NULL;
}

/* In buckets with versions the trash is noncurrent versions below a marker: a rule that promises to keep them longer than @i would. */
static const char *promised_by(const struct ebb_rules *r, size_t i, const char *store, const char *prefix)
{
	for (size_t k = 0; r->rules[i].pub.hidden == EBB_RULES_NONCURRENT && k < r->n; k++) {
		const struct ebb_rule *rule = &r->rules[k].pub;

		if (rule->trash_ns / DAY_NS >= r->rules[i].pub.after_days && (!rule->store || strcmp(rule->store, store) == 0) &&
		    overlaps(&r->rules[k], prefix))
			return rule->name;
	}
	return NULL;
}

/* --- conditions --- */

__attribute__((format(printf, 2, 3))) static bool say(char why[EBB_NATIVE_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, EBB_NATIVE_WHY, fmt, ap);
	va_end(ap);
	return false;
}

static bool add_age(const struct ebb_expr_range *g, int64_t *days, char why[EBB_NATIVE_WHY])
{
	if (g->hi != INT64_MAX)
		return say(why, "lifecycle rules have no greatest age");
	/* S3 acts at the midnight after so many days, so that "more than" is "at least" */
	if (g->lo > 0 && (g->lo - 1 + DAY_NS - 1) / DAY_NS > *days)
		*days = (g->lo - 1 + DAY_NS - 1) / DAY_NS;
	return true;
}

static void add_size(const struct ebb_expr_range *g, struct ebb_lifecycle_rule *ret)
{
	if (g->lo > 0 && g->lo - 1 > ret->over)
		ret->over = g->lo - 1;
	if (g->hi < INT64_MAX && (ret->under < 0 || g->hi + 1 < ret->under))
		ret->under = g->hi + 1;
}

static bool add_leaf(const struct ebb_expr_leaf *l, struct ebb_lifecycle_rule *ret, int64_t *days,
		     char why[EBB_NATIVE_WHY])
{
	bool age = l->fact->source == EBB_EXPR_SINCE && l->fact->field == EBB_F_MTIME;
	bool size = l->fact->source == EBB_EXPR_FIELD && l->fact->field == EBB_F_SIZE;

	if (l->fact->source == EBB_EXPR_IDLE || l->fact->source == EBB_EXPR_ACCESS)
		return say(why, "'%s': lifecycle rules know when an object was written, not when it was read",
			   l->fact->name);
	if (!age && !size)
		return say(why, "'%s' is nothing that lifecycle rules know", l->fact->name);
	if (l->negate || l->n != 1)
		return say(why, "'%s' with several ranges cannot be said", l->fact->name);
	if (age)
		return add_age(&l->ranges[0], days, why);
	add_size(&l->ranges[0], ret);
	return true;
}

static bool add_condition(const struct ebb_expr_node *n, struct ebb_lifecycle_rule *ret,
			  int64_t *days, char why[EBB_NATIVE_WHY])
{
	switch (n->op) {
	case EBB_EXPR_LEAF:
		return add_leaf(&n->leaf, ret, days, why);
	case EBB_EXPR_CONST:
		return n->value == EBB_TRUE || say(why, "its condition is never true");
	case EBB_EXPR_AND:
		for (const struct ebb_expr_node *c = n->first; c; c = c->next)
			if (!add_condition(c, ret, days, why))
				return false;
		return true;
	default:
		return say(why, "'%s' cannot be said", n->op == EBB_EXPR_OR ? "or" : "not");
	}
}

/* --- actions --- */

static int add_move(const struct ebb_rule *rule, const struct ebb_rules_store *store,
		    const struct ebb_price_books *prices, struct ebb_arena *arena, int64_t days,
		    struct ebb_lifecycle_rule *ret, char why[EBB_NATIVE_WHY], struct ebb_err *err)
{
	const struct ebb_price_class *from = ebb_price_find(prices, store->provider, store->region, store->class),
				     *to = ebb_price_find(prices, store->provider, store->region, rule->class);
	int64_t least = ebb_native_smallest(from, to, rule->require_payback ? rule->payback_ns
									   : EBB_DECIDE_LIFE_NS);

	if (least == INT64_MAX)
		return say(why, "no object pays back its move to %s", rule->class);
	/* where objects pay no fees of their own, every size is worth it */
	if (least > 1 && least - 1 > ret->over)
		ret->over = least - 1;
	if (ret->under >= 0 && ret->under <= ret->over + 1)
		return say(why, "objects so small do not pay back their move to %s one by one", rule->class);
	ret->moves = ebb_arena_calloc(arena, 1, sizeof(*ret->moves));
	if (!ret->moves)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for lifecycle rules");
	ret->nmoves = 1;
	ret->moves[0].class = rule->class;
	ret->moves[0].when = (struct ebb_lifecycle_when){.days = days, .date = -1};
	return 1;
}

/* What is done, in days since an object was written, or since it went out of sight. */
static int add_action(const struct ebb_rule *rule, const struct ebb_rules_store *store,
		      const struct ebb_price_books *prices, struct ebb_arena *arena, int64_t days,
		      struct ebb_lifecycle_rule *ret, char why[EBB_NATIVE_WHY], struct ebb_err *err)
{
	const struct ebb_lifecycle_when after = {.days = rule->after_days, .date = -1};

	if (rule->action->id != EBB_ACTION_DELETE)
		return add_move(rule, store, prices, arena, days, ret, why, err);
	switch (rule->hidden) {
	case EBB_RULES_NONCURRENT:
		ret->old_expires = true;
		ret->old_expire = (struct ebb_lifecycle_move){.when = after};
		break;
	case EBB_RULES_MARKERS:
		ret->expire_marker = true;
		break;
	case EBB_RULES_UPLOADS:
		ret->abort_days = rule->after_days;
		break;
	default:
		ret->expires = true;
		ret->expire = (struct ebb_lifecycle_when){.days = days ? days : 1, .date = -1};
	}
	return 1;
}

static bool can_act(const struct ebb_rule *rule, char why[EBB_NATIVE_WHY])
{
	if (rule->all_of)
		return say(why, "lifecycle rules look at one object at a time (all_of: dataset)");
	switch (rule->action->id) {
	case EBB_ACTION_TIER:
		if (rule->to)
			return say(why, "lifecycle rules move to no other store");
		if (strcmp(rule->class, EBB_RECLASS_AUTO) == 0)
			return say(why, "'class: %s' is decided object by object: plan, and export the plan as a "
				   "batch manifest", rule->class);
		return true;
	case EBB_ACTION_DELETE:
		if (rule->packed)
			return say(why, "lifecycle rules know nothing of what lies in packs");
		return rule->purge || say(why, "lifecycle rules have no trash; they remove for good");
	default:
		return say(why, "lifecycle rules cannot %s", rule->action->name);
	}
}

int ebb_native_rule(const struct ebb_rules *r, size_t i, const struct ebb_rules_store *store,
		    const struct ebb_price_books *prices, struct ebb_arena *arena,
		    struct ebb_lifecycle_rule *ret, char why[EBB_NATIVE_WHY], struct ebb_err *err)
{
	const struct ebb_rules_rule *rule = &r->rules[i];
	struct ebb_lifecycle_rule out = {.enabled = true, .over = -1, .under = -1, .abort_days = -1};
	const char *other;
	int64_t days = 0;

	if (!can_act(&rule->pub, why))
		return 0;
	if (rule->pub.kind)
		return say(why, "datasets (kind: %s) are nothing that lifecycle rules know", rule->pub.kind);
	if (!prefix_of(&rule->pub, arena, &out.prefix))
		return say(why, "'%s' is no prefix: lifecycle rules know only those", rule->pub.match);
	other = shadowed_by(r, i, store->name, out.prefix);
	if (other)
		return say(why, "rule '%s' comes first for some of its objects, and lifecycle rules cannot say "
			   "'except'", other);
	other = floored_by(r, i, out.prefix);
	if (other)
		return say(why, "dataset '%s' keeps copies, and lifecycle rules count none", other);
	other = promised_by(r, i, store->name, out.prefix);
	if (other)
		return say(why, "rule '%s' keeps what it deletes in the trash for as long, and in a bucket with versions that is "
			   "a noncurrent version", other);
	if (rule->pub.cond && !add_condition(rule->pub.cond->root, &out, &days, why))
		return 0;
	out.id = ebb_arena_printf(arena, EBB_NATIVE_ID "%s", rule->pub.name);
	if (!out.id)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for lifecycle rules");

	int done = add_action(&rule->pub, store, prices, arena, days, &out, why, err);
	if (done == 1)
		*ret = out;
	return done;
}
