/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading parts of an object that is reached by ranges: a file, or a bucket's object by one request
 * a call. Samples, tensor containers and packs are read this way.
 *
 * Threads: as the caller's function says.
 */
#ifndef EBB_COMPRESS_RANGE_H
#define EBB_COMPRESS_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/*
 * Up to @len bytes at @off into @buf: bytes read (short only at the end of the object), or a
 * negative code.
 */
typedef int64_t ebb_range_fn(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err);

/*
 * All of @len bytes at @off, with one call of @read.
 *
 * @return  0; what @read returned; -EBB_ECHANGED when the object ends before.
 */
int ebb_range_read(ebb_range_fn *read, void *ctx, int64_t off, void *buf, size_t len,
		   struct ebb_err *err);

#endif
