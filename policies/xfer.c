/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer.h"

#include <string.h>

const struct ebb_xfer_replica *ebb_xfer_replica_at(const struct ebb_xfer_group *g, uint32_t site)
{
	for (size_t i = 0; i < g->n_replicas; i++)
		if (g->replicas[i].site == site)
			return &g->replicas[i];
	return NULL;
}

const struct ebb_xfer_dest *ebb_xfer_dest_at(const struct ebb_xfer_group *g, uint32_t site)
{
	for (size_t i = 0; i < g->n_dests; i++)
		if (g->dests[i].site == site)
			return &g->dests[i];
	return NULL;
}

bool ebb_xfer_needs(const struct ebb_xfer_group *g, uint32_t site)
{
	const struct ebb_xfer_replica *r = ebb_xfer_replica_at(g, site);

	return ebb_xfer_dest_at(g, site) && !(r && r->satisfies);
}

size_t ebb_xfer_wanted(const struct ebb_xfer_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_dests; i++)
		n += ebb_xfer_needs(g, g->dests[i].site);
	return g->choose && g->choose < n ? g->choose : n;
}

uint32_t ebb_xfer_restored(const struct ebb_xfer *x, int64_t restore)
{
	ebb_xfer_num start = 0;
	uint32_t s = 0;

	for (; s < x->n_slots && start < restore; s++)
		start += x->slots[s].hours;
	return s;
}

uint32_t ebb_xfer_first_slot(const struct ebb_xfer *x, const struct ebb_xfer_group *g)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < g->n_replicas; i++)
		least = g->replicas[i].restore < least ? g->replicas[i].restore : least;
	return ebb_xfer_restored(x, least);
}

ebb_xfer_num ebb_xfer_scale(ebb_xfer_num v, ebb_xfer_num a, ebb_xfer_num b)
{
	unsigned __int128 whole = (unsigned __int128)(v / b) * (unsigned __int128)a, quotient = 0;
	unsigned __int128 left = (unsigned __int128)(v % b), rest = 0, d = (unsigned __int128)b;

	/* left * a / b, bit after bit of a: left and rest stay below b, so nothing overflows */
	for (int bit = 126; bit >= 0; bit--) {
		quotient <<= 1;
		rest <<= 1;
		if (rest >= d) {
			rest -= d;
			quotient++;
		}
		if ((unsigned __int128)a >> bit & 1)
			rest += left;
		if (rest >= d) {
			rest -= d;
			quotient++;
		}
	}
	return (ebb_xfer_num)(whole + quotient);
}

struct ebb_xfer_group ebb_xfer_part(const struct ebb_xfer_group *g, const struct ebb_xfer_tree *t)
{
	struct ebb_xfer_group part = *g;

	part.fixed = 0;
	if (t->gb == 0)
		return part;
	part.gb = t->gb;
	part.packed = g->packed < 0 ? g->packed : ebb_xfer_scale(g->packed, t->gb, g->gb);
	part.objects = ebb_xfer_scale(g->objects, t->gb, g->gb);
	return part;
}

/* What a pool costs from its first GB to @volume. */
static ebb_xfer_num total(const struct ebb_xfer_pool *p, ebb_xfer_num volume)
{
	ebb_xfer_num from = 0, sum = 0;

	for (size_t i = 0; i < p->n_tiers && from < volume; i++) {
		ebb_xfer_num to = p->tiers[i].upto < volume ? p->tiers[i].upto : volume;

		sum += (to - from) * p->tiers[i].price;
		from = to;
	}
	return sum;
}

ebb_xfer_num ebb_xfer_pool_charge(const struct ebb_xfer_pool *p, ebb_xfer_num volume)
{
	return total(p, p->already + volume) - total(p, p->already);
}

/* @n / 10^@scale, written from the end. */
static const char *text(ebb_xfer_num n, int scale, char out[EBB_XFER_TEXT])
{
	unsigned __int128 v = n < 0 ? -(unsigned __int128)n : (unsigned __int128)n;
	char digits[EBB_XFER_TEXT];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	for (; scale > 0 && v % 10 == 0; scale--)
		v /= 10;
	for (int i = 0; v || i <= scale; i++, v /= 10) {
		if (i && i == scale)
			digits[--at] = '.';
		digits[--at] = (char)('0' + (int)(v % 10));
	}
	if (n < 0)
		digits[--at] = '-';
	return memcpy(out, digits + at, sizeof(digits) - at);
}

const char *ebb_xfer_cost_text(ebb_xfer_num cost, char out[EBB_XFER_TEXT])
{
	return text(cost, 24, out);
}

const char *ebb_xfer_gb_text(ebb_xfer_num volume, char out[EBB_XFER_TEXT])
{
	return text(volume, 12, out);
}
