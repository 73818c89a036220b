/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chunks: bounds, cuts that find themselves again behind an insertion, and estimates whose interval holds the truth. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress/cdc.h"
#include "tests/support/seed.h"

#define LEN (4 * 1024 * 1024)

static struct ebb_prng prng;
static uint8_t a[LEN], b[LEN + 100];

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)ebb_prng_next(&prng);
}

/* Cut all of @p into @s. Returns the number of chunks. */
static size_t cut_all(struct ebb_cdc_sum *s, const uint8_t *p, size_t len)
{
	size_t n = 0;

	for (size_t at = 0, k; at < len; at += k, n++) {
		k = ebb_cdc_cut(p + at, len - at);
		EBB_SEED_CHECK(k >= 1 && k <= EBB_CDC_MAX && (k >= EBB_CDC_MIN || at + k == len),
			       "a chunk of %zu bytes at %zu", k, at);
		ebb_cdc_sum_add(s, p + at, k);
	}
	return n;
}

/* A stretch of bytes put in shifts everything behind it, and costs a few chunks. */
static void shifts(void)
{
	EBB_CLEANUP(ebb_cdc_sum_freep) struct ebb_cdc_sum *s = ebb_cdc_sum_new(4096);
	size_t at = ebb_prng_below(&prng, LEN), extra = 1 + ebb_prng_below(&prng, 100);

	fill(a, LEN);
	memcpy(b, a, at);
	fill(b + at, extra);
	memcpy(b + at + extra, a + at, LEN - at);
	size_t n = cut_all(s, a, LEN);
	EBB_SEED_CHECK(n > LEN / EBB_CDC_USUAL / 2 && n < 2 * LEN / EBB_CDC_USUAL, "%zu chunks", n);
	cut_all(s, b, LEN + extra);
	struct ebb_cdc_estimate e = ebb_cdc_sum_estimate(s);
	EBB_SEED_CHECK(e.error == 0 && e.bytes == 2 * LEN + extra, "not counted whole");
	EBB_SEED_CHECK(e.saved > 0.44 && e.saved <= 0.5, "%f of the bytes stand twice", e.saved);
}

/* Made of chunks that are drawn again with some probability; the sample holds a small part of them. Returns 1 when the interval fails. */
static int estimates(void)
{
	EBB_CLEANUP(ebb_cdc_sum_freep) struct ebb_cdc_sum *one = ebb_cdc_sum_new(256);
	EBB_CLEANUP(ebb_cdc_sum_freep) struct ebb_cdc_sum *two = ebb_cdc_sum_new(256);
	uint64_t distinct = 3000 + ebb_prng_below(&prng, 5000), all = 0, once = 0;
	uint8_t *seen = calloc(distinct, 1);

	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t k = ebb_prng_below(&prng, distinct);
		size_t len = 8 + (k * 7919) % 3000;

		memset(a, 0, len);
		memcpy(a, &k, sizeof(k));
		ebb_cdc_sum_add(i % 3 ? one : two, a, len);
		all += len;
		once += seen[k] ? 0 : len;
		seen[k] = 1;
	}
	free(seen);
	ebb_cdc_sum_merge(one, two);
	struct ebb_cdc_estimate e = ebb_cdc_sum_estimate(one);
	double truth = 1 - (double)once / (double)all;
	EBB_SEED_CHECK(e.bytes == all && e.chunks == 20000, "the counts are wrong");
	EBB_SEED_CHECK(e.error > 0 && e.error < 0.2, "error %f", e.error);
	EBB_SEED_CHECK(fabs(e.saved - truth) < 4 * e.error, "%f is not %f", e.saved, truth);
	return fabs(e.saved - truth) > e.error;
}

int main(void)
{
	int misses = 0;

	prng = ebb_seed_start();
	for (int i = 0; i < 5; i++)
		shifts();
	for (int i = 0; i < 100; i++)
		misses += estimates();
	EBB_SEED_CHECK(misses <= 20, "95 %% intervals that miss: %d of 100", misses);
	return 0;
}
