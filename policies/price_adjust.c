/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/price_adjust.h"

#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/units.h"
#include "policies/price_figure.h"

#define WHOLE (INT64_C(100) * EBB_UNITS_PERCENT)

/* What a discount is of. The first are the items of a class. */
enum {
	OF_REQUESTS = EBB_PRICE_ITEMS,
	OF_RESTORE,
	OF_EGRESS,
	OF_EARLY_DELETE,
	OF_ALL,
	OF_COUNT
};

struct adjust {
	size_t of;
	int64_t keep;				/* millionths of the price that are left */
	const struct ebb_tree_node *classes;	/* or NULL: all */
	const struct ebb_tree_node *regions;
	struct ebb_price_note note;
};

static bool is_listed(const struct ebb_tree_node *list, const char *word)
{
	if (!list)
		return true;
	EBB_TREE_EACH(item, list)
		if (item->text && strcmp(item->text, word) == 0)
			return true;
	return false;
}

/* A copy of the figure's tiers, each at the share that is left. */
static int cut(struct ebb_arena *arena, const struct adjust *a, struct ebb_price_figure *f,
	       struct ebb_err *err)
{
	struct ebb_price_tier *tiers = ebb_arena_calloc(arena, f->ntiers, sizeof(*tiers));

	if (!tiers)
		return ebb_price_no_memory(err);
	for (size_t i = 0; i < f->ntiers; i++) {
		__int128 atto = f->tiers[i].atto;

		tiers[i].from = f->tiers[i].from;
		tiers[i].atto = atto / WHOLE * a->keep + (atto % WHOLE * a->keep + WHOLE - 1) / WHOLE;
	}
	f->tiers = tiers;
	f->confidence = a->note.confidence;
	f->source = a->note.source;
	return 0;
}

static bool is_of(const struct adjust *a, enum ebb_price_item item)
{
	if (a->of == OF_REQUESTS)
		return item == EBB_PRICE_PUT || item == EBB_PRICE_GET || item == EBB_PRICE_PART ||
		       item == EBB_PRICE_TRANSITION;
	return a->of == OF_ALL || a->of == (size_t)item;
}

static int cut_class(struct ebb_arena *arena, const struct adjust *a, struct ebb_price_class *c,
		     struct ebb_err *err)
{
	int r = 0;

	for (int i = 0; i < EBB_PRICE_ITEMS && r == 0; i++)
		if (is_of(a, (enum ebb_price_item)i))
			r = cut(arena, a, &c->item[i], err);
	for (size_t i = 0; i < c->nsinks && r == 0; i++)
		if (is_of(a, EBB_PRICE_STORAGE))
			r = cut(arena, a, &c->sink[i].storage, err);
	for (int i = 0; i < EBB_PRICE_SPEEDS && r == 0; i++)
		if (a->of == OF_RESTORE || a->of == OF_ALL) {
			r = cut(arena, a, &c->restore[i].request, err);
			if (r == 0)
				r = cut(arena, a, &c->restore[i].retrieval, err);
		}
	if (a->of == OF_EARLY_DELETE)
		c->min_days = 0;
	return r;
}

static int cut_ways(const struct ebb_price_book *book, const struct adjust *a, struct ebb_err *err)
{
	int r = 0;

	for (struct ebb_price_grid *g = book->set->grids; g; g = g->next)
		for (size_t i = 0; i < g->n && r == 0; i++) {
			bool meant = strcmp(g->provider, book->provider) == 0;

			for (const char *const *from = g->ways[i].from; meant && *from; from++)
				meant = is_listed(a->regions, *from);
			if (meant)
				r = cut(book->set->arena, a, &g->ways[i].figure, err);
		}
	return r;
}

static int apply(const struct ebb_price_book *book, const struct adjust *a, struct ebb_err *err)
{
	int r = 0;

	for (struct ebb_price_row *row = book->set->first; row && r == 0; row = row->next) {
		struct ebb_price_class *c = &row->class;

		if (strcmp(c->provider, book->provider) == 0 && is_listed(a->classes, c->name) &&
		    is_listed(a->regions, c->region))
			r = cut_class(book->set->arena, a, c, err);
	}
	if (r == 0 && (a->of == OF_EGRESS || a->of == OF_ALL))
		r = cut_ways(book, a, err);
	return r;
}

