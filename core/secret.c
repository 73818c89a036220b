/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct ebb_secret {
	size_t len;
	char bytes[];
};

/* 1, not 0: with 0 the kernel still hands a core to a program that /proc/sys/kernel/core_pattern names (core(5)). */
static void dump_no_core(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_cur > 1) {
		l.rlim_cur = 1;
		setrlimit(RLIMIT_CORE, &l);
	}
}

struct ebb_secret *ebb_secret_new(const void *p, size_t len)
{
	struct ebb_secret *secret = malloc(ebb_mem_add(ebb_mem_add(sizeof(*secret), len), 1));

	if (!secret)
		return NULL;
	dump_no_core();
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
