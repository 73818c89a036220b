/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sorter against qsort: in memory and in many runs on disk, taken twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/sort.h"
#include "tests/support/seed.h"

struct item {
	uint64_t key;
	uint32_t n;
	char pad[7]; /* a size that is no power of two */
};

static struct ebb_prng prng;

static uint64_t rnd(void)
{
	return ebb_prng_next(&prng);
}

static int cmp(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->n < b->n ? -1 : a->n > b->n;
}

/* Half of what the order goes by, so that many are equal; in all its bytes. */
static uint64_t key_of(const void *p)
{
	const struct item *a = p;

	return (a->key >> 1) * UINT64_C(0x0010010010010011);
}

static void die(const char *what, const struct ebb_err *err)
{
	printf("FAILED: %s: %s\n", what, err->msg);
	exit(1);
}

static void take_all(struct ebb_sort *s, const struct item *want, size_t n)
{
	struct ebb_err err = {0};
	struct item got;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (ebb_sort_take(s, &got, &err) != 1 || cmp(&got, &want[i]) != 0)
			die("another record", &err);
	for (int i = 0; i < 2; i++)
		if ((rc = ebb_sort_take(s, &got, &err)) != 0)
			die("no end", &err);
}

static void round_of(size_t n, size_t room, uint64_t keys, bool by_key)
{
	struct item *v = calloc(n + 1, sizeof(*v));
	const char *tmp = getenv("TMPDIR");
	struct ebb_err err = {0};
	struct ebb_sort s = {0};

	if (ebb_sort_init(&s, tmp ? tmp : "/tmp", sizeof(*v), room, cmp, &err) < 0)
		die("init", &err);
	if (by_key)
		ebb_sort_by_key(&s, key_of);
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct item){.key = rnd() % keys, .n = (uint32_t)i};
		if (ebb_sort_add(&s, &v[i], &err) < 0)
			die("add", &err);
	}
	qsort(v, n, sizeof(*v), cmp);
	if (ebb_sort_finish(&s, &err) < 0)
		die("finish", &err);
	take_all(&s, v, n);
	for (int i = 0; i < 2; i++) {
		struct item some;

		if (ebb_sort_rewind(&s, &err) < 0)
			die("rewind", &err);
		for (size_t k = 0; n && k < rnd() % n; k++) /* also from the middle */
			if (ebb_sort_take(&s, &some, &err) != 1)
				die("take", &err);
		if (ebb_sort_rewind(&s, &err) < 0)
			die("rewind", &err);
		take_all(&s, v, n);
	}
	ebb_sort_release(&s);
	free(v);
}

int main(void)
{
	prng = ebb_seed_start();
	for (int by_key = 0; by_key < 2; by_key++) {
		round_of(0, 10, 1, by_key);
		round_of(10, 10, 5, by_key);	/* memory is full when the last comes */
		round_of(20000, 100, 1000, by_key);
		for (int i = 0; i < 60; i++)
			round_of(rnd() % 5000, 1 + rnd() % 3000, 1 + rnd() % 4000, by_key);
	}
	return 0;
}
