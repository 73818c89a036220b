/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random numbers for tests: the same seed gives the same numbers on every machine, for ever.
 *
 * SplitMix64 (Steele, Lea, Flood 2014): one addition and three mixing steps. Not for secrets.
 * Threads: each generator belongs to one thread at a time.
 */
#ifndef EBB_TESTS_SUPPORT_PRNG_H
#define EBB_TESTS_SUPPORT_PRNG_H

#include <stdint.h>

struct ebb_prng {
	uint64_t state;	/* any value, the seed for one */
};

/* 64 random bits. */
static inline uint64_t ebb_prng_next(struct ebb_prng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* A number from 0 to @n - 1; @n > 0. */
static inline uint64_t ebb_prng_below(struct ebb_prng *r, uint64_t n)
{
	return (uint64_t)((unsigned __int128)ebb_prng_next(r) * n >> 64);
}

/* Any int64_t, small magnitudes as likely as large ones. */
static inline int64_t ebb_prng_int64(struct ebb_prng *r)
{
	return (int64_t)ebb_prng_next(r) >> ebb_prng_below(r, 64);
}

#endif
