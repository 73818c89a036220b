/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/digest.h"

#include <openssl/evp.h>

static void *sha_open(void)
{
	return EVP_MD_CTX_new();
}

static int sha_reset(void *state)
{
	return EVP_DigestInit_ex(state, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

static int sha_update(void *state, const void *p, size_t len)
{
	return EVP_DigestUpdate(state, p, len) == 1 ? 0 : -1;
}

static int sha_final(void *state, uint8_t *ret)
{
	return EVP_DigestFinal_ex(state, ret, NULL) == 1 ? 0 : -1;
}

static void sha_close(void *state)
{
	EVP_MD_CTX_free(state);
}

const struct ebb_digest_algo ebb_digest_sha256 = {
	.name = "sha256",
	.len = 32,
	.open = sha_open,
	.reset = sha_reset,
	.update = sha_update,
	.final = sha_final,
	.close = sha_close,
};
