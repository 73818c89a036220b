/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/price.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "policies/price_rate.h"

static const char *const confidences[EBB_PRICE_CONFIDENCES] = {
	[EBB_PRICE_CONTRACT] = "contract",
	[EBB_PRICE_LIST] = "list",
	[EBB_PRICE_SAMPLE] = "sample",
	[EBB_PRICE_LOW] = "low",
};

static const char *const items[EBB_PRICE_ITEMS] = {
	[EBB_PRICE_STORAGE] = "storage",       [EBB_PRICE_PUT] = "put",
	[EBB_PRICE_GET] = "get",	       [EBB_PRICE_PART] = "part",
	[EBB_PRICE_TRANSITION] = "transition", [EBB_PRICE_RETRIEVAL] = "retrieval",
	[EBB_PRICE_UPLOAD] = "upload",	       [EBB_PRICE_MONITORING] = "monitoring",
};

static const char *const speeds[EBB_PRICE_SPEEDS] = {
	[EBB_PRICE_BULK] = "bulk",
	[EBB_PRICE_STANDARD] = "standard",
	[EBB_PRICE_EXPEDITED] = "expedited",
};

const char *ebb_price_confidence_name(enum ebb_price_confidence c)
{
	return confidences[c];
}

const char *ebb_price_item_name(enum ebb_price_item i)
{
	return items[i];
}

const char *ebb_price_speed_name(enum ebb_price_speed s)
{
	return speeds[s];
}

int ebb_price_no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory for prices");
}

int ebb_price_convert(const struct ebb_price_books *books, struct ebb_money m, struct ebb_money *ret,
		      struct ebb_err *err)
{
	struct ebb_decimal rate;
	const char *to = ebb_price_currency(books);

	if (!*to || !ebb_price_rate_find(books, m.currency, to, &rate))
		return ebb_err_set(err, EBB_ECONFIG,
				   "%s cannot be turned into %s: no price book has a rate for that day; add one under 'rates'",
				   m.currency, *to ? to : "the currency of the price books");
	return ebb_money_convert(m, rate, to, ret, err);
}

/* --- The table of classes --- */

struct ebb_price_books *ebb_price_books_new(struct ebb_arena *arena, int64_t now)
{
	struct ebb_price_books *set = ebb_arena_alloc(arena, sizeof(*set));

	if (!set)
		return NULL;
	set->arena = arena;
	set->now = now;
	set->last = &set->first;
	return set;
}

const char *ebb_price_currency(const struct ebb_price_books *books)
{
	return books->currency;
}

/* FNV-1a over the three words. */
static unsigned chain_of(const char *provider, const char *region, const char *class)
{
	const char *const words[] = {provider, region, class};
	uint32_t h = UINT32_C(2166136261);

	for (int i = 0; i < 3; i++) {
		for (const char *s = words[i]; *s; s++)
			h = (h ^ (unsigned char)*s) * UINT32_C(16777619);
		h = h * UINT32_C(16777619);
	}
	return (h ^ h >> 16) % EBB_PRICE_CHAINS;
}

struct ebb_price_row *ebb_price_row(const struct ebb_price_books *set, const char *provider,
				    const char *region, const char *class)
{
	struct ebb_price_row *row = set->chains[chain_of(provider, region, class)];

	while (row && (strcmp(row->class.name, class) != 0 ||
		       strcmp(row->class.region, region) != 0 ||
		       strcmp(row->class.provider, provider) != 0))
		row = row->chain;
	return row;
}

struct ebb_price_row *ebb_price_row_make(struct ebb_price_books *set, const char *provider,
					 const char *region, const char *class)
{
	struct ebb_price_row *row = ebb_price_row(set, provider, region, class);
	struct ebb_price_row **chain = &set->chains[chain_of(provider, region, class)];

	if (row)
		return row;
	row = ebb_arena_alloc(set->arena, sizeof(*row));
	if (!row)
		return NULL;
	if (ebb_price_row(set, provider, "*", class))
		*row = *ebb_price_row(set, provider, "*", class);
	row->class.provider = ebb_arena_strdup(set->arena, provider);
	row->class.region = ebb_arena_strdup(set->arena, region);
	row->class.name = ebb_arena_strdup(set->arena, class);
	if (!row->class.provider || !row->class.region || !row->class.name)
		return NULL;
	row->chain = *chain;
	row->next = NULL;
	*chain = *set->last = row;
	set->last = &row->next;
	set->n++;
	return row;
}

