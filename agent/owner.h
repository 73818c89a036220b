/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of owners, from the system's user database, each looked up once.
 *
 * Threads: main thread only. May block on the database (NSS).
 */
#ifndef EBB_AGENT_OWNER_H
#define EBB_AGENT_OWNER_H

#include <stdint.h>

#define EBB_OWNER_MAX 64

/* Name of @uid, "1234" when nobody is called so, "unknown" for -1, into @ret, which is returned. */
const char *ebb_owner_name(int64_t uid, char ret[EBB_OWNER_MAX]);

#endif
