/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/price_egress.h"

#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "policies/price_figure.h"

/* --- Reading --- */

/* Append the regions that a word stands for: those of a group, or itself. */
static int add_word(const struct ebb_tree_node *node, const struct ebb_tree_node *groups,
		    const char **list, size_t *n, struct ebb_err *err)
{
	const struct ebb_tree_node *group;
	const char *word;
	int r = ebb_tree_text(node, &word, err);

	if (r < 0)
		return r;
	group = groups ? ebb_tree_get(groups, word) : NULL;
	if (!group) {
		list[(*n)++] = word;
		return 0;
	}
	EBB_TREE_EACH(member, group)
	{
		r = ebb_tree_text(member, &list[(*n)++], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A word, or a list of them. */
static int read_ends(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		     const char *key, const struct ebb_tree_node *groups,
		     const char *const **ret, struct ebb_err *err)
{
	const struct ebb_tree_node *node = ebb_tree_need(map, key, err);
	size_t n = 0, most = 1;
	const char **list;
	int r = 0;

	if (!node)
		return -EBB_ECONFIG;
	if (groups)
		EBB_TREE_EACH(group, groups)
			most += group->n_children;
	list = ebb_arena_calloc(book->set->arena, most + node->n_children + 1, sizeof(*list));
	if (!list)
		return ebb_price_no_memory(err);
	if (node->kind == EBB_TREE_SCALAR)
		r = add_word(node, groups, list, &n, err);
	else if (node->kind == EBB_TREE_MAP)
		r = ebb_tree_expect(node, EBB_TREE_SEQ, err);
	EBB_TREE_EACH(item, node)
		if (r == 0)
			r = n < most + node->n_children
				    ? add_word(item, groups, list, &n, err)
				    : ebb_tree_error(item, err, "a group may stand here once");
	if (r == 0)
		*ret = list;
	return r;
}

/* The figure of a way: its map, less the ends. */
static int read_way(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		    const struct ebb_tree_node *groups, struct ebb_price_way *way,
		    struct ebb_err *err)
{
	static const char *const keys[] = {"from", "to",     "price",
					   "free", "source", "confidence"};
	struct ebb_price_note note = book->note;
	const struct ebb_tree_node *price;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r == 0)
		r = read_ends(book, map, "from", groups, &way->from, err);
	if (r == 0)
		r = read_ends(book, map, "to", groups, &way->to, err);
	if (r == 0)
		r = ebb_price_figure_note(book, map, &note, err);
	if (r < 0)
		return r;
	price = ebb_tree_need(map, "price", err);
	if (!price)
		return -EBB_ECONFIG;
	r = ebb_price_figure_read(book, price, EBB_PRICE_BYTES, note, &way->figure, err);
	return r < 0 ? r
		     : ebb_price_figure_terms(book, map, EBB_PRICE_BYTES, &way->figure, err);
}

static int check_groups(const struct ebb_tree_node *groups, struct ebb_err *err)
{
	int r = ebb_tree_expect(groups, EBB_TREE_MAP, err);

	EBB_TREE_EACH(group, groups)
		if (r == 0)
			r = ebb_tree_expect(group, EBB_TREE_SEQ, err);
	return r;
}

int ebb_price_egress_read(const struct ebb_price_book *book, const struct ebb_tree_node *egress,
			  const struct ebb_tree_node *groups, struct ebb_err *err)
{
	struct ebb_price_grid *grid = ebb_arena_alloc(book->set->arena, sizeof(*grid));
	int r = ebb_tree_expect(egress, EBB_TREE_SEQ, err);

	if (r == 0 && groups)
		r = check_groups(groups, err);
	if (r < 0)
		return r;
	if (grid)
		grid->ways = ebb_arena_calloc(book->set->arena, egress->n_children,
					      sizeof(*grid->ways));
	if (!grid || !grid->ways)
		return ebb_price_no_memory(err);
	grid->provider = book->provider;
	EBB_TREE_EACH(map, egress)
	{
		r = read_way(book, map, groups, &grid->ways[grid->n++], err);
		if (r < 0)
			return r;
	}
	grid->next = book->set->grids;
	book->set->grids = grid;
	return 0;
}

/* --- Looking up --- */

/* What the far end may be called in a book of the near end's provider. */
struct end {
	const char *provider, *region;
	bool same;	/* the same provider */
};

static bool fits_from(const char *const *list, const char *region)
{
	for (; *list; list++)
		if (strcmp(*list, "*") == 0 || (region && strcmp(*list, region) == 0))
			return true;
	return false;
}

/* "wasabi:*", "wasabi:eu-1", "wasabi" */
static bool names_other(const char *word, const struct end *to)
{
	size_t n = strlen(to->provider);

	if (strncmp(word, to->provider, n) != 0 || word[n] != ':')
		return false;
	return strcmp(word + n + 1, "*") == 0 ||
	       (to->region && strcmp(word + n + 1, to->region) == 0);
}

static bool fits_to(const char *const *list, const struct end *to)
{
	for (; *list; list++) {
		if (!to->provider) {
			if (strcmp(*list, "internet") == 0)
				return true;
		} else if (to->same) {
			if (strcmp(*list, "*") == 0 ||
			    (to->region && strcmp(*list, to->region) == 0))
				return true;
		} else if (names_other(*list, to)) {
			return true;
		}
	}
	return false;
}

static const struct ebb_price_figure *find(const struct ebb_price_books *set, const char *provider,
					   const char *region, const struct end *to)
{
	for (const struct ebb_price_grid *g = set->grids; g; g = g->next) {
		if (strcmp(g->provider, provider) != 0)
			continue;
		for (size_t i = 0; i < g->n; i++)
			if (ebb_price_known(&g->ways[i].figure) &&
			    fits_from(g->ways[i].from, region) && fits_to(g->ways[i].to, to))
				return &g->ways[i].figure;
	}
	return NULL;
}

static const struct ebb_price_figure *nothing(void)
{
	static const struct ebb_price_tier none = {0, 0};
	static const struct ebb_price_figure free_of_charge = {
		.unit = "GiB",
		.per = INT64_C(1) << 30,
		.step = 1,
		.tiers = &none,
		.ntiers = 1,
		.confidence = EBB_PRICE_LIST,
		.source = "within a region, or on networks of one's own",
	};

	return &free_of_charge;
}

const struct ebb_price_figure *ebb_price_egress(const struct ebb_price_books *books,
						const char *from_provider, const char *from_region,
						const char *to_provider, const char *to_region)
{
	const char *provider = from_provider ? from_provider : "";
	const struct end internet = {0};
	struct end to = {to_provider, to_region, false};
	const struct ebb_price_figure *f;

	to.same = to_provider && strcmp(provider, to_provider) == 0;
	f = find(books, provider, from_region, &to);
	if (f)
		return f;
	if (to.same && (!*provider || (from_region && to_region && !strcmp(from_region, to_region))))
		return nothing();
	if (to.provider && !to.same)
		f = find(books, provider, from_region, &internet);
	return f || *provider ? f : nothing();
}
