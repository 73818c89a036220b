/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/cost_cpu.h"

#include <string.h>

#include "core/mem.h"

/* Bytes a microsecond, which is MB/s, of one core: by level from 1; [0] is the default's. */
static const int16_t zstd[] = {200, 280, 240, 200, 150, 90, 75, 65, 60, 50, 40, 28, 22, 9, 8, 7, 5, 4, 3, 2};
static const int16_t lz4[] = {400, 400, 400, 60, 50, 45, 45, 45, 40, 40, 15, 12, 10};

#define TENSOR 600
#define DECODE 500	/* the slowest of them, with its digest */

int64_t ebb_cost_cpu_encode(const char *codec, int level, bool wide, int64_t bytes)
{
	const int16_t *speeds = zstd;
	int n = EBB_ARRAY_LEN(zstd);
	int64_t speed;

	if (!codec)
		return 0;
	if (strcmp(codec, "lz4") == 0) {
		speeds = lz4;
		n = EBB_ARRAY_LEN(lz4);
	}
	speed = speeds[level < 0 ? 0 : level < n ? level : n - 1];
	if (strcmp(codec, "tensor") == 0)
		speed = TENSOR;
	if (wide && speed > 1)
		speed /= 2;
	return bytes / speed + 1;
}

int64_t ebb_cost_cpu_decode(const char *codec, int64_t bytes)
{
	return codec ? bytes / DECODE + 1 : 0;
}
