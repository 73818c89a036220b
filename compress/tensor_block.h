/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One block of a tensor container: raw bytes become planes, each plane one stock zstd frame.
 *
 * Which planes, and how each is coded, is found out on samples of the block (pick): exponents want
 * Huffman coding without any search for repetitions, integer columns want zstd's fastest search,
 * mantissas are noise and are stored. The choice is kept for some blocks, since what pays in one block
 * of a tensor pays in the next.
 *
 * Same blocks in the same order, same level, same library: the same bytes.
 * Memory of a coder: 512 KiB and two zstd contexts (about 1.5 MiB at level 1).
 * Threads: a coder belongs to one thread at a time. Nothing blocks.
 */
#ifndef EBB_COMPRESS_TENSOR_BLOCK_H
#define EBB_COMPRESS_TENSOR_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "compress/planes.h"
#include "compress/tensor_format.h"
#include "core/err.h"
#include "core/mem.h"

/* What is known of the elements of a block. */
struct ebb_tensor_hint {
	uint8_t width;	/* bytes of an element, aligned with the block's beginning; 0: find out */
	bool floats;	/* IEEE floats, so rotating may pay; false with a width: integers, text */
};

struct ebb_tensor_coder;

/*
 * New coder, for encoding with @level (1 to 19; zstd's, where repetitions are searched) or, with
 * level 0, for decoding only.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_tensor_block_coder(int level, struct ebb_tensor_coder **ret, struct ebb_err *err);
void ebb_tensor_block_free(struct ebb_tensor_coder *c);
EBB_CLEANUP_PTR(struct ebb_tensor_coder, ebb_tensor_block_free);

/*
 * Encode @len bytes (1 to EBB_TENSOR_FORMAT_BLOCK), which stand at @offset of the object: header and
 * frames into @out, which has room for EBB_TENSOR_FORMAT_BLOCK_HEAD + ebb_tensor_format_bound(). A hint
 * whose width does not divide @len is not followed.
 *
 * @return  bytes written; -EBB_ENOMEM.
 */
int64_t ebb_tensor_block_encode(struct ebb_tensor_coder *c, struct ebb_tensor_hint hint,
				uint64_t offset, const uint8_t *raw, size_t len, uint8_t *out,
				struct ebb_err *err);

/*
 * The index as one zstd frame: @len bytes of rows (may be 0) into @out of @room bytes.
 *
 * @return  bytes written; -EBB_ENOMEM.
 */
int64_t ebb_tensor_block_index(struct ebb_tensor_coder *c, const void *rows, size_t len, uint8_t *out,
			       size_t room, struct ebb_err *err);

/*
 * The other way: exactly @len bytes of rows from a frame of @coded bytes.
 *
 * @return  0 or -EBB_ECORRUPT.
 */
int ebb_tensor_block_unindex(struct ebb_tensor_coder *c, const uint8_t *p, size_t coded, uint8_t *rows,
			     size_t len, struct ebb_err *err);

/*
 * Decode the frames of the block that @b describes, ebb_tensor_format_coded() bytes at @coded. What they hold stays in the coder, for
 * ebb_tensor_block_take, until the next call of another function.
 *
 * @return  0 or -EBB_ECORRUPT, and nothing may be taken.
 */
int ebb_tensor_block_decode(struct ebb_tensor_coder *c, const struct ebb_tensor_format_block *b,
			    const uint8_t *coded, struct ebb_err *err);

/* Raw bytes @from to @from + @n of the block that was decoded last, which @b describes, to @dst; any of them, in any order. */
void ebb_tensor_block_take(const struct ebb_tensor_coder *c, const struct ebb_tensor_format_block *b, size_t from, size_t n,
			   uint8_t *dst);

#endif
