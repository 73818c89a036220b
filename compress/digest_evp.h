/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the digests of libcrypto have in common; for their rows. State is an EVP_MD_CTX. */
#ifndef EBB_COMPRESS_DIGEST_EVP_H
#define EBB_COMPRESS_DIGEST_EVP_H

#include <stddef.h>
#include <stdint.h>

void *ebb_digest_evp_open(void);
int ebb_digest_evp_update(void *state, const void *p, size_t len);
int ebb_digest_evp_final(void *state, uint8_t *ret);
void ebb_digest_evp_close(void *state);

#endif
