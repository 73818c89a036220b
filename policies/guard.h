/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guards: objects that something else refers to, so that no rule may take them away from under it.
 *
 * An entry says that an object, or everything below a prefix, is referred to (live), or must stay as it is because what refers to it is not
 * known well enough (held). What an action may do then:
 *
 *                                          live                                   held
 *   delete, archive, compress              no: the name leads nowhere             no
 *   tier to another store                  no                                     no
 *   tier to a class of its own store       yes, unless it must be thawed to read  no
 *   dedup, delete                          no                                     no
 *   dedup, hardlink or reflink             yes: name and bytes stay               no
 *   copy                                   yes                                    yes
 *
 * Objects of DVC caches (.../files/md5/XX/REST, or .../XX/REST of a .dvc/cache) are live by their hash, wherever they lie; those whose hash nobody in sight
 * names are held, but in a cache of which all references are in sight.
 *
 * Pure. Threads: read-only when sealed.
 */
#ifndef EBB_POLICIES_GUARD_H
#define EBB_POLICIES_GUARD_H

#include "core/arena.h"
#include "core/err.h"
#include "policies/action.h"

/* Hex digits of a hash in a DVC cache. */
#define EBB_GUARD_HASH 32

struct ebb_guard_entry {
	const char *store;
	const char *key;
	size_t len;
	bool below;		/* @key is a prefix of what is meant */
	bool held;
	const char *why;	/* one line: "runs/latest refers to it" */
};

struct ebb_guard;

/* NULL when memory is short. */
struct ebb_guard *ebb_guard_new(void);
void ebb_guard_free(struct ebb_guard *g);

/* Add an entry; strings are copied. 0 or -EBB_ENOMEM. */
int ebb_guard_add(struct ebb_guard *g, const struct ebb_guard_entry *e, struct ebb_err *err);

/* A hash that somebody names, EBB_GUARD_HASH lower-case hex digits, and who. */
int ebb_guard_hash(struct ebb_guard *g, const char *hash, const char *why, struct ebb_err *err);

/* Below this prefix lies a cache all of whose references were added. */
int ebb_guard_whole(struct ebb_guard *g, const char *store, const char *prefix, struct ebb_err *err);

/* No more comes; entries can be asked for. */
int ebb_guard_seal(struct ebb_guard *g, struct ebb_err *err);

/* What is known of an object, an entry that holds it before one that refers to it; NULL: nothing. Lives as long as @g, or until the next call. */
const struct ebb_guard_entry *ebb_guard_ask(struct ebb_guard *g, const char *store, const char *key, size_t len);

/*
 * Why @a would break something, or NULL.
 *
 * @asleep  the class that it goes into must be thawed before it is read, or that is not known.
 */
const char *ebb_guard_breaks(struct ebb_guard *g, const struct ebb_action *a, bool asleep);

/* The hash in the key of an object of a DVC cache into @ret, with a NUL; *ret_prefix: length of the cache's prefix. False for other keys. */
bool ebb_guard_hash_of(const char *key, size_t len, char ret[EBB_GUARD_HASH + 1], size_t *ret_prefix);

/* Number of entries, and one of them by store and key. */
size_t ebb_guard_count(const struct ebb_guard *g);
const struct ebb_guard_entry *ebb_guard_get(const struct ebb_guard *g, size_t i);

#endif
