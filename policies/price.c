/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/price.h"

#include <stdint.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"

#define GIB (INT64_C(1) << 30)

struct class_price {
	const char *name;
	struct ebb_decimal storage; /* per GiB-month */
	const char *confidence;
	struct class_price *next;
};

struct ebb_price_books {
	struct ebb_arena *arena;
	char currency[4];
	struct class_price *classes; /* newest first: the book added last wins */
};

/* What a book says of itself. */
struct head {
	const char *currency, *source, *confidence;
};

static const char *const confidences[] = {"sample", "list", "contract"};

struct ebb_price_books *ebb_price_books_new(struct ebb_arena *arena)
{
	struct ebb_price_books *books = ebb_arena_alloc(arena, sizeof(*books));

	if (books)
		books->arena = arena;
	return books;
}

static int read_text(const struct ebb_tree_node *doc, const char *key, const char **ret,
		     struct ebb_err *err)
{
	const struct ebb_tree_node *node = ebb_tree_need(doc, key, err);

	return node ? ebb_tree_text(node, ret, err) : -EBB_ECONFIG;
}

static int read_currency(const struct ebb_price_books *books, const struct ebb_tree_node *doc,
			 const char **ret, struct ebb_err *err)
{
	int r = read_text(doc, "currency", ret, err);

	if (r < 0)
		return r;
	if (!ebb_money_is_currency(*ret))
		return ebb_tree_error(
			ebb_tree_get(doc, "currency"), err,
			"'%s' is no currency; write three capital letters such as USD", *ret);
	if (books->currency[0] && strcmp(books->currency, *ret) != 0)
		return ebb_tree_error(ebb_tree_get(doc, "currency"), err,
				      "this book is in %s, those before it in %s; books of one "
				      "configuration share one currency",
				      *ret, books->currency);
	return 0;
}

static int read_head(const struct ebb_price_books *books, const struct ebb_tree_node *doc,
		     struct head *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"version", "name",       "date",   "currency",
					   "source",  "confidence", "classes"};
	const struct ebb_tree_node *node;
	const char *name, *version;
	size_t confidence;
	int64_t date;
	int r = ebb_tree_unknown_keys(doc, keys, EBB_ARRAY_LEN(keys), err);

	if (r == 0)
		r = read_text(doc, "version", &version, err);
	if (r < 0)
		return r;
	if (strcmp(version, "1") != 0)
		return ebb_tree_error(ebb_tree_get(doc, "version"), err,
				      "version '%s' of price books is unknown; this ebb reads 1",
				      version);
	r = read_text(doc, "name", &name, err);
	if (r == 0)
		r = read_text(doc, "source", &ret->source, err);
	if (r == 0)
		r = read_currency(books, doc, &ret->currency, err);
	if (r < 0)
		return r;
	node = ebb_tree_need(doc, "date", err);
	r = node ? ebb_tree_time(node, &date, err) : -EBB_ECONFIG;
	if (r < 0)
		return r;
	node = ebb_tree_need(doc, "confidence", err);
	r = node ? ebb_tree_choice(node, confidences, EBB_ARRAY_LEN(confidences), &confidence, err)
		 : -EBB_ECONFIG;
	if (r == 0)
		ret->confidence = confidences[confidence];
	return r;
}

static int read_price(const struct ebb_tree_node *node, struct ebb_decimal *ret,
		      struct ebb_err *err)
{
	const char *text;
	struct ebb_err why = {0};
	int r = ebb_tree_text(node, &text, err);

	if (r < 0)
		return r;
	if (ebb_decimal_parse(text, ret, &why) < 0)
		return ebb_tree_error(node, err, "'%s': %s", node->key, why.msg);
	if (ebb_decimal_cmp(*ret, ebb_decimal_of(0)) < 0)
		return ebb_tree_error(node, err, "'%s': a price is not negative", node->key);
	return 0;
}

static int add_class(struct ebb_price_books *books, const struct ebb_tree_node *node,
		     const struct head *head, struct class_price **list, struct ebb_err *err)
{
	static const char *const keys[] = {"storage_gib_month", "source"};
	struct class_price *c = ebb_arena_alloc(books->arena, sizeof(*c));
	const struct ebb_tree_node *price;
	int r = ebb_tree_unknown_keys(node, keys, EBB_ARRAY_LEN(keys), err);

	if (r < 0)
		return r;
	price = ebb_tree_need(node, "storage_gib_month", err);
	if (!price)
		return -EBB_ECONFIG;
	if (c)
		c->name = ebb_arena_strdup(books->arena, node->key);
	if (!c || !c->name)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for prices");
	c->confidence = head->confidence;
	c->next = *list;
	r = read_price(price, &c->storage, err);
	if (r == 0)
		*list = c;
	return r;
}

int ebb_price_books_add(struct ebb_price_books *books, const struct ebb_tree_node *doc,
			struct ebb_err *err)
{
	struct class_price *list = books->classes;
	const struct ebb_tree_node *classes;
	struct head head;
	int r = read_head(books, doc, &head, err);

	if (r < 0)
		return r;
	classes = ebb_tree_need(doc, "classes", err);
	if (!classes)
		return -EBB_ECONFIG;
	r = ebb_tree_expect(classes, EBB_TREE_MAP, err);
	if (r < 0)
		return r;
	EBB_TREE_EACH(node, classes)
	{
		r = add_class(books, node, &head, &list, err);
		if (r < 0)
			return r;
	}
	books->classes = list;
	memcpy(books->currency, head.currency, sizeof(books->currency));
	return 0;
}

const char *ebb_price_currency(const struct ebb_price_books *books)
{
	return books->currency;
}

static const struct class_price *find(const struct ebb_price_books *books, const char *class)
{
	const struct class_price *c = class ? books->classes : NULL;

	while (c && strcmp(c->name, class) != 0)
		c = c->next;
	return c;
}

int ebb_price_storage(const struct ebb_price_books *books, const char *class, int64_t bytes,
		      struct ebb_money *ret, struct ebb_err *err)
{
	const struct class_price *c = find(books, class);
	struct ebb_money m;
	int r;

	if (!c)
		return 0;
	r = ebb_money_charge(bytes, c->storage, GIB, books->currency, &m, err);
	if (r < 0)
		return r;
	*ret = m;
	return 1;
}

const char *ebb_price_confidence(const struct ebb_price_books *books, const char *class)
{
	const struct class_price *c = find(books, class);

	return c ? c->confidence : NULL;
}
