/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/pack.h"

#include <string.h>

bool ebb_pack_key_ok(const char *key)
{
	size_t len = strlen(key);

	if (len == 0 || len > EBB_KEY_MAX)
		return false;
	for (const char *p = key;; p++) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (!*p)
			return true;
	}
}