const struct ebb_price_class *ebb_price_find(const struct ebb_price_books *books,
					     const char *provider, const char *region,
					     const char *class)
{
	const struct ebb_price_row *row = NULL;

	provider = provider ? provider : "";
	if (class && region)
		row = ebb_price_row(books, provider, region, class);
	if (class && !row)
		row = ebb_price_row(books, provider, "*", class);
	return row && ebb_price_known(&row->class.item[EBB_PRICE_STORAGE]) ? &row->class : NULL;
}

size_t ebb_price_count(const struct ebb_price_books *books)
{
	return books->n;
}

const struct ebb_price_class *ebb_price_get(const struct ebb_price_books *books, size_t i)
{
	const struct ebb_price_row *row = books->first;

	while (row && i--)
		row = row->next;
	return row ? &row->class : NULL;
}

const struct ebb_price_figure *ebb_price_service(const struct ebb_price_books *books,
						 const char *provider, const char *name)
{
	const struct ebb_price_sold *s = books->services;

	provider = provider ? provider : "";
	while (s && (strcmp(s->provider, provider) != 0 || strcmp(s->name, name) != 0))
		s = s->next;
	return s && ebb_price_known(&s->figure) ? &s->figure : NULL;
}

/* --- Arithmetic --- */

/* round(@quantity * @atto / @divisor): whole units first, so that only the rest is divided. */
static __int128 charge(__int128 quantity, __int128 atto, __int128 divisor)
{
	__int128 whole = quantity / divisor, rest = quantity % divisor, all, part;

	if (__builtin_mul_overflow(whole, atto, &all) ||
	    __builtin_mul_overflow(rest, atto, &part) || all > EBB_PRICE_TOO_MUCH)
		return EBB_PRICE_TOO_MUCH;
	all += part / divisor + (part % divisor > (divisor - 1) / 2);
	return all < EBB_PRICE_TOO_MUCH ? all : EBB_PRICE_TOO_MUCH;
}

__int128 ebb_price_flat(const struct ebb_price_figure *f, __int128 quantity, int64_t over)
{
	return f->ntiers ? charge(quantity, f->tiers[0].atto, (__int128)f->per * over) : 0;
}

/* What a month's first @volume units cost. */
static __int128 month(const struct ebb_price_figure *f, __int128 volume)
{
	__int128 sum = 0, steps = volume / f->step + (volume % f->step != 0);

	if (__builtin_mul_overflow(steps, f->step, &volume))
		return EBB_PRICE_TOO_MUCH;
	for (size_t i = 0; i < f->ntiers && volume > f->tiers[i].from; i++) {
		__int128 to = volume;

		if (i + 1 < f->ntiers && to > f->tiers[i + 1].from)
			to = f->tiers[i + 1].from;
		sum += charge(to - f->tiers[i].from, f->tiers[i].atto, f->per);
		if (sum >= EBB_PRICE_TOO_MUCH)
			return EBB_PRICE_TOO_MUCH;
	}
	return sum;
}

__int128 ebb_price_marginal(const struct ebb_price_figure *f, __int128 before, __int128 quantity)
{
	__int128 all;

	if (__builtin_add_overflow(before, quantity, &all) || all >= EBB_PRICE_TOO_MUCH)
		return EBB_PRICE_TOO_MUCH;
	all = month(f, all);
	return all == EBB_PRICE_TOO_MUCH ? all : all - month(f, before);
}

const char *ebb_price_text(const struct ebb_price_figure *f, char out[EBB_PRICE_TEXT])
{
	char number[EBB_DECIMAL_TEXT];
	struct ebb_decimal d = {.mant = f->ntiers ? f->tiers[0].atto : 0, .scale = EBB_PRICE_DIGITS};

	for (; d.scale > 0 && d.mant % 10 == 0; d.scale--)
		d.mant /= 10;
	snprintf(out, EBB_PRICE_TEXT, "%s/%s", ebb_decimal_format(d, number),
		 f->unit ? f->unit : "-");
	return f->ntiers ? out : "not priced";
}
