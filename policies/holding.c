/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/holding.h"

#include <string.h>

void ebb_holding_clear(struct ebb_holding *h)
{
	memset(h, 0, sizeof(*h));
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct ebb_holding_row *row_of(struct ebb_holding *h, const char *class, int64_t kind)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->row[i].kind == kind && same(h->row[i].class, class))
			return &h->row[i];
	if (h->n == EBB_HOLDING_ROWS)
		return NULL;
	h->row[h->n].class = class;
	h->row[h->n].kind = kind;
	return &h->row[h->n++];
}

static void count(struct ebb_cost_load *l, int64_t bytes)
{
	l->objects++;
	l->bytes += bytes;
}

static void join(struct ebb_cost_load *l, struct ebb_cost_load more)
{
	l->objects += more.objects;
	l->bytes += more.bytes;
}

/* A size of bit n alone is the least of its bin, so that a minimum of 2^n is the least of one too. */
static int bin_of(int64_t bytes)
{
	return bytes > 0 ? 64 - __builtin_clzll((unsigned long long)bytes) : 0;
}

void ebb_holding_add(struct ebb_holding *h, const char *class, const struct ebb_record *r)
{
	int64_t bytes = r->f[ebb_record_has(r, EBB_F_ALLOC) ? EBB_F_ALLOC : EBB_F_SIZE];
	struct ebb_holding_row *row = row_of(h, class, r->f[EBB_F_KIND]);

	if (r->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN)
		return;
	count(row ? &row->bin[bin_of(bytes)] : &h->left_over, bytes);
}

static void price_row(const struct ebb_holding_row *row, const struct ebb_price_class *c,
		      struct ebb_holding_sum *sum)
{
	struct ebb_bill b;

	for (int i = 0; i < EBB_HOLDING_BINS; i++) {
		struct ebb_cost_load load = row->bin[i];

		ebb_bill_clear(&b);
		if (c)
			ebb_cost_storage(&b, EBB_BILL_BEFORE, c, load, EBB_COST_MONTH);
		join(&sum->all, load);
		if (!c || b.missing)
			join(&sum->unpriced, load);
		else
			sum->month += ebb_bill_sum(&b, EBB_BILL_BEFORE);
	}
}

struct ebb_holding_sum ebb_holding_price(const struct ebb_holding *h,
					 const struct ebb_price_books *books, const char *provider,
					 const char *region, unsigned kinds)
{
	struct ebb_holding_sum sum = {0};

	for (size_t i = 0; i < h->n; i++) {
		const struct ebb_holding_row *row = &h->row[i];
		const struct ebb_price_class *c = ebb_price_find(books, provider, region, row->class);

		if (!(kinds >> row->kind & 1))
			continue;
		if (c && row->kind == EBB_KIND_UPLOAD)
			c = c->standard;
		/* A marker is a name. */
		if (row->kind != EBB_KIND_MARKER)
			price_row(row, c, &sum);
		else
			for (int k = 0; k < EBB_HOLDING_BINS; k++)
				join(&sum.all, row->bin[k]);
	}
	if (kinds == EBB_HOLDING_SEEN) {
		join(&sum.all, h->left_over);
		join(&sum.unpriced, h->left_over);
	}
	return sum;
}
