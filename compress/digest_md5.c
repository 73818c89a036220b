/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/digest.h"

#include <openssl/evp.h>

#include "compress/digest_evp.h"

static int md5_reset(void *state)
{
	return EVP_DigestInit_ex(state, EVP_md5(), NULL) == 1 ? 0 : -1;
}

const struct ebb_digest_algo ebb_digest_md5 = {
	.name = "md5",
	.len = 16,
	.open = ebb_digest_evp_open,
	.reset = md5_reset,
	.update = ebb_digest_evp_update,
	.final = ebb_digest_evp_final,
	.close = ebb_digest_evp_close,
};
