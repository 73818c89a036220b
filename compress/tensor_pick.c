/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/tensor_pick.h"

#include <string.h>
#include <zstd.h>

#include "compress/sample.h"

#define PLACES ((size_t)4)
#define PLACE ((size_t)8 * 1024)
#define SAMPLE (PLACES * PLACE)

#define SMALL 4096
#define NOISE 985	/* entropy from which Huffman coding costs time and gains nothing */
#define CLEARLY 15	/* thousandths by which a wider layout, or a search in floats, must be better */
#define SEARCH_GRACE 40	/* and a search elsewhere may seem worse: samples hide distant repetitions */

/* Samples of the block, one after the other; a multiple of 8 bytes unless the block is smaller. */
static size_t gather(const uint8_t *raw, size_t len, uint8_t *out)
{
	if (len <= SAMPLE) {
		memcpy(out, raw, len);
		return len;
	}
	for (size_t i = 0; i < PLACES; i++) {
		size_t at = (len - PLACE) / (PLACES - 1) * i / 8 * 8;

		memcpy(out + i * PLACE, raw + at, PLACE);
	}
	return SAMPLE;
}

/*
 * Entropy with the correction for small samples (Miller 1955): a plane of n bytes with m values seems
 * smaller than it is by (m - 1) / (2 n ln 2) bits.
 */
static int entropy(const uint8_t *p, size_t n)
{
	uint8_t seen[256] = {0};
	uint64_t m = 0;

	for (size_t i = 0; i < n; i++)
		seen[p[i]] = 1;
	for (size_t i = 0; i < 256; i++)
		m += seen[i];
	int bias = (int)((m - 1) * 90 / n); /* 1000 / (2 * 8 * ln 2) = 90.2 */
	int e = ebb_sample_entropy(p, n) + bias;
	return e > 1000 ? 1000 : e;
}

/* Size after zstd with what @ctx is set to, in thousandths. */
static int search(ZSTD_CCtx *ctx, const uint8_t *p, size_t n)
{
	uint8_t out[ZSTD_COMPRESSBOUND(SAMPLE)];
	size_t r = ZSTD_compress2(ctx, out, sizeof(out), p, n);

	return ZSTD_isError(r) || r >= n ? 1000 : (int)(r * 1000 / n);
}

/* Judge one layout on the samples. */
static struct ebb_tensor_pick try(ZSTD_CCtx *ctx, struct ebb_planes l, bool floats,
				  const uint8_t *sample, size_t len)
{
	struct ebb_tensor_pick pick = {.planes = l};
	uint8_t planes[SAMPLE];
	size_t n = len / l.width;
	int sum = 0;

	ebb_planes_split(l, sample, n * l.width, planes);
	for (size_t i = 0; i < l.width; i++) {
		int huffman = entropy(planes + i * n, n);
		/*
		 * Planes of floats have no repetitions, except where they are nearly constant; and noise has
		 * none that a sample could show.
		 */
		bool hopeless = huffman >= 1000 - CLEARLY / 2 || (floats && huffman > 300);
		int found = hopeless ? 1000 : search(ctx, planes + i * n, n);

		pick.mode[i] = EBB_TENSOR_PICK_HUFFMAN;
		if (found + (floats ? CLEARLY : -SEARCH_GRACE) < huffman)
			pick.mode[i] = EBB_TENSOR_PICK_SEARCH;
		else if (huffman >= NOISE)
			pick.mode[i] = EBB_TENSOR_PICK_STORE;
		sum += found < huffman ? found : huffman;
	}
	pick.permille = sum / l.width;
	return pick;
}

/* Does the hint leave this layout open? A few bytes of who knows what are not worth a guess. */
static bool open_to(struct ebb_tensor_hint hint, struct ebb_planes l, size_t len)
{
	if (hint.width == 0)
		return l.width == 1 || len >= SMALL;
	return l.width == hint.width && (hint.floats || !l.rotate);
}

struct ebb_tensor_pick ebb_tensor_pick(void *ctx, struct ebb_tensor_hint hint, const uint8_t *raw,
				       size_t len)
{
	static const struct ebb_planes layouts[] = {
		{1, false}, {2, false}, {2, true}, {4, false}, {4, true}, {8, false}, {8, true},
	};
	struct ebb_tensor_pick best = {.planes = {1, false}, .mode = {EBB_TENSOR_PICK_SEARCH},
				       .permille = 2000};
	uint8_t sample[SAMPLE];
	size_t n = gather(raw, len, sample);

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		struct ebb_planes l = layouts[i];

		if (len % l.width != 0 || !open_to(hint, l, len))
			continue;
		struct ebb_tensor_pick p = try(ctx, l, hint.floats, sample, n);
		bool wider = l.width > best.planes.width && hint.width == 0;
		if (p.permille + (wider ? CLEARLY : 0) < best.permille)
			best = p;
	}
	return best;
}
