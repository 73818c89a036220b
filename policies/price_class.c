/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/price_class.h"

#include <string.h>

#include "core/date.h"
#include "core/err.h"
#include "core/mem.h"
#include "policies/price_figure.h"

static const enum ebb_price_dimension dimensions[EBB_PRICE_ITEMS] = {
	[EBB_PRICE_STORAGE] = EBB_PRICE_BYTE_MONTHS,
	[EBB_PRICE_PUT] = EBB_PRICE_REQUESTS,
	[EBB_PRICE_GET] = EBB_PRICE_REQUESTS,
	[EBB_PRICE_PART] = EBB_PRICE_REQUESTS,
	[EBB_PRICE_TRANSITION] = EBB_PRICE_REQUESTS,
	[EBB_PRICE_RETRIEVAL] = EBB_PRICE_BYTES,
	[EBB_PRICE_UPLOAD] = EBB_PRICE_BYTES,
	[EBB_PRICE_MONITORING] = EBB_PRICE_OBJECT_MONTHS,
};

/* The plain number of books that know nothing but GiB-months. */
static int read_gib_month(const struct ebb_price_book *book, const struct ebb_tree_node *node,
			  struct ebb_price_note note, struct ebb_price_figure *ret,
			  struct ebb_err *err)
{
	struct ebb_tree_node with_unit = *node;
	const char *text;
	struct ebb_decimal d;
	struct ebb_err why = {0};
	int r = ebb_tree_text(node, &text, err);

	if (r < 0)
		return r;
	if (ebb_decimal_parse(text, &d, &why) < 0)
		return ebb_tree_error(node, err, "'%s': %s", node->key, why.msg);
	if (d.mant < 0)
		return ebb_tree_error(node, err, "'%s': a price is not negative", node->key);
	with_unit.text = ebb_arena_printf(book->set->arena, "%s/GiB-month", text);
	if (!with_unit.text)
		return ebb_price_no_memory(err);
	return ebb_price_figure_read(book, &with_unit, EBB_PRICE_BYTE_MONTHS, note, ret, err);
}

static int read_items(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		      struct ebb_price_note note, struct ebb_price_class *c, struct ebb_err *err)
{
	const struct ebb_tree_node *node = ebb_tree_get(map, "storage_gib_month");
	struct ebb_price_figure *storage = &c->item[EBB_PRICE_STORAGE];
	int r = node ? read_gib_month(book, node, note, storage, err) : 0;

	if (r == 0 && node && ebb_tree_get(map, "storage"))
		r = ebb_tree_error(ebb_tree_get(map, "storage"), err,
				   "'storage' and 'storage_gib_month' are the same");
	for (int i = 0; i < EBB_PRICE_ITEMS && r == 0; i++) {
		node = ebb_tree_get(map, ebb_price_item_name((enum ebb_price_item)i));
		if (node)
			r = ebb_price_figure_read(book, node, dimensions[i], note, &c->item[i],
						  err);
	}
	return r;
}

static int read_restore(const struct ebb_price_book *book, const struct ebb_tree_node *map,
			struct ebb_price_note note, struct ebb_price_restore *ret,
			struct ebb_err *err)
{
	static const char *const keys[] = {"request", "retrieval", "hours", "source", "confidence"};
	const struct ebb_tree_node *node;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r == 0)
		r = ebb_price_figure_note(book, map, &note, err);
	if (r == 0 && (node = ebb_tree_get(map, "request")))
		r = ebb_price_figure_read(book, node, EBB_PRICE_REQUESTS, note, &ret->request, err);
	if (r == 0 && (node = ebb_tree_get(map, "retrieval")))
		r = ebb_price_figure_read(book, node, EBB_PRICE_BYTES, note, &ret->retrieval, err);
	if (r == 0 && (node = ebb_tree_get(map, "hours")))
		r = ebb_tree_count(node, &ret->hours, err);
	return r;
}

static int read_restores(const struct ebb_price_book *book, const struct ebb_tree_node *map,
			 struct ebb_price_note note, struct ebb_price_class *c,
			 struct ebb_err *err)
{
	const char *words[EBB_PRICE_SPEEDS];
	int r = 0;

