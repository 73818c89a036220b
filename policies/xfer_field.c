/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_field.h"

#include <stdlib.h>
#include <string.h>

#include "core/decimal.h"
#include "core/text.h"

#define DIGITS 12

int ebb_xfer_field_memory(struct ebb_xfer_field *r)
{
	return ebb_err_set(r->err, EBB_ENOMEM, "out of memory");
}

/* --- Scalars --- */

/* 10^-12 units, ties to even; false on overflow. */
static bool scaled(struct ebb_decimal d, ebb_xfer_num *ret)
{
	ebb_xfer_num v = d.mant, unit = 1;

	for (int i = d.scale; i < DIGITS; i++)
		if (__builtin_mul_overflow(v, 10, &v))
			return false;
	for (int i = DIGITS; i < d.scale; i++)
		unit *= 10;
	ebb_xfer_num rest = v % unit;
	v /= unit;
	if (rest > unit - rest || (rest && rest == unit - rest && v % 2))
		v++;
	*ret = v;
	return true;
}

/* A number of at least 0 and at most @max, in 10^-12. */
int ebb_xfer_field_number(struct ebb_xfer_field *r, const struct ebb_tree_node *n, ebb_xfer_num max,
		  ebb_xfer_num *ret)
{
	struct ebb_decimal d;
	ebb_xfer_num v;
	char t[EBB_TEXT_QUOTED];

	if (n->kind != EBB_TREE_SCALAR || n->quoted || ebb_decimal_parse(n->text, &d, NULL) == -EBB_EINVAL)
		return ebb_tree_error(n, r->err, "'%s' must be a number", n->key ? n->key : "an element");
	ebb_text_quotes(n->text, t, sizeof(t));
	if (n->text[0] == '-' && strpbrk(n->text, "123456789"))
		return ebb_tree_error(n, r->err, "'%s' is negative: %s", n->key ? n->key : "an element", t);
	if (ebb_decimal_parse(n->text, &d, NULL) < 0 || !scaled(d, &v) || v > max)
		return ebb_tree_error(n, r->err, "'%s' is too large or too fine: %s",
				      n->key ? n->key : "an element", t);
	*ret = v;
	return 0;
}

/* A member that may be absent or null: *ret is left alone then. Prices go up to a million. */
int ebb_xfer_field_price(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key, int64_t *ret)
{
	const struct ebb_tree_node *n = ebb_tree_get(map, key);
	ebb_xfer_num v;

	if (!n || ebb_tree_is_null(n))
		return 0;
	int bad = ebb_xfer_field_number(r, n, (ebb_xfer_num)EBB_XFER_ONE * 1000000, &v);
	if (bad == 0)
		*ret = (int64_t)v;
	return bad;
}

int ebb_xfer_field_volume(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
		  ebb_xfer_num *ret)
{
	const struct ebb_tree_node *n = ebb_tree_get(map, key);

	if (!n || ebb_tree_is_null(n))
		return 0;
	return ebb_xfer_field_number(r, n, (ebb_xfer_num)EBB_XFER_ONE * EBB_XFER_ONE, ret);
}

int ebb_xfer_field_bool(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key, bool *ret)
{
	const struct ebb_tree_node *n = ebb_tree_get(map, key);

	return n && !ebb_tree_is_null(n) ? ebb_tree_bool(n, ret, r->err) : 0;
}

/* A whole number, also written 1e6 or 5.0; absent: *ret is left alone. */
int ebb_xfer_field_count(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key, int64_t least,
		 int64_t *ret)
{
	const struct ebb_tree_node *n = ebb_tree_get(map, key);
	ebb_xfer_num v;

	if (!n)
		return 0;
	int bad = ebb_xfer_field_number(r, n, (ebb_xfer_num)EBB_XFER_ONE * EBB_XFER_ONE, &v);
	if (bad < 0)
		return bad;
	if (v % EBB_XFER_ONE || v / EBB_XFER_ONE < least)
		return ebb_tree_error(n, r->err, "'%s' must be a whole number of at least %lld", key,
				      (long long)least);
	*ret = (int64_t)(v / EBB_XFER_ONE);
	return 0;
}

int ebb_xfer_field_text(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key, const char **ret)
{
	const struct ebb_tree_node *n = ebb_tree_get(map, key);

	*ret = "";
	return n && !ebb_tree_is_null(n) ? ebb_tree_text(n, ret, r->err) : 0;
}

/* --- Lists and names --- */

/* The list @key of @map, every element of which is a map; its length. A list that may be missing is empty then. */
int ebb_xfer_field_list(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key, bool needed,
		const struct ebb_tree_node **ret, size_t *ret_n)
{
	const struct ebb_tree_node *n = needed ? ebb_tree_need(map, key, r->err) : ebb_tree_get(map, key);

	*ret = n;
	*ret_n = 0;
	if (!n)
		return needed ? -EBB_ECONFIG : 0;
	if (ebb_tree_is_null(n))
		return 0;
	int bad = ebb_tree_expect(n, EBB_TREE_SEQ, r->err);
	if (bad < 0)
		return bad;
	EBB_TREE_EACH(e, n)
		if (e->kind != EBB_TREE_MAP)
			return ebb_tree_error(e, r->err, "an element of '%s' must be a map", key);
	*ret_n = n->n_children;
	return 0;
}

/* The id of an element. */
int ebb_xfer_field_id(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char **ret)
{
	const struct ebb_tree_node *n = ebb_tree_need(map, "id", r->err);

	if (!n)
		return -EBB_ECONFIG;
	int bad = ebb_tree_text(n, ret, r->err);
	if (bad == 0 && !**ret)
		return ebb_tree_error(n, r->err, "'id' is empty");
	return bad;
}

int ebb_xfer_field_unknown(struct ebb_xfer_field *r, const struct ebb_tree_node *n, const char *what,
		   const char *word, const char *const *words, size_t n_words)
{
	char hint[256], t[EBB_TEXT_QUOTED];

	ebb_text_quotes(word, t, sizeof(t));
	if (n_words == 0)
		return ebb_tree_error(n, r->err, "there is no %s '%s', there are none at all", what, t);
	return ebb_tree_error(n, r->err, "there is no %s '%s'%s", what, t,
			      ebb_text_suggest(word, words, n_words, hint, sizeof(hint)));
}

int ebb_xfer_field_by_name(const void *a, const void *b)
{
	return strcmp(((const struct ebb_xfer_field_name *)a)->id, ((const struct ebb_xfer_field_name *)b)->id);
}

int ebb_xfer_field_site(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key, uint32_t *ret)
{
	const struct ebb_tree_node *n = ebb_tree_need(map, key, r->err);
	struct ebb_xfer_field_name wanted = {0};

	if (!n)
		return -EBB_ECONFIG;
	int bad = ebb_tree_text(n, &wanted.id, r->err);
	if (bad < 0)
		return bad;
	const struct ebb_xfer_field_name *found = r->x->n_sites ? bsearch(&wanted, r->by_id, r->x->n_sites,
							   sizeof(wanted), ebb_xfer_field_by_name) : NULL;
	if (!found)
		return ebb_xfer_field_unknown(r, n, "site", wanted.id, r->site_ids, r->x->n_sites);
	*ret = found->at;
	return 0;
}