static int read_of(const struct ebb_tree_node *map, struct adjust *a, struct ebb_err *err)
{
	const char *words[OF_COUNT] = {
		[OF_REQUESTS] = "requests",	    [OF_RESTORE] = "restore",
		[OF_EGRESS] = "egress",		    [OF_EARLY_DELETE] = "early_delete",
		[OF_ALL] = "all",
	};
	const struct ebb_tree_node *of = ebb_tree_need(map, "of", err);
	const struct ebb_tree_node *off = of ? ebb_tree_need(map, "off", err) : NULL;
	int64_t share;
	int r;

	if (!off)
		return -EBB_ECONFIG;
	for (int i = 0; i < EBB_PRICE_ITEMS; i++)
		words[i] = ebb_price_item_name((enum ebb_price_item)i);
	r = ebb_tree_choice(of, words, OF_COUNT, &a->of, err);
	if (r == 0)
		r = ebb_tree_percent(off, &share, err);
	if (r < 0)
		return r;
	if (share > WHOLE)
		return ebb_tree_error(off, err, "more than 100%% cannot be off");
	if (a->of == OF_EARLY_DELETE && share != WHOLE)
		return ebb_tree_error(off, err, "early deletion is waived by 100%% or not at all");
	a->keep = WHOLE - share;
	return 0;
}

/* Lists of regions and classes that a discount is restricted to. */
static int read_scope(const struct ebb_tree_node *map, struct adjust *a, struct ebb_err *err)
{
	int r;

	a->classes = ebb_tree_get(map, "classes");
	a->regions = ebb_tree_get(map, "regions");
	r = a->classes ? ebb_tree_expect(a->classes, EBB_TREE_SEQ, err) : 0;
	return r == 0 && a->regions ? ebb_tree_expect(a->regions, EBB_TREE_SEQ, err) : r;
}

/* Does it count: on the set's day, and granted? */
static int read_terms(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		      bool waiver, bool *ret, struct ebb_err *err)
{
	const struct ebb_tree_node *node;
	const char *condition;
	int64_t from, end;
	bool granted = true;
	int r = ebb_price_figure_days(map, &from, &end, err);

	if (r == 0 && waiver) {
		node = ebb_tree_need(map, "condition", err);
		r = node ? ebb_tree_text(node, &condition, err) : -EBB_ECONFIG;
		node = r == 0 ? ebb_tree_need(map, "granted", err) : NULL;
		r = node ? ebb_tree_bool(node, &granted, err) : -EBB_ECONFIG;
	}
	if (r == 0)
		*ret = granted && from <= book->set->now && book->set->now < end;
	return r;
}

int ebb_price_adjust_read(const struct ebb_price_book *book, const struct ebb_tree_node *list,
			  bool waiver, struct ebb_err *err)
{
	static const char *const keys[] = {"of",     "classes",	 "regions", "off",
					   "source", "confidence", "from",    "until",
					   "condition", "granted"};
	int r = ebb_tree_expect(list, EBB_TREE_SEQ, err);

	if (r < 0)
		return r;
	EBB_TREE_EACH(map, list)
	{
		struct adjust a = {.note = {.confidence = EBB_PRICE_CONTRACT,
					    .source = book->note.source}};
		bool counts = false;

		r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys) - (waiver ? 0 : 2), err);
		if (r == 0)
			r = ebb_price_figure_note(book, map, &a.note, err);
		if (r == 0)
			r = read_of(map, &a, err);
		if (r == 0)
			r = read_scope(map, &a, err);
		if (r == 0)
			r = read_terms(book, map, waiver, &counts, err);
		if (r == 0 && counts)
			r = apply(book, &a, err);
		if (r < 0)
			return r;
	}
	return 0;
}
