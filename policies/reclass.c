/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/reclass.h"

#include <string.h>

#include "core/err.h"
#include "core/mem.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

/* The classes of one provider in one region. */
struct place {
	const char *provider, *region;
	struct ebb_tariff tariff;
	const struct ebb_price_class *class[EBB_TARIFF_MAX];
	bool eligible[EBB_TARIFF_MAX];
	struct place *next;
};

struct ebb_reclass {
	struct ebb_arena *arena;
	const struct ebb_price_books *prices;
	struct place *places;
	const struct place *at;		/* of the last object that should move */
	struct ebb_auto_pick pick;
	int from;
	int64_t times;			/* of others, on which the pick rests; 0: on its own */
};

/* Fewer copies, or none beyond one zone: never without a word from the owner. */
static const char *const weaker[] = {"ONEZONE_IA", "REDUCED_REDUNDANCY", "EXPRESS_ONEZONE"};

struct ebb_reclass *ebb_reclass_new(struct ebb_arena *arena, const struct ebb_price_books *prices)
{
	struct ebb_reclass *c = ebb_arena_calloc(arena, 1, sizeof(*c));

	if (c) {
		c->arena = arena;
		c->prices = prices;
	}
	return c;
}

static bool is_weaker(const char *class)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(weaker); i++)
		if (strcmp(weaker[i], class) == 0)
			return true;
	return false;
}

/* Append a class that has a price. The provider's plain class stands first. */
static int add_class(struct place *p, const struct ebb_price_class *c, struct ebb_err *err)
{
	int r;

	if (p->tariff.n == EBB_TARIFF_MAX || ebb_tariff_find(&p->tariff, c->name) >= 0 ||
	    !ebb_price_known(&c->item[EBB_PRICE_STORAGE]))
		return 0;
	p->class[p->tariff.n] = c;
	p->eligible[p->tariff.n] = !is_weaker(c->name);
	r = ebb_tariff_add(&p->tariff, c, err);
	/* a class that cannot be entered at a known price is none to choose */
	return r == -EBB_ECONFIG ? 0 : r;
}

static int fill_place(struct ebb_reclass *c, struct place *p, const struct ebb_price_class *from,
		      struct ebb_err *err)
{
	int r = from->standard ? add_class(p, from->standard, err) : 0;

	memcpy(p->tariff.currency, ebb_price_currency(c->prices), sizeof(p->tariff.currency));
	for (size_t i = 0; r == 0 && i < ebb_price_count(c->prices); i++) {
		const struct ebb_price_class *at = ebb_price_get(c->prices, i);

		if (strcmp(at->provider, p->provider) == 0 &&
		    ebb_price_find(c->prices, p->provider, p->region, at->name) == at)
			r = add_class(p, at, err);
	}
	return r;
}

static int find_place(struct ebb_reclass *c, const struct ebb_reclass_object *o, struct place **ret,
		      struct ebb_err *err)
{
	const char *provider = o->store->provider, *region = o->store->region;
	struct place *p = c->places;

	for (; p; p = p->next)
		if (strcmp(p->provider, provider) == 0 && (p->region == region ||
		    (p->region && region && strcmp(p->region, region) == 0))) {
			*ret = p;
			return 0;
		}
	p = ebb_arena_calloc(c->arena, 1, sizeof(*p));
	if (!p)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for prices");
	p->provider = provider;
	p->region = region;

	int r = fill_place(c, p, o->from, err);
	if (r < 0)
		return r;
	p->next = c->places;
	c->places = p;
	*ret = p;
	return 0;
}

static int32_t days(int64_t ns)
{
	int64_t d = ns / DAY_NS;

	return d < 0 ? 0 : d > INT32_MAX ? INT32_MAX : (int32_t)d;
}

/* How others of its dataset went on that were quiet for so long. */
static void ask_habits(const struct ebb_reclass_object *o, struct ebb_auto_pick_facts *f, int64_t *ret_times)
{
	int32_t ahead = o->habits && f->idle > 0
				? ebb_habits_ahead(o->habits, o->store->name, o->rec->key, o->rec->key_len, f->idle,
						   EBB_AUTO_PICK_DAYS, ret_times)
				: -1;

	f->told = ahead >= 0;
	f->ahead = ahead;
}

static struct ebb_auto_pick_facts facts_of(const struct ebb_reclass_object *o)
{
	const struct ebb_record *r = o->rec;
	int64_t since = ebb_record_has(r, EBB_F_WINDOW) ? r->f[EBB_F_WINDOW] : r->f[EBB_F_MTIME];
	struct ebb_auto_pick_facts f = {
		.size = r->f[EBB_F_SIZE],
		.daily = -1,
		.days_in_class = days(o->in_class_ns),
		.idle = days(o->idle_ns),
	};

	if (r->f[EBB_F_MTIME] > since)
		since = r->f[EBB_F_MTIME];
	if (f.size > EBB_TARIFF_BYTES)
		f.size = EBB_TARIFF_BYTES;
	if (!ebb_record_has(r, EBB_F_RBYTES) || !ebb_record_has(r, EBB_F_MTIME) || since >= o->now)
		return f;
	f.window = days(o->now - since);
	f.daily = r->f[EBB_F_RBYTES] / (f.window ? f.window : 1);
	return f;
}

void ebb_reclass_why(const struct ebb_reclass *c, struct ebb_buf *why)
{
	const struct ebb_tariff *t = &c->at->tariff;
	struct ebb_money stay, there;
	char a[EBB_MONEY_TEXT], b[EBB_MONEY_TEXT];

	if (ebb_tariff_money(t, c->pick.stay, &stay, NULL) < 0 ||
	    ebb_tariff_money(t, c->pick.there + c->pick.move, &there, NULL) < 0)
		return;
	ebb_buf_addf(why, "; quiet, and expected so for %d days", (int)c->pick.days);
	if (c->times)
		ebb_buf_addf(why, " (as %lld others of its dataset were)", (long long)c->times);
	ebb_buf_addf(why, ": %s in %s, %s in %s with the way there and back",
		     ebb_money_human(stay, a), t->class[c->from].name,
		     ebb_money_human(there, b), t->class[c->pick.class].name);
}

int ebb_reclass_auto(struct ebb_reclass *c, const struct ebb_reclass_object *o,
		     const struct ebb_price_class **ret, struct ebb_money *saving,
		     struct ebb_err *err)
{
	struct ebb_auto_pick_facts f = facts_of(o);
	struct ebb_auto_pick pick;
	struct place *p = NULL;
	int64_t times = 0;
	int from, r;

	if (!o->from || !o->store->provider)
		return EBB_RECLASS_UNPRICED;
	r = find_place(c, o, &p, err);
	if (r < 0)
		return r;
	from = ebb_tariff_find(&p->tariff, o->from->name);
	if (from < 0 || p->tariff.n < 2)
		return EBB_RECLASS_UNPRICED;
	if (f.idle == 0 && f.daily < 0)
		return EBB_RECLASS_UNKNOWN;
	ask_habits(o, &f, &times);
	pick = ebb_auto_pick(&p->tariff, from, p->eligible, &f);
	if (pick.class == from)
		return EBB_RECLASS_STAY;
	r = ebb_tariff_money(&p->tariff, (pick.stay - pick.there) * EBB_TARIFF_MONTH_DAYS / pick.days, saving,
			     err);
	if (r < 0)
		return r;
	c->at = p;
	c->pick = pick;
	c->from = from;
	c->times = times;
	*ret = p->class[pick.class];
	return EBB_RECLASS_MOVE;
}
