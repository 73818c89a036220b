/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/planes.h"

#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

/* Bytes worked on at a time, so that all passes but the first and last stay in the first cache. */
#define PIECE ((size_t)4096)

bool ebb_planes_ok(struct ebb_planes l)
{
	if (l.width == 1)
		return !l.rotate;
	return l.width == 2 || l.width == 4 || l.width == 8;
}

/* Even bytes of @src to @even, odd ones to @odd, @n of each. */
static void deal(const uint8_t *src, size_t n, uint8_t *even, uint8_t *odd)
{
	size_t i = 0;

#ifdef __SSE2__
	const __m128i low = _mm_set1_epi16(0xff);

	for (; i + 16 <= n; i += 16) {
		__m128i a = _mm_loadu_si128((const __m128i_u *)(src + 2 * i));
		__m128i b = _mm_loadu_si128((const __m128i_u *)(src + 2 * i + 16));

		_mm_storeu_si128((__m128i_u *)(even + i),
				 _mm_packus_epi16(_mm_and_si128(a, low), _mm_and_si128(b, low)));
		_mm_storeu_si128((__m128i_u *)(odd + i),
				 _mm_packus_epi16(_mm_srli_epi16(a, 8), _mm_srli_epi16(b, 8)));
	}
#endif
	for (; i < n; i++) {
		even[i] = src[2 * i];
		odd[i] = src[2 * i + 1];
	}
}

/*
 * Rotate each little-endian element of @p by one bit, left or right. Where there is no SSE2 the byte
 * order macros cost nothing on little-endian machines.
 */
