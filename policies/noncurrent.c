/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/noncurrent.h"

#include <string.h>

#define DAY_NS (INT64_C(86400) * 1000000000)

static const char *const names[EBB_NONCURRENT_STATES] = {
	[EBB_NONCURRENT_UNKNOWN] = "unknown",
	[EBB_NONCURRENT_NONE] = "none",
	[EBB_NONCURRENT_SUSPENDED] = "suspended",
	[EBB_NONCURRENT_ENABLED] = "enabled",
};

const char *ebb_noncurrent_name(int state)
{
	return state < 0 || state >= EBB_NONCURRENT_STATES ? NULL : names[state];
}

int ebb_noncurrent_by_name(const char *name)
{
	for (int i = 0; i < EBB_NONCURRENT_STATES; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* Into the trash, not for good. */
static bool trashes(const struct ebb_action *a)
{
	return (a->id == EBB_ACTION_DELETE && !a->purge) || (a->id == EBB_ACTION_DEDUP && a->how != EBB_ACTION_REFLINK);
}

bool ebb_noncurrent_hides(const struct ebb_noncurrent *v, const struct ebb_action *a)
{
	return v && v->state == EBB_NONCURRENT_ENABLED && trashes(a);
}

bool ebb_noncurrent_forbids(const struct ebb_noncurrent *v, const struct ebb_action *a)
{
	if (!v || !v->mfa_delete || a->id == EBB_ACTION_COPY || a->id == EBB_ACTION_STRIKE)
		return false;
	/* a duplicate that only hides saves nothing; that something is out of sight is what a delete may be for */
	return !(a->id == EBB_ACTION_DELETE && ebb_noncurrent_hides(v, a));
}

int64_t ebb_noncurrent_days(const struct ebb_noncurrent *v, const char *key, size_t len)
{
	int64_t least = -1;

	if (!v || v->mfa_delete)
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		const struct ebb_noncurrent_rule *r = &v->rules[i];
		size_t n = strlen(r->prefix);

		/* what was hidden last is the newest of the noncurrent: kept where any are */
		if (r->newer > 0 || (key && (len < n || memcmp(key, r->prefix, n) != 0)))
			continue;
		least = least < 0 || r->days < least ? r->days : least;
	}
	return least;
}

bool ebb_noncurrent_hurries(const struct ebb_noncurrent *v, const struct ebb_action *a, bool whole)
{
	int64_t days, ns;

	if (!ebb_noncurrent_hides(v, a))
		return false;
	days = ebb_noncurrent_days(v, whole ? NULL : a->obj->key, a->obj->key_len);
	return days >= 0 && !__builtin_mul_overflow(days, DAY_NS, &ns) && ns < a->trash_ns;
}
