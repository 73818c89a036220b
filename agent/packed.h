/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journals as a catalogue of packs: where an object that a run archived lies now. Threads: main thread.
 */
#ifndef EBB_AGENT_PACKED_H
#define EBB_AGENT_PACKED_H

#include "compress/pack.h"
#include "core/arena.h"

struct ebb_packed {
	const char *store, *key;	/* of the pack */
	struct ebb_record rec;		/* what the pack must still be */
	struct ebb_pack_member row;
};

/*
 * The newest run that archived @key of @store and did not give it back.
 *
 * @arena   holds the strings of *ret.
 * @return  1 with *ret; 0 when there is none, or (*ret_struck) it was deleted from its pack since; -EBB_EJOURNAL, -EBB_ENOMEM.
 */
int ebb_packed_find(const char *index, const char *store, const char *key, struct ebb_arena *arena,
		    struct ebb_packed *ret, bool *ret_struck, struct ebb_err *err);

#endif
