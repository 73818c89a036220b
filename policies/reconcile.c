/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/mem.h"

struct ebb_reconcile {
	struct ebb_arena arena;
	struct ebb_reconcile_row *rows;
	size_t n, room;
	size_t last;	/* row found last: charges come in runs */
};

struct ebb_reconcile *ebb_reconcile_new(void)
{
	struct ebb_reconcile *r = calloc(1, sizeof(*r));

	if (r)
		ebb_arena_init(&r->arena, 0);
	return r;
}

void ebb_reconcile_free(struct ebb_reconcile *r)
{
	if (!r)
		return;
	ebb_arena_release(&r->arena);
	free(r->rows);
	free(r);
}

static int compare(const struct ebb_reconcile_key *a, const struct ebb_reconcile_key *b)
{
	int c = a->year != b->year ? a->year - b->year : a->month - b->month;

	if (c == 0)
		c = strcmp(a->provider, b->provider);
	if (c == 0)
		c = strcmp(a->region, b->region);
	return c ? c : strcmp(a->class, b->class);
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int row_of(struct ebb_reconcile *r, const struct ebb_reconcile_key *k, struct ebb_reconcile_row **ret,
		  struct ebb_err *err)
{
	if (r->last < r->n && compare(&r->rows[r->last].key, k) == 0) {
		*ret = &r->rows[r->last];
		return 0;
	}
	for (r->last = 0; r->last < r->n; r->last++)
		if (compare(&r->rows[r->last].key, k) == 0) {
			*ret = &r->rows[r->last];
			return 0;
		}
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 64;
		void *p = reallocarray(r->rows, room, sizeof(*r->rows));

		if (!p)
			return no_memory(err);
		r->rows = p;
		r->room = room;
	}
	struct ebb_reconcile_row *row = &r->rows[r->n];
	*row = (struct ebb_reconcile_row){.key = *k};
	row->key.provider = ebb_arena_strdup(&r->arena, k->provider);
	row->key.region = ebb_arena_strdup(&r->arena, k->region);
	row->key.class = ebb_arena_strdup(&r->arena, k->class);
	if (!row->key.provider || !row->key.region || !row->key.class)
		return no_memory(err);
	r->n++;
	*ret = row;
	return 0;
}

int ebb_reconcile_billed(struct ebb_reconcile *r, const struct ebb_reconcile_key *k, const char *service, __int128 pico,
			 struct ebb_err *err)
{
	struct ebb_reconcile_row *row;
	int rc = row_of(r, k, &row, err);

	if (rc < 0)
		return rc;
	row->billed += pico;
	row->charges++;
	row->has_billed = true;
	if (!*row->service)
		snprintf(row->service, sizeof(row->service), "%s", service);
	return 0;
}

int ebb_reconcile_predicted(struct ebb_reconcile *r, const struct ebb_reconcile_key *k, __int128 pico, int unknown_days,
			    struct ebb_err *err)
{
	struct ebb_reconcile_row *row;
	int rc = row_of(r, k, &row, err);

	if (rc < 0)
		return rc;
	row->predicted += pico;
	row->has_predicted = true;
	if (unknown_days > row->unknown_days)
		row->unknown_days = unknown_days;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return compare(&((const struct ebb_reconcile_row *)a)->key, &((const struct ebb_reconcile_row *)b)->key);
}

const struct ebb_reconcile_row *ebb_reconcile_rows(struct ebb_reconcile *r, size_t *ret_n)
{
	if (r->n)
		qsort(r->rows, r->n, sizeof(*r->rows), by_key);
	*ret_n = r->n;
	return r->rows;
}

bool ebb_reconcile_comparable(const struct ebb_reconcile_row *row)
{
	return row->has_billed && row->has_predicted && row->unknown_days == 0;
}

struct ebb_reconcile_sum ebb_reconcile_calibration(struct ebb_reconcile *r)
{
	struct ebb_reconcile_sum s = {0};

	for (size_t i = 0; i < r->n; i++) {
		const struct ebb_reconcile_row *row = &r->rows[i];
		__int128 d = row->predicted - row->billed;

		if (!ebb_reconcile_comparable(row))
			continue;
		s.rows++;
		s.billed += row->billed;
		s.predicted += row->predicted;
		s.differences += d < 0 ? -d : d;
	}
	if (s.billed > 0) {
		s.bias = (double)(s.predicted - s.billed) / (double)s.billed;
		s.error = (double)s.differences / (double)s.billed;
	}
	if (s.predicted > 0)
		s.factor = (double)s.billed / (double)s.predicted;
	return s;
}
