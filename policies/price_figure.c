/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/price_figure.h"

#include <string.h>

#include "core/date.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/text.h"
#include "core/units.h"

/* A million units of currency: products of prices and units stay far below 2^127. */
#define PRICE_MAX ((__int128)1000000 * 1000000 * 1000000 * 1000000)

struct unit {
	const char *name;
	enum ebb_price_dimension dimension;
	int64_t per;
};

static const struct unit units[] = {
	{"GiB-month", EBB_PRICE_BYTE_MONTHS, INT64_C(1) << 30},
	{"TiB-month", EBB_PRICE_BYTE_MONTHS, INT64_C(1) << 40},
	{"GB-month", EBB_PRICE_BYTE_MONTHS, INT64_C(1000000000)},
	{"TB-month", EBB_PRICE_BYTE_MONTHS, INT64_C(1000000000000)},
	{"GiB", EBB_PRICE_BYTES, INT64_C(1) << 30},
	{"TiB", EBB_PRICE_BYTES, INT64_C(1) << 40},
	{"GB", EBB_PRICE_BYTES, INT64_C(1000000000)},
	{"TB", EBB_PRICE_BYTES, INT64_C(1000000000000)},
	{"1", EBB_PRICE_REQUESTS, 1},
	{"1k", EBB_PRICE_REQUESTS, 1000},
	{"10k", EBB_PRICE_REQUESTS, 10000},
	{"1M", EBB_PRICE_REQUESTS, 1000000},
	{"1-month", EBB_PRICE_OBJECT_MONTHS, 1},
	{"1k-month", EBB_PRICE_OBJECT_MONTHS, 1000},
	{"1M-month", EBB_PRICE_OBJECT_MONTHS, 1000000},
	{"h", EBB_PRICE_TIME, 3600},
};

static const char *const wanted[] = {
	[EBB_PRICE_BYTE_MONTHS] = "per GiB-month, TiB-month, GB-month or TB-month",
	[EBB_PRICE_BYTES] = "per GiB, TiB, GB or TB",
	[EBB_PRICE_REQUESTS] = "per 1, 1k, 10k or 1M",
	[EBB_PRICE_OBJECT_MONTHS] = "per 1-month, 1k-month or 1M-month",
	[EBB_PRICE_TIME] = "per h",
	[EBB_PRICE_ANY] = "per GiB, GiB-month, 1k, 1M, 1k-month, h ...",
};

/* --- Notes and days --- */

static int read_confidence(const struct ebb_tree_node *node, struct ebb_price_note *note,
			   struct ebb_err *err)
{
	const char *words[EBB_PRICE_CONFIDENCES];
	size_t which;
	int r;

	for (int i = 0; i < EBB_PRICE_CONFIDENCES; i++)
		words[i] = ebb_price_confidence_name((enum ebb_price_confidence)i);
	r = ebb_tree_choice(node, words, EBB_ARRAY_LEN(words), &which, err);
	if (r == 0)
		note->confidence = (enum ebb_price_confidence)which;
	return r;
}

static int note_source(const struct ebb_price_book *book, const struct ebb_tree_node *node,
		       struct ebb_price_note *note, struct ebb_err *err)
{
	static const char *const keys[] = {"title", "url", "date", "confidence"};
	const char *word, *title = NULL, *date = NULL;
	const struct ebb_tree_node *source, *n;
	int r = ebb_tree_text(node, &word, err);

	if (r < 0)
		return r;
	source = book->sources ? ebb_tree_get(book->sources, word) : NULL;
	note->source = word;
	if (!source)
		return 0;
	r = ebb_tree_unknown_keys(source, keys, EBB_ARRAY_LEN(keys), err);
	if (r == 0 && (n = ebb_tree_need(source, "title", err)))
		r = ebb_tree_text(n, &title, err);
	if (r == 0 && title && (n = ebb_tree_need(source, "date", err)))
		r = ebb_tree_text(n, &date, err);
	if (r < 0 || !title || !date)
		return -EBB_ECONFIG;
	note->source = ebb_arena_printf(book->set->arena, "%s, as of %s", title, date);
	if (!note->source)
		return ebb_price_no_memory(err);
	n = ebb_tree_get(source, "confidence");
	return n ? read_confidence(n, note, err) : 0;
}

