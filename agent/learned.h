/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests of objects of several stores, kept aside in any number and order until nobody looks at the index.
 *
 * Threads: belongs to one thread. Bounded memory: a sort beside the index.
 */
#ifndef EBB_AGENT_LEARNED_H
#define EBB_AGENT_LEARNED_H

#include "agent/reach.h"
#include "core/sort.h"

struct ebb_learned {
	struct ebb_sort sort;
	uint64_t n;
};

/* Prepare it, with temporary files in @dir. Errors of ebb_sort_init; ebb_learned_release in any case. */
int ebb_learned_init(struct ebb_learned *l, const char *dir, struct ebb_err *err);
void ebb_learned_release(struct ebb_learned *l);

/* Take the digest of the object at @place of store @store of the reach. */
int ebb_learned_add(struct ebb_learned *l, uint16_t store, uint64_t place, const uint8_t *digest,
		    struct ebb_err *err);

/* Put all into the index, once; as ebb_learn_digests, whose conditions hold. */
int ebb_learned_keep(struct ebb_learned *l, struct ebb_index *ix, const struct ebb_reach *reach,
		     struct ebb_err *err);

#endif
