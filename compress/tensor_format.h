/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tensor container as bytes; DESIGN.md, "The tensor container", describes it for whoever writes
 * another reader, and contrib/tensor-decode.c is one.
 *
 *   file    head block* index foot
 *   head    magic, largest raw block
 *   block   where its raw bytes belong, how they are laid out; then one zstd frame per plane
 *   index   one zstd frame: where each block begins, raw and coded
 *   foot    where the index begins, raw size
 *
 * Each of these headers ends in the CRC-32 of what stands before it in the header; planes and index are
 * zstd frames with checksums. Numbers are little-endian.
 *
 * Threads: pure functions.
 */
#ifndef EBB_COMPRESS_TENSOR_FORMAT_H
#define EBB_COMPRESS_TENSOR_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "compress/planes.h"
#include "core/err.h"

/* Raw bytes of a block, at most; every block but the last of a tensor has as many. */
#define EBB_TENSOR_FORMAT_BLOCK ((size_t)1 << 19)

/* Most blocks of a container: 4 TiB of whole blocks. Bounds what an index can make a reader allocate. */
#define EBB_TENSOR_FORMAT_BLOCKS_MAX ((uint32_t)1 << 23)

#define EBB_TENSOR_FORMAT_HEAD 16	/* bytes */
#define EBB_TENSOR_FORMAT_BLOCK_HEAD 56
#define EBB_TENSOR_FORMAT_INDEX_HEAD 16
#define EBB_TENSOR_FORMAT_INDEX_ROW 16
#define EBB_TENSOR_FORMAT_FOOT 32

/* First bytes of every container. */
#define EBB_TENSOR_FORMAT_MAGIC "\x8f" "ebbten1"
#define EBB_TENSOR_FORMAT_MAGIC_LEN 8

struct ebb_tensor_format_block {
	struct ebb_planes planes;
	uint64_t offset;		/* of its first byte in the raw object */
	uint32_t raw;			/* bytes, 1 to EBB_TENSOR_FORMAT_BLOCK, a multiple of the width */
	uint32_t coded[EBB_PLANES_MAX];	/* bytes of each plane's frame; 0 beyond the width */
};

struct ebb_tensor_format_index {
	uint32_t coded;		/* bytes of its frame */
	uint32_t blocks;	/* rows */
};

struct ebb_tensor_format_foot {
	uint64_t index;		/* offset of the index's header in the container */
	uint64_t raw;		/* bytes of the object */
};

/* What begins at a byte behind the head. */
enum ebb_tensor_format_kind {
	EBB_TENSOR_FORMAT_IS_BLOCK,
	EBB_TENSOR_FORMAT_IS_INDEX,
	EBB_TENSOR_FORMAT_IS_NEITHER
};

/* Most bytes of the frames of a block. */
size_t ebb_tensor_format_bound(void);

/* Kind of what begins with these 4 bytes. */
enum ebb_tensor_format_kind ebb_tensor_format_kind(const uint8_t *p);

/* Write a header; the buffers have the sizes above. */
void ebb_tensor_format_put_head(uint8_t *p);
void ebb_tensor_format_put_block(uint8_t *p, const struct ebb_tensor_format_block *b);
void ebb_tensor_format_put_index(uint8_t *p, const struct ebb_tensor_format_index *x);
void ebb_tensor_format_put_foot(uint8_t *p, const struct ebb_tensor_format_foot *f);

/*
 * Read and check one: sum, ranges, reserved bytes.
 *
 * @return  0; -EBB_ECORRUPT; get_head says -EBB_EVERSION for another version of the container.
 */
int ebb_tensor_format_get_head(const uint8_t *p, struct ebb_err *err);
int ebb_tensor_format_get_block(const uint8_t *p, struct ebb_tensor_format_block *ret,
				struct ebb_err *err);
int ebb_tensor_format_get_index(const uint8_t *p, struct ebb_tensor_format_index *ret,
				struct ebb_err *err);
int ebb_tensor_format_get_foot(const uint8_t *p, struct ebb_tensor_format_foot *ret,
			       struct ebb_err *err);

/* Bytes of all frames of a block. */
size_t ebb_tensor_format_coded(const struct ebb_tensor_format_block *b);

#endif
