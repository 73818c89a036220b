/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the header of a tensor file says about the bytes behind it: which ranges hold elements of which
 * width. Formats: safetensors, GGUF (2 and 3), NumPy's npy. A format is one file with one const struct
 * ebb_tensor_kind and one line in the table of tensor_map.c.
 *
 * Headers are read to code better, never to decode: a wrong map costs bytes, not correctness. Still a
 * header that contradicts itself or the object's size is refused, since whoever wrote it did not
 * write a tensor file, and what stands behind is not what the rule took it for.
 *
 * Memory: ranges in a row of the same element are one; at most EBB_TENSOR_MAP_HEADER bytes of header
 * are held by the caller and EBB_TENSOR_MAP_RANGES ranges by the map (16 MiB).
 * Threads: any; nothing is kept.
 */
#ifndef EBB_COMPRESS_TENSOR_MAP_H
#define EBB_COMPRESS_TENSOR_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "compress/tensor_block.h"
#include "core/err.h"

/* Longest header looked at, in bytes: 32 MiB, far above the tokenizers that GGUF files carry. */
#define EBB_TENSOR_MAP_HEADER ((size_t)32 << 20)

#define EBB_TENSOR_MAP_RANGES ((size_t)1 << 20)

/* End of a range that goes on to the end of the object. */
#define EBB_TENSOR_MAP_END UINT64_MAX

/* Bytes begin to end - 1 of the object; before, between and behind ranges lies what is not tensors. */
struct ebb_tensor_range {
	uint64_t begin, end;
	struct ebb_tensor_hint hint;
};

struct ebb_tensor_map {
	const char *format;	/* "safetensors"; "raw": no header known. Constant */
	struct ebb_tensor_range *ranges;	/* ascending, not overlapping; owned */
	size_t n, size;
};

void ebb_tensor_map_release(struct ebb_tensor_map *m);

/*
 * Read the header from the first @len bytes of an object of @size bytes (-1: not known).
 *
 * @all     nothing comes behind these bytes.
 * @return  1: *ret is filled, to be released, format "raw" when no format is recognised; 0: more
 *          bytes are needed; -EBB_ENOTSUP: the header contradicts itself or the size, or is longer than
 *          EBB_TENSOR_MAP_HEADER, the message says how; -EBB_ENOMEM.
 */
int ebb_tensor_map(const uint8_t *p, size_t len, int64_t size, bool all, struct ebb_tensor_map *ret,
		   struct ebb_err *err);

/* --- For formats -------------------------------------------------------------------------------------- */

struct ebb_tensor_kind {
	const char *name;
	/* Could an object that begins with these bytes (at least 10) be one? */
	bool (*looks)(const uint8_t *p, size_t len);
	/*
	 * Fill the map's ranges, in any order. 1, 0: more bytes are needed (*ret_need of them in all, or
	 * 0: not known), or -EBB_ENOTSUP.
	 */
	int (*read)(const uint8_t *p, size_t len, struct ebb_tensor_map *m, uint64_t *ret_need,
		    struct ebb_err *err);
};

extern const struct ebb_tensor_kind ebb_tensor_safetensors;
extern const struct ebb_tensor_kind ebb_tensor_gguf;
extern const struct ebb_tensor_kind ebb_tensor_npy;

/* Add a range; empty ones are dropped. -EBB_ENOTSUP beyond EBB_TENSOR_MAP_RANGES; -EBB_ENOMEM. */
int ebb_tensor_map_add(struct ebb_tensor_map *m, uint64_t begin, uint64_t end,
		       struct ebb_tensor_hint hint, struct ebb_err *err);

#endif
