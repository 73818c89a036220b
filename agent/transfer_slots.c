/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_slots.h"

#include <string.h>
#include <time.h>

#include "agent/hours.h"
#include "agent/rates.h"
#include "core/clock.h"

#define MINUTE 60
#define HOUR 3600

/* What a link carries in the slot at hand. The last one stands for all that ebb.yaml does not name. */
struct lane {
	const struct ebb_config_link *link;	/* NULL: the last one */
	bool open, was_open;		/* now; in the slot */
	bool unlimited;			/* at some time of the slot */
	int64_t bytes;
};

struct cutting {
	const struct ebb_transfer_slots_ask *ask;
	struct ebb_arena *arena;
	struct ebb_hours window;
	bool has_window;
	struct lane *lanes;
	size_t nlanes;
	struct ebb_xfer_book_slot *v;
	size_t n;
	bool used;			/* something was open in the slot at hand */
	int64_t rate;			/* of the machine, now; 0: no limit */
	struct ebb_transfer_slots all;
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* Whether it is another set of links than that of the slot; its lanes know what is open at @t. */
static bool look(struct cutting *c, int64_t t)
{
	bool run = !c->has_window || ebb_hours_contain(&c->window, t), any = false, differs = false;
	const struct ebb_config_limits *l = &c->ask->config->limits;

	c->rate = l->bandwidth ? ebb_rates_at(&l->bandwidth_rates, t) : 0;
	for (size_t i = 0; i < c->nlanes; i++) {
		struct lane *a = &c->lanes[i];

		a->open = run && (!a->link || !a->link->window || ebb_hours_contain(&a->link->hours, t));
		any |= a->open;
		differs |= a->open != a->was_open;
	}
	return any && differs && c->used;
}

/* The rooms of the slot at hand by pair of stores. */
static int end_slot(struct cutting *c, struct ebb_err *err)
{
	const struct ebb_config *cfg = c->ask->config;
	int64_t *room = ebb_arena_calloc(c->arena, cfg->nstores * cfg->nstores + 1, sizeof(*room));

	if (!room)
		return no_memory(err);
	for (size_t i = 0; i < cfg->nstores; i++)
		for (size_t k = 0; k < cfg->nstores; k++) {
			const struct ebb_config_link *l = ebb_config_links_find(&cfg->links, cfg->stores[i].open.name, cfg->stores[k].open.name);
			const struct lane *a = &c->lanes[l ? (size_t)(l - cfg->links.v) : c->nlanes - 1];

			room[i * cfg->nstores + k] = a->unlimited ? -1 : a->bytes;
		}
	c->v[c->n++].room = room;
	for (size_t i = 0; i < c->nlanes; i++)
		c->lanes[i] = (struct lane){.link = c->lanes[i].link, .open = c->lanes[i].open};
	c->used = false;
	return 0;
}

/* Give the slot at hand a name by when it begins. */
static int begin_slot(struct cutting *c, int64_t t, struct ebb_err *err)
{
	time_t at = (time_t)(t / EBB_CLOCK_SECOND);
	char text[32];
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	c->v[c->n] = (struct ebb_xfer_book_slot){.id = ebb_arena_strdup(c->arena, text)};
	return c->v[c->n].id ? 0 : no_memory(err);
}

static void pass(struct cutting *c, int64_t seconds)
{
	bool any = false;

	c->v[c->n].seconds += seconds;
	for (size_t i = 0; i < c->nlanes; i++) {
		struct lane *a = &c->lanes[i];
		int64_t rate = a->link && a->link->rate && (!c->rate || a->link->rate < c->rate) ? a->link->rate : c->rate;

		if (!a->open)
			continue;
		any = a->was_open = true;
		a->unlimited |= rate == 0;
		if (__builtin_mul_overflow(rate, seconds, &rate) || __builtin_add_overflow(a->bytes, rate, &a->bytes))
			a->unlimited = true;
	}
	if (!any)
		return;
	c->used = true;
	c->all.open += seconds;
	if (c->rate == 0 || __builtin_mul_overflow(c->rate, seconds, &seconds) || c->all.bytes < 0 ||
	    __builtin_add_overflow(c->all.bytes, seconds, &c->all.bytes))
		c->all.bytes = -1;
}

/* Minute by minute, and exactly where something is thawed or the deadline is. */
static int cut(struct cutting *c, struct ebb_err *err)
{
	int64_t left = c->ask->left / EBB_CLOCK_SECOND, now = c->ask->now / EBB_CLOCK_SECOND;
	size_t thawed = 0;
	int r = begin_slot(c, c->ask->now, err);

	for (int64_t at = 0, step; r == 0 && at < left; at += step) {
		int64_t t = (now + at) * EBB_CLOCK_SECOND;
		bool thaws = thawed < c->ask->nthaws && at == c->ask->thaws[thawed] * HOUR, changes = look(c, t);

		thawed += thaws;
		if (changes && !thaws && c->n + c->ask->nthaws + 1 >= EBB_TRANSFER_SLOTS_MAX) {
			c->all.merged = true;
			changes = false;
		}
		if ((changes || thaws) && ((r = end_slot(c, err)) < 0 || (r = begin_slot(c, t, err)) < 0))
			return r;
		step = MINUTE - (now + at) % MINUTE;
		step = left - at < step ? left - at : step;
		if (thawed < c->ask->nthaws && c->ask->thaws[thawed] * HOUR - at < step)
			step = c->ask->thaws[thawed] * HOUR - at;
		pass(c, step);
	}
	if (r == 0 && c->n == 0)
		c->v[0].id = "until the deadline";
	return r < 0 ? r : end_slot(c, err);
}

/* Without a deadline only what sleeps says something of time. */
static int endless(struct cutting *c, struct ebb_err *err)
{
	const struct ebb_transfer_slots_ask *ask = c->ask;

	for (size_t i = 0; ask->nthaws && i <= ask->nthaws; i++) {
		int64_t from = i ? ask->thaws[i - 1] : 0;
		struct ebb_xfer_book_slot *s = &c->v[c->n++];

		s->id = i ? ebb_arena_printf(c->arena, "after %lld h", (long long)from) : "at once";
		s->seconds = i < ask->nthaws ? (ask->thaws[i] - from) * HOUR : EBB_XFER_BOOK_ENDLESS;
		if (!s->id)
			return no_memory(err);
	}
	return 0;
}

int ebb_transfer_slots(const struct ebb_transfer_slots_ask *ask, struct ebb_arena *arena, struct ebb_transfer_slots *ret,
		       struct ebb_err *err)
{
	const struct ebb_config *cfg = ask->config;
	struct cutting c = {
		.ask = ask, .arena = arena, .nlanes = cfg->links.n + 1,
		.lanes = ebb_arena_calloc(arena, cfg->links.n + 1, sizeof(*c.lanes)),
		.v = ebb_arena_calloc(arena, EBB_TRANSFER_SLOTS_MAX + EBB_TRANSFER_SLOTS_THAWS + 1, sizeof(*c.v)),
	};

	if (!c.lanes || !c.v)
		return no_memory(err);
	for (size_t i = 0; i < cfg->links.n; i++)
		c.lanes[i].link = &cfg->links.v[i];
	c.has_window = cfg->limits.window && ebb_hours_parse(cfg->limits.window, &c.window, NULL) == 0;
	int r = ask->left ? cut(&c, err) : endless(&c, err);
	c.all.v = c.v;
	c.all.n = c.n;
	if (!ask->left)
		c.all.bytes = -1;
	*ret = c.all;
	return r;
}
