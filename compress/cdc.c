/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/cdc.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

/* 16 and 12 bits of the hash, spread as FastCDC has them: two more than 1 in EBB_CDC_USUAL needs before it, two fewer behind. */
#define MASK_HARD UINT64_C(0x0003590713530000)
#define MASK_EASY UINT64_C(0x0000d90013530000)

static uint64_t gear[256];

/* splitmix64, by Sebastiano Vigna (public domain). */
static void fill_gear(void)
{
	uint64_t state = 0;

	for (int i = 0; i < 256; i++) {
		uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		gear[i] = z ^ (z >> 31);
	}
}

size_t ebb_cdc_cut(const uint8_t *p, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t end = len < EBB_CDC_MAX ? len : EBB_CDC_MAX;
	size_t usual = end < EBB_CDC_USUAL ? end : EBB_CDC_USUAL, i = EBB_CDC_MIN;
	uint64_t hash = 0;

	pthread_once(&once, fill_gear);
	if (len <= EBB_CDC_MIN)
		return len;
	for (; i < usual; i++) {
		hash = (hash << 1) + gear[p[i]];
		if ((hash & MASK_HARD) == 0)
			return i + 1;
	}
	for (; i < end; i++) {
		hash = (hash << 1) + gear[p[i]];
		if ((hash & MASK_EASY) == 0)
			return i + 1;
	}
	return end;
}

/* A distinct chunk of the sample. */
struct slot {
	uint64_t hash;
	uint64_t bytes;		/* of all its occurrences; 0: the slot is free */
	uint64_t len;
};

struct ebb_cdc_sum {
	struct slot *slots;
	size_t size, used;	/* slots, a power of two, at most half of them used */
	unsigned level;		/* chunks whose hash begins with so many zero bits are in the sample */
	uint64_t chunks, bytes;
};

struct ebb_cdc_sum *ebb_cdc_sum_new(size_t distinct)
{
	struct ebb_cdc_sum *s = calloc(1, sizeof(*s));

	if (s && !(s->slots = calloc(2 * distinct, sizeof(*s->slots)))) {
		free(s);
		return NULL;
	}
	if (s)
		s->size = 2 * distinct;
	return s;
}

void ebb_cdc_sum_free(struct ebb_cdc_sum *s)
{
	if (!s)
		return;
	free(s->slots);
	free(s);
}

static bool in_sample(const struct ebb_cdc_sum *s, uint64_t hash)
{
	return s->level == 0 || hash >> (64 - s->level) == 0;
}

static void put(struct ebb_cdc_sum *s, uint64_t hash, uint64_t len, uint64_t bytes);

/* The sample is full: halve its share. */
static void thin(struct ebb_cdc_sum *s)
{
	struct slot *all = s->slots, *slots = calloc(s->size, sizeof(*slots));

	s->level++;
	s->used = 0;
	if (slots) {
		s->slots = slots;
		for (size_t i = 0; i < s->size; i++)
			if (all[i].bytes && in_sample(s, all[i].hash))
				put(s, all[i].hash, all[i].len, all[i].bytes);
		free(all);
		return;
	}
	/* without memory for another table nothing can be moved: begin the sample anew, with nothing in it */
	for (size_t i = 0; i < s->size; i++)
		all[i] = (struct slot){0};
}

static void put(struct ebb_cdc_sum *s, uint64_t hash, uint64_t len, uint64_t bytes)
{
	size_t i = (size_t)hash & (s->size - 1); /* the low bits: the high ones are zero in a thin sample */

	while (s->slots[i].bytes && (s->slots[i].hash != hash || s->slots[i].len != len))
		i = (i + 1) & (s->size - 1);
	if (!s->slots[i].bytes) {
		s->slots[i] = (struct slot){.hash = hash, .len = len};
		s->used++;
	}
	s->slots[i].bytes += bytes;
	if (s->used > s->size / 2)
		thin(s);
}

void ebb_cdc_sum_add(struct ebb_cdc_sum *s, const void *chunk, size_t len)
{
	uint64_t hash = XXH3_64bits(chunk, len);

	s->chunks++;
	s->bytes += len;
	if (in_sample(s, hash))
		put(s, hash, len, len);
}

void ebb_cdc_sum_merge(struct ebb_cdc_sum *s, const struct ebb_cdc_sum *other)
{
	while (s->level < other->level)
		thin(s);
	for (size_t i = 0; i < other->size; i++) {
		const struct slot *o = &other->slots[i];

		if (o->bytes && in_sample(s, o->hash))
			put(s, o->hash, o->len, o->bytes);
	}
	s->chunks += other->chunks;
	s->bytes += other->bytes;
}

struct ebb_cdc_estimate ebb_cdc_sum_estimate(const struct ebb_cdc_sum *s)
{
	struct ebb_cdc_estimate e = {.chunks = s->chunks, .bytes = s->bytes};
	double all = 0, twice = 0, squares = 0;

	for (size_t i = 0; i < s->size; i++) {
		all += (double)s->slots[i].bytes;
		twice += s->slots[i].bytes ? (double)(s->slots[i].bytes - s->slots[i].len) : 0;
	}
	if (all <= 0)
		return e;
	e.saved = twice / all;
	for (size_t i = 0; s->level && i < s->size; i++) {
		double t = (double)s->slots[i].bytes, d = t > 0 ? t - (double)s->slots[i].len : 0;

		squares += (d - e.saved * t) * (d - e.saved * t);
	}
	e.error = 1.96 * sqrt(squares * (1 - ldexp(1, -(int)s->level))) / all;
	return e;
}
