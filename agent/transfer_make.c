/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_make.h"

#include <string.h>

#include "agent/planstore.h"
#include "agent/transfer_rows.h"

/* Most groups: beyond it the planner takes too long. */
#define GROUPS ((size_t)100 * 1000)

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int add_up(void *ctx, const struct ebb_transfer_content *c, struct ebb_err *err)
{
	return c->want ? ebb_xfer_sum_add(ctx, c->have, c->want, c->terms, c->size, 1, err) : 0;
}

/* Nobody sends anything where it is not known what that costs; that must be said, for it may be the cheapest way. */
static void note_unpriced(const struct ebb_transfer_make *m, const struct ebb_xfer_book *b, uint64_t have)
{
	for (size_t i = 0; i < b->nplaces; i++)
		for (size_t k = 0; k < b->nplaces; k++)
			if (i != k && (have >> i & 1) && (m->dests >> k & 1) && !ebb_xfer_book_priced(b->books, &b->places[i], &b->places[k]))
				ebb_app_note(m->app, "no price is known from store '%s' to '%s': nothing is sent that way", b->places[i].name,
					     b->places[k].name);
}

static int make_places(const struct ebb_transfer_make *m, struct ebb_xfer_book *b, struct ebb_err *err)
{
	const struct ebb_config *c = m->app->config;
	struct ebb_xfer_book_place *v = ebb_arena_calloc(m->arena, c->nstores, sizeof(*v));

	if (!v)
		return no_memory(err);
	for (size_t i = 0; i < c->nstores; i++) {
		const struct ebb_config_store *s = &c->stores[i];

		v[i] = (struct ebb_xfer_book_place){
			.name = s->open.name, .provider = s->provider, .region = s->region, .jurisdiction = s->jurisdiction,
			.class = s->class, .relay = s->relay, .converts = m->compress,
		};
	}
	b->places = v;
	b->nplaces = c->nstores;
	return 0;
}

/* Contents of one kind travel as so many groups when links have only so much room. */
#define PARTS 16

/* --- Speeds of thawing --- */

/* When at a speed what sleeps can be read. */
static void add_thaws(const struct ebb_xfer_book *b, struct ebb_transfer_slots_ask *ask)
{
	for (size_t i = 0; i < b->nrows; i++) {
		const struct ebb_xfer_book_terms *t = &b->terms[b->rows[i].terms];

		for (uint64_t left = t->asleep; left; left &= left - 1) {
			const struct ebb_price_restore *r = &t->class[__builtin_ctzll(left)]->restore[b->speed];
			size_t at = 0;

			while (at < ask->nthaws && ask->thaws[at] < r->hours)
				at++;
			if ((!ebb_price_known(&r->request) && !ebb_price_known(&r->retrieval)) || r->hours == 0 ||
			    ask->nthaws == EBB_TRANSFER_SLOTS_THAWS || (at < ask->nthaws && ask->thaws[at] == r->hours))
				continue;
			memmove(&ask->thaws[at + 1], &ask->thaws[at], (ask->nthaws++ - at) * sizeof(ask->thaws[0]));
			ask->thaws[at] = r->hours;
		}
	}
}

/* What the hops of a plan read, in 10^-12 GB. */
static ebb_xfer_num read_by(const struct ebb_transfer_make *m, const struct ebb_xfer_plan *p)
{
	ebb_xfer_num sum = 0;

	for (size_t g = 0; p->trees && g < m->x->n_groups; g++)
		for (size_t h = 0; h < p->trees[g].n_hops; h++)
			sum += p->trees[g].hops[h].packed ? m->x->groups[g].packed : m->x->groups[g].gb;
	return sum;
}

/*
 * One machine reads what goes over all links, and its bandwidth may not suffice for that. Every destination has to come by its bytes once,
 * which is what a plan without relays reads.
 */
