/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading parts of a tensor container: the foot leads to the index, the index to the blocks of the
 * wanted bytes; nothing else is read. Offsets are those of the original object, so whoever wants one
 * tensor reads the original's header first (it stands in the first blocks) and then the range that it
 * names.
 *
 * Memory: the index (16 bytes a block of 512 KiB, at most 128 MiB) and 1.5 MiB.
 * Threads: a reader belongs to one thread at a time. Blocks where the callback does.
 */
#ifndef EBB_COMPRESS_TENSOR_READ_H
#define EBB_COMPRESS_TENSOR_READ_H

#include "compress/range.h"
#include "core/mem.h"

struct ebb_tensor_reader;

/*
 * Open a container of @size bytes, reached by @read with @ctx. Three reads: head, foot, index.
 *
 * @return  0; -EBB_ECORRUPT when head, foot or index are damaged or missing; -EBB_EVERSION; what @read
 *          returned; -EBB_ENOMEM.
 */
int ebb_tensor_read_open(ebb_range_fn *read, void *ctx, int64_t size, struct ebb_tensor_reader **ret,
			 struct ebb_err *err);
void ebb_tensor_read_close(struct ebb_tensor_reader *r);
EBB_CLEANUP_PTR(struct ebb_tensor_reader, ebb_tensor_read_close);

/* Bytes of the original object. */
int64_t ebb_tensor_read_size(const struct ebb_tensor_reader *r);

/*
 * Up to @len bytes at @off of the original into @buf: one read of the container per block.
 *
 * @return  bytes, fewer than @len only at the end of the object; -EBB_ECORRUPT; what the callback
 *          returned.
 */
int64_t ebb_tensor_read(struct ebb_tensor_reader *r, int64_t off, void *buf, size_t len,
			struct ebb_err *err);

#endif
