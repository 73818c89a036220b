/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records by their place: number of the block in a store's list << 16 | number of the record in the block.
 *
 * A place belongs to one generation. Sorted lists of places are how questions that need another order than that of keys keep
 * hold of records without copying them (order.h, duplicates). Asked for in rising order, records cost what a walk costs; names may
 * be asked for in any order, since the keys of some blocks are kept (16 MiB).
 *
 * Threads: belongs to the thread of its snapshot.
 */
#ifndef EBB_CORE_PLACE_H
#define EBB_CORE_PLACE_H

#include "core/block.h"
#include "core/snap.h"

struct ebb_place;

/* @ret lives no longer than @s. -EBB_ENOMEM. */
int ebb_place_open(struct ebb_snap *s, struct ebb_place **ret, struct ebb_err *err);
void ebb_place_close(struct ebb_place *p);
EBB_CLEANUP_PTR(struct ebb_place, ebb_place_close);

/*
 * The record at a place of the current generation of @st. @ret->key is borrowed until the next call.
 *
 * @return  0; -EBB_EINDEX for a place that does not exist; -EBB_ECORRUPT; -EBB_ENOMEM.
 */
int ebb_place_record(struct ebb_place *p, const struct ebb_index_store *st, uint64_t place,
		     struct ebb_record *ret, struct ebb_err *err);

/* Its key alone, NUL-terminated, *ret_len bytes; borrowed until the next call. The same errors. */
int ebb_place_key(struct ebb_place *p, const struct ebb_index_store *st, uint64_t place,
		  const char **ret, size_t *ret_len, struct ebb_err *err);

#endif
