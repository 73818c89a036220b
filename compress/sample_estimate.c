/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <zstd.h>

#include "compress/sample.h"
#include "core/mem.h"

#define PIECES 12
#define PIECE ((size_t)128 * 1024)
#define WHOLE ((int64_t)2560 * 1024)	/* up to here all of it is compressed */
#define T95 2201	/* Student's t, 11 degrees of freedom, 95 % both sides, in thousandths */

/* Size of a part after zstd, in thousandths, rounded. */
static int shrink(ZSTD_CCtx *z, int level, ebb_range_fn *read, void *ctx, int64_t off, size_t len,
		  int *ret, struct ebb_err *err)
{
	size_t room = ZSTD_compressBound(len);
	EBB_CLEANUP(ebb_mem_freep) void *in = malloc(len + 1);
	EBB_CLEANUP(ebb_mem_freep) void *out = malloc(room);

	if (!in || !out)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a sample");
	int r = ebb_range_read(read, ctx, off, in, len, err);
	if (r < 0)
		return r;
	size_t n = ZSTD_compressCCtx(z, out, room, in, len, level);
	if (ZSTD_isError(n))
		return ebb_err_set(err, EBB_ENOMEM, "cannot compress a sample: %s", ZSTD_getErrorName(n));
	*ret = n < len ? (int)((n * 1000 + len / 2) / len) : 1000;
	return 0;
}

/* Square root, rounded up: a margin may be too wide. */
static int root(int64_t x)
{
	int64_t r = 0;

	while (r * r < x)
		r++;
	return (int)r;
}

/* Mean and margin of the pieces: t * sqrt(variance / n). */
static struct ebb_sample_estimate sum_up(const int *p)
{
	int64_t sum = 0, squares = 0;

	for (int i = 0; i < PIECES; i++)
		sum += p[i];
	for (int i = 0; i < PIECES; i++)
		squares += (p[i] * PIECES - sum) * (p[i] * PIECES - sum);
	/* squares / n^2 is the sum of squared deviations; over n - 1 the variance, over n that of the mean. */
	int64_t error = root(squares * 10000 / (PIECES * PIECES) / (PIECES - 1) / PIECES); /* hundredths */

	return (struct ebb_sample_estimate){
		.permille = (int)((sum + PIECES / 2) / PIECES),
		.margin = (int)((error * T95 + 99999) / 100000),
		.read = (int64_t)(PIECES * PIECE),
	};
}

int ebb_sample_estimate(ebb_range_fn *read, void *ctx, int64_t size, int level,
			struct ebb_sample_estimate *ret, struct ebb_err *err)
{
	struct ebb_sample_estimate e = {.permille = 1000, .read = size};
	ZSTD_CCtx *z = ZSTD_createCCtx();
	int64_t stratum = size / PIECES;
	int p[PIECES], r = z ? 0 : ebb_err_set(err, EBB_ENOMEM, "no memory for a sample");

	if (r == 0 && size > WHOLE) {
		/* At a place in its stratum that goes by its number: regular data must not meet regular places. */
		for (int i = 0; r == 0 && i < PIECES; i++)
			r = shrink(z, level, read, ctx,
				   stratum * i + (stratum - (int64_t)PIECE) / 31 * (i * 13 % 31), PIECE, &p[i],
				   err);
		if (r == 0)
			e = sum_up(p);
	} else if (r == 0 && size > 0) {
		r = shrink(z, level, read, ctx, 0, (size_t)size, &e.permille, err);
	}
	ZSTD_freeCCtx(z);
	if (r == 0)
		*ret = e;
	return r;
}
