/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/sample.h"

#include <stdbool.h>
#include <string.h>
#include <zstd.h>

#include "core/mem.h"

#define PLACES ((size_t)4)
#define SAMPLE ((size_t)8 * 1024)		/* read at each place */
#define ENTROPY_SAMPLE ((size_t)4 * 1024)	/* of which these tell the entropy */
#define ENTROPY_SHRINKS 900
#define ENTROPY_NOISE 980

/*
 * Bytes at a place, and optionally more at another; one piece of `more` is enough for all formats.
 */
struct magic {
	const char *name;
	size_t at;
	const char *bytes;
	size_t len;
	size_t more_at;
	const char *more;
	size_t more_len;
};

#define BYTES(s) s, sizeof(s) - 1

/*
 * "zip" is for members that are deflated: byte 8 is the method of the first one (APPNOTE.TXT
 * 4.3.7).
 */
static const struct magic magics[] = {
	{"zstd", 0, BYTES("\x28\xb5\x2f\xfd"), 0, NULL, 0},
	{"lz4", 0, BYTES("\x04\x22\x4d\x18"), 0, NULL, 0},
	{"tensor", 0, BYTES("\x8f" "ebbten"), 0, NULL, 0},
	{"gzip", 0, BYTES("\x1f\x8b\x08"), 0, NULL, 0},
	{"bzip2", 0, BYTES("BZh"), 4, BYTES("1AY&SY")},
	{"xz", 0, BYTES("\xfd" "7zXZ\0"), 0, NULL, 0},
	{"lzip", 0, BYTES("LZIP\x01"), 0, NULL, 0},
	{"lzop", 0, BYTES("\x89LZO\0\r\n\x1a\n"), 0, NULL, 0},
	{"compress", 0, BYTES("\x1f\x9d"), 0, NULL, 0},
	{"snappy", 0, BYTES("\xff\x06\0\0sNaPpY"), 0, NULL, 0},
	{"zip", 0, BYTES("PK\x03\x04"), 8, BYTES("\x08\0")},
	{"7z", 0, BYTES("7z\xbc\xaf\x27\x1c"), 0, NULL, 0},
	{"rar", 0, BYTES("Rar!\x1a\x07"), 0, NULL, 0},
	{"jpeg", 0, BYTES("\xff\xd8\xff"), 0, NULL, 0},
	{"png", 0, BYTES("\x89PNG\r\n\x1a\n"), 0, NULL, 0},
	{"gif", 0, BYTES("GIF8"), 5, BYTES("a")},
	{"webp", 0, BYTES("RIFF"), 8, BYTES("WEBP")},
	{"mp4", 0, BYTES("\0\0\0"), 4, BYTES("ftyp")},
	{"matroska", 0, BYTES("\x1a\x45\xdf\xa3"), 0, NULL, 0},
	{"ogg", 0, BYTES("OggS\0"), 0, NULL, 0},
	{"flac", 0, BYTES("fLaC\0"), 0, NULL, 0},
	{"mp3", 0, BYTES("ID3\x03"), 4, BYTES("\0")},
	{"mp3", 0, BYTES("ID3\x04"), 4, BYTES("\0")},
};

static bool piece_matches(const uint8_t *p, size_t len, size_t at, const char *bytes, size_t n)
{
	return n == 0 || (at + n <= len && memcmp(p + at, bytes, n) == 0);
}

const char *ebb_sample_format(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(magics); i++) {
		const struct magic *m = &magics[i];

		if (piece_matches(p, len, m->at, m->bytes, m->len) &&
		    piece_matches(p, len, m->more_at, m->more, m->more_len))
			return m->name;
	}
	return NULL;
}

/*
 * log2(@x) times 65,536, rounded down, for @x > 0. Whole numbers: the same guess on every machine.
 */
static uint32_t log2_q16(uint32_t x)
{
	uint32_t whole = 31 - (uint32_t)__builtin_clz(x);
	uint64_t y = (uint64_t)x << (31 - whole); /* 1 <= y / 2^31 < 2 */
	uint32_t fraction = 0;

	for (int i = 0; i < 16; i++) {
		y = y * y >> 31;
		uint32_t bit = (uint32_t)(y >> 32);
		y >>= bit;
		fraction = fraction << 1 | bit;
	}
	return whole << 16 | fraction;
}