#ifdef __SSE2__
#define ROTATE_FAST(bits, i)                                                                       \
	const __m128i up = _mm_cvtsi32_si128((int)by);                                             \
	const __m128i down = _mm_cvtsi32_si128((int)(bits - by));                                  \
                                                                                                   \
	for (; i + 16 <= len; i += 16) {                                                           \
		__m128i x = _mm_loadu_si128((const __m128i_u *)(p + i));                           \
                                                                                                   \
		_mm_storeu_si128((__m128i_u *)(p + i), _mm_or_si128(_mm_sll_epi##bits(x, up),      \
								    _mm_srl_epi##bits(x, down)));  \
	}
#else
#define ROTATE_FAST(bits, i)
#endif
#define DEFINE_ROTATE(bits, le)                                                                    \
	static void rotate##bits(uint8_t *p, size_t len, bool left)                                \
	{                                                                                          \
		const unsigned by = left ? 1 : bits - 1;                                           \
		size_t i = 0;                                                                      \
                                                                                                   \
		ROTATE_FAST(bits, i)                                                               \
		for (; i + bits / 8 <= len; i += bits / 8) {                                       \
			uint##bits##_t x;                                                          \
                                                                                                   \
			memcpy(&x, p + i, sizeof(x));                                              \
			x = le(x);                                                                 \
			x = (uint##bits##_t)(x << by | x >> (bits - by));                          \
			x = le(x);                                                                 \
			memcpy(p + i, &x, sizeof(x));                                              \
		}                                                                                  \
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LE(x) (x)
DEFINE_ROTATE(16, LE)
DEFINE_ROTATE(32, LE)
DEFINE_ROTATE(64, LE)
#else
DEFINE_ROTATE(16, __builtin_bswap16)
DEFINE_ROTATE(32, __builtin_bswap32)
DEFINE_ROTATE(64, __builtin_bswap64)
#endif

/* @bits of an element, 0: nothing is rotated. */
static void rotate(unsigned bits, uint8_t *p, size_t len, bool left)
{
	if (bits == 16)
		rotate16(p, len, left);
	else if (bits == 32)
		rotate32(p, len, left);
	else if (bits == 64)
		rotate64(p, len, left);
}

#ifdef __SSE2__
/* Rotate elements of @bits right by one; 0: leave them. */
static inline __m128i right(__m128i x, unsigned bits)
{
	if (bits == 16)
		return _mm_or_si128(_mm_srli_epi16(x, 1), _mm_slli_epi16(x, 15));
	if (bits == 32)
		return _mm_or_si128(_mm_srli_epi32(x, 1), _mm_slli_epi32(x, 31));
	if (bits == 64)
		return _mm_or_si128(_mm_srli_epi64(x, 1), _mm_slli_epi64(x, 63));
	return x;
}
#endif

/*
 * The other way of deal. The last weave of an element of @bits rotates it right by one bit on the way, while it is in a register; 0: it
 * does not.
 */
static inline void weave(const uint8_t *even, const uint8_t *odd, size_t n, uint8_t *dst, unsigned bits)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; i + 16 <= n; i += 16) {
		__m128i a = _mm_loadu_si128((const __m128i_u *)(even + i));
		__m128i b = _mm_loadu_si128((const __m128i_u *)(odd + i));

		_mm_storeu_si128((__m128i_u *)(dst + 2 * i), right(_mm_unpacklo_epi8(a, b), bits));
		_mm_storeu_si128((__m128i_u *)(dst + 2 * i + 16), right(_mm_unpackhi_epi8(a, b), bits));
	}
#endif
	size_t rest = 2 * i;

	for (; i < n; i++) {
		dst[2 * i] = even[i];
		dst[2 * i + 1] = odd[i];
	}
	rotate(bits, dst + rest, 2 * n - rest, false);
}

/* Planes of a piece of @n elements; those of one piece lie @stride bytes apart. */
static void split_piece(unsigned width, const uint8_t *src, size_t n, uint8_t *dst, size_t stride)
{
	uint8_t half[2][PIECE / 2];

	if (width == 2) {
		deal(src, n, dst, dst + stride);
		return;
	}
	deal(src, n * width / 2, half[0], half[1]);
	split_piece(width / 2, half[0], n, dst, stride);
	split_piece(width / 2, half[1], n, dst + stride * (width / 2), stride);
}

static void join_piece(unsigned width, const uint8_t *src, size_t n, uint8_t *dst, size_t stride, unsigned bits)
{
	uint8_t half[2][PIECE / 2];
	const uint8_t *even = src, *odd = src + stride;

	if (width > 2) {
		join_piece(width / 2, src, n, half[0], stride, 0);
		join_piece(width / 2, src + stride * (width / 2), n, half[1], stride, 0);
		even = half[0];
		odd = half[1];
		n = n * width / 2;
	}
	if (bits == 16)
		weave(even, odd, n, dst, 16);
	else if (bits == 32)
		weave(even, odd, n, dst, 32);
	else if (bits == 64)
		weave(even, odd, n, dst, 64);
	else
		weave(even, odd, n, dst, 0);
}

void ebb_planes_split(struct ebb_planes l, const uint8_t *src, size_t len, uint8_t *dst)
{
	uint8_t piece[PIECE];
	size_t stride = len / l.width;

	if (l.width == 1) {
		memcpy(dst, src, len);
		return;
	}
	for (size_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE;
		const uint8_t *from = src + at;

		if (l.rotate) {
			memcpy(piece, from, n);
			rotate(8u * l.width, piece, n, true);
			from = piece;
		}
		split_piece(l.width, from, n / l.width, dst + at / l.width, stride);
	}
}

void ebb_planes_join(struct ebb_planes l, const uint8_t *src, size_t len, size_t from, size_t n, uint8_t *dst)
{
	size_t stride = len / l.width;

	src += from / l.width;
	if (l.width == 1) {
		memcpy(dst, src, n);
		return;
	}
	for (size_t at = 0; at < n; at += PIECE) {
		size_t piece = n - at < PIECE ? n - at : PIECE;

		join_piece(l.width, src + at / l.width, piece / l.width, dst + at, stride,
			   l.rotate ? 8u * l.width : 0);
	}
}
