/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: what a bucket answers when it is asked for its lifecycle. Rules about old versions come out whole, or it is refused with words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/s3_expiry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int rule(void *ctx, const struct ebb_s3_expiry *e)
{
	size_t *n = ctx;

	if (!e->prefix || e->days < 0 || e->newer < 0)
		abort();
	*n += strlen(e->prefix);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebb_err err = {0};
	size_t n = 0;
	int r = ebb_s3_expiry_read((const char *)data, size, rule, &n, &err);

	if (r < 0 && !*err.msg)
		abort();
	return 0;
}
