/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which objects are encoded under their own keys (keep_key). No listing tells, so the journals do: what runs encoded and nobody took back, and what
 * they found encoded by others. Asked by identity, so an object that was written anew counts for nothing.
 *
 * Memory: 8 bytes an object.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_ENCODED_H
#define EBB_AGENT_ENCODED_H

#include "core/err.h"
#include "core/record.h"

struct ebb_encoded {
	uint64_t *v;	/* hashes of store, key, size and entity tag; sorted, owned */
	size_t n, room;
};

/* Read all journals of @index into the zeroed @ret; released in any case. 0; -EBB_EJOURNAL, -EBB_ENOMEM. */
int ebb_encoded_load(const char *index, struct ebb_encoded *ret, struct ebb_err *err);
void ebb_encoded_release(struct ebb_encoded *e);

/* Is it one of them, as @rec says? What has no entity tag is none. */
bool ebb_encoded_has(const struct ebb_encoded *e, const char *store, const struct ebb_record *rec);

#endif
