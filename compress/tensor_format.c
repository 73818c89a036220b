/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/tensor_format.h"

#include <string.h>
#include <zstd.h>

#include "core/le.h"

#define BLOCK_MAGIC UINT32_C(0x4b4c4254) /* "TBLK" */
#define INDEX_MAGIC UINT32_C(0x58444954) /* "TIDX" */
#define FOOT_MAGIC "\x8f" "ebbend1"

/* CRC-32 of IEEE 802.3, bit by bit: headers are short and few. */
static uint32_t crc32(const uint8_t *p, size_t len)
{
	uint32_t c = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		c ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~c;
}

/* Headers end in the sum of what stands before it. */
static void seal(uint8_t *p, size_t len)
{
	ebb_le_put32(p + len - 4, crc32(p, len - 4));
}

static int check(const uint8_t *p, size_t len, const char *what, struct ebb_err *err)
{
	if (ebb_le_get32(p + len - 4) != crc32(p, len - 4))
		return ebb_err_set(err, EBB_ECORRUPT, "tensor container: damaged %s", what);
	return 0;
}

size_t ebb_tensor_format_bound(void)
{
	size_t most = 0;

	for (size_t width = 1; width <= EBB_PLANES_MAX; width *= 2) {
		size_t n = width * ZSTD_compressBound(EBB_TENSOR_FORMAT_BLOCK / width);

		most = n > most ? n : most;
	}
	return most;
}

enum ebb_tensor_format_kind ebb_tensor_format_kind(const uint8_t *p)
{
	uint32_t magic = ebb_le_get32(p);

	if (magic == BLOCK_MAGIC)
		return EBB_TENSOR_FORMAT_IS_BLOCK;
	return magic == INDEX_MAGIC ? EBB_TENSOR_FORMAT_IS_INDEX : EBB_TENSOR_FORMAT_IS_NEITHER;
}

void ebb_tensor_format_put_head(uint8_t *p)
{
	memcpy(p, EBB_TENSOR_FORMAT_MAGIC, EBB_TENSOR_FORMAT_MAGIC_LEN);
	ebb_le_put32(p + 8, (uint32_t)EBB_TENSOR_FORMAT_BLOCK);
	seal(p, EBB_TENSOR_FORMAT_HEAD);
}

int ebb_tensor_format_get_head(const uint8_t *p, struct ebb_err *err)
{
	/* The last byte of the magic is the version. */
	if (memcmp(p, EBB_TENSOR_FORMAT_MAGIC, EBB_TENSOR_FORMAT_MAGIC_LEN - 1) != 0)
		return ebb_err_set(err, EBB_ECORRUPT, "no tensor container: wrong first bytes");
	if (p[7] != '1')
		return ebb_err_set(err, EBB_EVERSION, "tensor container: written by another version");
	int r = check(p, EBB_TENSOR_FORMAT_HEAD, "head", err);
	if (r == 0 && ebb_le_get32(p + 8) > EBB_TENSOR_FORMAT_BLOCK)
		r = ebb_err_set(err, EBB_ECORRUPT, "tensor container: blocks of %u bytes, at most %zu",
				ebb_le_get32(p + 8), EBB_TENSOR_FORMAT_BLOCK);
	return r;
}

void ebb_tensor_format_put_block(uint8_t *p, const struct ebb_tensor_format_block *b)
{
	ebb_le_put32(p, BLOCK_MAGIC);
	p[4] = b->planes.width;
	p[5] = b->planes.rotate;
	p[6] = p[7] = 0;
	ebb_le_put64(p + 8, b->offset);
	ebb_le_put32(p + 16, b->raw);
	for (size_t i = 0; i < EBB_PLANES_MAX; i++)
		ebb_le_put32(p + 20 + 4 * i, i < b->planes.width ? b->coded[i] : 0);
	seal(p, EBB_TENSOR_FORMAT_BLOCK_HEAD);
}

