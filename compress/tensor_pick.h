/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a block of tensor data is best laid out and coded, guessed from 32 KiB of it.
 *
 * Every layout that the hint leaves open is tried on the samples: the entropy of each plane says what
 * Huffman coding would give, zstd at its fastest says what repetitions are worth. A wider layout
 * must win clearly, since small samples flatter it.
 *
 * Threads: any; @ctx belongs to the caller's thread.
 */
#ifndef EBB_COMPRESS_TENSOR_PICK_H
#define EBB_COMPRESS_TENSOR_PICK_H

#include <stddef.h>
#include <stdint.h>

#include "compress/planes.h"
#include "compress/tensor_block.h"

enum ebb_tensor_pick_mode {
	EBB_TENSOR_PICK_STORE,	/* noise */
	EBB_TENSOR_PICK_HUFFMAN,
	EBB_TENSOR_PICK_SEARCH	/* zstd looks for repetitions */
};

struct ebb_tensor_pick {
	struct ebb_planes planes;
	uint8_t mode[EBB_PLANES_MAX];	/* enum ebb_tensor_pick_mode of each plane */
	int permille;			/* expected size, in thousandths of the raw one */
};

/* Guess for @len bytes (at least 1) at @raw; @ctx is a ZSTD_CCtx that compresses quickly. */
struct ebb_tensor_pick ebb_tensor_pick(void *ctx, struct ebb_tensor_hint hint, const uint8_t *raw,
				       size_t len);

#endif
