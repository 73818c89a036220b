/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/owner.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Direct-mapped: users of one run rarely collide, and a collision costs one more lookup. */
enum { SLOTS = 1024 };

static struct entry {
	int64_t uid;
	bool used;
	char name[EBB_OWNER_MAX];
} cache[SLOTS];

const char *ebb_owner_name(int64_t uid, char ret[EBB_OWNER_MAX])
{
	struct entry *e = &cache[(uint64_t)uid % SLOTS];

	if (!e->used || e->uid != uid) {
		struct passwd *pw = uid < 0 || uid > UINT32_MAX ? NULL : getpwuid((uid_t)uid);

		*e = (struct entry){.uid = uid, .used = true};
		if (pw)
			snprintf(e->name, sizeof(e->name), "%s", pw->pw_name);
		else if (uid < 0)
			snprintf(e->name, sizeof(e->name), "unknown");
		else
			snprintf(e->name, sizeof(e->name), "%lld", (long long)uid);
	}
	memcpy(ret, e->name, EBB_OWNER_MAX);
	return ret;
}