static int fit_machine(struct ebb_transfer_make *m, struct ebb_xfer_book *b, struct ebb_err *err)
{
	ebb_xfer_num room = (ebb_xfer_num)m->slots.bytes * (EBB_XFER_ONE / 1000000000), bound = m->plan.lower_bound;
	struct ebb_xfer_book_place *v = ebb_arena_calloc(m->arena, b->nplaces, sizeof(*v));
	struct ebb_xfer_book alone = *b;

	if (!v)
		return no_memory(err);
	if (m->slots.bytes < 0 || m->split || read_by(m, &m->plan) <= room)
		return 0;
	for (size_t i = 0; i < b->nplaces; i++) {
		v[i] = b->places[i];
		v[i].relay = false;
	}
	alone.places = v;
	int r = ebb_xfer_book(&alone, m->arena, &m->x, err);
	if (r == 0)
		r = ebb_xfer_plan(m->x, m->arena, &m->plan, err);
	if (r < 0 || !m->plan.trees)
		return r;
	if (read_by(m, &m->plan) <= room) {
		m->plan.status = m->plan.status == EBB_XFER_OPTIMAL && bound < m->plan.bill.total ? EBB_XFER_FEASIBLE : m->plan.status;
		m->plan.lower_bound = bound;
		return 0;
	}
	m->plan.short_by = read_by(m, &m->plan) - room;
	m->plan.trees = NULL;
	m->plan.status = EBB_XFER_INFEASIBLE;
	m->plan.reason = EBB_XFER_DEADLINE;
	ebb_app_note(m->app, "the machine that runs it may read %lld GB until the deadline, by limits: bandwidth; --split has one at each site read for itself",
		     (long long)(m->slots.bytes / 1000000000));
	return 0;
}

/* Plan at one speed. */
static int plan_at(struct ebb_transfer_make *m, struct ebb_xfer_book *b, struct ebb_err *err)
{
	struct ebb_transfer_slots_ask ask = {.config = m->app->config, .now = ebb_app_now(m->app), .left = m->left};

	add_thaws(b, &ask);
	int r = ebb_transfer_slots(&ask, m->arena, &m->slots, err);
	if (r == 0 && m->left && m->slots.open == 0)
		return ebb_err_set(err, EBB_EUSAGE, "--deadline: nothing may run until then: limits has window %s", m->app->config->limits.window);
	b->slots = m->slots.v;
	b->nslots = m->slots.n;
	if (r == 0)
		r = ebb_xfer_book(b, m->arena, &m->x, err);
	if (r == 0)
		r = ebb_xfer_plan(m->x, m->arena, &m->plan, err);
	return r < 0 ? r : fit_machine(m, b, err);
}

/* A plan before none, then the cheaper one, then the slower one. */
static bool is_better(const struct ebb_xfer_plan *p, const struct ebb_xfer_plan *than)
{
	bool none = p->status == EBB_XFER_INFEASIBLE, other = than->status == EBB_XFER_INFEASIBLE;

	if (none || other)
		return !none || (other && p->trees && (!than->trees || p->bill.total < than->bill.total));
	return p->bill.total < than->bill.total;
}

static bool any_sleeps(const struct ebb_xfer_book *b)
{
	for (size_t i = 0; i < b->nrows; i++)
		if (b->terms[b->rows[i].terms].asleep)
			return true;
	return false;
}

static int plan_speeds(struct ebb_transfer_make *m, struct ebb_xfer_book *b, struct ebb_err *err)
{
	struct ebb_transfer_make best = {0};
	ebb_xfer_num bound = EBB_XFER_MAX;
	struct ebb_err why = {0};
	int r = 0;

	for (int i = 0; i < EBB_PRICE_SPEEDS; i++) {
		struct ebb_transfer_make one = *m;

		if (m->speed && strcmp(m->speed, ebb_price_speed_name((enum ebb_price_speed)i)) != 0)
			continue;
		b->speed = (enum ebb_price_speed)i;
		one.thaw = ebb_price_speed_name(b->speed);
		ebb_err_clear(&why);
		if ((r = plan_at(&one, b, &why)) < 0 && r != -EBB_ENOTSUP)
			break;
		if (r == 0 && one.plan.trees && one.plan.lower_bound < bound)
			bound = one.plan.lower_bound;
		if (r == 0 && (!best.x || is_better(&one.plan, &best.plan)))
			best = one;
	}
	if (!best.x || (r < 0 && r != -EBB_ENOTSUP))
		return ebb_err_set(err, -r, "%s", why.msg);
	*m = best;
	if (m->plan.trees && bound < m->plan.lower_bound) {
		m->plan.lower_bound = bound;
		m->plan.minimum_exact = false;
		m->plan.status = m->plan.status == EBB_XFER_OPTIMAL ? EBB_XFER_FEASIBLE : m->plan.status;
	}
	return 0;
}

