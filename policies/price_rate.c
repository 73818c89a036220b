/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/price_rate.h"

#include <string.h>

#include "core/err.h"
#include "core/mem.h"

/* ISO 4217, list one, without metals, funds and test codes. */
static const char in_use[] =
	"AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP "
	"BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP "
	"GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES "
	"KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU "
	"MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON "
	"RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND "
	"TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW "
	"ZWG";

int ebb_price_rate_currency(const struct ebb_tree_node *node, const char **ret,
			    struct ebb_err *err)
{
	const char *word;
	int r = ebb_tree_text(node, &word, err);

	if (r < 0)
		return r;
	if (!ebb_money_is_currency(word))
		return ebb_tree_error(node, err,
				      "'%s' is no currency; write three capital letters such as USD",
				      word);
	for (const char *s = in_use; s; s = strchr(s, ' ')) {
		s += *s == ' ';
		if (strncmp(s, word, 3) == 0) {
			*ret = word;
			return 0;
		}
	}
	return ebb_tree_error(node, err, "'%s' is no currency that is in use (ISO 4217)", word);
}

/* The members but the pair, which is read. */
static int read_rate(const struct ebb_tree_node *map, struct ebb_price_exchange *x,
		     struct ebb_err *err)
{
	const struct ebb_tree_node *node = ebb_tree_need(map, "rate", err);
	const char *text;
	int r = node ? ebb_tree_text(node, &text, err) : -EBB_ECONFIG;

	if (r < 0)
		return r;
	if (ebb_decimal_parse(text, &x->rate, NULL) < 0 || x->rate.mant <= 0)
		return ebb_tree_error(node, err, "'%s' is no exchange rate", text);
	node = ebb_tree_need(map, "date", err);
	r = node ? ebb_tree_time(node, &x->day, err) : -EBB_ECONFIG;
	if (r == 0 && !ebb_tree_need(map, "source", err))
		r = -EBB_ECONFIG;
	return r;
}

static int read_pair(const struct ebb_tree_node *map, struct ebb_price_exchange *x,
		     struct ebb_err *err)
{
	static const char *const keys[] = {"from", "to", "rate", "date", "source"};
	const struct ebb_tree_node *from, *to;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r < 0)
		return r;
	from = ebb_tree_need(map, "from", err);
	to = from ? ebb_tree_need(map, "to", err) : NULL;
	if (!to)
		return -EBB_ECONFIG;
	r = ebb_price_rate_currency(from, &x->from, err);
	if (r == 0)
		r = ebb_price_rate_currency(to, &x->to, err);
	return r < 0 ? r : read_rate(map, x, err);
}

int ebb_price_rate_read(struct ebb_price_books *set, const struct ebb_tree_node *rates,
			struct ebb_err *err)
{
	int r = ebb_tree_expect(rates, EBB_TREE_SEQ, err);

	if (r < 0)
		return r;
	EBB_TREE_EACH(map, rates)
	{
		struct ebb_price_exchange *x = ebb_arena_alloc(set->arena, sizeof(*x));

		if (!x)
			return ebb_price_no_memory(err);
		r = read_pair(map, x, err);
		if (r < 0)
			return r;
		for (const struct ebb_price_exchange *o = set->rates; o; o = o->next)
			if (o->day == x->day && strcmp(o->from, x->from) == 0 &&
			    strcmp(o->to, x->to) == 0)
				return ebb_tree_error(map, err,
						      "there is a rate from %s to %s for that day "
						      "already",
						      x->from, x->to);
		x->next = set->rates;
		set->rates = x;
	}
	return 0;
}

bool ebb_price_rate_find(const struct ebb_price_books *set, const char *from, const char *to,
			 struct ebb_decimal *ret)
{
	const struct ebb_price_exchange *best = NULL;

	if (strcmp(from, to) == 0) {
		*ret = ebb_decimal_of(1);
		return true;
	}
	for (const struct ebb_price_exchange *x = set->rates; x; x = x->next)
		if (x->day <= set->now && (!best || x->day > best->day) &&
		    strcmp(x->from, from) == 0 && strcmp(x->to, to) == 0)
			best = x;
	if (best)
		*ret = best->rate;
	return best != NULL;
}
