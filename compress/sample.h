/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sample: guess from a few KiB whether compressing an object would pay.
 *
 * Three looks, each only when the one before left a doubt:
 *   1. magic bytes of formats that are compressed already;
 *   2. byte entropy of 4 x 4 KiB: up to 0.90 of a byte it will shrink, from 0.98 it will not;
 *   3. zstd -1 on 4 x 8 KiB, and on all of an object that is no larger than one sample.
 *
 * Formats that may hold plain data (zip members that are stored: model checkpoints, .npz) are never
 * judged by their magic. DESIGN.md has why the limits are what they are.
 *
 * Blind spot: repetitions further apart than the samples look like noise.
 *
 * Threads: any; nothing is kept between calls. Blocks where the callback does.
 * Memory: 50 KiB of stack and, for the third look, about 1 MiB within zstd.
 */
#ifndef EBB_COMPRESS_SAMPLE_H
#define EBB_COMPRESS_SAMPLE_H

#include <stdint.h>
#include <stddef.h>

#include "compress/range.h"
#include "core/err.h"

/* Expected size, in thousandths of the raw size, up to which compressing pays. */
#define EBB_SAMPLE_PAYS 950

enum ebb_sample_verdict {
	EBB_SAMPLE_SHRINKS,	/* worth compressing */
	EBB_SAMPLE_NOISE,	/* would not shrink */
	EBB_SAMPLE_PACKED	/* a format that is compressed already; see format */
};

struct ebb_sample {
	enum ebb_sample_verdict verdict;
	/*
	 * Expected size in thousandths of the raw size, 0 to 1000. When entropy alone decided, an
	 * upper bound: text shrinks to a third of it.
	 */
	int permille;
	const char *format;	/* PACKED: "gzip", "jpeg"; else NULL. Constant */
};

/*
 * Look at an object of @size bytes.
 *
 * @return  0; what the callback returned; -EBB_ECHANGED when the object is shorter than @size;
 *          -EBB_ENOMEM.
 */
int ebb_sample_guess(ebb_range_fn *read, void *ctx, int64_t size, struct ebb_sample *ret,
		     struct ebb_err *err);

/* What zstd would leave of an object, by samples. */
struct ebb_sample_estimate {
	int permille;	/* of the raw size, 0 to 1000 */
	/*
	 * Sampling error: the mean over the object lies within permille +- margin with 95 %, as far as its
	 * parts are independent. 0: all of it was compressed.
	 */
	int margin;
	int64_t read;	/* bytes looked at */
};

/*
 * Estimate what zstd at @level (1 to 19) leaves of an object of @size bytes: all of it up to 2.5 MiB, else 12
 * pieces of 128 KiB, one from each twelfth, so that no part of it goes unseen (stratified sampling; the
 * margin is Student's t for 11 degrees of freedom, which is too wide for strata and never too narrow).
 * The margin is that of pieces. What zstd makes of the object in one go differs by more: pieces cannot use
 * what repeats further away than they are long, so large texts come out smaller than estimated.
 *
 * Memory: 5 MiB and zstd's at that level.
 *
 * @return  as ebb_sample_guess.
 */
int ebb_sample_estimate(ebb_range_fn *read, void *ctx, int64_t size, int level,
			struct ebb_sample_estimate *ret, struct ebb_err *err);

/* Name of the compressed format whose magic begins @p, or NULL. 16 bytes are enough. Constant. */
const char *ebb_sample_format(const uint8_t *p, size_t len);

/*
 * Order-0 entropy of the bytes, in thousandths of a byte per byte (0 to 1000), rounded down; 0
 * for none. @len is below 2^31.
 */
int ebb_sample_entropy(const uint8_t *p, size_t len);

#endif