int ebb_price_figure_note(const struct ebb_price_book *book, const struct ebb_tree_node *map,
			  struct ebb_price_note *note, struct ebb_err *err)
{
	const struct ebb_tree_node *source = ebb_tree_get(map, "source");
	const struct ebb_tree_node *confidence = ebb_tree_get(map, "confidence");
	int r = source ? note_source(book, source, note, err) : 0;

	return r == 0 && confidence ? read_confidence(confidence, note, err) : r;
}

int ebb_price_figure_days(const struct ebb_tree_node *map, int64_t *ret_from, int64_t *ret_end,
			  struct ebb_err *err)
{
	const struct ebb_tree_node *from = ebb_tree_get(map, "from");
	const struct ebb_tree_node *until = ebb_tree_get(map, "until");
	int64_t a = INT64_MIN, b = INT64_MAX;
	int r = from ? ebb_tree_time(from, &a, err) : 0;

	if (r == 0 && until) {
		r = ebb_tree_time(until, &b, err);
		if (r == 0 && __builtin_add_overflow(b, EBB_DATE_DAY_NS, &b))
			b = INT64_MAX;
	}
	if (r < 0)
		return r;
	if (a >= b)
		return ebb_tree_error(until ? until : map, err, "ends before it begins");
	*ret_from = a;
	*ret_end = b;
	return 0;
}

/* --- Prices --- */

/* @d in the set's currency as an integer of 10^-18. */
static int to_atto(const struct ebb_price_book *book, const struct ebb_tree_node *node,
		   struct ebb_decimal d, __int128 *ret, struct ebb_err *err)
{
	__int128 atto;

	if (d.mant < 0)
		return ebb_tree_error(node, err, "'%s': a price is not negative", node->text);
	if (d.scale > EBB_PRICE_DIGITS)
		return ebb_tree_error(node, err, "'%s' has more than %d digits behind the point",
				      node->text, EBB_PRICE_DIGITS);
	if (ebb_decimal_mul(d, book->rate, &d, NULL) < 0)
		return ebb_tree_error(node, err, "'%s' has too many digits", node->text);
	atto = d.mant;
	for (; d.scale > EBB_PRICE_DIGITS; d.scale--)
		atto = atto / 10 + (atto % 10 >= 5);
	for (; d.scale < EBB_PRICE_DIGITS; d.scale++)
		if (__builtin_mul_overflow(atto, 10, &atto) || atto > PRICE_MAX)
			return ebb_tree_error(node, err, "'%s' is too much", node->text);
	*ret = atto;
	return 0;
}

static int read_unit(const struct ebb_tree_node *node, const char *name,
		     enum ebb_price_dimension dimension, const struct unit **ret,
		     struct ebb_err *err)
{
	char quoted[EBB_TEXT_QUOTED];

	for (size_t i = 0; i < EBB_ARRAY_LEN(units); i++)
		if (strcmp(units[i].name, name) == 0 &&
		    (dimension == EBB_PRICE_ANY || units[i].dimension == dimension)) {
			*ret = &units[i];
			return 0;
		}
	return ebb_tree_error(node, err, "'%s': this is priced %s",
			      ebb_text_quotes(node->text, quoted, sizeof(quoted)),
			      wanted[dimension]);
}

/* The unit that nothing is priced in. */
static const struct unit *usual(enum ebb_price_dimension dimension)
{
	size_t i = 0;

	while (dimension != EBB_PRICE_ANY && units[i].dimension != dimension)
		i++;
	return &units[i];
}

