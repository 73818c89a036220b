/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/shared.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"

#define WHOLE_PPM 1000000

static const char *const names[] = {"even", "by-cost", "by-bytes", "fixed"};

const char *ebb_shared_name(enum ebb_shared_split s)
{
	return names[s];
}

/* --- Reading --- */

static int check_part(const struct ebb_tree_node *n, const struct ebb_shared_rule *r, size_t k, struct ebb_err *err)
{
	const char *value = r->parts[k].value;

	if (!*value || strcmp(value, r->of) == 0)
		return ebb_tree_error(n, err, "what '%s' costs cannot be given to '%s'", r->of, value);
	for (size_t i = 0; i < k; i++)
		if (strcmp(r->parts[i].value, value) == 0)
			return ebb_tree_error(n, err, "'%s' is named twice", value);
	return 0;
}

static int read_fixed(const struct ebb_tree_node *n, struct ebb_shared_part *parts, struct ebb_shared_rule *r,
		      struct ebb_err *err)
{
	int64_t sum = 0;
	int rc = 0;

	r->split = EBB_SHARED_FIXED;
	EBB_TREE_EACH(child, n) {
		struct ebb_shared_part *p = &parts[r->nparts];

		p->value = child->key;
		if ((rc = ebb_tree_percent(child, &p->ppm, err)) < 0 || (rc = check_part(child, r, r->nparts, err)) < 0)
			return rc;
		if (p->ppm <= 0)
			return ebb_tree_error(child, err, "a share is more than nothing");
		sum += p->ppm;
		r->nparts++;
	}
	if (sum != WHOLE_PPM)
		return ebb_tree_error(n, err, "the shares add up to %lld.%04lld%%, not to 100%%", (long long)(sum / 10000),
				      (long long)(sum % 10000));
	return 0;
}

static int read_among(const struct ebb_tree_node *n, struct ebb_shared_part *parts, struct ebb_shared_rule *r,
		      struct ebb_err *err)
{
	int rc = ebb_tree_expect(n, EBB_TREE_SEQ, err);

	if (rc == 0 && r->split == EBB_SHARED_FIXED)
		return ebb_tree_error(n, err, "the shares of 'split' say among whom: leave 'among' out");
	if (rc == 0 && n->n_children == 0)
		return ebb_tree_error(n, err, "'among' names at least one value");
	EBB_TREE_EACH(child, n) {
		if (rc == 0 && (rc = ebb_tree_text(child, &parts[r->nparts].value, err)) == 0)
			rc = check_part(child, r, r->nparts, err);
		r->nparts++;
	}
	return rc;
}

static int read_rule(struct ebb_arena *arena, const struct ebb_tree_node *n, struct ebb_shared_rule *r, struct ebb_err *err)
{
	static const char *const keys[] = {"label", "of", "split", "among"};
	const struct ebb_tree_node *label, *of, *split, *among = ebb_tree_get(n, "among");
	int rc = ebb_tree_unknown_keys(n, keys, EBB_ARRAY_LEN(keys), err);
	size_t word = 0;

	if (rc < 0)
		return rc;
	if (!(label = ebb_tree_need(n, "label", err)) || !(of = ebb_tree_need(n, "of", err)) ||
	    !(split = ebb_tree_need(n, "split", err)))
		return -EBB_ECONFIG;
	*r = (struct ebb_shared_rule){.line = (int)n->line};
	if ((rc = ebb_tree_text(label, &r->label, err)) < 0 || (rc = ebb_tree_text(of, &r->of, err)) < 0)
		return rc;
	size_t most = (among ? among->n_children : 0) + split->n_children;
	struct ebb_shared_part *parts = ebb_arena_calloc(arena, most + 1, sizeof(*parts));
	if (!parts)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (most > EBB_SHARED_PARTS)
		return ebb_tree_error(n, err, "a cost is split among at most %d", EBB_SHARED_PARTS);
	r->parts = parts;
	if (split->kind == EBB_TREE_MAP)
		rc = read_fixed(split, parts, r, err);
	else if ((rc = ebb_tree_choice(split, names, EBB_SHARED_FIXED, &word, err)) == 0)
		r->split = (enum ebb_shared_split)word;
	if (rc == 0 && among)
		rc = read_among(among, parts, r, err);
	return rc;
}

