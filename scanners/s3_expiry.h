/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a bucket's own lifecycle rules take noncurrent versions away: read from its configuration as XML (s3_admin.h).
 *
 * Pure. Threads: any.
 */
#ifndef EBB_SCANNERS_S3_EXPIRY_H
#define EBB_SCANNERS_S3_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* One enabled rule that does so. */
struct ebb_s3_expiry {
	const char *prefix;	/* of keys in the bucket; "": all */
	int64_t days;		/* after a version became noncurrent */
	int64_t newer;		/* noncurrent versions of a key that are kept first */
	bool filtered;		/* it asks for tags or sizes besides, so it may not meet a key */
};

/* Borrowed until it returns; a negative return ends the reading with it. */
typedef int ebb_s3_expiry_fn(void *ctx, const struct ebb_s3_expiry *e);

/* Hand every such rule to @fn. Returns 0; -EBB_ECORRUPT for what is no XML; -EBB_ENOMEM; what @fn returned. */
int ebb_s3_expiry_read(const char *doc, size_t len, ebb_s3_expiry_fn *fn, void *ctx, struct ebb_err *err);

#endif
