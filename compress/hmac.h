/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keyed digests (RFC 2104, RFC 4231), for signing requests. Threads: may be called from any. */
#ifndef EBB_COMPRESS_HMAC_H
#define EBB_COMPRESS_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define EBB_HMAC_LEN 32

/* HMAC-SHA256 of @len bytes under a key of any length. 0; -EBB_EIO when the library failed. */
int ebb_hmac_sha256(const void *key, size_t klen, const void *p, size_t len, uint8_t ret[EBB_HMAC_LEN],
		    struct ebb_err *err);

#endif
