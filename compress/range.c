/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/range.h"

#include <inttypes.h>

int ebb_range_read(ebb_range_fn *read, void *ctx, int64_t off, void *buf, size_t len,
		   struct ebb_err *err)
{
	int64_t n = read(ctx, off, buf, len, err);

	if (n < 0)
		return (int)n;
	if ((size_t)n < len)
		return ebb_err_set(err, EBB_ECHANGED, "the object ends before byte %" PRId64,
				   off + (int64_t)len);
	return 0;
}