	for (int i = 0; i < EBB_PRICE_SPEEDS; i++)
		words[i] = ebb_price_speed_name((enum ebb_price_speed)i);
	r = ebb_tree_unknown_keys(map, words, EBB_PRICE_SPEEDS, err);
	for (int i = 0; i < EBB_PRICE_SPEEDS && r == 0; i++) {
		const struct ebb_tree_node *node = ebb_tree_get(map, words[i]);

		if (node)
			r = read_restore(book, node, note, &c->restore[i], err);
	}
	return r;
}

static int read_sink(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		     struct ebb_price_note note, struct ebb_price_sink *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"after", "storage", "opt_in", "source", "confidence"};
	const struct ebb_tree_node *after, *storage, *opt_in = ebb_tree_get(map, "opt_in");
	int64_t ns;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r < 0)
		return r;
	after = ebb_tree_need(map, "after", err);
	storage = after ? ebb_tree_need(map, "storage", err) : NULL;
	if (!storage)
		return -EBB_ECONFIG;
	r = ebb_price_figure_note(book, map, &note, err);
	if (r == 0)
		r = ebb_tree_duration(after, &ns, err);
	if (r == 0 && opt_in)
		r = ebb_tree_bool(opt_in, &ret->opt_in, err);
	if (r < 0)
		return r;
	ret->after_days = ns / EBB_DATE_DAY_NS;
	return ebb_price_figure_read(book, storage, EBB_PRICE_BYTE_MONTHS, note, &ret->storage, err);
}

static int read_sinks(const struct ebb_price_book *book, const struct ebb_tree_node *seq,
		      struct ebb_price_note note, struct ebb_price_class *c, struct ebb_err *err)
{
	int r = ebb_tree_expect(seq, EBB_TREE_SEQ, err);

	if (r < 0)
		return r;
	if (seq->n_children > EBB_PRICE_SINKS)
		return ebb_tree_error(seq, err, "at most %d sinks", EBB_PRICE_SINKS);
	c->nsinks = 0;
	EBB_TREE_EACH(map, seq)
	{
		struct ebb_price_sink *s = &c->sink[c->nsinks];

		*s = (struct ebb_price_sink){0};
		r = read_sink(book, map, note, s, err);
		if (r < 0)
			return r;
		if (c->nsinks++ && s->after_days < s[-1].after_days)
			return ebb_tree_error(map, err, "sinks must come later one after the other");
	}
	return 0;
}

/* What is no price: rules that hold for a class. */
static int read_rules(const struct ebb_tree_node *map, struct ebb_price_row *row,
		      struct ebb_err *err)
{
	struct ebb_price_class *c = &row->class;
	const struct {
		const char *key;
		int64_t *value;
	} bytes[] = {
		{"min_bytes", &c->min_bytes},
		{"overhead", &c->overhead},
		{"overhead_standard", &c->overhead_standard},
		{"monitored_from", &c->monitored_from},
	};
	const struct ebb_tree_node *node = ebb_tree_get(map, "min_days");
	int r = node ? ebb_tree_count(node, &c->min_days, err) : 0;

	for (size_t i = 0; i < EBB_ARRAY_LEN(bytes) && r == 0; i++)
		if ((node = ebb_tree_get(map, bytes[i].key)))
			r = ebb_tree_bytes(node, bytes[i].value, err);
	if (r == 0 && (node = ebb_tree_get(map, "moves_free_early")))
		r = ebb_tree_bool(node, &c->moves_free_early, err);
	if (r == 0 && (node = ebb_tree_get(map, "offline")))
		r = ebb_tree_bool(node, &c->offline, err);
	if (r == 0 && (node = ebb_tree_get(map, "standard")))
		r = ebb_tree_text(node, &row->standard, err);
	if (r == 0 && c->min_days > 36500)
		r = ebb_tree_error(ebb_tree_get(map, "min_days"), err, "longer than a century");
	return r;
}