/* "0.0125/GiB-month" into the figure's unit and one tier. A lone 0 needs no unit. */
static int read_price(const struct ebb_price_book *book, const struct ebb_tree_node *node,
		      enum ebb_price_dimension dimension, struct ebb_price_figure *f,
		      __int128 *ret, struct ebb_err *err)
{
	const char *text, *slash;
	const struct unit *unit = NULL;
	struct ebb_decimal d;
	struct ebb_err why = {0};
	int r = ebb_tree_text(node, &text, err);

	if (r < 0)
		return r;
	slash = strchr(text, '/');
	if (ebb_decimal_parse_n(text, slash ? (size_t)(slash - text) : strlen(text), &d, &why) < 0)
		return ebb_tree_error(node, err, "%s: write a price such as 0.0125/GiB-month", why.msg);
	if (slash)
		r = read_unit(node, slash + 1, dimension, &unit, err);
	else if (d.mant)
		r = ebb_tree_error(node, err, "'%s' has no unit: this is priced %s", text,
				   wanted[dimension]);
	if (r < 0)
		return r;
	if (unit && f->unit && strcmp(unit->name, f->unit) != 0 && f->ntiers)
		return ebb_tree_error(node, err, "all tiers of a price have one unit, here %s",
				      f->unit);
	if (!unit && !f->unit)
		unit = usual(dimension);
	if (unit) {
		f->unit = unit->name;
		f->per = unit->per;
	}
	return to_atto(book, node, d, ret, err);
}

/* The bound of a tier, or of an allowance: bytes, or a number of requests. */
static int read_bound(const struct ebb_tree_node *node, enum ebb_price_dimension dimension,
		      int64_t *ret, struct ebb_err *err)
{
	return dimension == EBB_PRICE_BYTE_MONTHS || dimension == EBB_PRICE_BYTES
		       ? ebb_tree_bytes(node, ret, err)
		       : ebb_tree_count(node, ret, err);
}

static int read_tiers(const struct ebb_price_book *book, const struct ebb_tree_node *seq,
		      enum ebb_price_dimension dimension, struct ebb_price_figure *f,
		      struct ebb_err *err)
{
	struct ebb_price_tier *tiers =
		ebb_arena_calloc(book->set->arena, seq->n_children, sizeof(*tiers));
	int64_t from = 0;
	int r;

	if (!tiers)
		return ebb_price_no_memory(err);
	EBB_TREE_EACH(row, seq)
	{
		if (row->kind != EBB_TREE_SEQ || row->n_children != 2)
			return ebb_tree_error(row, err,
					      "a tier is [bound, price], the last [rest, price]");
		tiers[f->ntiers].from = from;
		r = read_price(book, row->last, dimension, f, &tiers[f->ntiers].atto, err);
		if (r < 0)
			return r;
		f->ntiers++;
		const char *bound = row->first->text;
		if (!row->next) {
			if (!bound || strcmp(bound, "rest") != 0)
				return ebb_tree_error(row, err,
						      "volume above the last tier has no price: "
						      "end with [rest, price]");
			break;
		}
		int64_t to = 0;
		r = read_bound(row->first, dimension, &to, err);
		if (r < 0)
			return r;
		if (to <= from)
			return ebb_tree_error(row, err, "the tiers overlap: bounds must rise");
		from = to;
	}
	f->tiers = tiers;
	return 0;
}

static int read_plain(const struct ebb_price_book *book, const struct ebb_tree_node *node,
		      enum ebb_price_dimension dimension, struct ebb_price_figure *f,
		      struct ebb_err *err)
{
	struct ebb_price_tier *tier = ebb_arena_alloc(book->set->arena, sizeof(*tier));
	int r;

	if (!tier)
		return ebb_price_no_memory(err);
	r = read_price(book, node, dimension, f, &tier->atto, err);
	if (r < 0)
		return r;
	f->tiers = tier;
	f->ntiers = 1;
	return 0;
}

int ebb_price_figure_terms(const struct ebb_price_book *book, const struct ebb_tree_node *map,
			   enum ebb_price_dimension dimension, struct ebb_price_figure *f,
			   struct ebb_err *err)
{
	const struct ebb_tree_node *free = ebb_tree_get(map, "free"), *step = ebb_tree_get(map, "step");
	struct ebb_price_tier *tiers;
	int64_t allowance = 0;
	int r = free ? read_bound(free, dimension, &allowance, err) : 0;

	if (r == 0 && step)
		r = read_bound(step, dimension, &f->step, err);
	if (r < 0)
		return r;
	if (f->step < 1)
		return ebb_tree_error(step, err, "a step is at least 1");
	if (!allowance)
		return 0;
	tiers = ebb_arena_calloc(book->set->arena, f->ntiers, sizeof(*tiers));
	if (!tiers)
		return ebb_price_no_memory(err);
	for (size_t i = 0; i < f->ntiers; i++) {
		tiers[i] = f->tiers[i];
		if (__builtin_add_overflow(tiers[i].from, allowance, &tiers[i].from))
			return ebb_tree_error(free, err, "the allowance is too large");
	}
	f->tiers = tiers;
	return 0;
}

