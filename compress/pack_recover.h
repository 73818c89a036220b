/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of a damaged pack is intact. With an index every member is verified by its row, so those that are
 * lost have names. Without one (cut tail, missing footer) the pack is searched from its beginning for the
 * markers that follow members, and for frames that no marker follows.
 *
 * Where a pack lies within another one as a member, the inner markers do not fit their place, and what
 * an intact member encloses is not looked at.
 *
 * Memory: as reading; without an index also 60 bytes and the key of each member, and up to 64 MiB of a
 * stretch without markers.
 * Threads: one. Blocks where @read does.
 */
#ifndef EBB_COMPRESS_PACK_RECOVER_H
#define EBB_COMPRESS_PACK_RECOVER_H

#include "compress/pack.h"
#include "compress/range.h"

/* Told of each member, in the order in which they lie. @m is borrowed; a negative return stops. */
typedef int ebb_pack_recover_fn(void *ctx, const struct ebb_pack_member *m, bool intact,
				struct ebb_err *err);

struct ebb_pack_recovered {
	bool indexed;		/* the index is intact */
	int64_t intact;		/* members */
	int64_t lost;		/* members of the index, or stretches between those found, that are damaged */
};

/*
 * Look at a pack of @size bytes. Rows told have every field set and can be read with pack_read.h.
 *
 * @return  0 with *ret, also when nothing is intact; what @read or @fn returned; -EBB_ENOMEM.
 */
int ebb_pack_recover(ebb_range_fn *read, void *ctx, int64_t size, ebb_pack_recover_fn *fn, void *fn_ctx,
		     struct ebb_pack_recovered *ret, struct ebb_err *err);

#endif
