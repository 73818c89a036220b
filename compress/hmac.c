/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

int ebb_hmac_sha256(const void *key, size_t klen, const void *p, size_t len, uint8_t ret[EBB_HMAC_LEN],
		    struct ebb_err *err)
{
	unsigned n;

	if (!HMAC(EVP_sha256(), key, (int)klen, p, len, ret, &n))
		return ebb_err_set(err, EBB_EIO, "the keyed digest failed");
	return 0;
}
