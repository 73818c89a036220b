/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Byte planes: elements of 1, 2, 4 or 8 bytes are taken apart into one plane per byte, so that
 * exponents stand beside exponents and mantissas beside mantissas.
 *
 * The exponent of an IEEE float begins behind the sign, amid a byte pair. With `rotate` each
 * element is first rotated left by one bit, which makes the exponent of bf16 and fp32 fill a byte
 * whole and moves the sign to the other end. Elements are little-endian whatever the machine.
 *
 * Order of planes: byte positions within an element with their bits reversed (4 bytes: 0 2 1 3; 8
 * bytes: 0 4 2 6 1 5 3 7), which is what dealing even and odd bytes apart again and again gives.
 *
 * Threads: any; nothing is kept.
 */
#ifndef EBB_COMPRESS_PLANES_H
#define EBB_COMPRESS_PLANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EBB_PLANES_MAX 8

struct ebb_planes {
	uint8_t width;	/* bytes of an element: 1, 2, 4 or 8; also the number of planes */
	bool rotate;	/* false when width is 1 */
};

/* Is it one of the seven layouts that exist? */
bool ebb_planes_ok(struct ebb_planes l);

/* Take @len bytes at @src, a multiple of the width, apart into width planes of len / width bytes
 * each, one after the other at @dst. The buffers do not overlap. */
void ebb_planes_split(struct ebb_planes l, const uint8_t *src, size_t len, uint8_t *dst);

/*
 * Put back together what ebb_planes_split took apart, or a part of it: @n bytes from byte @from on, both multiples of the width, of
 * the @len whose planes are at @src, to @dst. The buffers do not overlap.
 */
void ebb_planes_join(struct ebb_planes l, const uint8_t *src, size_t len, size_t from, size_t n, uint8_t *dst);

#endif
