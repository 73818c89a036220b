/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names below .ebb-packs/. A pack and what becomes of it share a line:
 *
 *   .ebb-packs/STORE/TIME/NUMBER.tar.zst             a pack as it was written (generation 0)
 *   .ebb-packs/STORE/TIME/NUMBER.r1.tar.zst          the same packed anew, without what was deleted
 *   .ebb-packs/STORE/TIME/NUMBER.gone/HASH-SECONDS   a tombstone: the object whose key has this XXH3-128 counts as deleted, and its
 *                                                    bytes may go from SECONDS since the epoch on
 *
 * STORE is the one that the objects came from. Tombstones say all by their names, so that a listing tells them; they belong to the line, not
 * to a generation of it. Pure. Threads: any.
 */
#ifndef EBB_AGENT_PACKNAME_H
#define EBB_AGENT_PACKNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/record.h"

enum ebb_packname_kind {
	EBB_PACKNAME_PACK,
	EBB_PACKNAME_TOMBSTONE
};

struct ebb_packname {
	enum ebb_packname_kind kind;
	size_t line;			/* bytes of the key that all of a line share */
	const char *store;		/* in the key: where the objects came from; not NUL-terminated */
	size_t store_len;
	int generation;			/* PACK */
	uint8_t hash[EBB_DIGEST_LEN];	/* TOMBSTONE */
	int64_t expires;		/* TOMBSTONE: ns since the epoch */
};

/* Read a key of @len bytes, NUL not needed. False: it is none of these names. */
bool ebb_packname_parse(const char *key, size_t len, struct ebb_packname *ret);

/* Key of a generation of the line that @key (a pack) is of. NULL when memory is short. */
const char *ebb_packname_pack(struct ebb_arena *arena, const char *key, size_t line, int generation);

/* Key of the tombstone of @member; @expires in ns, rounded up to seconds. NULL when memory is short. */
const char *ebb_packname_tombstone(struct ebb_arena *arena, const char *key, size_t line, const char *member,
				   size_t member_len, int64_t expires);

/* The hash that a tombstone of @member carries. */
void ebb_packname_hash(const char *member, size_t len, uint8_t ret[EBB_DIGEST_LEN]);

#endif
