/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a bucket does with versions that are no longer current, as its last scan found it: whether it keeps them, whether they can be
 * removed, and when its own lifecycle rules remove them. Says what a delete is worth there, and whether its trash keeps its word.
 *
 * In a bucket that keeps versions the trash is a delete marker: the object lies below it as a noncurrent version, is billed as before, and
 * goes when the trash lets it go. Everything else removes the version itself.
 *
 * Pure. Threads: plain data, read-only.
 */
#ifndef EBB_POLICIES_NONCURRENT_H
#define EBB_POLICIES_NONCURRENT_H

#include "policies/action.h"

enum ebb_noncurrent_state {
	EBB_NONCURRENT_UNKNOWN,		/* it did not say, or nobody asked (an inventory) */
	EBB_NONCURRENT_NONE,		/* no versions, or no bucket */
	EBB_NONCURRENT_SUSPENDED,	/* those from before stay; what is removed now goes */
	EBB_NONCURRENT_ENABLED,
	EBB_NONCURRENT_STATES
};

/* A lifecycle rule that removes noncurrent versions. */
struct ebb_noncurrent_rule {
	const char *prefix;	/* of keys of the store */
	int64_t days;		/* after it became noncurrent */
	int64_t newer;		/* noncurrent versions of a key that are kept first */
	bool filtered;		/* tags or sizes decide besides: it may */
};

struct ebb_noncurrent {
	enum ebb_noncurrent_state state;
	bool mfa_delete;	/* no version is removed without a second factor, by nobody, lifecycle rules included */
	bool unread;		/* its lifecycle rules could not be read */
	const struct ebb_noncurrent_rule *rules;
	size_t n;
};

/* "unknown", "none", "suspended", "enabled"; NULL out of range. Constant. */
const char *ebb_noncurrent_name(int state);
int ebb_noncurrent_by_name(const char *name);	/* -1: none */

/* Does @a leave its object there as a noncurrent version? @v may be NULL: nothing is known. */
bool ebb_noncurrent_hides(const struct ebb_noncurrent *v, const struct ebb_action *a);

/* Would @a have to remove a version for good, which the bucket lets nobody do? */
bool ebb_noncurrent_forbids(const struct ebb_noncurrent *v, const struct ebb_action *a);

/*
 * Days after which the bucket itself may remove what a delete marker hides under @key; -1: never, as far as is known.
 *
 * @key  NULL: under any key.
 */
int64_t ebb_noncurrent_days(const struct ebb_noncurrent *v, const char *key, size_t len);

/* Would that be before the trash of @a lets go? @whole: ask for all keys, so that what belongs together is told the same. */
bool ebb_noncurrent_hurries(const struct ebb_noncurrent *v, const struct ebb_action *a, bool whole);

#endif
