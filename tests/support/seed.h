/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Seeds of property tests: fixed, so that a run says the same every time, printed, and another one with EBB_SEED=number.
 *
 * Threads: one.
 */
#ifndef EBB_TESTS_SUPPORT_SEED_H
#define EBB_TESTS_SUPPORT_SEED_H

#include "tests/support/prng.h"

/* A generator seeded from EBB_SEED, or from a constant when it is not set; prints the seed on stdout. */
struct ebb_prng ebb_seed_start(void);

/* Print where and what failed, and the seed again; exit with 1. */
_Noreturn void ebb_seed_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Fail unless the condition holds; a printf message with the values at hand follows it. */
#define EBB_SEED_CHECK(condition, ...)                                                             \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ebb_seed_fail(__FILE__, __LINE__, __VA_ARGS__);                            \
	} while (0)

#endif