static int read_class(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		      struct ebb_price_note note, struct ebb_price_row *row, struct ebb_err *err)
{
	static const char *const keys[] = {
		"storage",    "put",	    "get",	"part",		     "transition",
		"retrieval",  "upload",	    "monitoring", "storage_gib_month", "min_days",
		"min_bytes",  "overhead",   "overhead_standard", "standard", "monitored_from",
		"moves_free_early", "offline", "restore", "sinks", "source", "confidence"};
	const struct ebb_tree_node *node;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r == 0)
		r = ebb_price_figure_note(book, map, &note, err);
	if (r == 0)
		r = read_items(book, map, note, &row->class, err);
	if (r == 0)
		r = read_rules(map, row, err);
	if (r == 0 && (node = ebb_tree_get(map, "restore")))
		r = read_restores(book, node, note, &row->class, err);
	if (r == 0 && (node = ebb_tree_get(map, "sinks")))
		r = read_sinks(book, node, note, &row->class, err);
	if (r == 0)
		row->class.month_hours = book->month_hours;
	return r;
}

/* A class that keeps things for nothing would win every comparison. */
static int need_storage(const struct ebb_tree_node *map, const struct ebb_price_row *row,
			struct ebb_err *err)
{
	if (ebb_price_known(&row->class.item[EBB_PRICE_STORAGE]) || ebb_tree_get(map, "storage"))
		return 0;
	return ebb_tree_need(map, "storage", err) ? 0 : -EBB_ECONFIG;
}

/* A class for all regions: its row, and those of the regions that earlier books know. */
static int read_everywhere(const struct ebb_price_book *book, const struct ebb_tree_node *map,
			   bool last, struct ebb_err *err)
{
	struct ebb_price_row *row =
		ebb_price_row_make(book->set, book->provider, "*", map->key);
	int r = 0;

	if (!row)
		return ebb_price_no_memory(err);
	for (row = book->set->first; row && r == 0; row = row->next)
		if (strcmp(row->class.provider, book->provider) == 0 &&
		    strcmp(row->class.name, map->key) == 0)
			r = read_class(book, map, book->note, row, err);
	row = ebb_price_row(book->set, book->provider, "*", map->key);
	return r == 0 && last ? need_storage(map, row, err) : r;
}

static int read_region(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		       struct ebb_err *err)
{
	struct ebb_price_note note = book->note;
	int r = ebb_tree_expect(map, EBB_TREE_MAP, err);

	if (r == 0)
		r = ebb_price_figure_note(book, map, &note, err);
	EBB_TREE_EACH(class, map)
	{
		struct ebb_price_row *row;

		if (r < 0)
			return r;
		if (strcmp(class->key, "source") == 0 || strcmp(class->key, "confidence") == 0)
			continue;
		row = ebb_price_row_make(book->set, book->provider, map->key, class->key);
		if (!row)
			return ebb_price_no_memory(err);
		r = read_class(book, class, note, row, err);
		if (r == 0)
			r = need_storage(class, row, err);
	}
	return r;
}

/* Whose rate the overhead pays; done again after each book, since rows may have come. */
static void link_standard(struct ebb_price_books *set)
{
	for (struct ebb_price_row *row = set->first; row; row = row->next) {
		struct ebb_price_class *c = &row->class;
		const struct ebb_price_class *s = ebb_price_find(
			set, c->provider, c->region, row->standard ? row->standard : "STANDARD");

		c->standard = s ? s : c;
	}
}

int ebb_price_class_read(const struct ebb_price_book *book, const struct ebb_tree_node *classes,
			 const struct ebb_tree_node *regions, struct ebb_err *err)
{
	int r = classes ? ebb_tree_expect(classes, EBB_TREE_MAP, err) : 0;

	if (r == 0 && regions)
		r = ebb_tree_expect(regions, EBB_TREE_MAP, err);
	if (r < 0)
		return r;
	if (classes)
		EBB_TREE_EACH(map, classes)
			if (r == 0)
				r = read_everywhere(book, map, !regions, err);
	if (regions)
		EBB_TREE_EACH(map, regions)
			if (r == 0)
				r = read_region(book, map, err);
	link_standard(book->set);
	return r;
}