int ebb_sample_entropy(const uint8_t *p, size_t len)
{
	uint32_t count[256] = {0};
	uint64_t bits = 0;

	if (!len)
		return 0;
	for (size_t i = 0; i < len; i++)
		count[p[i]]++;
	for (size_t i = 0; i < EBB_ARRAY_LEN(count); i++) {
		if (count[i])
			bits += (uint64_t)count[i] * (log2_q16((uint32_t)len) - log2_q16(count[i]));
	}
	return (int)(bits * 1000 / len >> 19); /* 16 bits of fraction, 8 bits a byte */
}

/* What was read: `n` samples one after the other. */
struct samples {
	uint8_t data[PLACES * SAMPLE];
	size_t len[PLACES];
	size_t n;
};

/*
 * Sample @i of an object: evenly spread, the first at its beginning, the last at its end; all of a
 * small one.
 */
static int read_sample(ebb_range_fn *read, void *ctx, int64_t size, struct samples *s,
		       struct ebb_err *err)
{
	int64_t off;
	size_t len = SAMPLE;

	if (size <= (int64_t)sizeof(s->data)) {
		off = (int64_t)(s->n * SAMPLE);
		if (size - off < (int64_t)len)
			len = (size_t)(size - off);
	} else {
		int64_t step = (size - (int64_t)SAMPLE) / (int64_t)(PLACES - 1);

		off = s->n == PLACES - 1 ? size - (int64_t)SAMPLE : step * (int64_t)s->n;
	}

	int r = ebb_range_read(read, ctx, off, s->data + s->n * SAMPLE, len, err);
	if (r == 0)
		s->len[s->n++] = len;
	return r;
}

/* Mean entropy of the samples, each by itself: one plain part must not hide among packed ones. */
static int entropy(const struct samples *s)
{
	uint64_t sum = 0, bytes = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t len = s->len[i] < ENTROPY_SAMPLE ? s->len[i] : ENTROPY_SAMPLE;

		sum += (uint64_t)ebb_sample_entropy(s->data + i * SAMPLE, len) * len;
		bytes += len;
	}
	return bytes ? (int)(sum / bytes) : 0;
}

/* Size of the samples after zstd -1, in thousandths. */
static int try_zstd(const struct samples *s, int *ret, struct ebb_err *err)
{
	uint8_t out[ZSTD_COMPRESSBOUND(SAMPLE)];
	uint64_t coded = 0, bytes = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t r = ZSTD_compress(out, sizeof(out), s->data + i * SAMPLE, s->len[i], 1);

		if (ZSTD_isError(r))
			return ebb_err_set(err, EBB_ENOMEM, "cannot compress a sample: %s",
					   ZSTD_getErrorName(r));
		coded += r;
		bytes += s->len[i];
	}
	*ret = coded < bytes ? (int)(coded * 1000 / bytes) : 1000;
	return 0;
}

static int judge(const struct samples *s, struct ebb_sample *ret, struct ebb_err *err)
{
	int permille = entropy(s);
	bool doubt = permille > ENTROPY_SHRINKS && permille < ENTROPY_NOISE;

	/*
	 * In a single sample headers and few symbols count for more than entropy; and it is quick.
	 */
	if (doubt || s->n == 1) {
		int r = try_zstd(s, &permille, err);

		if (r < 0)
			return r;
	}
	if (permille <= EBB_SAMPLE_PAYS)
		*ret = (struct ebb_sample){EBB_SAMPLE_SHRINKS, permille, NULL};
	else
		*ret = (struct ebb_sample){EBB_SAMPLE_NOISE, 1000, NULL};
	return 0;
}

int ebb_sample_guess(ebb_range_fn *read, void *ctx, int64_t size, struct ebb_sample *ret,
		     struct ebb_err *err)
{
	struct samples s;

	s.n = 0;
	if (size <= 0) {
		*ret = (struct ebb_sample){EBB_SAMPLE_NOISE, 1000, NULL};
		return 0;
	}
	while (s.n < PLACES && (s.n == 0 || size > (int64_t)(s.n * SAMPLE))) {
		int r = read_sample(read, ctx, size, &s, err);

		if (r < 0)
			return r;
		const char *format = s.n == 1 ? ebb_sample_format(s.data, s.len[0]) : NULL;
		if (format) {
			*ret = (struct ebb_sample){EBB_SAMPLE_PACKED, 1000, format};
			return 0;
		}
	}
	return judge(&s, ret, err);
}
