/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files and objects of buckets that are the same, without a request: where both have one size, the entity tags that a store would give
 * to the file are computed (compress/etag.h) and compared with those that the last scan listed. An object with such a tag gets the
 * digest of the file, so that both are one group for everything that asks the index.
 *
 * A tag says as much of the content as MD5 does, which proposes and proves nothing; whoever removes compares bytes.
 *
 * Files of a size that an unmatched object has are read again each time, since their tags are kept nowhere.
 *
 * Threads: main thread; reading starts its own. The caller holds the run lock, and no snapshot is open. Bounded memory.
 */
#ifndef EBB_AGENT_ETAGS_H
#define EBB_AGENT_ETAGS_H

#include "agent/hash.h"

/* Add to @ret what was read. Errors of ebb_hash_run; what was learned until then is kept. */
int ebb_etags_run(struct ebb_app *app, struct ebb_index *ix, const struct ebb_reach *reach,
		  const struct ebb_hash_opts *opts, struct ebb_hash_result *ret, struct ebb_err *err);

#endif
