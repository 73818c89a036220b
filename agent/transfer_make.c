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

static int make_rates(const struct ebb_transfer_make *m, struct ebb_xfer_book *b, struct ebb_err *err)
{
	const struct ebb_config *c = m->app->config;
	int64_t *rates = ebb_arena_calloc(m->arena, c->nstores * c->nstores + 1, sizeof(*rates));

	if (!rates)
		return no_memory(err);
	for (size_t i = 0; i < c->links.n; i++) {
		size_t from = (size_t)(ebb_config_store(c, c->links.v[i].from) - c->stores);
		size_t to = (size_t)(ebb_config_store(c, c->links.v[i].to) - c->stores);

		rates[from * c->nstores + to] = c->links.v[i].rate;
	}
	b->rates = rates;
	b->seconds = m->seconds;
	return 0;
}

int ebb_transfer_make(struct ebb_transfer_make *m, struct ebb_err *err)
{
	struct ebb_xfer_book b = {.books = m->app->config->prices, .budget = m->budget};
	uint64_t have = 0;
	int r = ebb_transfer_index_open(m->app, m->snap, m->targets, m->ntargets, m->dests, &m->index, err);

	if (r == 0 && m->seconds && m->app->config->links.n)
		ebb_transfer_index_set_parts(m->index, PARTS);
	if (r == 0 && m->compress)
		r = ebb_transfer_ratio_open(m->app, m->index, &m->ratio, err);
	if (r < 0)
		return r;
	m->sum = ebb_xfer_sum_new(GROUPS);
	if (!m->sum)
		return no_memory(err);
	if ((r = ebb_transfer_index_each(m->index, add_up, m->sum, err)) < 0 || (r = make_places(m, &b, err)) < 0 ||
	    (r = make_rates(m, &b, err)) < 0)
		return r;
	b.rows = ebb_xfer_sum_rows(m->sum, &b.nrows);
	b.terms = ebb_transfer_index_terms(m->index);
	for (size_t i = 0; i < b.nrows; i++)
		have |= b.rows[i].have;
	note_unpriced(m, &b, have);
	r = ebb_xfer_book(&b, m->arena, &m->x, err);
	return r < 0 ? r : ebb_xfer_plan(m->x, m->arena, &m->plan, err);
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