static int read_form(const struct ebb_price_book *book, const struct ebb_tree_node *node,
		     enum ebb_price_dimension dimension, struct ebb_price_note note,
		     struct ebb_price_figure *ret, struct ebb_err *err);

static int read_map(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		    enum ebb_price_dimension dimension, struct ebb_price_note note,
		    struct ebb_price_figure *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"price", "free",	  "step", "source",
					   "from",  "confidence", "until"};
	const struct ebb_tree_node *price;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r == 0)
		r = ebb_price_figure_note(book, map, &note, err);
	if (r < 0)
		return r;
	price = ebb_tree_need(map, "price", err);
	if (!price)
		return -EBB_ECONFIG;
	if (price->kind == EBB_TREE_MAP)
		return ebb_tree_error(price, err, "'price' must be a price or a list of tiers");
	r = read_form(book, price, dimension, note, ret, err);
	return r < 0 ? r : ebb_price_figure_terms(book, map, dimension, ret, err);
}

/* Prices one after the other; the one in force is taken, all are checked. */
static int read_periods(const struct ebb_price_book *book, const struct ebb_tree_node *seq,
			enum ebb_price_dimension dimension, struct ebb_price_note note,
			struct ebb_price_figure *ret, struct ebb_err *err)
{
	const struct ebb_tree_node *last = NULL;
	struct ebb_price_figure one;
	int64_t from, end, before = 0;
	int r;

	EBB_TREE_EACH(map, seq)
	{
		one = (struct ebb_price_figure){.step = 1};
		r = ebb_tree_expect(map, EBB_TREE_MAP, err);
		if (r == 0)
			r = ebb_price_figure_days(map, &from, &end, err);
		if (r == 0)
			r = read_map(book, map, dimension, note, &one, err);
		if (r < 0)
			return r;
		if (last && from < before)
			return ebb_tree_error(map, err, "its days overlap those of line %u",
					      last->line);
		if (last && from > before)
			return ebb_tree_error(map, err, "no price for the days between line %u and "
					      "this one", last->line);
		if (from <= book->set->now && book->set->now < end)
			*ret = one;
		before = end;
		last = map;
	}
	return 0;
}

/* A price that may have days of its own. */
static int read_dated(const struct ebb_price_book *book, const struct ebb_tree_node *map,
		      enum ebb_price_dimension dimension, struct ebb_price_note note,
		      struct ebb_price_figure *ret, struct ebb_err *err)
{
	int64_t from, end;
	int r = ebb_price_figure_days(map, &from, &end, err);

	if (r == 0)
		r = read_map(book, map, dimension, note, ret, err);
	if (r == 0 && (book->set->now < from || book->set->now >= end))
		ret->ntiers = 0;
	return r;
}

static int read_form(const struct ebb_price_book *book, const struct ebb_tree_node *node,
		     enum ebb_price_dimension dimension, struct ebb_price_note note,
		     struct ebb_price_figure *ret, struct ebb_err *err)
{
	ret->confidence = note.confidence;
	ret->source = note.source;
	if (node->kind == EBB_TREE_MAP)
		return read_dated(book, node, dimension, note, ret, err);
	if (node->kind == EBB_TREE_SCALAR)
		return read_plain(book, node, dimension, ret, err);
	if (!node->first)
		return ebb_tree_error(node, err, "a list of prices may not be empty");
	if (node->first->kind == EBB_TREE_MAP)
		return read_periods(book, node, dimension, note, ret, err);
	return read_tiers(book, node, dimension, ret, err);
}

int ebb_price_figure_read(const struct ebb_price_book *book, const struct ebb_tree_node *node,
			  enum ebb_price_dimension dimension, struct ebb_price_note note,
			  struct ebb_price_figure *ret, struct ebb_err *err)
{
	struct ebb_price_figure f = {.step = 1};
	int r = read_form(book, node, dimension, note, &f, err);

	if (r == 0)
		*ret = f;
	return r;
}