int ebb_shared_read(struct ebb_arena *arena, const struct ebb_tree_node *node, struct ebb_shared_rule **ret,
		    size_t *ret_n, struct ebb_err *err)
{
	struct ebb_shared_rule *list;
	size_t n = 0;
	int r;

	*ret = NULL;
	*ret_n = 0;
	if (!node)
		return 0;
	if ((r = ebb_tree_expect(node, EBB_TREE_SEQ, err)) < 0)
		return r;
	list = ebb_arena_calloc(arena, node->n_children + 1, sizeof(*list));
	if (!list)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	EBB_TREE_EACH(child, node) {
		if ((r = ebb_tree_expect(child, EBB_TREE_MAP, err)) < 0 || (r = read_rule(arena, child, &list[n], err)) < 0)
			return r;
		for (size_t i = 0; i < n; i++)
			if (strcmp(list[i].label, list[n].label) == 0 && strcmp(list[i].of, list[n].of) == 0)
				return ebb_tree_error(child, err, "the costs of %s '%s' are shared in line %d already",
						      list[n].label, list[n].of, list[i].line);
		n++;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

/* --- Splitting --- */

bool ebb_shared_any(const struct ebb_shared_rule *rules, size_t n, const char *label)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rules[i].label, label) == 0)
			return true;
	return false;
}

size_t ebb_shared_more(const struct ebb_shared_rule *rules, size_t nrules)
{
	size_t n = 0;

	for (size_t i = 0; i < nrules; i++)
		n += rules[i].split == EBB_SHARED_FIXED ? rules[i].nparts : 0;
	return n;
}

/* Is the value one that a rule shares, or none at all? */
static bool gives(const struct ebb_shared_rule *rules, size_t n, const char *label, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rules[i].label, label) == 0 && strcmp(rules[i].of, value) == 0)
			return true;
	return !*value;
}

static const struct ebb_shared_part *part_of(const struct ebb_shared_rule *r, const char *value)
{
	for (size_t i = 0; i < r->nparts; i++)
		if (strcmp(r->parts[i].value, value) == 0)
			return &r->parts[i];
	return NULL;
}

/* By how much a row takes part in a split. */
static int64_t weight_of(const struct ebb_shared_rule *r, const struct ebb_shared_row *row)
{
	const struct ebb_shared_part *p = part_of(r, row->value);

	if (r->nparts && !p)
		return 0;
	switch (r->split) {
	case EBB_SHARED_FIXED:
		return p ? p->ppm : 0;
	case EBB_SHARED_BY_COST:
		return row->own > 0 ? row->own : 0;
	case EBB_SHARED_BY_BYTES:
		return row->bytes;
	default:
		return 1;
	}
}

/* Rows that fixed shares name and that own nothing. */
static size_t add_missing(const struct ebb_shared_rule *r, struct ebb_shared_row *rows, size_t n)
{
	for (size_t i = 0; r->split == EBB_SHARED_FIXED && i < r->nparts; i++) {
		size_t k = 0;

		while (k < n && strcmp(rows[k].value, r->parts[i].value) != 0)
			k++;
		if (k == n)
			rows[n++] = (struct ebb_shared_row){.value = r->parts[i].value};
	}
	return n;
}

/* How much a row takes part, and what rounding down left over. */
struct share {
	size_t row;
	int64_t weight;
	__int128 rest;
};

static int by_rest(const void *pa, const void *pb)
{
	const struct share *a = pa, *b = pb;

	if (a->rest != b->rest)
		return a->rest > b->rest ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

/* Give @amount to the rows by their weights: whole units first, then one each to the largest remainders. */
static void give(struct ebb_shared_row *rows, struct share *s, size_t n, __int128 sum, int64_t amount)
{
	int64_t left = amount;

	for (size_t i = 0; i < n; i++) {
		__int128 all = (__int128)amount * s[i].weight;

		s[i].rest = all % sum;
		rows[s[i].row].moved += (int64_t)(all / sum);
		left -= (int64_t)(all / sum);
	}
	qsort(s, n, sizeof(*s), by_rest);
	for (size_t i = 0; left > 0; i++, left--)
		rows[s[i].row].moved++;
}

static void split(const struct ebb_shared_rule *rules, size_t nrules, const struct ebb_shared_rule *r,
		  struct ebb_shared_row *rows, struct share *s, size_t n)
{
	struct ebb_shared_row *from = NULL;
	__int128 sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i].value, r->of) == 0)
			from = &rows[i];
		s[i] = (struct share){i, gives(rules, nrules, r->label, rows[i].value) ? 0 : weight_of(r, &rows[i]), 0};
		sum += s[i].weight;
	}
	if (!from || from->own <= 0 || sum == 0)
		return;
	give(rows, s, n, sum, from->own);
	from->moved -= from->own;
}

int ebb_shared_apply(const struct ebb_shared_rule *rules, size_t nrules, const char *label,
		     struct ebb_shared_row *rows, size_t *n, struct ebb_err *err)
{
	struct share *s;

	for (size_t i = 0; i < *n; i++)
		rows[i].moved = 0;
	for (size_t i = 0; i < nrules; i++)
		if (strcmp(rules[i].label, label) == 0)
			*n = add_missing(&rules[i], rows, *n);
	s = calloc(*n + 1, sizeof(*s));
	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < nrules; i++)
		if (strcmp(rules[i].label, label) == 0)
			split(rules, nrules, &rules[i], rows, s, *n);
	free(s);
	return 0;
}
