/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/digest_evp.h"

#include <openssl/evp.h>

void *ebb_digest_evp_open(void)
{
	return EVP_MD_CTX_new();
}

int ebb_digest_evp_update(void *state, const void *p, size_t len)
{
	return EVP_DigestUpdate(state, p, len) == 1 ? 0 : -1;
}

int ebb_digest_evp_final(void *state, uint8_t *ret)
{
	return EVP_DigestFinal_ex(state, ret, NULL) == 1 ? 0 : -1;
}

void ebb_digest_evp_close(void *state)
{
	EVP_MD_CTX_free(state);
}
