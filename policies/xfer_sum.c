/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_sum.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct ebb_xfer_sum {
	struct ebb_xfer_sum_row *rows;
	uint32_t *table;	/* row + 1 by hash, open addressing, at most half full */
	size_t n, room, slots, cap;
	bool sorted;		/* the table no longer fits the rows */
};

struct ebb_xfer_sum *ebb_xfer_sum_new(size_t cap)
{
	struct ebb_xfer_sum *s = calloc(1, sizeof(*s));

	if (s)
		s->cap = cap < UINT32_MAX / 4 ? cap : UINT32_MAX / 4;
	return s;
}

void ebb_xfer_sum_free(struct ebb_xfer_sum *s)
{
	if (!s)
		return;
	free(s->rows);
	free(s->table);
	free(s);
}

static uint32_t class_of(int64_t bytes, int64_t objects)
{
	uint64_t size = objects ? (uint64_t)(bytes / objects) : 0;

	return size ? 1 + (uint32_t)(63 - __builtin_clzll(size)) / 2 : 0;
}

static bool same(const struct ebb_xfer_sum_row *a, const struct ebb_xfer_sum_row *b)
{
	return a->have == b->have && a->want == b->want && a->terms == b->terms && a->size_class == b->size_class;
}

/* The place of @r in the table: where it is, or where it would go. */
static size_t place(const struct ebb_xfer_sum *s, const struct ebb_xfer_sum_row *r)
{
	uint64_t h = r->have * UINT64_C(0x9e3779b97f4a7c15) ^ r->want * UINT64_C(0xc2b2ae3d27d4eb4f) ^
		     ((uint64_t)r->terms << 32 | r->size_class) * UINT64_C(0x165667b19e3779f9);
	size_t i = (size_t)(h ^ h >> 29) & (s->slots - 1);

	while (s->table[i] && !same(&s->rows[s->table[i] - 1], r))
		i = (i + 1) & (s->slots - 1);
	return i;
}

static void fill(struct ebb_xfer_sum *s)
{
	memset(s->table, 0, s->slots * sizeof(*s->table));
	for (size_t i = 0; i < s->n; i++)
		s->table[place(s, &s->rows[i])] = (uint32_t)i + 1;
	s->sorted = false;
}

static int grow(struct ebb_xfer_sum *s, struct ebb_err *err)
{
	size_t room = s->room ? 2 * s->room : 64;
	struct ebb_xfer_sum_row *rows = realloc(s->rows, room * sizeof(*rows));

	if (rows)
		s->rows = rows;
	uint32_t *table = rows ? calloc(2 * room, sizeof(*table)) : NULL;
	if (!table)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	free(s->table);
	s->table = table;
	s->room = room;
	s->slots = 2 * room;
	fill(s);
	return 0;
}

int ebb_xfer_sum_add(struct ebb_xfer_sum *s, uint64_t have, uint64_t want, uint32_t terms,
		     int64_t bytes, int64_t objects, struct ebb_err *err)
{
	struct ebb_xfer_sum_row r = {have, want & ~have, terms, class_of(bytes, objects), bytes, objects};
	int bad;

	if (bytes < 0 || objects < 0)
		return ebb_err_set(err, EBB_EINVAL, "a negative number of objects or bytes");
	if (s->n == s->room && (bad = grow(s, err)) < 0)
		return bad;
	if (s->sorted)
		fill(s);
	size_t i = place(s, &r);
	if (!s->table[i]) {
		if (s->n == s->cap)
			return ebb_err_set(err, EBB_ELIMIT, "there are more than %zu kinds of objects to transfer", s->cap);
		s->rows[s->n++] = r;
		s->table[i] = (uint32_t)s->n;
		return 0;
	}
	struct ebb_xfer_sum_row *to = &s->rows[s->table[i] - 1];
	if (__builtin_add_overflow(to->bytes, bytes, &r.bytes) || __builtin_add_overflow(to->objects, objects, &r.objects))
		return ebb_err_set(err, EBB_ERANGE, "a sum of bytes or objects does not fit");
	*to = r;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct ebb_xfer_sum_row *x = a, *y = b;

	if (x->have != y->have)
		return x->have < y->have ? -1 : 1;
	if (x->want != y->want)
		return x->want < y->want ? -1 : 1;
	if (x->terms != y->terms)
		return x->terms < y->terms ? -1 : 1;
	return (x->size_class > y->size_class) - (x->size_class < y->size_class);
}

const struct ebb_xfer_sum_row *ebb_xfer_sum_rows(struct ebb_xfer_sum *s, size_t *ret_n)
{
	if (s->n)
		qsort(s->rows, s->n, sizeof(*s->rows), compare);
	s->sorted = true;
	*ret_n = s->n;
	return s->rows;
}