int ebb_transfer_make(struct ebb_transfer_make *m, struct ebb_err *err)
{
	struct ebb_xfer_book b = {.books = m->app->config->prices, .budget = m->budget, .days = m->thaw_days};
	uint64_t have = 0;
	int r = ebb_transfer_index_open(m->app, m->snap, m->targets, m->ntargets, m->dests, &m->index, err);

	if (r == 0)
		ebb_transfer_index_set_copies(m->index, m->copies);
	if (r == 0 && m->left)
		ebb_transfer_index_set_parts(m->index, m->app->config->links.n || m->app->config->limits.bandwidth ? PARTS : 0);
	if (r == 0 && m->compress)
		r = ebb_transfer_ratio_open(m->app, m->index, &m->ratio, err);
	if (r < 0)
		return r;
	m->sum = ebb_xfer_sum_new(GROUPS);
	if (!m->sum)
		return no_memory(err);
	if ((r = ebb_transfer_index_each(m->index, add_up, m->sum, err)) < 0 || (r = make_places(m, &b, err)) < 0)
		return r;
	b.rows = ebb_xfer_sum_rows(m->sum, &b.nrows);
	b.terms = ebb_transfer_index_terms(m->index);
	for (size_t i = 0; i < b.nrows; i++)
		have |= b.rows[i].have | b.terms[b.rows[i].terms].asleep;
	note_unpriced(m, &b, have);
	return any_sleeps(&b) ? plan_speeds(m, &b, err) : plan_at(m, &b, err);
}

/* --- The file --- */

static int head_of(const struct ebb_transfer_make *m, const struct ebb_planhead_sum *sum, uint64_t used, struct ebb_planhead *h,
		   struct ebb_err *err)
{
	const struct ebb_config *c = m->app->config;
	int r = 0;

	*h = (struct ebb_planhead){
		.now = ebb_app_now(m->app), .currency = ebb_price_currency(c->prices), .all = *sum,
		.limits = {-1, -1, -1, -1, -1, -1, NULL},
		.stores = ebb_arena_calloc(m->arena, c->nstores, sizeof(*h->stores)),
		.rules = ebb_arena_calloc(m->arena, 1, sizeof(*h->rules)), .nrules = 1,
	};
	if (!h->stores || !h->rules)
		return no_memory(err);
	h->rules[0] = (struct ebb_planhead_rule){.rule = "transfer", .action = ebb_action_kind(EBB_ACTION_COPY)->name, .sum = *sum};
	memcpy(h->rules_digest, c->rules_digest, sizeof(h->rules_digest));
	memcpy(h->prices_digest, c->prices_digest, sizeof(h->prices_digest));
	for (size_t i = 0; r == 0 && i < c->nstores; i++)
		if (used >> i & 1)
			r = ebb_planstore_find(m->snap, &c->stores[i], m->arena, &h->stores[h->nstores++], err);
	return r;
}

const char *ebb_transfer_make_site(const struct ebb_config_store *s)
{
	return s->region ? s->region : s->site ? s->site : s->open.name;
}

int ebb_transfer_make_file(const struct ebb_transfer_make *m, uint64_t only, const char *path, char ret_id[EBB_PLANFILE_ID_LEN],
			   int64_t *ret_n, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_abortp) struct ebb_planfile_writer *out = NULL;
	struct ebb_transfer_rows t = {.app = m->app, .index = m->index, .x = m->x, .plan = &m->plan, .only = only};
	struct ebb_transfer_bill bill;
	struct ebb_planhead_sum sum;
	struct ebb_planhead head;
	uint64_t used;
	int r = ebb_transfer_bill(m->x, &m->plan, m->arena, &bill, err);

	t.bill = &bill;
	t.rows = ebb_xfer_sum_rows(m->sum, &t.nrows);
	if (r < 0 || (r = ebb_planfile_create(path, &out, err)) < 0 || (r = ebb_transfer_rows(&t, out, &sum, &used, err)) < 0 ||
	    (r = head_of(m, &sum, used, &head, err)) < 0)
		return r;
	struct ebb_planfile_writer *w = out;
	out = NULL; /* commit frees it either way */
	*ret_n = sum.objects;
	return ebb_planfile_commit(w, &head, ret_id, err);
}
