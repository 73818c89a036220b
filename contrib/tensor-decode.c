/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tensor-decode: turns a tensor container (.ebbt) back into the tensor file it was made from, without ebb.
 *
 *     cc -O2 -o tensor-decode tensor-decode.c -lzstd
 *     ./tensor-decode < model.safetensors.ebbt > model.safetensors
 *
 * Written from the description in compress/DESIGN.md, "The tensor container", and from nothing else, so
 * that it also checks the description. Exit status: 0 all decoded and checked, 1 damaged (a message on
 * stderr; what came out on stdout must not be used).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define BLOCK_MAX ((size_t)1 << 19)
#define CODED_MAX ((size_t)1 << 20)

static uint8_t header[56], coded[CODED_MAX], planes[BLOCK_MAX], raw[BLOCK_MAX];
static uint64_t taken;	/* bytes of the container */

static void die(const char *what)
{
	fprintf(stderr, "tensor-decode: %s (near byte %llu)\n", what, (unsigned long long)taken);
	exit(1);
}

static uint64_t number(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

/* CRC-32 as in gzip and PNG. */
static uint32_t crc32(const uint8_t *p, size_t len)
{
	uint32_t c = 0xffffffff;

	while (len--) {
		c ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
	}
	return ~c;
}

static void take(void *p, size_t len)
{
	if (fread(p, 1, len, stdin) != len)
		die("the input ends early");
	taken += len;
}

/* A header of @len bytes is at hand: is it what was written? */
static void check(const uint8_t *p, size_t len)
{
	if (crc32(p, len - 4) != number(p + len - 4, 4))
		die("a header is damaged");
}

/* Byte @b of an element stands in this plane: the bits of @b reversed. */
static unsigned plane_of(unsigned b, unsigned width)
{
	unsigned r = 0;

	for (unsigned bit = 1; bit < width; bit *= 2, b /= 2)
		r = r * 2 + b % 2;
	return r;
}

static void join(unsigned width, int rotated, size_t len)
{
	size_t n = len / width;

	for (size_t i = 0; i < n; i++) {
		uint64_t x = 0;

		for (unsigned b = 0; b < width; b++)
			x |= (uint64_t)planes[plane_of(b, width) * n + i] << 8 * b;
		if (rotated)
			x = x >> 1 | (x & 1) << (8 * width - 1);
		for (unsigned b = 0; b < width; b++)
			raw[i * width + b] = (uint8_t)(x >> 8 * b);
	}
}

/* A block, whose first 16 bytes are in `header`; its raw length. */
static size_t block(uint64_t offset)
{
	take(header + 16, 40);
	check(header, 56);

	unsigned width = header[4];
	size_t len = (size_t)number(header + 16, 4);
	if ((width != 1 && width != 2 && width != 4 && width != 8) || header[5] > 1 || len == 0 ||
	    len > BLOCK_MAX || len % width)
		die("a block header makes no sense");
	if (number(header + 8, 8) != offset)
		die("blocks are missing");
	for (unsigned i = 0; i < width; i++) {
		size_t n = (size_t)number(header + 20 + 4 * i, 4);

		if (n > CODED_MAX)
			die("a block header makes no sense");
		take(coded, n);
		size_t r = ZSTD_decompress(planes + i * (len / width), len / width, coded, n);
		if (ZSTD_isError(r) || r != len / width)
			die("a block is damaged");
	}
	join(width, header[5], len);
	return len;
}

int main(void)
{
	uint64_t offset = 0, blocks = 0;

	take(header, 16);
	check(header, 16);
	if (memcmp(header, "\x8f" "ebbten1", 8) != 0 || number(header + 8, 4) > BLOCK_MAX)
		die("no tensor container, or one of another version");
	for (;;) {
		take(header, 16);
		if (memcmp(header, "TBLK", 4) != 0)
			break;
		size_t len = block(offset);
		if (fwrite(raw, 1, len, stdout) != len)
			die("cannot write");
		offset += len;
		blocks++;
	}
	uint64_t index = taken - 16;
	check(header, 16);
	if (memcmp(header, "TIDX", 4) != 0 || number(header + 8, 4) != blocks)
		die("blocks are missing");
	for (uint64_t left = number(header + 4, 4); left; left--)
		take(header, 1);
	take(header, 32);
	check(header, 32);
	if (memcmp(header, "\x8f" "ebbend1", 8) != 0 || number(header + 8, 8) != index ||
	    number(header + 16, 8) != offset)
		die("the foot belongs to another container");
	if (getchar() != EOF)
		die("bytes behind the foot");
	if (fflush(stdout) != 0)
		die("cannot write");
	return 0;
}
