/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Learning: digests of contents that were read, put into the records of the current generation.
 *
 * A record's place (number of its block in the list << 16 | its number in the block) stays what it is, so orders built for the
 * generation stay right. Readers with a snapshot see either all or nothing of one call. The next scan carries over
 * what was learned while the object is the same (merge.h).
 *
 * Threads: this is writing: the caller holds the run lock, and no snapshot of this process is open (the map may grow).
 */
#ifndef EBB_CORE_LEARN_H
#define EBB_CORE_LEARN_H

#include "core/index.h"

struct ebb_learn_item {
	uint64_t place;
	uint32_t known;		/* EBB_KNOWN_DIGEST or EBB_KNOWN_SAMPLE */
	uint8_t digest[EBB_DIGEST_LEN];
};

/*
 * Put @n digests into the records of @store. @items is sorted by place here; no place stands twice.
 *
 * @generation  that the places belong to; -EBB_ESTALE when it is not the current one any more, or another scan has begun.
 * @return      0; -EBB_ENOSPC; -EBB_EINDEX; -EBB_ECORRUPT; -EBB_EINVAL for a place that does not exist.
 */
int ebb_learn_digests(struct ebb_index *ix, const char *store, uint32_t generation,
		      struct ebb_learn_item *items, size_t n, struct ebb_err *err);

#endif
