/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

struct ebb_secret {
	size_t len;
	char bytes[];
};

struct ebb_secret *ebb_secret_new(const void *p, size_t len)
{
	struct ebb_secret *secret = malloc(ebb_mem_add(ebb_mem_add(sizeof(*secret), len), 1));

	if (!secret)
		return NULL;
	secret->len = len;
	if (len)
		memcpy(secret->bytes, p, len);
	secret->bytes[len] = '\0';
	return secret;
}

void ebb_secret_free(struct ebb_secret *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret->bytes, secret->len);
	free(secret);
}

const char *ebb_secret_expose(const struct ebb_secret *secret, size_t *ret_len)
{
	if (ret_len)
		*ret_len = secret->len;
	return secret->bytes;
}
