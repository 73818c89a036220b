/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "policies/price_adjust.h"
#include "policies/price_class.h"
#include "policies/price_egress.h"
#include "policies/price_figure.h"
#include "policies/price_rate.h"

static int read_text(const struct ebb_tree_node *doc, const char *key, const char **ret,
		     struct ebb_err *err)
{
	const struct ebb_tree_node *node = ebb_tree_need(doc, key, err);

	return node ? ebb_tree_text(node, ret, err) : -EBB_ECONFIG;
}

static int read_version(const struct ebb_tree_node *doc, struct ebb_err *err)
{
	const char *version, *name;
	int64_t date;
	int r = read_text(doc, "version", &version, err);

	if (r < 0)
		return r;
	if (strcmp(version, "1") != 0)
		return ebb_tree_error(ebb_tree_get(doc, "version"), err,
				      "version '%s' of price books is unknown; this ebb reads 1",
				      version);
	r = read_text(doc, "name", &name, err);
	if (r < 0)
		return r;
	const struct ebb_tree_node *node = ebb_tree_need(doc, "date", err);
	return node ? ebb_tree_time(node, &date, err) : -EBB_ECONFIG;
}

/* The set takes the currency of its first book; others are converted. */
static int read_currency(struct ebb_price_book *book, const struct ebb_tree_node *doc,
			 struct ebb_err *err)
{
	struct ebb_price_books *set = book->set;
	const struct ebb_tree_node *node = ebb_tree_need(doc, "currency", err);
	const char *word;
	int r = node ? ebb_price_rate_currency(node, &word, err) : -EBB_ECONFIG;

	if (r < 0)
		return r;
	if (!*set->currency)
		memcpy(set->currency, word, sizeof(set->currency));
	if (ebb_price_rate_find(set, word, set->currency, &book->rate))
		return 0;
	return ebb_tree_error(node, err,
			      "this book is in %s, those before it in %s, and no book has an "
			      "exchange rate: add 'rates: [{from: %s, to: %s, rate: ..., "
			      "date: ..., source: ...}]'",
			      word, set->currency, word, set->currency);
}

static int read_month(struct ebb_price_book *book, const struct ebb_tree_node *doc,
		      struct ebb_err *err)
{
	static const char *const words[] = {"calendar", "30d", "730h"};
	static const int64_t hours[] = {0, 720, 730};
	const struct ebb_tree_node *node = ebb_tree_get(doc, "month");
	size_t which = 0;
	int r = node ? ebb_tree_choice(node, words, EBB_ARRAY_LEN(words), &which, err) : 0;

	if (r == 0)
		book->month_hours = node ? hours[which] : 720;
	return r;
}

static int read_head(struct ebb_price_book *book, const struct ebb_tree_node *doc,
		     struct ebb_err *err)
{
	const struct ebb_tree_node *node;
	int r = read_version(doc, err);

	if (r == 0 && (node = ebb_tree_get(doc, "provider")))
		r = ebb_tree_text(node, &book->provider, err);
	book->sources = ebb_tree_get(doc, "sources");
	if (r == 0 && book->sources)
		r = ebb_tree_expect(book->sources, EBB_TREE_MAP, err);
	if (r == 0 && (!ebb_tree_need(doc, "source", err) || !ebb_tree_need(doc, "confidence", err)))
		r = -EBB_ECONFIG;
	if (r == 0)
		r = ebb_price_figure_note(book, doc, &book->note, err);
	if (r == 0 && (node = ebb_tree_get(doc, "rates")))
		r = ebb_price_rate_read(book->set, node, err);
	if (r == 0)
		r = read_currency(book, doc, err);
	return r == 0 ? read_month(book, doc, err) : r;
}

static int read_services(const struct ebb_price_book *book, const struct ebb_tree_node *map,
			 struct ebb_err *err)
{
	int r = ebb_tree_expect(map, EBB_TREE_MAP, err);

	EBB_TREE_EACH(node, map)
	{
		struct ebb_price_sold *s;

		if (r < 0)
			return r;
		s = ebb_arena_alloc(book->set->arena, sizeof(*s));
		if (!s)
			return ebb_price_no_memory(err);
		s->provider = book->provider;
		s->name = node->key;
		s->next = book->set->services;
		r = ebb_price_figure_read(book, node, EBB_PRICE_ANY, book->note, &s->figure, err);
		book->set->services = s;
	}
	return r;
}

/* Prices first, then what is off them. */
static int read_body(const struct ebb_price_book *book, const struct ebb_tree_node *doc,
		     struct ebb_err *err)
{
	const struct ebb_tree_node *node;
	int r = ebb_price_class_read(book, ebb_tree_get(doc, "classes"), ebb_tree_get(doc, "regions"),
				     err);

	if (r == 0 && (node = ebb_tree_get(doc, "egress")))
		r = ebb_price_egress_read(book, node, ebb_tree_get(doc, "groups"), err);
	if (r == 0 && (node = ebb_tree_get(doc, "services")))
		r = read_services(book, node, err);
	if (r == 0 && (node = ebb_tree_get(doc, "discounts")))
		r = ebb_price_adjust_read(book, node, false, err);
	if (r == 0 && (node = ebb_tree_get(doc, "waivers")))
		r = ebb_price_adjust_read(book, node, true, err);
	return r;
}

int ebb_price_books_add(struct ebb_price_books *books, const struct ebb_tree_node *doc,
			struct ebb_err *err)
{
	static const char *const keys[] = {
		"version",  "name",    "provider", "date",   "currency",  "source",
		"sources",  "classes", "regions",  "egress", "groups",	  "services",
		"discounts", "waivers", "rates",   "month",  "confidence"};
	struct ebb_price_book book = {.set = books, .provider = ""};
	int r = ebb_tree_unknown_keys(doc, keys, EBB_ARRAY_LEN(keys), err);

	if (r == 0)
		r = read_head(&book, doc, err);
	if (r < 0)
		return r;
	if (!ebb_tree_get(doc, "regions") && !ebb_tree_get(doc, "egress") &&
	    !ebb_tree_get(doc, "discounts") && !ebb_tree_get(doc, "waivers") &&
	    !ebb_tree_get(doc, "services") && !ebb_tree_get(doc, "rates") &&
	    !ebb_tree_need(doc, "classes", err))
		return -EBB_ECONFIG;
	return read_body(&book, doc, err);
}