int ebb_tensor_format_get_block(const uint8_t *p, struct ebb_tensor_format_block *ret,
				struct ebb_err *err)
{
	struct ebb_tensor_format_block b = {
		.planes = {p[4], p[5] == 1},
		.offset = ebb_le_get64(p + 8),
		.raw = ebb_le_get32(p + 16),
	};
	int r = check(p, EBB_TENSOR_FORMAT_BLOCK_HEAD, "block header", err);

	if (r < 0)
		return r;
	bool good = ebb_tensor_format_kind(p) == EBB_TENSOR_FORMAT_IS_BLOCK && p[5] <= 1 &&
		    p[6] == 0 && p[7] == 0 && ebb_planes_ok(b.planes) && b.raw > 0 &&
		    b.raw <= EBB_TENSOR_FORMAT_BLOCK && b.raw % b.planes.width == 0 &&
		    b.offset <= INT64_MAX - EBB_TENSOR_FORMAT_BLOCK;
	for (size_t i = 0; good && i < EBB_PLANES_MAX; i++) {
		b.coded[i] = ebb_le_get32(p + 20 + 4 * i);
		if (i >= b.planes.width)
			good = b.coded[i] == 0;
		else
			good = b.coded[i] <= ZSTD_compressBound(b.raw / b.planes.width);
	}
	if (!good)
		return ebb_err_set(err, EBB_ECORRUPT, "tensor container: a block header makes no sense");
	*ret = b;
	return 0;
}

size_t ebb_tensor_format_coded(const struct ebb_tensor_format_block *b)
{
	size_t sum = 0;

	for (size_t i = 0; i < EBB_PLANES_MAX; i++)
		sum += b->coded[i];
	return sum;
}

void ebb_tensor_format_put_index(uint8_t *p, const struct ebb_tensor_format_index *x)
{
	ebb_le_put32(p, INDEX_MAGIC);
	ebb_le_put32(p + 4, x->coded);
	ebb_le_put32(p + 8, x->blocks);
	seal(p, EBB_TENSOR_FORMAT_INDEX_HEAD);
}

int ebb_tensor_format_get_index(const uint8_t *p, struct ebb_tensor_format_index *ret,
				struct ebb_err *err)
{
	struct ebb_tensor_format_index x = {ebb_le_get32(p + 4), ebb_le_get32(p + 8)};
	int r = check(p, EBB_TENSOR_FORMAT_INDEX_HEAD, "index header", err);

	if (r < 0)
		return r;
	if (ebb_tensor_format_kind(p) != EBB_TENSOR_FORMAT_IS_INDEX ||
	    x.blocks > EBB_TENSOR_FORMAT_BLOCKS_MAX ||
	    x.coded > ZSTD_compressBound((size_t)x.blocks * EBB_TENSOR_FORMAT_INDEX_ROW))
		return ebb_err_set(err, EBB_ECORRUPT, "tensor container: the index makes no sense");
	*ret = x;
	return 0;
}

void ebb_tensor_format_put_foot(uint8_t *p, const struct ebb_tensor_format_foot *f)
{
	memcpy(p, FOOT_MAGIC, 8);
	ebb_le_put64(p + 8, f->index);
	ebb_le_put64(p + 16, f->raw);
	ebb_le_put32(p + 24, 0);
	seal(p, EBB_TENSOR_FORMAT_FOOT);
}

int ebb_tensor_format_get_foot(const uint8_t *p, struct ebb_tensor_format_foot *ret,
			       struct ebb_err *err)
{
	struct ebb_tensor_format_foot f = {ebb_le_get64(p + 8), ebb_le_get64(p + 16)};

	if (memcmp(p, FOOT_MAGIC, 8) != 0)
		return ebb_err_set(err, EBB_ECORRUPT, "tensor container: the foot is missing");
	int r = check(p, EBB_TENSOR_FORMAT_FOOT, "foot", err);
	if (r == 0 && (f.index > INT64_MAX || f.raw > INT64_MAX || ebb_le_get32(p + 24) != 0))
		r = ebb_err_set(err, EBB_ECORRUPT, "tensor container: the foot makes no sense");
	if (r == 0)
		*ret = f;
	return r;
}
