/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sorting in memory and over many runs against qsort; equal keys keep their order. */
#include "core/sorter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "tests/support/scratch.h"
#include "tests/support/seed.h"

struct item {
	char key[40];
	uint32_t len, number;
};

static int by_key(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int r = ebb_record_key_cmp(a->key, a->len, b->key, b->len);

	return r ? r : a->number < b->number ? -1 : 1;
}

/* Short keys over few letters, NUL among them: prefixes, equals, and keys that differ behind the eighth byte. */
static void random_item(struct ebb_prng *r, struct item *it, uint32_t number)
{
	memset(it, 0, sizeof(*it));
	it->number = number;
	it->len = (uint32_t)ebb_prng_below(r, ebb_prng_below(r, 2) ? 5 : sizeof(it->key));
	for (uint32_t i = 0; i < it->len; i++)
		it->key[i] = "\0ab\xff"[ebb_prng_below(r, i < 6 ? 2 : 4)];
}

static void check(struct ebb_prng *r, const char *dir, uint32_t n, size_t payload)
{
	EBB_CLEANUP(ebb_sorter_freep) struct ebb_sorter *s = ebb_sorter_new(dir, 1 << 20);
	struct item *want = calloc(n + 1, sizeof(*want));
	char *bytes = calloc(1, payload + sizeof(uint32_t));
	struct ebb_sorter_item got;
	struct ebb_err err = {0};

	for (uint32_t i = 0; i < n; i++) {
		random_item(r, &want[i], i);
		memcpy(bytes, &i, sizeof(i));
		EBB_SEED_CHECK(ebb_sorter_add(s, want[i].key, want[i].len, bytes, payload + sizeof(i), &err) == 0,
			       "%s", err.msg);
	}
	qsort(want, n, sizeof(*want), by_key);
	EBB_SEED_CHECK(ebb_sorter_sort(s, &err) == 0, "%s", err.msg);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t number;

		EBB_SEED_CHECK(ebb_sorter_next(s, &got, &err) == 1, "%u of %u: %s", i, n, err.msg);
		memcpy(&number, got.payload, sizeof(number));
		EBB_SEED_CHECK(number == want[i].number && got.len == payload + sizeof(number) &&
				       got.key_len == want[i].len && memcmp(got.key, want[i].key, got.key_len) == 0,
			       "item %u of %u", i, n);
	}
	EBB_SEED_CHECK(ebb_sorter_next(s, &got, &err) == 0, "more than %u", n);
	free(want);
	free(bytes);
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();
	const char *dir = ebb_scratch_new();

	check(&r, dir, 0, 0);
	check(&r, dir, 1, 0);
	check(&r, dir, 3000, 8);		/* in memory */
	check(&r, dir, 60000, 100);		/* some runs */
	check(&r, dir, 200, 60000);		/* long items, many runs */
	return 0;
}
