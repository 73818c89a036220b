/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/sim_best.h"

#include <stdlib.h>

/* Not reachable; far above any cost, and far from overflow when costs are added. */
#define NEVER ((ebb_tariff_num)1 << 125)

/*
 * An object's row of `cost`: for each class the least cost of being there after 1, 2, ... days, the
 * last cell standing for "as long as its minimum, or longer".
 */
struct ebb_sim_best {
	const struct ebb_tariff *t;
	size_t first[EBB_TARIFF_MAX + 1];	/* cells of a class in a row */
	bool takes_part[EBB_TARIFF_MAX];
	bool *begun;				/* per object */
	ebb_tariff_num *cost;
};

struct ebb_sim_best *ebb_sim_best_new(const struct ebb_tariff *t, size_t objects)
{
	struct ebb_sim_best *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->t = t;
	for (size_t c = 0; c < t->n; c++) {
		int32_t days = t->class[c].min_days;

		b->takes_part[c] = t->class[c].nsinks == 0 && !t->class[c].offline;
		b->first[c + 1] = b->first[c] + (size_t)(days > 1 ? days : 1);
	}
	b->begun = calloc(objects + 1, sizeof(*b->begun));
	b->cost = calloc(objects + 1, b->first[t->n] * sizeof(*b->cost));
	if (b->begun && b->cost)
		return b;
	ebb_sim_best_free(b);
	return NULL;
}

void ebb_sim_best_free(struct ebb_sim_best *b)
{
	if (!b)
		return;
	free(b->begun);
	free(b->cost);
	free(b);
}

/* The least cost of having left class @c. */
static ebb_tariff_num leave(const struct ebb_sim_best *b, const ebb_tariff_num *row, int c,
			    int64_t size)
{
	ebb_tariff_num least = NEVER;

	for (size_t k = b->first[c]; k < b->first[c + 1]; k++) {
		struct ebb_tariff_place p = {.class = c, .days = (int32_t)(k - b->first[c]) + 1};
		ebb_tariff_num cost = row[k];

		if (cost < NEVER)
			cost += ebb_tariff_leave(b->t, &p, size);
		if (cost < least)
			least = cost;
	}
	return least;
}

/* One day on in class @c: those who come at @entry are on their first. */
static void advance(const struct ebb_sim_best *b, ebb_tariff_num *row, int c, ebb_tariff_num entry,
		    ebb_tariff_num day)
{
	size_t first = b->first[c], last = b->first[c + 1] - 1;
	ebb_tariff_num stay = row[last];

	for (size_t k = last; k > first; k--)
		row[k] = row[k - 1];
	row[first] = entry;
	if (stay < row[last])
		row[last] = stay;
	for (size_t k = first; k <= last; k++)
		if (row[k] < NEVER)
			row[k] += day;
}

static ebb_tariff_num day_cost(const struct ebb_sim_best *b, int c, int64_t size, int64_t bytes)
{
	return ebb_tariff_storage(b->t, c, size) +
	       (bytes > 0 ? ebb_tariff_retrieval(b->t, c, bytes) : 0);
}

void ebb_sim_best_day(struct ebb_sim_best *b, size_t i, int64_t size, int64_t bytes)
{
	int n = (int)b->t->n;
	ebb_tariff_num *row = &b->cost[i * b->first[n]], out[EBB_TARIFF_MAX];

	if (!b->begun[i]) {
		for (size_t k = 0; k < b->first[n]; k++)
			row[k] = NEVER;
		row[0] = 0;
		b->begun[i] = true;
	}
	for (int c = 0; c < n; c++)
		out[c] = b->takes_part[c] ? leave(b, row, c, size) : NEVER;
	for (int c = 0; c < n; c++) {
		ebb_tariff_num entry = NEVER;

		if (!b->takes_part[c])
			continue;
		for (int from = 0; from < n; from++)
			if (from != c && out[from] < entry)
				entry = out[from];
		if (entry < NEVER)
			entry += ebb_tariff_entry(b->t, c);
		advance(b, row, c, entry, day_cost(b, c, size, bytes));
	}
}

ebb_tariff_num ebb_sim_best_cost(const struct ebb_sim_best *b, size_t i)
{
	const ebb_tariff_num *row = &b->cost[i * b->first[b->t->n]];
	ebb_tariff_num least = NEVER;

	if (!b->begun[i])
		return 0;
	for (size_t k = 0; k < b->first[b->t->n]; k++)
		if (row[k] < least)
			least = row[k];
	return least;
}
