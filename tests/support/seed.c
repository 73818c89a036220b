/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/seed.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 20261123;

struct ebb_prng ebb_seed_start(void)
{
	const char *given = getenv("EBB_SEED");

	if (given)
		seed = strtoull(given, NULL, 10);
	printf("EBB_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	return (struct ebb_prng){seed};
}

void ebb_seed_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\nrun it again with EBB_SEED=%" PRIu64 "\n", seed);
	exit(EXIT_FAILURE);
}
